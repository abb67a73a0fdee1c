# what: page tables asked for under pgcache, a second, over time: served from the cache or not
# needs: a run under the system pgcache
# y: tables
# height: 1.5
# panel height: 1.1
# part: served = pgcache.pgd.hit + pgcache.p4d.hit + pgcache.pud.hit + pgcache.pmd.hit + pgcache.pte.hit
# part: none there = pgcache.pgd.miss_empty + pgcache.p4d.miss_empty + pgcache.pud.miss_empty + pgcache.pmd.miss_empty + pgcache.pte.miss_empty
# part: still in use = pgcache.pgd.miss_busy + pgcache.p4d.miss_busy + pgcache.pud.miss_busy + pgcache.pmd.miss_busy + pgcache.pte.miss_busy
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
