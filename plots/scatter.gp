# what: a metric under the baseline (x) and under the other systems (y), a point for each workload
# needs: completed runs of two systems or more
# metric: elapsed
# height: 2.3
# legend: points
# data cells: cells against
set datafile columnheaders
if (wide_range) { set logscale xy }
set xrange [least:most]
set yrange [least:most]
if (!plain) { set grid xtics ytics lt 1 lc rgb faint lw 0.4 dt 1 }
eval below
eval y_axis
set arrow from least,least to most,most nohead lc rgb ink lw 0.5 dt (6,6)
of(s) = column("system") == s ? column("base") : NaN
plot for [s=2:systems] cells using (of(s)):(column("y_low")):(0):(column("y_high") - column("y_low")) with vectors nohead ls mod8(s) dt 1 lw 0.6, \
	for [s=2:systems] cells using (column("system") == s ? column("base_low") : NaN):(column("y")):(column("base_high") - column("base_low")):(0) \
		with vectors nohead ls mod8(s) dt 1 lw 0.6, \
	for [s=2:systems] cells using (of(s)):(column("y")) with points ls mod8(s) ps 1.4 * point_size title line[s - 1], \
	cells using (column("base")):(column("y")):(column("named") > 0 ? workload_name[int(column("workload"))] : '') with labels left \
		offset 0.4 / wide,0 textcolor rgb ink font no_data_font
