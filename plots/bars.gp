# what: a metric by workload and system, relative to the baseline, with the geometric mean
# needs: completed runs; of two systems or more to be relative
# metric: elapsed
# height: 1.5
# legend: boxes
# data cells: cells relative
set datafile columnheaders
eval slots
eval y_axis
set yrange [y_floor:*]
if (y_floor < 0) { set xzeroaxis lt 1 lc rgb ink lw 0.5 }
set boxwidth slot * 0.92
if (relative) { set arrow from graph 0, first 1 to graph 1, first 1 nohead lc rgb ink lw 0.5 dt (6,6) front }
of(s) = column("system") == s ? column("x") : NaN
plot for [s=1:lines] cells using (of(s)):(column("y")) with boxes \
		fillstyle solid border rgb ink fillcolor rgb colour[mod8(s)] lw 0.4 title line[s], \
	for [s=1:hatched] cells using (of(s)):(hatch[mod8(s)] ? column("y") : 0) with boxes \
		fillstyle transparent pattern hatch[mod8(s)] border rgb ink fillcolor rgb ink lw 0.4, \
	cells using (column("x")):(column("y_low")):(0):(column("y_high") - column("y_low")) with vectors arrowstyle 9, \
	cells using (column("n") > 0 ? NaN : column("x")):(0):(no_data) with labels rotate by no_data_angle left offset 0,0.34 / tall \
		textcolor rgb ink font no_data_font
