# what: a metric of every run, in the order in which they ran, with the median and the middle half
# needs: completed runs
# metric: elapsed
# height: 1.5
# panel height: 1
# legend: boxes
# data points: runs panels
# data boxes: cells panels
set datafile columnheaders
set xrange [0.4:systems + 0.6]
unset xtics
half = slot / 2
eval panels_begin
do for [p=1:panels] {
	eval panel_begin
	set yrange [panel_least[p]:panel_most[p]]
	set ytics panel_step[p]
	of(s) = column("system") == s && column("workload") == p ? column("x") : NaN
	here(y) = column("workload") == p ? y : NaN
	plot for [s=1:systems] boxes using (of(s)):(column("y_q1")):(of(s) - half):(of(s) + half):(column("y_q1")):(column("y_q3")) \
			with boxxyerror fillstyle transparent solid 0.35 border rgb stroke[mod8(s)] fillcolor rgb colour[mod8(s)] lw 0.4 title line[s], \
		for [s=1:systems] points using (column("outlier") > 0 ? NaN : of(s)):(column("y")) with points \
			pt 7 ps point_size lc rgb stroke[mod8(s)], \
		points using (column("outlier") > 0 ? here(column("x")) : NaN):(column("y")) with points pt 2 ps 1.6 * point_size lc rgb ink lw 0.8, \
		boxes using (here(column("x")) - half):(column("y")):(2 * half):(0) with vectors nohead lc rgb ink lw 1, \
		boxes using (column("n") > 0 ? NaN : here(column("x"))):(column("base")):(no_data) with labels rotate by no_data_angle left textcolor rgb ink font no_data_font
}
unset multiplot
