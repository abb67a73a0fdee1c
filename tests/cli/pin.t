#!/usr/bin/env bash
# Holding the machine still: what is named must be possible, --quiet-machine does what is possible and stores the
# rest's reasons, and all is put back, also after SIGKILL. Needs root. (Frequency drivers: tests/unit/test_pin.c.)
set -u
. tests/tap.sh

[[ $EUID == 0 ]] || { echo "1..0 # SKIP needs root"; exit 0; }
thp=/sys/kernel/mm/transparent_hugepage/enabled
rec() { "$MMPROF" record --quiet --no-probe all "$@"; }
fact() { sql "SELECT value FROM env_fact WHERE key = '$1' AND env_id = (SELECT env_id FROM run ORDER BY id DESC LIMIT 1)"; }

refuses '--lock-freq takes MHz, base or max, not "3GHz"' "a frequency that is no number" rec --lock-freq 3GHz -- true
refuses '--thp takes always, madvise or never' "an unknown THP setting" rec --thp perhaps -- true
if [[ ! -d /sys/devices/system/cpu/cpufreq/policy0 ]]; then
	for option in "--lock-freq base" "--governor performance" "--no-turbo"; do
		# shellcheck disable=SC2086
		refuses "${option%% *}: no cpufreq driver" "$option without cpufreq" rec $option -- true
	done
	refuses '^mmprof bench: --lock-freq: no cpufreq driver' "bench too" "$MMPROF" bench lat_mmap --lock-freq max
	"$MMPROF" record --no-probe all --quiet-machine -- true 2>"$scratch/err"
	like "$(<"$scratch/err")" '--quiet-machine: 3 things could not be held still' "--quiet-machine goes on, and says so"
	like "$(fact pin.frequency)" '^not done: no cpufreq driver' "the reason is stored"
	like "$("$MMPROF" report last)" 'frequency +not done: no cpufreq driver' "and reported"
else
	ok "--quiet-machine" rec --quiet-machine -- true
fi
is "$(fact pin.aslr)" off "ASLR was off"
is "$(sql "SELECT count(*) FROM env_fact WHERE key = 'pin.thp'")" 0 "transparent huge pages are not --quiet-machine's"
like "$("$MMPROF" report last)" 'frequency seen  +([0-9]+ to [0-9]+ MHz, [0-9]+ samples|not measured)' "the frequency seen is told"
if [[ $(sql "SELECT count(*) FROM series WHERE name GLOB 'cpufreq.*' AND run_id = (SELECT max(id) FROM run)") -gt 0 ]]; then
	cp "$MMPROF_DB" "$scratch/planted.db"
	sqlite3 "$scratch/planted.db" "UPDATE env_fact SET value = '100 MHz' WHERE key = 'pin.frequency'"
	like "$("$MMPROF" report --db "$scratch/planted.db" last)" 'THE FREQUENCY STRAYED by more than 2 %' \
		"a run at another frequency than the locked one says so"
	sqlite3 "$scratch/planted.db" "UPDATE env_fact SET value = '100-9000 MHz' WHERE key = 'pin.frequency'"
	[[ $("$MMPROF" report --db "$scratch/planted.db" last) != *STRAYED* ]]
	is $? 0 "one within does not"
else
	skip "a frequency that strayed" "$(sql "SELECT why FROM not_measured WHERE what = 'cpufreq' LIMIT 1")"
fi

stack() { rec "$@" -- sh -c 'grep "\[stack\]" /proc/self/maps | cut -d- -f1'; }
is "$(stack --no-aslr)" "$(stack --no-aslr)" "without ASLR the stack is at the same place"
[[ $(stack) != "$(stack)" ]]
is $? 0 "with it, it is not"

if [[ -w $thp ]]; then
	before=$(<$thp)
	is "$(rec --thp never -- cat $thp)" "always madvise [never]" "--thp holds for the run"
	is "$(<$thp)" "$before" "and is put back"
	setsid "$MMPROF" record --quiet --no-probe all --thp never -- sleep 20 &
	soon pgrep -P $! -x sleep >/dev/null
	pkill -KILL -P $! 'sleep'
	kill -KILL $!
	wait $! 2>/dev/null
	rec -- true 2>"$scratch/err"
	is "$(<$thp)" "$before" "after SIGKILL the next start puts it back"
	cat >"$scratch/plan.ini" <<-'INI'
		[experiment]
		name = still
		no-probes = all
		thp = never
		no-aslr = yes
		[workload w]
		command = cat /sys/kernel/mm/transparent_hugepage/enabled
	INI
	like "$("$MMPROF" run "$scratch/plan.ini" 2>/dev/null)" 'always madvise \[never\]' "a plan may hold things still"
	is "$(fact pin.aslr)" off "with the same words"
	is "$(<$thp)" "$before" "and puts them back"
	sed -i 's/^no-aslr = yes/no-aslr = 1/' "$scratch/plan.ini"
	refuses 'plan.ini:5: no-aslr must be yes or no, not "1"' "a plan's wrong word" "$MMPROF" run "$scratch/plan.ini"
else
	skip "--thp" "$thp can't be written"
fi
tap_done
