# what: latency distribution of a probe run by run, in the order in which they ran (not over time)
# needs: a latency probe
# probe: handle_mm_fault
# height: 1.7
# panel height: 1.3
# y room: 3.8
# legend: colours
# data bins: run_bins
y_title = x_title
x_title = ''
slot = 0.92
colour_title = 'share of a run''s calls (' . percent . ')'
eval latency_y
unset grid
set xtics scale 0
eval panels_begin
eval colour_scale
do for [p=1:panels] {
	eval panel_begin
	eval slots
	set xrange [0.5:groups + 0.5]
	plot bins index p - 1 using ($5 > 0 ? ($1 + $2) / 2 : NaN):3:1:($2 + 0.008):3:($4 * 1.01):($5 * 100) skip 1 with boxxyerror fillstyle solid noborder fillcolor palette, \
		bins index p - 1 using ($5 < 0 ? $1 : NaN):(least_s * 1.2):(no_data) skip 1 with labels rotate by no_data_angle left textcolor rgb ink font no_data_font
	unset colorbox
}
unset multiplot
