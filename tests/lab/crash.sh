#!/usr/bin/env bash
# The machine dies in the middle of a run: what was measured before is on the disk, the database is sound, the next
# start marks the run. Usage: crash.sh KERNEL. TAP on standard output.
set -u
. tests/tap.sh

export MMPROF_DB=$scratch/results/crash.db
mkdir "$scratch/results"
scripts/lab --kernel "$1" --no-tiers --timeout 2400 --results "$scratch/results" --env MMPROF_DB=/results/crash.db -- sh -c '
	build/mmprof record --quiet -- build/tests/workloads/pages 100
	build/mmprof record --quiet -- sh -c "sleep 1
		until build/mmprof sql --format csv \"SELECT count(*) > 50 FROM sample JOIN series ON series.id = series_id WHERE run_id = 2\" | grep -q ^1; do sleep 1; done
		sync; echo c > /proc/sysrq-trigger; sleep 60"' >"$scratch/log" 2>&1
status=$?
ok "the guest died (exit $status)" test $status -ge 120
is "$(sqlite3 "$MMPROF_DB" 'PRAGMA integrity_check')" ok "the database is sound"
is "$(sql 'SELECT status FROM run WHERE id = 1')" "done" "the run before the crash is whole"
is "$(sql 'SELECT status FROM run WHERE id = 2')" running "the run that crashed is there"
ok "what it had measured was flushed" test "$(sql 'SELECT count(*) FROM sample s JOIN series r ON r.id = s.series_id WHERE r.run_id = 2')" -gt 50
ok "the next start works on that database" "$MMPROF" record --quiet --no-probe all -- true
is "$(sql 'SELECT status FROM run WHERE id = 2')" crashed "and marks it as crashed"
like "$(sql 'SELECT status_why FROM run WHERE id = 2')" 'mmprof|panic|crash' "with a reason"
tap_done
