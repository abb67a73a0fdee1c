#!/usr/bin/env bash
# `mmprof bench`: every benchmark runs here, its counters add up, bad parameters get one line, nothing is left behind.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

bench() { "$MMPROF" bench "$@" --quiet; }
metric() { # NAME: of the last run
	sql "SELECT value FROM metric WHERE name = 'bench.$1' AND run_id = (SELECT max(id) FROM run)"
}
measured() { # NAME: has the last run this metric, or a reason why not?
	sql "SELECT (SELECT count(*) FROM metric WHERE name = 'bench.$1' AND value > 0 AND run_id = (SELECT max(id) FROM run))
		+ (SELECT count(*) FROM not_measured WHERE '$1' LIKE '%' || what || '%' AND run_id = (SELECT max(id) FROM run))"
}

# --- every benchmark
"$MMPROF" bench list >"$scratch/list"
names=$(awk '/^  [a-z_]+  +[^ ]/ && $1 != "benchmark" { print $1 }' "$scratch/list")
is "$(wc -w <<<"$names")" 20 "twenty benchmarks"
for name in $names; do
	short=(--limit 0.05)
	[[ $name == forkbomb ]] && short=(--duration 0.6 --period 0.2 --procs 16)
	[[ $name == hotset ]] && short=(--size 4M --phase 0.1 --phases 2)
	[[ $name == memhog ]] && short=(--size 4M --idle 0.1 --warm 0.1 --touches 1)
	[[ $name == fork_cow ]] && short+=(--memory 4M)
	[[ $name == bw_mem || $name == lat_mem_rd ]] && short+=(--size 1M)
	ok "$name runs" bench "$name" "${short[@]}"
	ok "$name gives figures, or says why not" test "$(sql "SELECT
		(SELECT count(*) FROM metric WHERE name LIKE 'bench.$name.%' AND name NOT LIKE '%timing%' AND run_id = (SELECT max(id) FROM run)) +
		(SELECT count(*) FROM not_measured WHERE what LIKE '%$name%' AND run_id = (SELECT max(id) FROM run))")" -gt 0
	is "$(sql "SELECT count FROM loss WHERE kind = 'malformed_results' AND run_id = (SELECT max(id) FROM run)")" 0 \
		"$name: every line of its results was understood"
	ok "$name --help" "$MMPROF" bench "$name" --help
done

# --- interrupts: of samples of milliseconds some have one, unless the kernel doesn't tell
if [[ $EUID == 0 ]] && mountpoint -q /sys/kernel/tracing; then
	bench bw_mem --size 64M --limit 0.5
	ok "samples into which an interrupt fell are counted ($(metric bw_mem.node0.rd.interrupted))" awk "BEGIN { exit !($(metric bw_mem.node0.rd.interrupted) > 0) }"
	bench lat_ctx --limit 0.05
	is "$(metric lat_ctx.switch) $(metric lat_ctx.switch.interrupted)" "$(metric lat_ctx.switch) " "but not while switches are timed, which it would make longer"
	# shellcheck disable=SC2016
	ok "without tracefs" unshare -m sh -c 'for at in debug tracing; do while umount -R /sys/kernel/$at 2>/dev/null; do :; done; done
		exec "$0" bench mremap --limit 0.05 --quiet' "$MMPROF"
	is "$(metric mremap.aligned.interrupted)" "" "they are not"
	like "$(sql "SELECT why FROM not_measured WHERE what = 'interrupts in samples' AND run_id = (SELECT max(id) FROM run)")" 'tracefs, which is not mounted' "and that is said"
else
	skip "samples into which an interrupt fell" "not root, or no tracefs in /sys/kernel/tracing"
fi

# --- counters add up
bench fault --limit 0.1 --pages 64
# not to the last fault: now and then one of the program's own falls in between
one() { awk "BEGIN { exit !($1 > 0.999 && $1 < 1.01) }"; }
ok "fault: each anonymous page took one fault, by the kernel's own count" one "$(metric fault.anon.faults_per_page)"
ok "and each shared page" one "$(metric fault.shared.faults_per_page)"
ok "fault: some 64 times the samples of faults were counted by the run" test \
	"$(sql "SELECT minflt FROM run ORDER BY id DESC LIMIT 1")" -ge $((64 * $(metric fault.anon.samples | cut -d. -f1)))
# a fault of a file maps the pages around it too: figures are of a fault, lmbench's of a page
bench fault --kinds file --limit 0.2
per_fault=$(metric fault.file) per_page=$(metric fault.file.faults_per_page)
ok "fault: the kernel maps pages of a file around the one that faults ($per_page faults a page)" awk "BEGIN { exit !($per_page < 0.5) }"
bench lat_pagefault --limit 0.2
ok "and a fault is some pages of lat_pagefault ($per_fault and $(metric lat_pagefault.pagefault) ns)" \
	awk "BEGIN { exit !($per_fault > $(metric lat_pagefault.pagefault) / $per_page / 5) }"
ok "which has as few faults" awk "BEGIN { exit !($(metric lat_pagefault.faults_per_page) < 0.5) }"
if ! tail -n +2 /proc/swaps | grep -q .; then
	bench madvise --limit 0.05
	is "$(metric madvise.pageout)" "" "madvise: nothing is paged out where there is no swap"
	like "$(sql "SELECT why FROM not_measured WHERE what = 'pageout' AND run_id = (SELECT max(id) FROM run)")" 'no swap is on' "and that is said"
fi
bench fault --kinds hint --limit 0.05
if [[ $(metric fault.hint.faults) ]]; then
	ok "fault: hint faults were seen" test "$(metric fault.hint.samples | cut -d. -f1)" -gt 10
else
	like "$(sql "SELECT why FROM not_measured WHERE what = 'hint' AND run_id = (SELECT max(id) FROM run)")" 'NUMA balancing|numa_balancing' \
		"fault: why there are no hint faults"
fi
bench forkbomb --duration 1 --period 0.25 --procs 32
is "$(metric forkbomb.forks)" 128 "forkbomb: 4 periods of 32 forks"
is "$(metric forkbomb.reaped)" 128 "and each child was reaped"
is "$(metric forkbomb.due)" 128 "as were due"
is "$(sql "SELECT sum(count) FROM loss WHERE kind LIKE 'fork_failed%' AND run_id = (SELECT max(id) FROM run)")" 0 "and none failed"
is "$(sql "SELECT h.count FROM hist h JOIN probe p ON p.id = h.probe_id WHERE p.name = 'bench.forkbomb.fork' ORDER BY p.id DESC LIMIT 1")" 128 \
	"and each was timed"
like "$(metric forkbomb.child.pte)" '^[0-9.]+$' "page-table pages of a child"
if grep -qa __asan_init "$MMPROF"; then
	skip "32 MiB more that a child touches are 16 PTE pages more" "the sanitizers' own memory has page tables too"
else
	bench forkbomb --duration 0.4 --period 0.2 --procs 8 --no-aslr --touch 4M
	low=$(metric forkbomb.child.pte)
	bench forkbomb --duration 0.4 --period 0.2 --procs 8 --no-aslr --touch 36M
	ok "32 MiB more that a child touches are 16 PTE pages more, and what its edges share or not" awk "BEGIN { d = $(metric forkbomb.child.pte) - $low; exit !(d >= 13 && d <= 19) }"
fi
bench hotset --size 8M --hot 0.25 --hot-share 0.8 --phase 0.2 --phases 2
is "$(metric hotset.hot_pages)" 512 "hotset: a quarter of 2048 pages is hot"
ok "and gets 80 % of the accesses" awk "BEGIN { d = $(metric hotset.hot_access_share) - 0.8; exit !(d < 0.01 && d > -0.01) }"
is "$(sql "SELECT group_concat(name) FROM mark WHERE run_id = (SELECT max(id) FROM run)")" "fill,phase 1,phase 2" "its phases are marked"
bench hotset --size 8M --hot 1 --phase 0.1 --phases 1
is "$(metric hotset.hot_access_share)" 1 "where all is hot, all accesses are"
bench hotset --size 8M --skew zipf --theta 0.9 --phase 0.2 --phases 1
ok "zipf: the hottest tenth gets more than half of the accesses" awk "BEGIN { exit !($(metric hotset.hot_access_share) > 0.5) }"
bench memhog --size 8M --duplicate 0.25 --zero 0.25 --compressible 0.25 --idle 0.2 --warm 0.2 --touches 2 --writes 0.5
is "$(metric memhog.wrong_pages)" 0 "memhog: 2048 pages came back as they were written, twice"
is "$(sql "SELECT CAST(sum(value) AS INTEGER) FROM metric WHERE name LIKE 'bench.memhog.pages.%' AND run_id = (SELECT max(id) FROM run)")" 2048 "each is of one kind"
ok "a quarter each" awk "BEGIN { d = $(metric memhog.pages.duplicate) - 512; exit !(d < 80 && d > -80) }"
is "$(sql "SELECT group_concat(name) FROM mark WHERE run_id = (SELECT max(id) FROM run)")" "warm,fill,idle,touch" "its phases are marked"
is "$(sql "SELECT sum(h.count) FROM hist h JOIN probe p ON p.id = h.probe_id WHERE p.name LIKE 'bench.memhog.touch.%' AND run_id = (SELECT max(id) FROM run)")" 4096 \
	"each touch was timed"
# mmprof is stopped while the phases go by: their times are those that the benchmark says
"$MMPROF" bench memhog --quiet --no-probe all --size 8M --warm 0.4 --idle 2 --touches 1 >"$scratch/out" 2>&1 &
mmprof=$!
worker_of() { worker=$(pgrep -P "$mmprof" -f 'bench-worker memhog'); }
has_ended() { [[ $(ps -o stat= -p "$worker") == Z* ]]; }
soon worker_of
kill -STOP "$mmprof"
soon has_ended
kill -CONT "$mmprof"
wait "$mmprof"
ok "a phase begins when the benchmark says, not when mmprof reads it" test "$(sql "SELECT m.t_ns - (SELECT t_ns FROM mark
	WHERE name = 'warm' AND run_id = m.run_id) FROM mark m WHERE name = 'touch' AND run_id = (SELECT max(id) FROM run)")" -gt 2300000000
like "$("$MMPROF" bench-worker memhog duplicate=0.7 zero=0.7 2>&1)" 'more than 1 together' "memhog: shares that are more than all"
bench bw_mem --size 4M --limit 0.05
ok "bw_mem: bytes moved = size / time" awk "BEGIN { d = $(metric bw_mem.node0.rd.rate) * $(metric bw_mem.node0.rd) / 1e3 / 4194304; exit !(d > 0.999 && d < 1.001) }"
bench mremap --limit 1 --precision 0
ok "a median has its samples" test "$(metric mremap.aligned.samples | cut -d. -f1)" -gt 10

# --- in the database like any run
bench mprotect --limit 0.05 --system a --runs 2
is "$(sql "SELECT count(*) FROM run WHERE system = 'a' AND name = 'mprotect' AND status = 'done'")" 2 "runs and systems as with record"
like "$(sql "SELECT argv_json FROM run ORDER BY id DESC LIMIT 1")" 'pages=256.*limit=0.05' "every parameter is stored, defaults too"
bench mprotect --pages 16 --limit 0.05
is "$(sql "SELECT name FROM run ORDER BY id DESC LIMIT 1")" "mprotect pages=16" "another parameter is another workload"
ok "report --compare on a benchmark" "$MMPROF" report --compare --metric bench.mprotect.page
ok "and on its distribution" "$MMPROF" report --compare --metric bench.mprotect.page.p99
like "$("$MMPROF" report)" 'Timed by the benchmark' "report shows what it timed"
ok "--record attaches probes" bench mprotect --limit 0.05 --record
ok "some of them" test "$(sql "SELECT count(*) FROM probe WHERE status = 'attached' AND kind <> 'bench' AND run_id = (SELECT max(id) FROM run)")" -gt 0

# --- which CPUs, and are they isolated?
fact() { sql "SELECT value FROM v_fact WHERE key = 'pin.$1' AND run_id = (SELECT max(id) FROM run)"; }
last=$(taskset -cp $$ | sed 's/.*[ ,-]//') # the last one that may be used
isolated=$(</sys/devices/system/cpu/isolated)
bench mprotect --limit 0.05
is "$(fact cpus)" "$last" "a benchmark of one thread is on the last CPU"
[[ -n $isolated ]] || is "$(fact cpus_isolated)" no "which is not isolated"
like "$(fact cpus_cores)" . "and shares its core with others, or not"
like "$("$MMPROF" report)" 'cpus +'"$last" "report shows it"
envs() { sql "SELECT count(*) FROM env WHERE id NOT IN (SELECT env_id FROM run)"; }
is "$(envs)" 0 "no set of facts is left that no run has"
"$MMPROF" record --quiet --no-probe all --cpus 0 -- true
if [[ $(nproc) -gt 1 ]]; then
	is "$(fact cpus)" 0 "record --cpus: the workload's CPU is a fact"
	"$MMPROF" record --quiet --no-probe all -- true
	is "$(fact cpus)" "" "without, there is nothing to tell"
	bench forkbomb --cpus 0 --duration 0.2 --procs 4
	is "$(fact cpus)" 0 "a benchmark that goes where it is put is there"
else
	is "$(fact cpus)" "" "record --cpus with the only CPU: nothing to tell"
fi

# --- the schedule at the default rate
bench forkbomb --duration 3
is "$(metric forkbomb.periods) $(metric forkbomb.due)" "6 768" "forkbomb: 128 each half second, for three seconds"
failed=$(sql "SELECT sum(count) FROM loss WHERE kind LIKE 'fork_failed%' AND run_id = (SELECT max(id) FROM run)")
is "$(($(metric forkbomb.forks) + failed))" 768 "each was begun or failed"
is "$(metric forkbomb.reaped)" "$(metric forkbomb.forks)" "each child was reaped"
late=$(sql "SELECT h.max_ns FROM hist h JOIN probe p ON p.id = h.probe_id WHERE p.name = 'bench.forkbomb.lateness' ORDER BY p.id DESC LIMIT 1")
took=$(sql "SELECT m.t_ns - (SELECT t_ns FROM mark WHERE name = 'forking' AND run_id = m.run_id) FROM mark m WHERE name = 'reaping' AND run_id = (SELECT max(id) FROM run)")
between "$took" 2950000000 $((3150000000 + late + $(metric forkbomb.missed_deadlines) * 500000000)) "it was not later than it says ($late ns)"
said=$(sql "SELECT count(*) FROM not_measured WHERE what = 'the schedule' AND run_id = (SELECT max(id) FROM run)")
is "$said" "$(($(metric forkbomb.missed_deadlines) > 0))" "a schedule that was not kept is told, one that was is not"
bench forkbomb --procs 400 --period 0.001 --duration 0.01
is "$(metric forkbomb.due) $(metric forkbomb.reaped)" "4000 4000" "more than this machine can do is done all the same"
like "$(sql "SELECT why FROM not_measured WHERE what = 'the schedule' AND run_id = (SELECT max(id) FROM run)")" 'of 10 periods began later' "and told"

# --- killed with any signal, the forkbomb leaves no process behind
ends_within=30
! grep -qa __asan_init "$MMPROF" || ends_within=100 # the sanitizers' terabytes of address space are read page by page
none_left() { ! pgrep -f "$1" >/dev/null; }
catches() { # it has handlers of its own: a shell's background ignores two of these signals until then
	grep -q '^SigCgt:.*[4-7]..7$' "/proc/$(pgrep -P "$1" -f 'bench-worker [f]orkbomb' | head -n 1)/status" 2>/dev/null
}
for signal in INT TERM HUP QUIT KILL; do
	"$MMPROF" bench forkbomb --duration 120 --period 0.2 --procs 20 --quiet &
	pid=$!
	soon catches $pid
	sleep 0.5
	SECONDS=0
	kill -"$signal" $pid
	wait $pid 2>/dev/null
	ok "forkbomb killed with SIG$signal ends at once" test $SECONDS -lt $ends_within
	ok "and leaves nothing" soon none_left 'bench-worker [f]orkbomb'
	[[ $signal == KILL ]] && continue
	is "$(sql "SELECT status FROM run ORDER BY id DESC LIMIT 1")" interrupted "and its run was interrupted"
	is "$(metric forkbomb.reaped)" "$(metric forkbomb.forks)" "with each child reaped"
done
"$MMPROF" bench-worker forkbomb duration=30 period=0.2 procs=20 >/dev/null &
sleep 0.7
kill -KILL $!
wait $! 2>/dev/null
ok "nor does its own process when it is killed" soon none_left 'bench-worker [f]orkbomb'
"$MMPROF" bench-worker fault kinds=cow limit=30 precision=0 >/dev/null &
soon grep -q . "/proc/$!/task/$!/children" # the one that keeps its pages shared, another one for each sample
kill -KILL $!
wait $! 2>/dev/null
ok "nor does fault, whose child holds its pages" soon none_left 'bench-worker [f]ault'
"$MMPROF" bench-worker hotset size=1M phase=60 phases=1 >"$scratch/out" &
soon grep -q '"phase 1"' "$scratch/out"
SECONDS=0
kill -TERM $!
wait $!
ok "a signal ends hotset's phase" test $SECONDS -lt 40
SECONDS=0
# whose reader is gone before it writes, as it writes nothing while a phase lasts
{ sleep 2 && "$MMPROF" bench-worker hotset size=1M phase=60 phases=1; } | true
ok "and so does it when nobody reads its results" test $SECONDS -lt 40
ok "the next start works" bench mprotect --limit 0.05

# --- hostile machines
ok "on one CPU" taskset -c 0 "$MMPROF" bench tlb --threads 2 --limit 0.05 --quiet
like "$(sql "SELECT why FROM not_measured WHERE what LIKE 'each thread%' AND run_id = (SELECT max(id) FROM run)")" '2 threads on 1 CPU' "and that is said"
# shellcheck source=tests/limits.sh
. tests/limits.sh
ok "with a limit of processes" bash -c "ulimit -u 64; exec setpriv --reuid 65534 --clear-groups --inh-caps=-all $MMPROF bench-worker forkbomb duration=0.5 period=0.2 procs=200 >$scratch/out.json"
refused=$(sed -n 's/.*"loss":"fork_failed_limit","count":\([0-9]*\).*/\1/p' "$scratch/out.json")
forks=$(sed -n 's/.*"metric":"forks","value":\([0-9]*\).*/\1/p' "$scratch/out.json")
ok "forks beyond it are counted, the rest goes on" test "${refused:-0}" -gt 0
is "$(sed -n 's/.*"metric":"reaped","value":\([0-9]*\).*/\1/p' "$scratch/out.json")" "$forks" "and what was forked is reaped"

# --- bad input
refuses 'no benchmark "nothing"' "an unknown benchmark" "$MMPROF" bench nothing
refuses 'not a number' "a number that is none" "$MMPROF" bench fault --pages many
refuses 'not a whole number' "half a page" "$MMPROF" bench fault --pages 0.5
refuses 'one of shared\|private' "a word that is none of its words" "$MMPROF" bench fault --mm both
"$MMPROF" bench fault --kinds anon,none --quiet 2>"$scratch/err"
like "$(<"$scratch/err")" 'no kind of fault "none"' "a kind of fault that is none"
refuses 'unknown option' "an unknown option" "$MMPROF" bench fault --nonsense 1
refuses 'is not an option' "an argument too many" "$MMPROF" bench fault x
"$MMPROF" bench fault --pages 0 --quiet 2>"$scratch/err"
is "$?" 2 "a benchmark that refuses its parameters ends with 2"
like "$(<"$scratch/err")" '--pages must be from 1' "and says which"
"$MMPROF" bench-worker forkbomb period=0 >/dev/null 2>"$scratch/err"
is "$? $(<"$scratch/err")" "2 mmprof bench: --period must be 0.001 or more" "periods of no length"
"$MMPROF" bench-worker mprotect pages=4503599627370497 >/dev/null 2>"$scratch/err"
is "$? $(<"$scratch/err")" "2 mmprof bench: --pages must be from 1 to 16777216" "more bytes than can be counted"
tap_done
