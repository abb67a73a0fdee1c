#!/usr/bin/env bash
# `mmprof run` on this very kernel: the order and the database of an experiment, settings that are put back however
# it ends, going on after a crash, and a line for everything that can be wrong in a plan. Needs root.
set -u
. tests/tap.sh

[[ $EUID == 0 ]] || { echo "1..0 # SKIP needs root"; exit 0; }
last='(SELECT max(id) FROM run)'
plan=$scratch/plan.ini

head='[experiment]
name = %s
runs = 3
warmup = 1
seed = 7
no-probes = all
'
make() { # NAME FILE < the rest of the plan
	# shellcheck disable=SC2059 # the head is a format
	{ printf "$head" "$1"; cat; } >"$2"
}
run() { "$MMPROF" run "$@"; }
cells() { # of the last dry run: "cell round system workload"
	run "$1" --dry-run --json | python3 -c 'import json, sys
for c in json.load(sys.stdin)["sections"]["cells"]["rows"]: print(c["cell"], c["round"], c["system"], c["workload"])'
}

# --- what is to be run
make order "$plan" <<'INI'
[system a]
what = the first
[system b]
[workload yes]
command = true
[workload nap]
command = sleep 0.05 ; a comment
INI
is "$(cells "$plan" | wc -l)" 12 "a plan of 2 systems, 2 workloads and 3 rounds has 12 cells"
is "$(cells "$plan" | cut -d' ' -f2- | sort -u | wc -l)" 12 "each round has each pair once"
is "$(cells "$plan" | cut -d' ' -f1 | paste -sd' ')" "1 2 3 4 5 6 7 8 9 10 11 12" "numbered in order"
is "$(cells "$plan")" "$(cells "$plan")" "the order is always the same"
sed 's/seed = 7/seed = 8/' "$plan" >"$scratch/other.ini"
ok "and another with another seed" test "$(cells "$plan")" != "$(cells "$scratch/other.ini")"
like "$(run --dry-run "$plan" --cell 3,5-6)" $'\n  3 .*\n  5 .*\n  6 .* true\n' "--dry-run lists the cells that --cell names"
ok "--dry-run makes no database" test ! -e "$MMPROF_DB"

like "$(run docs/plans/numa-balancing.ini --dry-run)" 'tiering .*memhog' "the example of the manual is a plan"

# --- the whole
ok "a plan runs" run "$plan" --quiet
is "$(sql "SELECT group_concat(cell || ' ' || iteration || ' ' || system || ' ' || name, ',') FROM
	(SELECT * FROM run WHERE NOT warmup ORDER BY id)")" "$(cells "$plan" | paste -sd,)" "in the order that was listed"
is "$(sql "SELECT count(*) || ' ' || max(id) FROM run WHERE warmup AND experiment = 'order'")" "4 4" "warm-ups of each pair come first"
is "$(sql "SELECT count(DISTINCT system || name) FROM run WHERE warmup")" 4 "one of each"
is "$(sql "SELECT count(*) FROM run WHERE status = 'done' AND experiment = 'order'")" 16 "all are done"
is "$(sql "SELECT plan FROM experiment WHERE name = 'order'" | head -c 12)" "[experiment]" "the database has the plan"
is "$(sql "SELECT seed || ' ' || cells FROM experiment")" "7 12" "its seed and its number of cells"
refuses "holds runs of experiment \"order\".*--resume.*another --db" "the same once more" run "$plan"
refuses "whose plan was another" "another plan of that name" run "$scratch/other.ini" --resume
like "$(run "$plan" --resume 2>&1)" "nothing is left" "--resume has nothing left to do"
is "$(sql "SELECT count(*) FROM run")" 16 "and does nothing"

# --- one cell at a time, as on the nodes of a cluster
make spread "$plan" <<'INI'
[system a]
[system b]
[workload yes]
command = true
INI
ok "--cell 4" run "$plan" --cell 4 --quiet
is "$(sql "SELECT group_concat(cell || ' ' || iteration || ' ' || system, ',') FROM (SELECT * FROM run WHERE experiment = 'spread' ORDER BY id)")" \
	"4 0 $(cells "$plan" | sed -n 4p | cut -d' ' -f3),$(cells "$plan" | sed -n 4p | cut -d' ' -f1-3)" "runs its warm-up and that cell"
ok "--cell 1-2,6 into the same database" run "$plan" --cell 1-2,6 --quiet
refuses "holds runs" "--cell 4 again" run "$plan" --cell 4
ok "--cell 1-4 with --resume" run "$plan" --cell 1-4 --resume --quiet
is "$(sql "SELECT group_concat(cell, ' ') FROM (SELECT cell FROM run WHERE experiment = 'spread' AND NOT warmup ORDER BY cell)")" \
	"1 2 3 4 6" "runs what was left of them"

# --- JSON and progress
make json "$plan" <<'INI'
[workload yes]
command = true
INI
is "$(run "$plan" --json --quiet | python3 -c 'import json, sys
for r in map(json.loads, sys.stdin): print(*[r[k] for k in ("cell", "round", "system", "workload", "status", "exit_code")])' | sed -n '1p;$p' | paste -sd,)" \
	"1 0 none yes done 0,3 3 none yes done 0" "--json prints an object a run; no system: none"
make lines "$plan" <<'INI'
[workload yes]
command = true
INI
like "$(run "$plan" 2>&1)" 'run: \[1/3\] none yes warm-up: done, .*\[3/3\] none yes round 3: done, .*3 runs of experiment lines' \
	"otherwise a line a run"
make terminal "$plan" <<'INI'
[workload nap]
command = sleep 0.1
INI
like "$(script -qec "$MMPROF run $plan" /dev/null </dev/null)" '\[2/3\] none nap round 2 \.\.\. [0-9]+ s left' "on a terminal the time left, too"

# --- workloads that fail
make failing "$plan" <<'INI'
[workload no]
command = sh -c "exit 3"
[workload yes]
command = true
INI
run "$plan" >"$scratch/out" 2>&1
is $? 1 "a workload that fails: exit status 1"
like "$(<"$scratch/out")" 'no round 2: done, exit 3.*3 of 6 runs failed' "and it is told"
is "$(sql "SELECT count(*) FROM run WHERE experiment = 'failing' AND NOT warmup")" 6 "the others are run"
run "$plan" --resume --quiet 2>"$scratch/err2"
is "$? $(sql "SELECT count(*) FROM run WHERE experiment = 'failing'") $(<"$scratch/err2")" \
	"1 8 mmprof run: 3 of 6 runs failed; --retry runs those again that did so before" "--resume leaves them alone"
run "$plan" --retry --quiet 2>/dev/null
is "$(sql "SELECT count(*) FROM run WHERE experiment = 'failing' AND NOT warmup AND name = 'no'")" 6 "--retry runs them again"
is "$(sql "SELECT count(*) FROM run WHERE experiment = 'failing' AND NOT warmup AND name = 'yes'")" 3 "and only them"
sed -i 's/^runs.*/runs = 1\ntimeout = 1/; s/^name.*/name = slow/; s/sh -c.*/sleep 20/' "$plan"
run "$plan" --quiet 2>/dev/null
is "$? $(sql "SELECT status || ' ' || count(*) FROM run WHERE experiment = 'slow' AND name = 'no' GROUP BY status")" "1 timeout 2" \
	"a workload that is timed out"

# --- where workloads run
mkdir "$scratch/dir"
printf '#!/bin/sh\npwd; cat\n' >"$scratch/dir/here"
chmod 755 "$scratch/dir/here"
make place "$plan" <<INI
[workload here]
command = ./here
cwd = $scratch/dir
stdin = /etc/hostname
stdout = $scratch/said
cpus = 0
extract = letters=([a-z]+)
INI
ok "cwd, stdin, stdout, cpus, extract" run "$plan" --quiet --cell 1
is "$(<"$scratch/said")" "$scratch/dir"$'\n'"$(</etc/hostname)" "do what they say"
is "$(sql "SELECT cwd FROM run WHERE id = $last")" "$scratch/dir" "and the database has the directory"

# --- everything that can be wrong
wrong() { # REGEX NAME < the plan's end: after six lines
	make wrong "$plan"
	refuses "mmprof run: $plan:$1" "$2" run "$plan"
}
wrong '7: unknown section \[worklaod w\].*did you mean|7: unknown section \[worklaod\]; did you mean "workload"' "unknown section" <<<'[worklaod w]'
wrong '8: unknown key "comand" in \[workload\]; did you mean "command"' "unknown key" <<<$'[workload w]\ncomand = x'
wrong '8: the workload "nosuchprogram" was not found' "no such program" <<<$'[workload w]\ncommand = nosuchprogram 1'
wrong '9: cpus: "999"' "CPUs that are not here" <<<$'[workload w]\ncommand = true\ncpus = 999'
wrong '9: cwd: there is no directory' "a directory that is not here" <<<$'[workload w]\ncommand = true\ncwd = /nonexistent'
wrong '9: stdin: ' "an input that is not here" <<<$'[workload w]\ncommand = true\nstdin = /nonexistent'
wrong '9: extract: .*no regular' "an expression that is none" <<<$'[workload w]\ncommand = true\nextract = a=(x'
wrong '7: unknown probe "nosuch"' "unknown probe" <<<$'probes = nosuch\n[workload w]\ncommand = true'
wrong '6: unknown probe "nosuch" to leave out' "unknown probe to leave out" <<<$'no-probes = nosuch\n[workload w]\ncommand = true'
wrong '7: unknown backend' "unknown backend" <<<$'backend = magic\n[workload w]\ncommand = true'
wrong '9: runs is in line 3 already' "a key twice" <<<$'\n\nruns = 4\n[workload w]\ncommand = true'
wrong '8: .*only files under' "a file elsewhere" <<<$'[settings]\n/etc/motd = x\n[workload w]\ncommand = true'
wrong '9: this machine has no /proc/sys/vm/nosuch' "a setting that the machine lacks" \
	<<<$'[system a]\nwhat = x\nsysctl.vm.nosuch = x\n[system b]\n[workload w]\ncommand = true'
cp "$plan" "$scratch/missing.ini"
wrong '8: /proc/sys/vm/drop_caches can.t be read' "a setting that can't be put back" \
	<<<$'[settings]\nsysctl.vm.drop_caches = 1\n[workload w]\ncommand = true'
wrong '7: there is no workload' "no workload" </dev/null
refuses "which plan" "no plan" run
refuses "can't read the plan" "a plan that isn't there" run /nonexistent
refuses "one plan at a time" "two plans" run "$plan" "$plan"
make order "$plan" <<<$'[workload w]\ncommand = true'
refuses "--cell: there is no cell 4: the plan has 3" "--cell 4 of 3" run "$plan" --cell 4
refuses "--cell: \"x\" is no number" "--cell x" run "$plan" --cell x
refuses "--nosuch" "an unknown option after the plan" run "$plan" --nosuch
chmod 755 "$scratch"
install -m 755 "$MMPROF" "$scratch/mmprof"
refuses "needs root" "without root" setpriv --reuid=65534 --regid=65534 --clear-groups -- "$scratch/mmprof" run --db "$scratch/no.db" "$plan"
is "$(sql "SELECT count(*) FROM run WHERE experiment = 'wrong'")" 0 "none of them made a run"
run "$scratch/missing.ini" --skip-missing >"$scratch/out" 2>&1
is "$? $(sql "SELECT group_concat(DISTINCT system) FROM run WHERE experiment = 'wrong'")" "0 b" "--skip-missing runs the rest"
like "$(<"$scratch/out")" "system a is left out \(3 runs\): $scratch/missing.ini:9: this machine has no /proc/sys/vm/nosuch" "and says what it left out"

# --- settings
swappiness=/proc/sys/vm/swappiness
if ! { [[ -w $swappiness ]] && echo "$(<$swappiness)" >$swappiness; } 2>/dev/null; then
	skip "settings" "vm.swappiness can't be written here"
	tap_done
fi
was=$(<$swappiness) interval=$(</proc/sys/vm/stat_interval)
state() { echo "$(<$swappiness) $(</proc/sys/vm/stat_interval) $(find /run/mmprof -mindepth 1 | wc -l)"; }
settings() { # NAME COMMAND
	make "$1" "$plan" <<INI
[settings]
/proc/sys/vm/stat_interval = 7
[system low]
sysctl.vm.swappiness = 11
[system high]
sysctl.vm.swappiness = 99
[system kept]
[workload look]
command = $2
stdout = $scratch/said
INI
}
settings settings "sh -c 'echo \$(cat $swappiness) \$(cat /proc/sys/vm/stat_interval) >>$scratch/seen'"
ok "a plan with settings" run "$plan" --quiet
is "$(sort "$scratch/seen" | uniq -c | awk '{print $1, $2, $3}' | paste -sd,)" "4 11 7,4 $was 7,4 99 7" "each run has its system's, and the plan's"
is "$(sql "SELECT group_concat(DISTINCT system || ' ' || value) FROM run r JOIN env_fact f ON f.env_id = r.env_id
	WHERE experiment = 'settings' AND key = 'sysctl.vm.swappiness' AND system = 'low'")" "low 11" "they are among the facts of the run"
is "$(state)" "$was $interval 0" "everything is put back"

sed 's/= 99/= 100000/; s/^name.*/name = refused/' "$plan" >"$scratch/refused.ini"
refuses "refused.ini:12: sysctl.vm.swappiness = 100000: the kernel refused it" "a value that the kernel refuses" run "$scratch/refused.ini"
is "$(sql "SELECT count(*) FROM run WHERE experiment = 'refused'") $(state)" "0 $was $interval 0" "is found before the first run"
is "$(run "$scratch/refused.ini" --resume 2>&1 | grep -c "refused.ini:12: .*the kernel refused it")" 4 "with --resume it is the cells' failure"
is "$(sql "SELECT count(*) FROM run WHERE experiment = 'refused' AND status = 'done'") $(state)" "8 $was $interval 0" "and the others run"

settings signal "sleep 20"
env --default-signal=INT "$MMPROF" run "$plan" >"$scratch/out" 2>&1 & # a shell's background ignores it
soon pgrep -P $! -x sleep >/dev/null
is "$(</proc/sys/vm/stat_interval)" 7 "while it runs they are set"
kill -INT $!
wait $!
is $? 130 "SIGINT: exit status 130"
is "$(state)" "$was $interval 0" "everything is put back"
like "$(<"$scratch/out")" "go on with: mmprof run $plan --db $MMPROF_DB --resume" "it says how to go on"
is "$(sql "SELECT group_concat(status) FROM run WHERE experiment = 'signal'")" interrupted "the run is marked"

# --- one machine, one experiment at a time
settings first "sleep 10"
sed -i 's/^runs.*/runs = 1/; s/^warmup.*/warmup = 0/; /^.system high/,/^.system kept/d' "$plan"
cp "$plan" "$scratch/first.ini"
sed 's/^name.*/name = second/; s/= 7$/= 8/; s/sleep 10/true/' "$plan" >"$scratch/second.ini"
run "$scratch/first.ini" --quiet &
soon grep -qx 7 /proc/sys/vm/stat_interval
run "$scratch/second.ini" >"$scratch/out" 2>&1
like "$(<"$scratch/out")" 'waiting for another' "two at once: the second waits"
wait $!
is "$(sql "SELECT max(a.started_unix_ns + a.elapsed_ns) <= min(b.started_unix_ns) FROM run a, run b
	WHERE a.experiment = 'first' AND b.experiment = 'second'") $(state)" "1 $was $interval 0" "and all is put back"

# --- SIGKILL in the middle, and on
cp "$(command -v sleep)" "$scratch/mmprof-nap" # a name of its own, to be killed by
# the second run waits to be killed
settings killed "sh -c 'echo >>$scratch/naps; [ \$(wc -l <$scratch/naps) != 2 ] || exec $scratch/mmprof-nap 60'"
sed -i 's/^warmup.*/warmup = 0/' "$plan"
"$MMPROF" run "$plan" --quiet &
soon pgrep -x mmprof-nap >/dev/null
kill -KILL $!
wait $! 2>/dev/null
pkill -KILL -x mmprof-nap
is "$(</proc/sys/vm/stat_interval)" 7 "SIGKILL: the settings stay"
ok "the next start of mmprof" "$MMPROF" record --quiet --no-probe all -- true
is "$(state)" "$was $interval 0" "puts them back"
is "$(sql "SELECT group_concat(cell || ' ' || status, ',') FROM run WHERE experiment = 'killed'")" "1 done,2 crashed" "the second cell has crashed"
sed -i "s|mmprof-nap 60|mmprof-nap 61|" "$plan"
refuses "whose plan was another" "a plan that was changed does not go on" run "$plan" --resume
sed -i "s|mmprof-nap 61|mmprof-nap 60|" "$plan"
run "$plan" --resume >"$scratch/out" 2>&1
is "$? $(sql "SELECT group_concat(cell) FROM (SELECT cell FROM run WHERE experiment = 'killed' AND status = 'done' ORDER BY id)")" \
	"1 1,3,4,5,6,7,8,9" "--resume goes on with the third, and says that one is missing"
like "$(<"$scratch/out")" '1 of 9 runs failed; --retry' "which --retry would run"
ok "--retry" run "$plan" --retry --quiet
is "$(sql "SELECT cell || ' ' || status FROM run WHERE id = $last") $(state)" "2 done $was $interval 0" "runs it"
tap_done
