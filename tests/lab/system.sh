#!/usr/bin/env bash
# Systems under test on a kernel with two memory tiers: set up for a run and put back, set up until taken down, our
# module loaded with its parameters. TAP on standard output.
set -u
. tests/tap.sh

rec() { "$MMPROF" record --quiet --no-probe all "$@"; }
system() { "$MMPROF" system "$@"; }
state() { cat /proc/sys/kernel/numa_balancing /sys/kernel/mm/numa/demotion_enabled /proc/sys/vm/watermark_scale_factor; }
last_system() { sql "SELECT system FROM run ORDER BY id DESC LIMIT 1"; }
before=$(state)

# --- the kernel's own
is "$(rec --system tpp,watermark_scale=123 -- sh -c 'cat /proc/sys/kernel/numa_balancing /sys/kernel/mm/numa/demotion_enabled /proc/sys/vm/watermark_scale_factor' | tr '\n' ' ')" \
	"2 true 123 " "--system tpp: promotion, demotion and its keys hold for the run"
is "$(state)" "$before" "and are put back"
is "$(last_system)" "tpp,watermark_scale=123" "the run has the system's whole name"
is "$(rec --system numab -- cat /proc/sys/kernel/numa_balancing)" 1 "--system numab"
refuses '"speed" is no setting: .*watermark_scale' "an unknown key names the known ones" rec --system tpp,speed=1 -- true
refuses 'there is no system "tp"' "an unknown system" system tp up

# --- until taken down
ok "system tpp up" system tpp up
is "$(head -n 1 /proc/sys/kernel/numa_balancing)" 2 "it is"
like "$(system tpp status)" 'up +tpp.*mode +2 ' "status says so"
like "$(system --json tpp status | python3 -c 'import json, sys; print(json.load(sys.stdin)["sections"]["settings"]["rows"][0]["value"])')" '^2$' "as JSON too"
refuses 'tpp is up: mmprof system tpp down' "another can't be up beside it" system numab up
refuses 'tpp is up: leave --system out' "nor be recorded" rec --system numab -- true
ok "a run beside it" rec -- true
is "$(last_system)" tpp "is stored under its name"
is "$(head -n 1 /proc/sys/kernel/numa_balancing)" 2 "and does not take it down"
printf '[experiment]\nname = x\n[workload w]\ncommand = true\n' >"$scratch/plan.ini"
refuses 'tpp is up: mmprof system tpp down' "a plan is refused beside it" "$MMPROF" run "$scratch/plan.ini"
refuses 'numab is not up: that is tpp' "only what is up goes down" system numab down
ok "system tpp down" system tpp down
is "$(state)" "$before" "all is as it was"
refuses 'tpp is not up' "once" system tpp down

# --- our tiering
state_of_ours() { state | paste -sd' ' && cat /sys/kernel/mm/lru_gen/enabled && test ! -e /sys/kernel/mm/tiering && echo gone; }
echo 1 >/proc/sys/kernel/numa_balancing
echo 1 >/sys/kernel/mm/numa/demotion_enabled
echo y >/sys/kernel/mm/lru_gen/enabled
if "$MMPROF" system ours status | grep -q 'possible here  yes'; then
	before=$(state_of_ours)
	like "$before" '^1 true .*gone$' "before ours, others move pages"
	like "$(rec --system ours -- sh -c 'cat /proc/sys/kernel/numa_balancing /sys/kernel/mm/numa/demotion_enabled /sys/kernel/mm/lru_gen/enabled /sys/kernel/mm/tiering/policy' | paste -sd' ')" \
		'^0 false 0x0000 ours$' "--system ours: only the module does"
	is "$(state_of_ours)" "$before" "and all is put back"
	refuses 'cgroup namespace' "a workload that the module would not find is not run" \
		unshare --cgroup "$MMPROF" record --quiet --no-probe all --system ours -- true
	is "$(state_of_ours)" "$before" "and all is put back then, too"
else
	ok "tiering was built (make -C kmod)" false
	diag "$("$MMPROF" system ours status)"
fi

# --- our module
loaded() { [[ -d /sys/module/pgcache ]]; }
if ! "$MMPROF" system pgcache status | grep -q 'possible here  yes'; then
	ok "pgcache was built (make -C kmod)" false
	diag "$("$MMPROF" system pgcache status)"
	tap_done
	exit
fi
refuses 'no parameter speed' "a parameter that the module has not" rec --system pgcache,speed=1 -- true
refuses 'has no blanks' "a value that would be two parameters" rec --system "pgcache,ratio=4 verify=1" -- true
is "$(rec --system pgcache,ratio=5 -- cat /sys/kernel/mm/pgcache/pte/ratio)" 5 "--system pgcache,ratio=5 loads the module with it"
ok "and unloads it" test ! -d /sys/module/pgcache
ok "a run that forks" rec --system pgcache -- "$W/forks" 300
ok "its counters are sampled" test "$(sql "SELECT delta FROM v_counter_delta WHERE name = 'pgcache.pte.hit' AND run_id = (SELECT max(id) FROM run)")" -gt 100
ok "its parameters are facts of the run" test -n "$(sql "SELECT value FROM env_fact WHERE key = 'pgcache.pte.ratio' AND env_id = (SELECT env_id FROM run ORDER BY id DESC LIMIT 1)")"
"$MMPROF" record --quiet --system pgcache --probe pgcache --probe pte_alloc_one@fentry --probe __pmd_alloc@kprobe --probe __pte_alloc -- "$W/forks" 200
count() { sql "SELECT coalesce(sum(h.count), 0) FROM hist h JOIN probe p ON p.id = h.probe_id WHERE p.run_id = (SELECT max(id) FROM run) AND p.name = '$1' AND h.part = ''"; }
ok "probes of the catalogue's group attach to the module that the run loads" test "$(count pgcache_alloc_pte)" -gt 200
is "$(count pte_alloc_one)" "$(count pgcache_alloc_pte)" "fentry on a function that the module replaces sees each call, and fork works"
like "$(sql "SELECT why FROM not_measured WHERE what LIKE 'pte_alloc_one: the time%' AND run_id = (SELECT max(id) FROM run)")" 'pgcache' \
	"but not the hook's time, which is said"
is "$(sql "SELECT count(*) FROM not_measured WHERE what LIKE '__pmd_alloc: the time%' AND run_id = (SELECT max(id) FROM run)")" 0 \
	"of a kprobe nothing is missing: it comes before the hook"
mean() { sql "SELECT sum(h.sum_ns) / sum(h.count) FROM hist h JOIN probe p ON p.id = h.probe_id WHERE p.run_id = (SELECT max(id) FROM run) AND p.name = '$1' AND h.class = 'workload' AND h.part = ''"; }
ok "its time is more than the hook's own ($(mean __pmd_alloc) ns, $(mean pgcache_alloc_pmd))" test "$(mean __pmd_alloc)" -gt "$(mean pgcache_alloc_pmd)"
is "$(sql "SELECT count(*) FROM not_measured WHERE what LIKE '__pte_alloc: the time%' AND run_id = (SELECT max(id) FROM run)")" 0 \
	"of its caller nothing is missing"
ok "system pgcache up" system pgcache,verify=1 up
ok "is loaded" loaded
like "$(system pgcache status)" 'pte/hit +[0-9]' "status shows its counters"
refuses 'is loaded already|is up' "it can't be loaded twice" system pgcache up
ok "system pgcache down" system pgcache down
ok "is unloaded" test ! -d /sys/module/pgcache
"$MMPROF" record --quiet --no-probe all --system pgcache -- sleep 60 &
for _ in {1..100}; do
	loaded && [[ $(pgrep -xc sleep) != 0 ]] && break
	sleep 0.1
done
kill -KILL $!
wait $! 2>/dev/null
pkill -KILL -x sleep
ok "killed: the module is still there" loaded
ok "the next start" rec -- true
ok "unloads it" test ! -d /sys/module/pgcache
tap_done
