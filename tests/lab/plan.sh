#!/usr/bin/env bash
# `mmprof run` with real settings in a guest: killed in the middle of a run it puts them back at its next start and goes
# on; a cell that panics the kernel is not run again. Usage: plan.sh KERNEL. TAP on standard output.
set -u
. tests/tap.sh

results=$scratch/results
export MMPROF_DB=$results/plan.db
mkdir "$results"

cat >"$results/plan.ini" <<'INI'
[experiment]
name = tiers
runs = 2
warmup = 0
seed = 1
probes = handle_mm_fault

[settings]
/sys/kernel/mm/transparent_hugepage/enabled = never
/sys/kernel/mm/numa/demotion_enabled = 1

[system nb0]
sysctl.kernel.numa_balancing = 0
[system nb2]
sysctl.kernel.numa_balancing = 2

[workload pages]
command = sh -c '/results/state >>/results/seen; build/tests/workloads/pages 3000; [ $(wc -l </results/seen) != 3 ] || sleep 300'
stdout = /dev/null
INI
cat >"$results/panic.ini" <<'INI'
[experiment]
name = panic
runs = 1
warmup = 0
seed = 1
no-probes = all
[system fine]
[system deadly]
/proc/sys/kernel/sysrq = 1
[workload sysrq]
command = sh -c 'test $(cat /proc/sys/kernel/sysrq) = 2 || { sync; echo c >/proc/sysrq-trigger; sleep 9; }'
[workload true]
command = true
INI
cat >"$results/state" <<'SH'
#!/bin/sh
echo "$(cat /proc/sys/kernel/numa_balancing) $(cat /sys/kernel/mm/transparent_hugepage/enabled) $(cat /sys/kernel/mm/numa/demotion_enabled)"
SH
cat >"$results/first" <<'SH'
#!/bin/sh
echo "before: $(/results/state)"
build/mmprof run /results/plan.ini --quiet &
while [ "$(cat /results/seen 2>/dev/null | wc -l)" -lt 3 ] && kill -0 $!; do sleep 0.1; done # the third waits to be killed
kill -KILL $!
echo "killed: $(/results/state)"
build/mmprof run /results/plan.ini --resume
echo "exit status: $?"
echo "after: $(/results/state)"
echo "left: $(ls /run/mmprof | wc -l) $(find /sys/fs/cgroup -maxdepth 1 -name 'mmprof-*' | wc -l)"
echo 2 >/proc/sys/kernel/sysrq
build/mmprof run /results/panic.ini
SH
cat >"$results/second" <<'SH'
#!/bin/sh
echo 2 >/proc/sys/kernel/sysrq
build/mmprof run /results/panic.ini --resume --quiet
SH
chmod 755 "$results"/{state,first,second}
guest() {
	scripts/lab --kernel "$1" --timeout 2400 --results "$results" --env MMPROF_DB=/results/plan.db -- "$2" 2>&1
}
said() { sed -n "s/^$1: //p" "$scratch/log" | paste -sd, | tr -d '\r'; }

guest "$1" /results/first >"$scratch/log"
ok "the second experiment brings the guest down" test $? -ge 120

# --- killed and gone on with
before=$(said before)
like "$before" '^[0-9] .*\[(always|madvise)\].* (true|false)$' "the guest has other settings than the plan"
like "$(said killed)" "^[02] always madvise \[never\] true$" "SIGKILL leaves the machine as it was set up"
like "$(<"$scratch/log")" 'put back what an earlier mmprof left behind' "--resume first puts it back"
is "$(said after)" "$before" "and at its end all is as it was before"
is "$(said left)" "0 0" "no journal and no cgroup is left"
is "$(said 'exit status')" 1 "one cell is missing"
is "$(sql "SELECT group_concat(cell || ' ' || status, ', ') FROM (SELECT * FROM run WHERE experiment = 'tiers' ORDER BY id)")" \
	"1 done, 2 done, 3 crashed, 4 done" "the one that was killed"
is "$(sort -u "$results/seen" | paste -sd,)" "0 always madvise [never] true,2 always madvise [never] true" "each run had its settings"
is "$(sql "SELECT group_concat(DISTINCT system || ' ' || value) FROM (SELECT * FROM run ORDER BY system) r JOIN env_fact f
	ON f.env_id = r.env_id WHERE experiment = 'tiers' AND key = 'sysctl.kernel.numa_balancing'")" "nb0 0,nb2 2" "and tells them among its facts"
is "$(sql "SELECT count(DISTINCT run_id) FROM probe WHERE name = 'handle_mm_fault' AND status = 'attached'
	AND run_id IN (SELECT id FROM run WHERE experiment = 'tiers' AND status = 'done')")" 3 "with its probes"

# --- a panic
is "$(sql "SELECT system || ' ' || name || ' ' || status FROM run WHERE id = (SELECT max(id) FROM run)")" "deadly sysrq running" \
	"the panic came in a cell of the second experiment"
before=$(sql "SELECT count(*) FROM run WHERE experiment = 'panic'")
ok "which is not the last one" test "$before" -lt 4
guest "$1" /results/second >"$scratch/log"
is "$? $(tail -n 1 "$scratch/log")" "1 mmprof run: 1 of 4 runs failed; --retry runs those again that did so before" \
	"--resume after the reboot does not run that cell again"
is "$(sql "SELECT group_concat(system || ' ' || name || ' ' || status) FROM (SELECT * FROM run WHERE experiment = 'panic'
	ORDER BY system, name)")" "deadly sysrq crashed,deadly true done,fine sysrq done,fine true done" "but the others"

# --- what was recorded can be compared and drawn
ok "report --compare" "$MMPROF" report --compare nb0 nb2 --experiment tiers
like "$("$MMPROF" report --compare nb0 nb2 --experiment tiers)" 'sysctl.kernel.numa_balancing +0 +2' "tells what differs"
like "$("$MMPROF" report --compare nb0 nb2 --experiment tiers)" 'EMULATED' "and that it was emulated"
ok "three figures" "$MMPROF" plot bars runs cpu --experiment tiers --format svg --out "$scratch"
for figure in bars runs cpu; do
	ok "$figure is drawn" grep -q '<svg' "$scratch/$figure.svg"
done
tap_done
