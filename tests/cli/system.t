#!/usr/bin/env bash
# `mmprof system` and `mmprof pgcache` where nothing can be set up: exact reasons. (Set up for real: tests/lab/system.sh.)
set -u
. tests/tap.sh

"$MMPROF" system >"$scratch/list"
names=$("$MMPROF" system --json | python3 -c 'import json, sys
for row in json.load(sys.stdin)["sections"]["systems"]["rows"]: print(row["name"])')
like " ${names//$'\n'/ } " ' numab tpp pgcache .* ours memtis nomad ' "as JSON"
for name in $names; do
	ok "$name is listed" grep -q "^  $name " "$scratch/list"
	ok "$name is in the manual" grep -q "^\*\(.*\*, \*\)\?$name\*" docs/mmprof-system.1.scd
done
refuses 'there is no system "nosuch"' "an unknown system" "$MMPROF" system nosuch up
refuses 'sideways' "an unknown verb" "$MMPROF" system tpp sideways
refuses 'system \[--json\]' "no verb" "$MMPROF" system tpp
if [[ $(find /sys/devices/virtual/memory_tiering/ -maxdepth 1 -name "memory_tier[0-9]*" 2>/dev/null | wc -l) -lt 2 ]]; then
	refuses 'memory tier' "tpp without a lower tier" "$MMPROF" record --system tpp -- true
	refuses 'memory tier' "nor up" "$MMPROF" system tpp up
	printf '[experiment]\nname = x\n[system tpp]\n[system other]\nuse = nosuch\n[workload w]\ncommand = true\n' >"$scratch/plan.ini"
	refuses 'plan.ini:5: there is no system "nosuch"' "a plan that uses an unknown system" "$MMPROF" run "$scratch/plan.ini"
	sed -i '4,5d' "$scratch/plan.ini"
	refuses 'plan.ini:3: .*memory tier' "a plan whose system this machine can't have" "$MMPROF" run "$scratch/plan.ini"
fi
refuses '"speed" is no setting' "a key that a system has not" "$MMPROF" record --system tpp,speed=1 -- true

refuses 'not a size like 256M' "a swap device of no size" "$MMPROF" record --system swap,swap=much -- true
refuses 'zram needs a size' "zram without one" "$MMPROF" record --system swap,swap_on=zram -- true
refuses 'is not zram, a directory or a block device' "nor place" "$MMPROF" record --system swap,swap=64M,swap_on=/nowhere -- true
refuses 'swap_algorithm is zram' "an option that belongs to another" "$MMPROF" record --system swap,swap_algorithm=zstd,swap=64M,swap_on=/tmp -- true
refuses 'control=maybe: on or off' "an option with a wrong word" "$MMPROF" record --system ksm-zswap,control=maybe -- true
refuses 'tick_ms=1: a number from 5' "with a wrong number" "$MMPROF" record --system ksm-zswap,tick_ms=1 -- true
refuses 'say of which device' "an IOMMU's device that is not named" "$MMPROF" record --system iommu -- true
for plan in docs/plans/*.ini; do
	ok "$plan is a plan" "$MMPROF" run --dry-run "$plan"
done

# --- advice for pgcache
like "$("$MMPROF" pgcache advise --procs 128 --memory 8M --background 120)" \
	'size_kib=22528,ratio_pgd=13,ratio_pud=13,ratio_pmd=13,ratio_pte=21' "advice for a workload that is described"
like "$("$MMPROF" pgcache advise --procs 128 --memory 8M --background 130 --five-levels)" \
	'size_kib=23552,ratio_pgd=13,ratio_p4d=13,' "and for five levels"
refuses '--memory takes bytes' "bad bytes" "$MMPROF" pgcache advise --procs 1 --memory 3Q
refuses "can't be negative" "a negative number" "$MMPROF" pgcache advise --procs -1 --memory 3M
refuses 'pgcache advise' "no verb" "$MMPROF" pgcache
if [[ $EUID == 0 ]]; then
	"$MMPROF" record --quiet --no-probe all --sampling 100 -- sh -c 'for i in 1 2 3 4; do sleep 3 & done; wait'
	procs=$("$MMPROF" pgcache advise --json | python3 -c 'import json, sys; print(int(json.load(sys.stdin)["sections"]["advice"]["rows"][0]["processes"]))')
	between "$procs" 4 6 "advice for a recorded run knows its processes"
	"$MMPROF" record --quiet --no-probe all -- true
	"$MMPROF" pgcache advise last >/dev/null 2>"$scratch/err"
	like "$?" '^[02]$' "one too short for samples has some, or says so"
fi
tap_done
