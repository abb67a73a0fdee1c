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
eval over_time
