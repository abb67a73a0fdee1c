# what: share of calls that take longer than a latency, on logarithmic axes: the tail
# needs: a latency probe
# probe: handle_mm_fault
# height: 1.5
# panel height: 1.1
# y room: 3.5
# legend: lines
# data steps: cdf
y_title = 'calls longer than this (' . percent . ')'
eval latency_x
set logscale y
set yrange [40.0 / extreme:100]
set format y '%g'
eval panels_begin
do for [p=1:panels] {
	eval panel_begin
	plot for [s=1:lines] steps index (p - 1) * lines + s - 1 using 1:($3 * 100) skip 1 with steps ls mod8(s) title line[s]
}
unset multiplot
