#!/usr/bin/env bash
# What the lab's truth is for, from this machine: how much TPP helps against an oracle, and how right samplers are.
# truth.sh KERNEL; TAP on standard output. With --tpp, --samplers: the part inside of a guest.
# MMPROF_TRUTH_PARTS: tpp samplers, or one of them. MMPROF_TRUTH_KEEP=DIR: databases, views and figures stay there.
set -u
. tests/tap.sh

slowstart() { # RECORD-OPTION...
	"$MMPROF" record --quiet --no-probe all --interval 500 --name slowstart --extract 'rate:loads/s+=^loads/s ([0-9]+)' "$@" \
		-- "$W/slowstart" 6 "$seconds" 16
}

tpp() { # in the guest: a hot set that starts on the slow node, left alone and with TPP
	local system seconds=40
	for system in off,sysctl.kernel.numa_balancing=0 tpp; do
		slowstart --system $system
	done
}

watched() { # SAMPLER... -- RECORD-OPTION...: each sampler's view, from beside the workload
	local sampler pid='' seconds=30
	local -a samplers=()
	while [[ $1 != -- ]]; do samplers+=("$1") && shift; done
	shift
	slowstart "$@" &
	while [[ -z $pid ]]; do sleep 0.2 && pid=$(pgrep -x slowstart); done
	for sampler in "${samplers[@]}"; do
		scripts/lab-view "$sampler" "$pid" >"/results/$sampler.csv" &
	done
	wait
	for sampler in "${samplers[@]}"; do
		"$MMPROF" truth view "$sampler" "/results/$sampler.csv" || echo "no view of $sampler" >&2
	done
}

samplers() { # in the guest
	local first=(hint)
	[[ ! -d /sys/kernel/mm/damon/admin ]] || first+=(damon)
	watched "${first[@]}" -- --system tpp
	sysctl -qw kernel.numa_balancing=0
	insmod "kmod/build/$1/tiering/tiering.ko" sampler=abit cpu_budget_permille=0 "target_cgroup=/mmprof-*"
	watched tiering --
	rmmod tiering
}

case $1 in
--tpp) export MMPROF_DB=/tmp/run.db && tpp && cp $MMPROF_DB /results/ && exit ;;
--samplers) export MMPROF_DB=/tmp/run.db && samplers "$2" && cp $MMPROF_DB /results/ && exit ;;
esac
kernel=$1
lab() { scripts/lab --kernel "$kernel" --timeout 2400 --truth "$scratch/truth" --results "$scratch" "$@"; }
share() { # COLUMN RUN: permille of its heat
	sql "SELECT CAST(1000 * sum($1) / sum(fast + slow) AS INTEGER) FROM truth_window WHERE run_id = $2"
}
view() { # FIGURE SAMPLER: permille, the mean over time
	sql "SELECT CAST(avg(value) / 1000 AS INTEGER) FROM sample s JOIN series r ON r.id = s.series_id
		WHERE r.name = 'truth.view.$2.$1'"
}
last() { # SERIES RUN: in permille, the mean of the last quarter of the run
	sql "SELECT CAST(avg(value) / 1000 AS INTEGER) FROM sample s JOIN series r ON r.id = s.series_id
		WHERE r.name = '$1' AND run_id = $2 AND t_ns > 30000000000"
}

parts=${MMPROF_TRUTH_PARTS:-tpp samplers}

# --- TPP, with slow memory that is slow
if [[ $kernel == 6.12 && $parts == *tpp* ]]; then
	lab --tiers fast=2G,slow=2G:lat=3x,bw=0.3x -- tests/lab/truth.sh --tpp 2>"$scratch/err"
	is "$?" 0 "a hot set that starts on the slow node, left alone and with TPP" || diag "$(cat "$scratch/err")"
	for run in 1 2; do
		ok "the truth joins run $run" "$MMPROF" truth import "$scratch/truth" $run
		diag "$(cat "$scratch/out")"
	done
	rate() { sql "SELECT CAST(value AS INTEGER) FROM metric WHERE run_id = $1 AND name = 'rate'"; }
	diag "fast memory served, last quarter: $(last truth.fast_share 1) and $(last truth.fast_share 2) permille," \
		"under an oracle $(last truth.oracle_share 2); loads a second: $(rate 1) and $(rate 2)"
	ok "TPP has more accesses served by fast memory" test "$(share fast 2)" -gt "$(share fast 1)"
	ok "and makes the end of it faster" test "$(rate 2)" -gt "$(rate 1)"
	"$MMPROF" report --compare --metric true_fast_share --metric oracle_fast_share --metric oracle_distance >"$scratch/report"
	diag "$(cat "$scratch/report")"
	like "$(<"$scratch/report")" 'oracle_distance' "the distance from the oracle is reported"
	report=$("$MMPROF" report 2 | tr -s ' \n' ' ') # lines are folded
	like "$report" 'EMULATED .*lab' "and the run as emulated"
	like "$report" 'cache of 2048 KiB; fast memory 1000 ns and 160 MB/s; slow memory 3000 ns and 48 MB/s' "with the lab's memory"
	[[ -z ${MMPROF_TRUTH_KEEP-} ]] || cp "$MMPROF_DB" "$MMPROF_TRUTH_KEEP/tpp-$kernel.db"
	rm -f "$MMPROF_DB"
fi

# --- samplers against the truth
[[ $parts == *samplers* ]] || tap_done
make -C kmod KERNELS="$kernel" MODULES=tiering >"$scratch/make" 2>&1 || diag "$(tail -n 5 "$scratch/make")"
lab --cache 512K -- tests/lab/truth.sh --samplers "$kernel" 2>"$scratch/err"
is "$?" 0 "the views of samplers" || diag "$(cat "$scratch/err")"
for run in 1 2; do
	ok "the truth joins run $run" "$MMPROF" truth import "$scratch/truth" $run
	diag "$(cat "$scratch/out")"
done
samplers=(hint tiering)
[[ $kernel != 6.12 ]] || samplers+=(damon)
for sampler in "${samplers[@]}"; do
	diag "$sampler: precision $(view precision "$sampler"), recall $(view recall "$sampler"), rank correlation" \
		"$(view rank "$sampler"), bias to fast memory $(view bias "$sampler") permille"
	between "$(view rank "$sampler")" -1000 1000 "the rank correlation of $sampler is there"
done
# TPP's hint faults come from slow memory only; where the hot pages are in fast memory they say less than nothing
between "$(view bias hint)" -1000 -100 "hint faults are biased to slow memory"
# a page that was accessed in a second has its bit set, nearly always; a scan's round is a second
between "$(view recall tiering)" 500 1000 "accessed bits find most hot pages"
[[ $kernel != 6.12 ]] || between "$(view recall damon)" 300 1000 "and so does DAMON"
mkdir "$scratch/figures"
ok "the figures" "$MMPROF" plot truth_served truth_hot truth_precision truth_recall truth_rank truth_bias --format png \
	--out "$scratch/figures"
is "$(find "$scratch/figures" -name '*.png' | wc -l)" 6 "are six"
[[ -z ${MMPROF_TRUTH_KEEP-} ]] || cp -r "$MMPROF_DB" "$scratch/figures" "$scratch"/*.csv "$MMPROF_TRUTH_KEEP/"
tap_done
