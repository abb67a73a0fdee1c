# what: the workload's memory over time: charged to it (merged pages once), swapped out; the machine's swap slots in use, what of it is in zswap, and the memory that zswap's pool takes
# needs: the samplers workload and swap
# y: memory
# height: 1.5
# panel height: 1.1
# part: charged = workload.cgroup.memory
# part: swapped out = workload.swap
# part: swap slots in use = swap.used
# part: their contents in zswap = zswap.Zswapped
# part: zswap's pool = zswap.Zswap
# legend: lines
# data values: time
# data marks_file: marks
eval panels_begin
do for [p=1:panels] {
	eval panel_begin
	set xrange [0:panel_end[p] * x_scale]
	set yrange [y_least:panel_most[p] * y_scale]
	eval phase_marks
	plot for [i=1:lines] values index 2 * ((p - 1) * lines + i - 1) using ($1 * x_scale):($2 * y_scale) skip 1 with lines \
			lc rgb stroke[mod8(i)] dt 1 lw 0.35 * data_width, \
		for [i=1:lines] values index 2 * ((p - 1) * lines + i - 1) + 1 using ($1 * x_scale):($2 * y_scale) skip 1 with lines \
			ls mod8(i) lw 1.2 * data_width title line[i]
}
unset multiplot
