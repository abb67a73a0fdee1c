# what: pages that our tiering module promoted, demoted, exchanged and failed to move, a second, over time
# needs: a run under ours, memtis or nomad
# y: moves
# height: 1.5
# panel height: 1.1
# part: promoted = tiering.moves.promoted
# part: demoted = tiering.moves.demoted
# part: exchanged, pairs = tiering.moves.exchanges
# part: failed: page gone or changed = tiering.moves.fail_gone + tiering.moves.fail_stale + tiering.moves.fail_vma
# part: failed: no room = tiering.moves.fail_nomem
# part: failed: other = tiering.moves.fail_lru + tiering.moves.fail_shared + tiering.moves.fail_migrate + tiering.moves.fail_bounced + tiering.moves.fail_dirty
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
