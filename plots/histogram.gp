# what: latency distribution of a probe
# needs: a latency probe
# probe: handle_mm_fault
# height: 1.5
# panel height: 1.1
# y: calls
# legend: lines
# data bins: bins
y_title = 'share of calls (' . percent . ')'
eval latency_x
set yrange [0:extreme > 0 ? 105 * extreme : 1]
eval panels_begin
do for [p=1:panels] {
	eval panel_begin
	plot for [s=1:lines] bins index (p - 1) * lines + s - 1 using 1:($3 * 100) skip 1 with steps ls mod8(s) title line[s]
}
unset multiplot
