#!/usr/bin/env bash
# The lab's tests, run inside a guest by tests/lab/*.t, where function probes are real. TAP on standard output.
set -u
. tests/tap.sh
TRACEFS=/sys/kernel/tracing

record() { "$MMPROF" record --quiet "$@"; }
# sum of a column over the histograms of one probe in the last run: hist COLUMN PROBE CLASS [BACKEND]
hist() {
	sql "SELECT coalesce(sum(h.$1), 0) FROM hist h JOIN probe p ON p.id = h.probe_id
		WHERE p.run_id = (SELECT max(id) FROM run) AND p.name = '$2' AND h.class = '$3' AND h.part = ''
		AND p.backend LIKE '${4:-%}'"
}
losses() { # LIKE-pattern of kinds: losses of the last run
	sql "SELECT coalesce(sum(count), 0) FROM loss WHERE run_id = (SELECT max(id) FROM run) AND kind LIKE '$1'"
}
attached() { # BACKEND: probes of the last run that it serves
	sql "SELECT count(*) FROM probe WHERE run_id = (SELECT max(id) FROM run) AND status = 'attached' AND backend = '$1'"
}
status() { sql "SELECT status FROM run WHERE id = $1"; }
nothing_left() {
	[[ -z $(ls "$TRACEFS/instances") && $(<"$TRACEFS/current_tracer") == nop && $(<"$TRACEFS/tracing_on") == 1 ]] || return 1
	[[ -z $(find /sys/fs/cgroup -maxdepth 1 -name 'mmprof-*') && -z $(ls /run/mmprof 2>/dev/null) ]] || return 1
	grep -q 'all functions enabled' "$TRACEFS/set_ftrace_filter" || return 1
	[[ -z $(cat "$TRACEFS/kprobe_events") ]] || return 1
	grep -qE '1408|1410' "$TRACEFS/buffer_size_kb" # the default, used already or not
}

# --- the three backends attach to the default functions
functions=$(($(uname -r | cut -d. -f1) * 100 + $(uname -r | cut -d. -f2) >= 604 ? 6 : 5)) # lock_vma_under_rcu is newer
for backend in fentry kprobe ftrace; do
	ok "$backend: record" record --backend "$backend" -- "$W/pages" 500
	is "$(attached "$backend")" $functions "$backend serves all default functions of this kernel"
	between "$(hist count handle_mm_fault workload)" 500 700 "$backend: handle_mm_fault counts 500 touched pages"
	ok "$backend leaves nothing behind" nothing_left
done
is "$(losses ftrace_overrun)" 0 "ftrace lost no events"

# --- exact counts
record --probe handle_mm_fault -- "$W/pages" 0
base=$(hist count handle_mm_fault workload)
record --probe handle_mm_fault@fentry --probe handle_mm_fault@kprobe --probe handle_mm_fault@ftrace -- "$W/pages" 5000
n=$(hist count handle_mm_fault workload fentry)
between "$base" 20 150 "a workload that touches nothing takes few faults"
between "$((n - base))" 4990 5010 "5000 touched pages are 5000 more page faults"
is "$(hist count handle_mm_fault workload kprobe)" "$n" "fentry and kprobe agree exactly in the same run"
is "$(hist count handle_mm_fault workload ftrace)" "$n" "and so does ftrace"
is "$(losses 'missed_exit')" 0 "no return was missed"
is "$(losses 'table_full')" 0 "no call found the table full"
is "$(losses 'bucket_mismatch')" 0 "each histogram's buckets sum up to its count"
is "$(sql "SELECT count(*) FROM loss WHERE kind = 'bucket_mismatch' AND run_id = (SELECT max(id) FROM run)")" 2 \
	"and that was checked for both probes"
minflt=$(sql "SELECT minflt + majflt FROM run ORDER BY id DESC LIMIT 1")
# rusage counts from the fork on, the probes from the workload's release a moment later
between "$((minflt - n))" 0 100 "the count agrees with the kernel's own accounting (rusage)"

# --- agreement with an independent tool in the same run
cat >"$scratch/peer.bt" <<'BT'
kprobe:handle_mm_fault /comm == "pages"/ { @n = count(); }
BT
bpftrace -o "$scratch/peer.out" "$scratch/peer.bt" -c "$MMPROF record --quiet --probe handle_mm_fault -- $W/pages 3000" \
	>/dev/null 2>"$scratch/peer.err"
peer=$(sed -n 's/^@n: //p' "$scratch/peer.out")
ours=$(hist count handle_mm_fault workload)
between "${peer:-none}" 3000 3200 "bpftrace counted in the same run"
between "$((ours - ${peer:-0}))" 0 60 "ours is bpftrace's count and the few faults before exec"

# --- calls that nest, recurse, sleep and move
record --probe handle_mm_fault --probe __handle_mm_fault -- "$W/pages" 1000
is "$(hist count __handle_mm_fault workload)" "$(hist count handle_mm_fault workload)" "outer and inner function: same count"
ok "the outer function's time includes the inner's" \
	test "$(hist sum_ns handle_mm_fault workload)" -gt "$(hist sum_ns __handle_mm_fault workload)"
record --probe vfs_getattr_nosec -- "$W/stats" /etc/passwd 0
base=$(hist count vfs_getattr_nosec workload)
record --probe vfs_getattr_nosec -- "$W/stats" /etc/passwd 1000
between "$(($(hist count vfs_getattr_nosec workload) - base))" 1990 2010 "a function that calls itself is counted at both depths"
is "$(losses missed_exit)$(losses unmatched_exit)" 00 "and loses nothing"
record --probe hrtimer_nanosleep -- "$W/sleepmove" 10 20
ok "calls that sleep and change CPU are all counted" test "$(hist count hrtimer_nanosleep workload)" -ge 10
ok "and their time includes the sleep" test "$(hist max_ns hrtimer_nanosleep workload)" -ge 20000000
is "$(losses missed_exit)$(losses unmatched_exit)" 00 "and lose nothing"

record --probe hrtimer_nanosleep@fentry --probe hrtimer_nanosleep@kprobe -- "$W/sleepers" 40 1000
is "$(hist count hrtimer_nanosleep workload fentry)" 40 "fentry counts forty calls that sleep at once"
is "$(hist count hrtimer_nanosleep workload kprobe)" 40 "and so does a kretprobe, which by itself has room for ten"
record --probe hrtimer_nanosleep@kprobe -- "$W/sleepers" 1100 12000
kept=$(hist count hrtimer_nanosleep workload kprobe)
ok "more calls at once than return probes have room for" test "$kept" -lt 1100
ok "are missed by the kernel's own count" test "$(losses nmissed_exit)" -ge $((1100 - kept))
ok "and by ours" test $(($(losses in_flight) + $(losses missed_exit))) -ge $((1100 - kept))
is "$(losses table_full)" 0 "and each call in progress had a place in our table"
ok "no kprobe event is left" test -z "$(cat "$TRACEFS/kprobe_events")"

# --- choice of functions, and the kernel's log
ok "a glob of functions" record --probe 'change_prot*' --probe numa -- "$W/pages" 100
ok "attaches what matches" test "$(sql "SELECT count(*) FROM probe WHERE run_id = (SELECT max(id) FROM run) AND status = 'attached'")" -gt 3
record --no-probe all -- sh -c 'echo "<4>mmprof-test: a warning" >/dev/kmsg; echo "<6>mmprof-test: news" >/dev/kmsg; sleep 1'
is "$(sql "SELECT group_concat(text) FROM kernel_log WHERE text LIKE 'mmprof-test%'")" "mmprof-test: a warning" \
	"warnings of the kernel's log are kept, news are not"
record --probe do_exit -- true
like "$(sql "SELECT why FROM probe WHERE run_id = (SELECT max(id) FROM run)")" 'never returns' "a function that never returns is refused"
echo "# attaching the defaults took $(sql "SELECT max(value) / 1000000 FROM sample s JOIN series r ON r.id = s.series_id WHERE r.name = 'self.attach'") ms at most"

# --- NUMA placement
ok "--membind binds to a node" record --no-probe all --membind 0 -- "$W/pages" 100
refuses 'NUMA nodes that are not here' "--membind with a node that isn't there" "$MMPROF" record --membind 9 -- true

# --- a workload whose first call comes from a cgroup of its own below
# shellcheck disable=SC2016
record --probe hrtimer_nanosleep -- sh -c 'c=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup) && mkdir $c/below &&
	echo $$ >$c/below/cgroup.procs && sleep 0.01 && echo $$ >$c/cgroup.procs && sleep 0.01 && sleep 0.01 && rmdir $c/below'
is "$(sql "SELECT exit_status FROM run ORDER BY id DESC LIMIT 1") $(hist count hrtimer_nanosleep workload)" "0 3" \
	"calls below the workload's cgroup and then in it are all the workload's"

# --- limits that mmprof lives under are the workload's
echo +memory +pids +cpu >/sys/fs/cgroup/cgroup.subtree_control
mkdir -p /sys/fs/cgroup/limits/inner
echo "+memory +pids" >/sys/fs/cgroup/limits/cgroup.subtree_control
echo 512M >/sys/fs/cgroup/limits/memory.max
echo 77 >/sys/fs/cgroup/limits/inner/pids.max
limited() { # COMMAND...: in that cgroup
	sh -c 'echo $$ >/sys/fs/cgroup/limits/inner/cgroup.procs; exec "$@"' sh "$@"
}
# shellcheck disable=SC2016
is "$(limited "$MMPROF" record --quiet --no-probe all -- sh -c 'c=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup); cat $c/memory.max $c/pids.max' | tr '\n' ' ')" \
	"536870912 77 " "the tightest of its cgroup and those above it hold for the workload"
rmdir /sys/fs/cgroup/limits/inner /sys/fs/cgroup/limits

# --- hard workloads
ok "a workload that forks thousands of processes" record -- "$W/forks" 2000
is "$(losses 'table_full')" 0 "loses nothing to a full table"
ok "a workload that exits at once" record --probe handle_mm_fault -- true
ok "a workload that daemonises" record --probe handle_mm_fault -- sh -c 'setsid sleep 60 >/dev/null 2>&1 & exit 0'
like "$(sql "SELECT why FROM not_measured WHERE run_id = (SELECT max(id) FROM run) AND what LIKE '%later life%'")" \
	'still ran' "is said to run on"
pkill -KILL -x sleep

# --- SIGKILL in the middle, with everything that has to be put back
record --probe handle_mm_fault -- true
"$MMPROF" record --quiet --probe handle_mm_fault@ftrace --probe handle_mm_fault@kprobe -- sleep 60 &
for _ in $(seq 100); do
	[[ $(pgrep -xc sleep) == 0 ]] || break
	sleep 0.3
done
sleep 2
kill -KILL $!
wait $! 2>/dev/null
pkill -KILL -x sleep
killed=$(sql "SELECT max(id) FROM run")
is "$(status $((killed - 1)))" "done" "SIGKILL: the run before it is whole"
is "$(status "$killed")" running "the killed run is there"
ok "the next start works" record --probe handle_mm_fault -- true
is "$(status "$killed")" crashed "and marks it"
ok "and puts everything back" nothing_left
is "$(sqlite3 "$MMPROF_DB" 'PRAGMA integrity_check')" ok "the database is sound"

# --- what this kernel can do
"$MMPROF" doctor --json >"$scratch/doctor.json"
ok "doctor's JSON is JSON" python3 -m json.tool "$scratch/doctor.json"
ok "doctor says that fentry works" sh -c "$MMPROF doctor --format csv | grep -i fentry | grep -q yes"
ok "list probes" sh -c "$MMPROF list probes --format csv | grep -q handle_mm_fault"
tap_done
