# what: pages promoted, demoted, migrated and not migrated, a second, over time
# needs: a kernel with page migration: vmstat.pgmigrate_success
# y: migration
# height: 1.5
# panel height: 1.1
# part: promoted = vmstat.pgpromote_success + tiering.moves.promoted
# part: demoted = vmstat.pgdemote_kswapd + vmstat.pgdemote_direct + vmstat.pgdemote_khugepaged + vmstat.pgdemote_proactive + tiering.moves.demoted
# part: migrated = vmstat.pgmigrate_success + tiering.moves.tpm_promoted + tiering.moves.shadow_demoted
# part: failed to migrate = vmstat.pgmigrate_fail + tiering.moves.fail_dirty
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
