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
eval over_time
