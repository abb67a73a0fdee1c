#!/usr/bin/env bash
# The lab's plugin, from this machine: tiers that are as slow as was asked for, exact counts of accesses, counted
# instructions. tiers.sh KERNEL; TAP on standard output. With --ratios, --fills: the part inside of a guest.
set -u
. tests/tap.sh

ratios() { # in the guest: short rounds, so that both nodes are measured under the same conditions
	local i
	for ((i = 0; i < 3; i++)); do
		"$MMPROF" bench lat_mem_rd --quiet --no-probe all --size 2M --limit 0.4 >&2
		"$MMPROF" bench bw_mem --quiet --no-probe all --size 1M --limit 0.4 >&2
	done
	"$MMPROF" sql --format csv "SELECT 'fact ' || key || '=' || value FROM v_fact WHERE run_id = 1 AND key LIKE 'lab.%'
		UNION ALL SELECT 'metric ' || run_id || ' ' || name || ' ' || value FROM metric
		WHERE name LIKE 'bench.bw_mem.node_.__.rate' OR name = 'bench.lat_mem_rd.node' || substr(name, 22, 1) || '.2048K'" |
		tr -d '\r"'
	ls -d /sys/devices/virtual/memory_tiering/memory_tier*
}

middle() { # NAME with %d for the node: the median of the rounds' ratios of node 1 to node 0, in percent
	awk -v name="$1" '$1 == "metric" { v[$2, $3] = $4; runs[$2] }
		END { for (r in runs) if ((a = v[r, sprintf(name, 0)]) > 0) printf "%.1f\n", 100 * v[r, sprintf(name, 1)] / a }' \
		"$scratch/ratios" | sort -n | awk '{ r[NR] = $1 } END { printf "%.0f", r[int((NR + 1) / 2)] }'
}
readonly figures=(bench.lat_mem_rd.node%d.2048K bench.bw_mem.node%d.{rd,wr,cp}.rate)

counts() { # in the guest: what two runs of one benchmark have in common
	local mode
	"$MMPROF" bench mprotect --quiet --no-probe all --limit 0.1 >&2
	"$MMPROF" bench mprotect --quiet --no-probe all --limit 0.1 >&2
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

case $1 in
--ratios) ratios && exit ;;
--counts) counts && exit ;;
esac
kernel=$1
lab() { scripts/lab --kernel "$kernel" --timeout 400 "$@"; }

# Two tiers at so many times the base's latency and bandwidth; a small cache, so that little memory is much of it.
measure() { # FAST SLOW of the latency, and of the bandwidth
	lab --cache 512K --tiers "fast=2G:lat=$1,bw=$3,slow=2G:lat=$2,bw=$4" -- tests/lab/tiers.sh --ratios \
		>"$scratch/ratios" 2>"$scratch/err"
	is "$?" 0 "tiers: the guest ran"
	diag "load $(cut -d' ' -f1 /proc/loadavg)"$'\n'"$(cat "$scratch/ratios" "$scratch/err")"
}

# --- the tiers are as slow as they are said to be, whatever else the host does: it is made busy here on purpose
busy=()
if [[ $kernel == 6.12 ]]; then
	(while :; do :; done) &
	busy+=($!)
fi
measure 2x 6x 0.5x 0.15x
((!${#busy[@]})) || { kill "${busy[@]}" && wait "${busy[@]}"; } 2>/dev/null
between "$(middle "${figures[0]}")" 270 330 "a chain of loads takes three times as long on the slow node, within 10 %"
between "$(middle "${figures[1]}")" 27 33 "reading has 0.3 times the bandwidth there"
between "$(middle "${figures[2]}")" 27 33 "and writing"
between "$(middle "${figures[3]}")" 27 33 "and copying"
like "$(cat "$scratch/ratios")" 'lab.tier.slow.latency_ns=6000' "the tiers are facts of the run"
like "$(cat "$scratch/ratios")" 'lab.clock=held' "and so is that the guest's clock waits for the host"
is "$(grep -c memory_tier "$scratch/ratios")" 2 "and the kernel has two"
if [[ $kernel == 6.12 ]]; then # one kernel is enough for what does not depend on it
	measure 1x 1x 0.5x 0.5x
	for figure in "${figures[@]}"; do
		between "$(middle "$figure")" 90 110 "with the same figures both nodes are equal: $figure"
	done
fi

# --- exact counts, by page
modes=(single)
[[ $kernel == 6.12 ]] && modes+=(multi)
for smp in "${modes[@]}"; do
	rm -f "$scratch/touches"
	lab --smp "$smp" --truth "$scratch/truth" --results "$scratch" -- "$W/touches" 400 /results/touches
	is "$?" 0 "--smp $smp: a workload reads page i of 400 i times and writes it 2 i times"
	"$MMPROF" truth pages "$scratch/truth" 'touches begin' 'touches end' | sed 1d | tr , ' ' >"$scratch/pages"
	read -r pages exact remainder < <(awk 'NR == FNR { r[$1] = $2; w[$1] = $3; next }
		{ n++; d = r[$1] - $2 + w[$1] - 2 * $2; ok += r[$1] == $2 && w[$1] == 2 * $2; all += d }
		END { print n, ok, all }' "$scratch/pages" "$scratch/touches")
	is "$pages $exact $remainder" "400 400 0" "and the truth file says so, exactly"
	like "$("$MMPROF" truth show "$scratch/truth" --format csv)" 'addresses,.?0 of [1-9]' "no physical address was wrong"
done

# --- counted instructions
straight() { # FUNCTION: instructions that the kernel has of one that is run from its begin to its first return
	local dir from to
	dir=$(scripts/lab --kernel "$kernel" --fetch)
	read -r from to < <(awk -v name="$1" 'from && $1 != from { print from, $1; exit } $3 == name { from = $1 }' "$dir/kallsyms")
	objdump -d --no-show-raw-insn --start-address="0x$from" --stop-address="0x$to" "$dir/vmlinux" |
		awk '/^ *[0-9a-f]+:\t/ { n++ } /\t(jmp|ret)/ { exit } END { print n + 0 }'
}

if [[ $kernel == 6.12 ]]; then
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
fi
refuses "no function 'nowhere_at_all'" "a function that is not there" scripts/lab --kernel "$kernel" --count-range nowhere_at_all -- true

refuses 'no mark' "a mark that is not there is told" "$MMPROF" truth pages "$scratch/truth" nowhere
tap_done
