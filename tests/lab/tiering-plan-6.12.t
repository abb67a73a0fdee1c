#!/usr/bin/env bash
# The comparison of tiering systems that ships, in its short version on Debian's stock 6.12: none, TPP, and the three
# policies of our module, over a hot set that starts on the slow node. TAP on standard output.
set -u
. tests/tap.sh

results=$scratch/results
mkdir "$results"
export MMPROF_DB=$results/tiering.db
scripts/lab --kernel 6.12 --nodes fast=512M,slow=1G --timeout 2400 --results "$results" --env MMPROF_DB=/results/tiering.db -- \
	build/mmprof run --quiet docs/plans/tiering-short.ini >"$scratch/log" 2>&1
is "$?" 0 "every run of the plan succeeds" || diag "$(tail -n 5 "$scratch/log")"
is "$(sql "SELECT count(*) || ' ' || group_concat(DISTINCT status) FROM run")" "10 done" "ten runs"
share() { # SYSTEM: of the still hot set, in fast memory at the end, in percent
	sql "SELECT CAST(100 * value AS INTEGER) FROM metric m JOIN run r ON r.id = m.run_id
		WHERE m.name = 'bench.hotset.hot_fast_share' AND r.system = '$1' AND r.name = 'still'"
}
is "$(share none)" 0 "left alone, nothing of the hot set comes to fast memory"
for system in tpp memtis nomad ours; do
	echo "# $system: $(share $system) % of the hot set in fast memory at the end"
	between "$(share $system)" 5 100 "$system promotes it" # how much in eight seconds is up to the machine
done
is "$(sql "SELECT group_concat(DISTINCT f.value) FROM env_fact f JOIN run r ON r.env_id = f.env_id
	WHERE f.key = 'tiering.policy' AND r.system = 'ours'")" ours "the policy is among the run's facts"
"$MMPROF" report --compare none tpp memtis nomad ours --metric bench.hotset.hot_fast_share --metric promotions >"$scratch/report"
like "$(<"$scratch/report")" 'still .*moving|moving .*still' "the comparison"
like "$(<"$scratch/report")" 'memtis \(policy re-implementation\), nomad \(policy re-implementation\), ours' "says whose policies they are"
is "$(sql "SELECT count(*) FROM run r JOIN series s ON s.run_id = r.id WHERE s.name = 'cpu.ktiering' AND r.system = 'ours'
	AND (SELECT max(value) - min(value) FROM sample WHERE series_id = s.id) > 1000000")" 2 "our threads' CPU time is management's"
mkdir "$scratch/figures"
ok "its figures" "$MMPROF" plot residency migration cpu bars --format svg --out "$scratch/figures"
tap_done
