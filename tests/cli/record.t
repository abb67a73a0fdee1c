#!/usr/bin/env bash
# `mmprof record` on this very kernel, whatever it can do: what can't be attached is named with its reason, nothing
# is left behind. Needs root.
set -u
. tests/tap.sh

[[ $EUID == 0 ]] || { echo "1..0 # SKIP needs root"; exit 0; }
last='(SELECT max(id) FROM run)'
cgroups() { find /sys/fs/cgroup -maxdepth 2 -type d -name 'mmprof-*' 2>/dev/null | wc -l; }
instances() { find /sys/kernel/tracing/instances -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }

# --- exit status and signals
ok "a workload that succeeds" "$MMPROF" record --quiet -- true
"$MMPROF" record --quiet -- sh -c 'exit 7'
is $? 7 "exits with the workload's status"
is "$(sql "SELECT exit_status FROM run WHERE id = $last")" 7 "and stores it"
"$MMPROF" record --quiet -- sh -c 'kill -SEGV $$'
is $? 139 "a signal gives 128 + its number"
is "$(sql "SELECT signal FROM run WHERE id = $last")" 11 "and is stored"
is "$("$MMPROF" record --quiet -- sh -c 'cat; echo out; echo err >&2' <<<in 2>"$scratch/err2")" $'in\nout' \
	"standard input and output pass through"
like "$(<"$scratch/err2")" '^err$' "standard error too"
ok "--stdin and --stdout" "$MMPROF" record --quiet --stdin /etc/hostname --stdout "$scratch/copy" -- cat
ok "carry the workload's data" cmp /etc/hostname "$scratch/copy"
is "$(sql "SELECT ifnull(maxrss_bytes, 'none') FROM run WHERE id = $last")" none "mmprof's own resident set is not taken for the workload's"
like "$(sql "SELECT why FROM not_measured WHERE run_id = $last AND what = 'maxrss'")" '^at most [0-9]+ KiB: ' "of which a bound is known"
like "$("$MMPROF" record --json -- true)" '^\{"run": ?[0-9]+.*"status": ?"done"' "--json prints an object"

# --- what was measured and what was not
"$MMPROF" record --quiet -- "$W/pages" 20000
ok "a tracepoint probe attaches" test "$(sql "SELECT count(*) FROM probe WHERE run_id = $last AND backend = 'raw_tp'")" -ge 2
is "$(sql "SELECT count(*) FROM probe WHERE run_id = $last AND status IN ('absent', 'failed') AND (why IS NULL OR why = '')")" 0 \
	"each probe that is not attached has a reason"
if grep -q handle_mm_fault /sys/kernel/tracing/available_filter_functions 2>/dev/null; then
	is "$(sql "SELECT status FROM probe WHERE run_id = $last AND name = 'handle_mm_fault'")" attached "handle_mm_fault attaches"
else
	like "$(sql "SELECT why FROM probe WHERE run_id = $last AND name = 'handle_mm_fault'")" 'fentry: .*kprobe: .*ftrace: ' \
		"handle_mm_fault says why each backend fails here"
	is "$(sql "SELECT count(*) FROM hist h JOIN probe p ON p.id = h.probe_id WHERE p.run_id = $last AND p.kind = 'func'")" 0 \
		"and stores no figure"
fi
ok "mmap_lock was seen" test "$(sql "SELECT sum(count) FROM hist h JOIN probe p ON p.id = h.probe_id
	WHERE p.run_id = $last AND p.name = 'mmap_lock' AND h.class = 'workload' AND part = 'write hold'")" -gt 5
ok "TLB flushes carry their reason's name" test "$(sql "SELECT count(*) FROM probe_count c JOIN probe p ON p.id = c.probe_id
	WHERE p.run_id = $last AND p.name = 'tlb_flush_count' AND key_name LIKE '%flush%'")" -ge 1
between "$(sql "SELECT minflt FROM run WHERE id = $last")" 20000 20300 "rusage: 20000 touched pages"
between "$(sql "SELECT maxrss_bytes >> 20 FROM run WHERE id = $last")" 78 90 "and their resident set"
ok "vmstat's pgfault grew by at least as much" test "$(sql "SELECT max(value) - min(value) FROM sample s JOIN series r
	ON r.id = s.series_id WHERE r.run_id = $last AND r.name = 'vmstat.pgfault'")" -ge 20000
ok "the machine's facts are stored" test "$(sql "SELECT count(*) FROM env_fact")" -gt 50
ok "what measuring cost is stored" test "$(sql "SELECT self_user_ns + self_system_ns FROM run WHERE id = $last")" -gt 0

# --- choice of probes
ok "a tracepoint by name" "$MMPROF" record --quiet --probe tracepoint:kmem:mm_page_alloc -- "$W/pages" 1000
ok "counts page allocations" test "$(sql "SELECT sum(count) FROM probe_count c JOIN probe p ON p.id = c.probe_id
	WHERE p.run_id = $last AND c.class = 'workload'")" -ge 1000
ok "a syscall tracepoint, which has no raw form" "$MMPROF" record --quiet --probe tracepoint:syscalls:sys_enter_munmap -- true
is "$(sql "SELECT backend FROM probe WHERE run_id = $last")" tp "is served by perf"
ok "--no-probe all" "$MMPROF" record --quiet --no-probe all -- true
is "$(sql "SELECT count(*) FROM probe WHERE run_id = $last")" 0 "leaves none"

# --- runs, tags, names
ok "--runs, --warmup, --tag" "$MMPROF" record --quiet --no-probe all --runs 3 --warmup 1 --tag size=big --name nothing -- true
is "$(sql "SELECT count(DISTINCT experiment) || ' ' || count(*) || ' ' || sum(warmup) FROM run WHERE name = 'nothing'")" "1 4 1" \
	"make four runs of one experiment, one a warm-up"
is "$(sql "SELECT value FROM run_tag WHERE run_id = $last AND key = 'size'")" big "with the tag"

# --- who runs it, and when it ends
ok "--user" "$MMPROF" record --quiet --no-probe all --user nobody --stdout /dev/null -- sh -c 'test "$(id -un)" = nobody'
mkdir -m 755 "$scratch/roots" "$scratch/theirs"
chmod 755 "$scratch"
chown nobody "$scratch/theirs"
echo precious >"$scratch/roots/file"
ln -s "$scratch/roots/file" "$scratch/theirs/link"
for extract in "" --extract=x=y; do
	# shellcheck disable=SC2086
	refuses "can't open .*theirs/link as nobody: " "--stdout follows no link that somebody else has made $extract" \
		"$MMPROF" record --quiet --no-probe all $extract --user nobody --stdout "$scratch/theirs/link" -- echo x
	# shellcheck disable=SC2086
	refuses "can't open .*roots/file as nobody: " "and writes where the user may $extract" \
		"$MMPROF" record --quiet --no-probe all $extract --user nobody --stdout "$scratch/roots/file" -- echo x
done
is "$(<"$scratch/roots/file")" precious "so that nothing is lost"
ok "a file of the user's" "$MMPROF" record --quiet --no-probe all --user nobody --stdout "$scratch/theirs/out" -- echo x
is "$(<"$scratch/theirs/out") $(stat -c %U "$scratch/theirs/out")" "x nobody" "is the user's own"
ok "SUDO_USER is the default" env SUDO_USER=nobody "$MMPROF" record --quiet --no-probe all -- sh -c 'test "$(id -un)" = nobody'
"$MMPROF" record --quiet --no-probe all --timeout 1 -- sleep 30
is "$? $(sql "SELECT status FROM run WHERE id = $last")" "143 timeout" "--timeout ends the workload"
"$MMPROF" record --quiet --no-probe all -- sleep 30 &
soon pgrep -P $! -x sleep >"$scratch/out"
kill -TERM $!
wait $!
is "$? $(sql "SELECT status FROM run WHERE id = $last")" "143 interrupted" "SIGTERM is passed on, the run marked interrupted"
cat >"$scratch/pending.py" <<'PY'
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
os.kill(os.getpid(), signal.SIGINT) # waits over exec, as if it came while probes are attached
os.execv(sys.argv[1], sys.argv[1:])
PY
timeout 60 python3 "$scratch/pending.py" "$MMPROF" record --quiet --no-probe all --runs 2 -- sleep 30
is "$? $(sql "SELECT status || ', ' || status_why FROM run WHERE id = $last")" \
	"130 interrupted, SIGINT before the workload was started" "a signal during set-up ends the run before the workload starts"
if [[ -w /proc/sys/vm/swappiness ]]; then
	"$MMPROF" record --quiet --no-probe all --system a,sysctl.vm.swappiness=11 -- sleep 30 &
	recording=$!
	for _ in $(seq 200); do
		pgrep -P $recording -x sleep >/dev/null && break
		sleep 0.1
	done
	swappiness=$(</proc/sys/vm/swappiness)
	kill -USR1 $recording
	wait $recording
	is "$? $(sql "SELECT status || ', ' || status_why FROM run WHERE id = $last")" "143 interrupted, SIGUSR1" "SIGUSR1 ends the workload, not mmprof"
	ok "which puts the machine back" test "$swappiness" = 11 -a "$(</proc/sys/vm/swappiness)" != 11
else
	skip "SIGUSR1" "/proc/sys/vm/swappiness can't be written here"
fi
ok "a daemonising workload" "$MMPROF" record --quiet -- sh -c 'setsid sleep 1 >/dev/null 2>&1 & exit 0'
ok "a workload that forks a thousand times" "$MMPROF" record --quiet -- "$W/forks" 1000

# --- Ctrl-C on a terminal reaches the workload once. What it writes to the terminal just then may be lost, since the
# kernel signals first and then empties the terminal's output (drivers/tty/n_tty.c, isig), so it writes to a file.
cat >"$scratch/terminal.py" <<'PY'
import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
os.write(fd, b'\x03')
try:
    while os.read(fd, 4096):
        pass
except OSError:
    pass
_, status = os.waitpid(pid, 0)
print(open(sys.argv[1]).read().split(), os.waitstatus_to_exitcode(status))
PY
is "$(timeout 60 python3 "$scratch/terminal.py" "$scratch/told" "$MMPROF" record --quiet --no-probe all -- \
	sh -c 'trap "echo got-int >>$1" INT; : >$1; sleep 10; sleep 1; exit 5' sh "$scratch/told")" "['got-int'] 5" "Ctrl-C reaches the workload exactly once"
is "$(sql "SELECT status FROM run WHERE id = $last")" interrupted "and the run is marked"

# --- a machine with cgroup v1 only: a v2 hierarchy is mounted for the run
ok "no cgroup v2 mounted" unshare --mount sh -c "
	for m in \$(awk '\$3 == \"cgroup2\" {print \$2}' /proc/self/mounts); do umount \$m || exit 1; done
	'$MMPROF' record --quiet --no-probe all -- true"
is "$(sql "SELECT count(*) FROM not_measured WHERE run_id = $last AND what LIKE '%class%'")" 0 "the workload still has its own"
ok "and it is unmounted again" test ! -e /run/mmprof/cgroup2

# --- nothing left behind
sleep 1
is "$(cgroups) $(instances)" "0 0" "no cgroup and no tracing instance is left"
ok "no journal is left" test -z "$(ls /run/mmprof 2>/dev/null)"

# --- SIGKILL in the middle
cp "$(command -v sleep)" "$scratch/mmprof-nap" # a name of its own, to be killed by
"$MMPROF" record --quiet -- "$scratch/mmprof-nap" 300 &
measured() { (($(sql "SELECT count(*) FROM series WHERE run_id = (SELECT max(id) FROM run WHERE status = 'running')") > 20)); }
soon measured # what was sampled is in the database a second after the start
kill -KILL $!
wait $! 2>/dev/null
killed=$(sql "SELECT max(id) FROM run")
is "$(sqlite3 "$MMPROF_DB" 'PRAGMA integrity_check')" ok "SIGKILL: the database is sound"
is "$(sql "SELECT status FROM run WHERE id = $((killed - 1))")" "done" "the run before is whole"
ok "what was measured before the kill is there" test "$(sql "SELECT count(*) FROM series WHERE run_id = $killed")" -gt 20
ok "the next start works" "$MMPROF" record --quiet --no-probe all -- true
is "$(sql "SELECT status FROM run WHERE id = $killed")" crashed "and marks the killed run"
is "$(cgroups) $(find /run/mmprof -mindepth 1 2>/dev/null | wc -l)" "0 0" "and puts everything back"
pkill -KILL -f "^$scratch/mmprof-nap"

# --- others write while a run is on
"$MMPROF" record --quiet --no-probe all --db "$scratch/other.db" -- true
"$MMPROF" record --quiet --interval 10 --no-probe all --name long -- sh -c "sleep 7; until test -e '$scratch/merged'; do sleep 0.1; done" &
recording=$!
sleep 2
ok "a note on another run, during a run" timeout 60 "$MMPROF" note "$killed" "while another one runs"
ok "a merge, during a run" timeout 60 "$MMPROF" merge "$MMPROF_DB" "$scratch/other.db"
ok "which goes on" kill -0 "$recording"
touch "$scratch/merged"
ok "and ends well" wait "$recording"
is "$(sql "SELECT count(*) FROM note WHERE text = 'while another one runs'")" 1 "the note is there"
ok "and so are the run's samples until its end" test \
	"$(sql "SELECT count(DISTINCT t_ns / 1000000000) FROM run r JOIN series s ON s.run_id = r.id JOIN sample ON series_id = s.id WHERE r.name = 'long'")" -ge 5

# --- mmprof's own cost on an idle machine
"$MMPROF" record --quiet -- sleep 10
cpu=$(sql "SELECT (self_user_ns + self_system_ns) * 10000 / elapsed_ns FROM run WHERE id = $last")
echo "# mmprof's own CPU: $cpu of 10000 of one core (bench, not a test: this machine is noisy), $(sql "SELECT self_maxrss_bytes FROM run WHERE id = $last") bytes"
if [[ ${BUILD:-build} == build-asan ]]; then
	skip "its memory stays under 64 MiB" "the sanitizers' own memory counts too"
else
	ok "its memory stays under 64 MiB" test "$(sql "SELECT self_maxrss_bytes FROM run WHERE id = $last")" -lt 67108864
fi
# --- several systems in turn, each set up for its runs
if [[ -w /proc/sys/vm/swappiness ]]; then
	before=$(</proc/sys/vm/swappiness)
	low=a,sysctl.vm.swappiness=11 high=b,sysctl.vm.swappiness=77
	ok "two systems in turn" "$MMPROF" record --quiet --no-probe all --system $low --system $high --runs 3 -- cat /proc/sys/vm/swappiness
	is "$(sql "SELECT group_concat(DISTINCT r.system || '=' || f.value) FROM run r JOIN env_fact f ON f.env_id = r.env_id
		WHERE f.key = 'sysctl.vm.swappiness' AND r.system LIKE '_,sysctl%' ORDER BY 1")" \
		"$(printf '%s\n' "$low=11" "$high=77" | sort | paste -sd,)" "each ran under its setting"
	is "$(sql "SELECT group_concat(n) FROM (SELECT count(DISTINCT system) AS n FROM run WHERE system LIKE '_,sysctl%' GROUP BY iteration)")" \
		2,2,2 "once in each round"
	is "$(</proc/sys/vm/swappiness)" "$before" "and the setting is put back"
	refuses 'is no setting' "a system's option that is no setting" "$MMPROF" record --system a,speed=1 -- true
	refuses 'this machine has no' "a setting that this machine lacks" "$MMPROF" record --system a,sysctl.vm.nothing=1 -- true
else
	skip "several systems" "/proc/sys/vm/swappiness can't be written here"
fi
"$MMPROF" record --quiet --no-probe all --interval 10 -- sh -c 'kill -STOP $PPID; sleep 0.5; kill -CONT $PPID; sleep 2'
late() { sql "SELECT count FROM loss WHERE kind = 'late_readings' AND run_id = (SELECT max(id) FROM run)"; }
ticks() { sql "SELECT elapsed_ns / $1 + 1 FROM run ORDER BY id DESC LIMIT 1"; }
between "$(late)" 40 "$(ticks 10000000)" "readings that came too late are counted"
"$MMPROF" record --quiet --interval 10 -- true
between "$(late)" 0 "$(ticks 10000000)" "what the set-up takes is none"
ok "record --bench" "$MMPROF" record --quiet --no-probe all --bench mremap -- --pages 16 --limit 0.05
is "$(sql "SELECT name FROM run ORDER BY id DESC LIMIT 1")" "mremap pages=16" "is a run of the benchmark"
tap_done
