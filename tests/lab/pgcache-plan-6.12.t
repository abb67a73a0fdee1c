#!/usr/bin/env bash
# The experiment of the notes, stock against pgcache, in its short version on Debian's stock 6.12: the plan that ships is
# run once, compared and drawn. TAP on standard output.
set -u
. tests/tap.sh

results=$scratch/results
mkdir "$results"
export MMPROF_DB=$results/pgcache.db
sed 's/^runs = .*/runs = 1/' docs/plans/pgcache-short.ini >"$results/plan.ini"
scripts/lab --kernel 6.12 --timeout 2400 --results "$results" --env MMPROF_DB=/results/pgcache.db -- \
	build/mmprof run --quiet /results/plan.ini >"$scratch/log" 2>&1
is "$?" 0 "every run of the plan succeeds" || diag "$(tail -n 5 "$scratch/log")"
is "$(sql "SELECT group_concat(DISTINCT status) FROM run")" "done" "and is done"
is "$(sql "SELECT count(DISTINCT system) || ' ' || count(DISTINCT name) FROM run")" "3 5" "three systems, five workloads"
sum() { # SERIES SYSTEM: its growth over all runs
	sql "SELECT coalesce(sum(delta), 0) FROM v_counter_delta v JOIN run r ON r.id = v.run_id WHERE v.name GLOB 'pgcache.$1' AND r.system = '$2'"
}
for level in pgd pud pmd pte; do
	ok "$level: tables were served from the cache" test "$(sum "$level.hit" pgcache)" -gt 100
done
is "$(sql "SELECT count(DISTINCT p.name || r.system) FROM hist h JOIN probe p ON p.id = h.probe_id JOIN run r ON r.id = p.run_id WHERE p.backend = 'kprobe' AND h.class = 'workload' AND p.name GLOB '*p[gumt][de]_*'
	AND p.name NOT GLOB 'pgcache*'")" 24 "allocation and free are timed at four levels, with each system"
is "$(sql "SELECT count(*) FROM not_measured WHERE what LIKE '%the time in what replaces it'")" 0 "the module's part in it too"
is "$(sql "SELECT count(*) FROM series s JOIN run r ON r.id = s.run_id WHERE r.system = 'none' AND s.name GLOB 'pgcache.*'")" 0 \
	"the stock kernel has none"
hits=$(sum '*.hit' pgcache) misses=$(($(sum '*.miss_empty' pgcache) + $(sum '*.miss_busy' pgcache)))
echo "# $hits tables of $((hits + misses)) came from the cache"
ok "more than half of all" test "$hits" -gt "$misses"
"$MMPROF" report --compare none pgcache ratio1 --metric bench.lat_proc.fork --metric bench.pgtable.pte_page >"$scratch/report"
like "$(<"$scratch/report")" 'pgcache.pte.ratio +absent +4 +1' "the comparison tells what differs"
like "$(<"$scratch/report")" 'lat_proc-1cpu +' "on one CPU and on two"
mkdir "$scratch/figures"
ok "its figures" "$MMPROF" plot pgcache pgcache_hits bars cpu pagetables --format svg --out "$scratch/figures"
for figure in pgcache pgcache_hits bars cpu pagetables; do
	ok "$figure is drawn" grep -q '<svg' "$scratch/figures/$figure.svg"
done
tap_done
