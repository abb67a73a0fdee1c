# what: invalidations given to an Intel IOMMU, by kind and granularity
# needs: the probe qi_submit
# y: invalidations
# height: 1.6
# legend: boxes
# part: * = qi_submit=*@all.count
# data parts: parts common
set datafile columnheaders
eval slots
eval y_axis
set yrange [0:*]
half = slot * 0.46
of(i) = column("part") == i ? column("x") : NaN
plot for [i=1:lines] parts using (of(i)):(column("y_low")):(of(i) - half):(of(i) + half):(column("y_low")):(column("y_high")) with boxxyerror \
		fillstyle solid border rgb ink fillcolor rgb colour[mod8(i)] lw 0.4 title line[i], \
	for [i=1:hatched] parts using (of(i)):(column("y_low")):(of(i) - half):(of(i) + half):(column("y_low")):(hatch[mod8(i)] ? column("y_high") : column("y_low")) \
		with boxxyerror fillstyle transparent pattern hatch[mod8(i)] border rgb ink fillcolor rgb ink lw 0.4, \
	parts using (column("y_high") >= 0 ? NaN : of(1)):(0):(no_data) with labels rotate by no_data_angle left offset 0,0.34 / tall textcolor rgb ink font no_data_font
