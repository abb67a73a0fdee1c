# what: cumulative latency distribution of a probe
# needs: a latency probe
# probe: handle_mm_fault
# height: 1.5
# panel height: 1.1
# legend: lines
# data steps: cdf
y_title = 'calls up to this latency (' . percent . ')'
eval latency_x
set yrange [0:100]
eval panels_begin
do for [p=1:panels] {
	eval panel_begin
	plot for [s=1:lines] steps index (p - 1) * lines + s - 1 using 1:($2 * 100) skip 1 with steps ls mod8(s) title line[s]
}
unset multiplot
