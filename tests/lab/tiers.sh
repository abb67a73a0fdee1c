#!/usr/bin/env bash
# The lab's plugin, from this machine: tiers that are as slow as was asked for, exact counts of accesses, counted
# instructions, the truth of a run and a sampler's view of it. All in one guest, because booting takes longest; what
# needs other guests takes minutes and is for MMPROF_LAB_ALL=1. tiers.sh KERNEL; TAP on standard output.
# With --PART: the part inside of a guest.
set -u
. tests/tap.sh

ratios() { # in the guest; short runs, in which no sampler reads
	"$MMPROF" bench lat_mem_rd --quiet --no-probe all --size 1M --limit 0.2 --runs 5 --interval 60000 >&2
	"$MMPROF" bench bw_mem --quiet --no-probe all --size 1M --limit 0.2 --runs 5 --interval 60000 >&2
	"$MMPROF" sql --format csv "SELECT 'fact ' || key || '=' || value FROM v_fact WHERE run_id = 1 AND key LIKE 'lab.%'
		UNION ALL SELECT 'metric ' || run_id || ' ' || name || ' ' || value FROM metric
		WHERE name LIKE 'bench.bw_mem.node_.__.rate' OR name = 'bench.lat_mem_rd.node' || substr(name, 22, 1) || '.1024K'" |
		tr -d '\r"'
	ls -d /sys/devices/virtual/memory_tiering/memory_tier*
}

# What else runs in the guest shares one thread of the emulator with the benchmark, and only makes it slower.
best() { # NAME with %d for the node: the best of the runs on node 1, in percent of that on node 0
	awk -v name="$1" 'function better(a, b) { return !b || (name ~ /lat/ ? a < b : a > b) }
		$1 == "metric" && $4 > 0 && better($4, v[$3]) { v[$3] = $4 }
		END { if (v[sprintf(name, 0)]) printf "%.0f", 100 * v[sprintf(name, 1)] / v[sprintf(name, 0)] }' "$scratch/ratios"
}
readonly figures=(bench.lat_mem_rd.node%d.1024K bench.bw_mem.node%d.{rd,wr,cp}.rate)

counts() { # in the guest: what two runs of one benchmark have in common
	local mode
	"$MMPROF" bench mprotect --quiet --no-probe all --limit 1 >&2
	"$MMPROF" bench mprotect --quiet --no-probe all --limit 1 >&2
	for mode in user kernel; do
		sql "SELECT '$mode ' || count(*) || ' ' || sum(a.value = b.value) || ' ' || sum(abs(a.value - b.value) <= 0.02 * a.value)
			|| ' ' || sum(a.value > 0) FROM metric a JOIN metric b USING (name)
			WHERE a.run_id = 1 AND b.run_id = 2 AND name LIKE '%.${mode}_instructions.least'"
	done
	for figure in calls instructions; do
		sql "SELECT '$figure ' || printf('%g', min(value)) || ' ' || printf('%g', max(value)) FROM metric
			WHERE name LIKE 'bench.mprotect.page.__x64_sys_mprotect.$figure%'"
	done
}

watched() { # in the guest: a run whose hot set stays on the slow node, until DAMON has said twice what it thinks of it
	local pid='' from=$SECONDS
	local -a said=()
	sysctl -qw kernel.numa_balancing=0
	env -i "$MMPROF" record --db /results/watched.db --quiet --no-probe all --interval 500 -- "$W/slowstart" 2 900 4 >&2 &
	while [[ -z $pid ]]; do sleep 0.1 && pid=$(pgrep -x slowstart); done
	scripts/lab-view damon "$pid" >"$scratch/damon.csv" &
	until ((${#said[@]} > 1)) && [[ ${said[0]%%,*} != "${said[-1]%%,*}" ]] && ((SECONDS - from > 8)) || ((SECONDS - from > 600)); do
		sleep 1
		mapfile -t said <"$scratch/damon.csv"
	done
	kill "$pid"
	wait
	"$MMPROF" truth view --db /results/watched.db damon "$scratch/damon.csv"
}

case $1 in
--ratios) ratios && exit ;;
--counts) counts && exit ;;
--first)
	"$W/touches" 400 /results/touches 2 && ratios || exit
	[[ $2 != 6.12 ]] || watched
	exit
	;;
esac
kernel=$1
lab() { scripts/lab --kernel "$kernel" --timeout 2400 "$@"; }

# Two tiers at so many times the base's latency and bandwidth; a small cache, so that little memory is much of it.
measure() { # FAST SLOW of the latency, and of the bandwidth; what else the lab is to do
	lab --cache 512K --tiers "fast=2G:lat=$1,bw=$3,slow=2G:lat=$2,bw=$4" "${@:5}" >"$scratch/ratios" 2>"$scratch/err"
	is "$?" 0 "tiers: the guest ran"
	diag "load $(cut -d' ' -f1 /proc/loadavg)"$'\n'"$(cat "$scratch/ratios" "$scratch/err")"
}

touched() { # WHAT: do the counts say what the workload did?
	local pages exact remainder
	"$MMPROF" truth pages "$scratch/truth" 'touches begin' 'touches end' | sed 1d | tr , ' ' >"$scratch/pages"
	read -r pages exact remainder < <(awk 'NR == FNR { r[$1] = $2; w[$1] = $3; next }
		{ n++; d = r[$1] - $2 + w[$1] - 2 * $2; ok += r[$1] == $2 && w[$1] == 2 * $2; all += d }
		END { print n, ok, all }' "$scratch/pages" "$scratch/touches")
	is "$pages $exact $remainder" "400 400 0" "$1: page i of 400 was read i times and written 2 i times, says the truth file"
	like "$("$MMPROF" truth show "$scratch/truth" --format csv)" 'addresses,.?0 of [1-9]' "no physical address was wrong"
}

# --- the tiers are as slow as they are said to be, and who accesses what is counted exactly
measure 2x 6x 0.25x 0.075x --truth "$scratch/truth" --results "$scratch" -- tests/lab/tiers.sh --first "$kernel"
between "$(best "${figures[0]}")" 270 330 "a chain of loads takes three times as long on the slow node, within 10 %"
between "$(best "${figures[1]}")" 27 33 "reading has 0.3 times the bandwidth there"
between "$(best "${figures[2]}")" 27 33 "and writing"
between "$(best "${figures[3]}")" 27 33 "and copying"
like "$(cat "$scratch/ratios")" 'lab.tier.slow.latency_ns=6000' "the tiers are facts of the run"
like "$(cat "$scratch/ratios")" 'lab.clock=held' "and so is that the guest's clock waits for the host"
is "$(grep -c memory_tier "$scratch/ratios")" 2 "and the kernel has two"
touched "by two CPUs in turn"

# --- the truth of a run, and a sampler against it; nothing moves, so the slow node serves nearly all
if [[ $kernel == 6.12 ]]; then
	MMPROF_DB=$scratch/watched.db
	ok "the truth joins the run" "$MMPROF" truth import "$scratch/truth"
	diag "$(cat "$scratch/out")"
	between "$(sql "SELECT CAST(1000 * sum(slow) / sum(fast + slow) AS INTEGER) FROM truth_window")" 950 1000 "slow memory served the workload"
	between "$(sql "SELECT CAST(1000 * sum(doubt) / sum(fast + slow) AS INTEGER) FROM truth_window WHERE t_ns >= 3000000000")" 0 500 \
		"most of it with a page that two snapshots agree on"
	for figure in precision recall; do
		between "$(sql "SELECT CAST(max(value) / 1000 AS INTEGER) FROM sample s JOIN series r ON r.id = s.series_id
			WHERE r.name = 'truth.view.damon.$figure'")" 1 1000 "DAMON's $figure"
	done
	is "$(sql "SELECT count(*) FROM loss WHERE kind IN ('truth_lost', 'truth_outside') AND count = 0")" 2 "nothing was lost"
	like "$("$MMPROF" report | tr -s ' \n' ' ')" 'EMULATED .*lab' "and the run is marked as emulated, without a word in its environment"
	MMPROF_DB=$scratch/run.db
fi

# --- counted instructions
straight() { # FUNCTION: instructions that the kernel has of one that is run from its begin to its first return
	local dir from to
	dir=$(scripts/lab --kernel "$kernel" --fetch)
	read -r from to < <(awk -v name="$1" 'from && $1 != from { print from, $1; exit } $3 == name { from = $1 }' "$dir/kallsyms")
	objdump -d --no-show-raw-insn --start-address="0x$from" --stop-address="0x$to" "$dir/vmlinux" |
		awk '/^ *[0-9a-f]+:\t/ { n++ } /\t(jmp|ret)/ { exit } END { print n + 0 }'
}

if [[ $kernel == 6.12 ]]; then # one kernel is enough for what does not depend on it
	lab --count-range __x64_sys_mprotect --cpus 1 -- tests/lab/tiers.sh --counts >"$scratch/counts" 2>"$scratch/err"
	diag "of: figures, the same in two runs, within 2 %, above 0"$'\n'"$(cat "$scratch/counts")"
	for mode in user kernel; do
		read -r _ n _ close some < <(grep "^$mode" "$scratch/counts")
		ok "instructions in $mode mode are counted" test "${n:-0}" -gt 0 -a "${some:-0}" -gt 0
		is "$close" "$n" "and are the same in two runs, within 2 %"
	done
	is "$(grep ^calls "$scratch/counts")" "calls 1 1" "a function of the kernel: called once by each mprotect(2)"
	n=$(straight __x64_sys_mprotect)
	is "$(grep ^instructions "$scratch/counts")" "instructions $n $n" "and its instructions are those of the kernel's image"
	refuses "no function 'nowhere_at_all'" "a function that is not there" scripts/lab --kernel "$kernel" --count-range nowhere_at_all -- true
fi
refuses 'no mark' "a mark that is not there is told" "$MMPROF" truth pages "$scratch/truth" nowhere

# --- what needs more guests
if [[ -z ${MMPROF_LAB_ALL:-} ]]; then
	skip "tiers that are equal, on a host that is busy on purpose, and --smp multi" "takes minutes: MMPROF_LAB_ALL=1 runs them"
	tap_done
fi
(while :; do :; done) &
busy=$!
measure 2x 6x 0.25x 0.075x -- tests/lab/tiers.sh --ratios
{ kill "$busy" && wait "$busy"; } 2>/dev/null
for figure in "${figures[@]}"; do
	[[ $figure == *lat* ]] && low=270 high=330 || low=27 high=33
	between "$(best "$figure")" "$low" "$high" "on a busy host: $figure"
done
if [[ $kernel == 6.12 ]]; then
	measure 1x 1x 0.25x 0.25x -- tests/lab/tiers.sh --ratios
	for figure in "${figures[@]}"; do
		between "$(best "$figure")" 90 110 "with the same figures both nodes are equal: $figure"
	done
	rm -f "$scratch/touches"
	lab --smp multi --truth "$scratch/truth" --results "$scratch" -- "$W/touches" 400 /results/touches
	is "$?" 0 "--smp multi: a workload on one CPU"
	touched "on one CPU of --smp multi"
fi
tap_done
