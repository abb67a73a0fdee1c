#!/usr/bin/env bash
# Benchmarks inside a guest of the lab, where there are two NUMA nodes as a fast and a slow tier. TAP on standard output.
set -u
. tests/tap.sh

bench() { "$MMPROF" bench "$@" --quiet; }
metric() {
	sql "SELECT value FROM metric WHERE name = 'bench.$1' AND run_id = (SELECT max(id) FROM run)"
}

ok "migrate" bench migrate --pages 64 --limit 0.3
is "$(sql "SELECT count FROM loss WHERE kind = 'not_migrated' ORDER BY id DESC LIMIT 1")" 0 "every page was migrated"
moved=$(metric migrate.moved | cut -d. -f1)
between "$(sql "SELECT delta FROM v_counter_delta WHERE name = 'vmstat.pgmigrate_success' AND run_id = (SELECT max(id) FROM run)")" \
	$((2 * moved - 65)) $((2 * moved + moved / 5 + 100)) "and the kernel counted as many there and back"
ok "tlb with migration" bench tlb --limit 0.2
ok "has it" test -n "$(metric tlb.migrate)"
is "$(sql "SELECT coalesce(sum(count), 0) FROM loss WHERE kind = 'migrate.not_so' AND run_id = (SELECT max(id) FROM run)")" 0 "of pages that moved"
ok "bw_mem of both nodes" bench bw_mem --size 1M --limit 0.2
ok "has both" test -n "$(metric bw_mem.node0.rd.rate)" -a -n "$(metric bw_mem.node1.rd.rate)"
# files here are in memory: without swap there is nothing to reclaim
ok "reclaim without anything to reclaim" bench reclaim --size 16M --limit 0.2
is "$(metric reclaim.reclaimed)" "" "is not measured"
like "$(sql "SELECT why FROM not_measured WHERE what = 'reclaimed' AND run_id = (SELECT max(id) FROM run)")" 'pages were reclaimed while.*no swap' "and says why"
modprobe zram num_devices=1 2>"$scratch/zram" && echo 64M >/sys/block/zram0/disksize &&
	mkswap -q /dev/zram0 && swapon /dev/zram0
if [[ $(wc -l </proc/swaps) -gt 1 ]]; then
	ok "swapio" bench swapio --pages 64 --limit 0.3
	ok "pages went to swap" awk "BEGIN { exit !($(metric swapio.swapped_share) > 0.9) }"
	ok "faults that swap in" bench fault --pages 16 --limit 0.3
	ok "were timed" test -n "$(metric fault.swapin)"
	ok "madvise pages out" bench madvise --pages 64 --limit 0.3
	ok "what went to swap" test -n "$(metric madvise.pageout)"
	ok "reclaim in a cgroup" bench reclaim --size 16M --limit 3
	ok "reclaims" test -n "$(metric reclaim.reclaimed)"
	ok "as many pages as must go ($(metric reclaim.reclaimed_share) of those touched)" \
		awk "BEGIN { exit !($(metric reclaim.reclaimed_share) > 0.25) }"
	cat /sys/class/zram-control/hot_add >/dev/null 2>&1
	[[ -e /dev/zram1 ]] && echo 16M >/sys/block/zram1/disksize && mkswap -q /dev/zram1 && swapon -p 7 /dev/zram1
	swaps() { awk 'NR > 1 { print $1, $NF }' /proc/swaps | sort; }
	before=$(swaps)
	is "$("$MMPROF" record --quiet --no-probe all --no-swap -- sh -c 'tail -n +2 /proc/swaps | wc -l')" 0 "--no-swap: none during the run"
	is "$(swaps)" "$before" "and all back, with their priorities"
	"$MMPROF" record --quiet --no-probe all --no-swap -- sleep 30 &
	soon pgrep -P $! -x sleep >"$scratch/out"
	kill -KILL $!
	wait $! 2>/dev/null
	pkill -KILL -x sleep
	is "$(swaps)" "" "killed: they are off"
	"$MMPROF" record --quiet --no-probe all -- true
	is "$(swaps)" "$before" "the next start turns them on"
	swapoff -a
else
	skip "swapio" "no zram here: $(head -n 1 "$scratch/zram")"
fi

# --- what is not looked at above: each gives figures on this kernel
for name in fork_cow mremap pgtable thp_collapse lat_ctx lat_mmap lat_pagefault; do
	short=(--limit 0.05)
	[[ $name == fork_cow ]] && short+=(--memory 4M)
	ok "$name" bench "$name" "${short[@]}"
	ok "gives figures" test "$(sql "SELECT count(*) FROM metric WHERE name LIKE 'bench.$name.%' AND name NOT LIKE '%timing%' AND run_id = (SELECT max(id) FROM run)")" -gt 2
done

# --- NUMA hint faults: the kernel says when by its timer, the benchmark which accesses were some
loss() { sql "SELECT coalesce(sum(count), 0) FROM loss WHERE kind = '$1' AND run_id = (SELECT max(id) FROM run)"; }
whole() { metric "$1" | cut -d. -f1; }
before=$(</proc/sys/kernel/numa_balancing)
bench fault --kinds hint --limit 0.1 --system off,sysctl.kernel.numa_balancing=0
like "$(sql "SELECT why FROM not_measured WHERE what = 'hint' AND run_id = (SELECT max(id) FROM run)")" 'kernel.numa_balancing is 0.*--system' \
	"without NUMA balancing there are no hint faults, and that is said"
for limit in 2 10 40; do
	ok "hint faults" bench fault --kinds hint --limit $limit --precision 0.0001 --system on,sysctl.kernel.numa_balancing=1
	seen=$(whole fault.hint.faults)
	(($(whole fault.hint.samples) > 500)) && break
done
ok "were timed" test "$(whole fault.hint.samples)" -gt 500
is "$(($(whole fault.hint.samples) + $(loss hint.disturbed) + $(loss hint.warm_up) + $(whole fault.hint.passes)))" "$seen" \
	"each access that was one was timed, set aside, or told that a pass had been"
# what else a pass makes inaccessible: the rest of this process (about 40 pages), and mmprof once it has run for a second
between "$(whole fault.hint.kernel_faults)" "$seen" $((seen + seen / 50 + 300 * $(whole fault.hint.passes) + 5000)) \
	"the kernel counted as many, and those of others"
ok "the run's own count of faults has room for them" test "$(sql "SELECT minflt FROM run ORDER BY id DESC LIMIT 1")" -ge "$seen"
is "$(</proc/sys/kernel/numa_balancing)" "$before" "the setting was put back"

# --- hotset: all memory on the slow node, then on the fast one
ok "hotset on the slow node" bench hotset --size 8M --phase 0.3 --phases 1 --membind 1
is "$(metric hotset.hot_fast_share)" 0 "no hot page is in fast memory"
is "$(metric hotset.access_fast_share)" 0 "and no access"
ok "hotset on the fast node" bench hotset --size 8M --phase 0.3 --phases 1 --membind 0
is "$(metric hotset.hot_fast_share)" 1 "all hot pages are in fast memory"
is "$(metric hotset.fast_share)" 1 "and all others"
ok "hotset, all of it hot" bench hotset --size 8M --hot 1 --phase 0.3 --phases 1 --membind 0
is "$(metric hotset.access_fast_share)" 1 "all accesses are in fast memory"
node_share() { # of the largest mapping, which is the set once it is filled
	maps=$(awk '/N[01]=/ { a = b = 0; for (i = 1; i <= NF; i++) { if ($i ~ /^N0=/) a = substr($i, 4); if ($i ~ /^N1=/) b = substr($i, 4) }
			if (a + b > most) { most = a + b; share = a / most } }
		END { if (most < 8192) exit 1; printf "%.4f", share }' "/proc/$(pgrep -f 'bench-worker [h]otset' | tail -n 1)/numa_maps" 2>/dev/null)
}
share_or_end() { node_share || ! kill -0 "$1" 2>/dev/null; }
for phase in 6 20 60; do # a guest that gets little of the processors reads the set once in many seconds
	"$MMPROF" bench hotset --size 32M --phase $phase --phases 1 --interleave 0,1 --sampling 20 --interval 200 --quiet &
	soon share_or_end $!
	wait
	in_node1=$(sql "SELECT max(value) FROM v_sample v WHERE name = 'workload.node1' AND run_id = (SELECT max(id) FROM run)
		AND t_ns > (SELECT t_ns FROM mark m WHERE m.run_id = v.run_id AND m.name = 'phase 1')")
	[[ -n $maps && -n $in_node1 ]] && break
done
ok "hotset's residency agrees with /proc/PID/numa_maps ($maps)" awk "BEGIN { d = $(metric hotset.fast_share) - $maps; exit !(d < 0.05 && d > -0.05) }"
# nothing else of the workload is in node 1
ok "and with the sampler's, once the set was filled ($in_node1 bytes)" awk "BEGIN { d = 1 - $in_node1 / 33554432 - $maps; exit !(d < 0.05 && d > -0.05) }"
read -r share told < <("$MMPROF" report --compare --metric fast_share --json | python3 -c 'import json, sys
rows = json.load(sys.stdin)["sections"]["cells.fast_share"]["rows"]
print(*next((r["median_ratio"], "without a reading" in (r["unsteady"] or "")) for r in rows if "size=32M" in r["workload"] and sys.argv[1] in r["workload"]))' "phase=$phase")
is "$told" "$(sql "SELECT iif(v.value > 0.2 * elapsed_ns, 'True', 'False') FROM v_sample v JOIN run ON run.id = run_id
	WHERE v.name = 'self.sampler.residency.unread' AND run_id = (SELECT max(id) FROM run)")" "that it is of few readings is told if it is so"
ok "fast_share has the rest of the workload too, and the time while it was filled ($share)" awk "BEGIN { exit !($share > $maps - 0.05 && $share < 1) }"

# --- CPUs that are chosen
bench mprotect --limit 0.05
ok "samples into which an interrupt fell are counted ($(metric mprotect.page.interrupted))" test -n "$(metric mprotect.page.interrupted)"
is "$(sql "SELECT value FROM v_fact WHERE key = 'pin.cpus' AND run_id = (SELECT max(id) FROM run)")" 1 "the benchmark's CPU is a fact"
like "$("$MMPROF" report last)" 'cpus_isolated +no' "that it is not isolated is reported"

# --- limits of cgroup v2, and no process left behind
# shellcheck source=tests/limits.sh
. tests/limits.sh
none_left() { ! pgrep -f "$1" >/dev/null; }
for signal in HUP QUIT KILL; do
	"$MMPROF" bench forkbomb --duration 600 --period 0.5 --procs 20 --quiet &
	pid=$!
	soon pgrep -f 'bench-worker [f]orkbomb' >"$scratch/out"
	sleep 1 # some are forked
	SECONDS=0
	kill -"$signal" $pid
	wait $pid 2>/dev/null
	ok "forkbomb killed with SIG$signal ends" test $SECONDS -lt 120
	ok "and leaves nothing" soon none_left 'bench-worker [f]orkbomb'
done
tap_done
