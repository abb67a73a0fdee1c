#!/usr/bin/env bash
# Our tiering module (kmod/tiering) in the lab. TAP on standard output.
# usage: tiering.sh KERNEL           builds the module and boots guests that run this with
#        tiering.sh guest PART KERNEL
# One processor where speed counts: to interrupt another is what emulation is slowest at.
# MMPROF_LAB_ALL=1: each part in full, and on four processors; without it, what CI has time for.
# MMPROF_SOAK=SECONDS: the soak part runs too, so long for each policy.
set -u
. tests/tap.sh
S=/sys/kernel/mm/tiering
C=/sys/fs/cgroup/mmprof-test-1
STEPS=10

# --- the host's half

part() { # PART TIMEOUT LAB-OPTION...
	local part=$1 timeout=$2 status=0
	shift 2
	echo "# guest: $part"
	scripts/lab --kernel "$kernel" --timeout "$timeout" "$@" --env "MMPROF_SOAK=${MMPROF_SOAK-}" --env "MMPROF_LAB_ALL=${MMPROF_LAB_ALL-}" -- \
		tests/lab/tiering.sh guest "$part" "$kernel" >"$scratch/$part" 2>"$scratch/$part.err" || status=$?
	# one plan for all: the guests' own numbers go
	sed -E 's/^((not )?ok) [0-9]+/\1/; /^1\.\./d' "$scratch/$part" | tee -a "$scratch/all"
	grep -q '^1\.\.' "$scratch/$part" || {
		echo "not ok - the guest '$part' ran to its end (exit $status)"
		diag "$(tail -n 12 "$scratch/$part.err")"
	} | tee -a "$scratch/all"
}

host() {
	local only=${MMPROF_TIERING_PARTS:-alone policies chaos${MMPROF_LAB_ALL:+ many}}
	kernel=$1
	flock kmod/Makefile make -C kmod KERNELS="$kernel" MODULES=tiering >"$scratch/make" 2>&1 || {
		echo "not ok - build the module"
		diag "$(tail -n 12 "$scratch/make")"
		echo 1..1
		exit 1
	}
	[[ $only != *alone* ]] || part alone 2400 --no-tiers --smp single
	[[ $only != *policies* ]] || part policies 2400 --nodes fast=320M,slow=640M --cpus 1 --smp single
	[[ $only != *chaos* ]] || part chaos 2400 --nodes fast=320M,slow=640M --smp single --modules zram \
		--append 'page_poison=1 slub_debug=FZPU'
	# more real concurrency; nothing is hooked here while it runs
	[[ $only != *many* ]] || part many 2400 --nodes fast=320M,slow=640M --cpus 4 --smp multi --append page_poison=1
	[[ -z ${MMPROF_SOAK-} ]] || part soak $((MMPROF_SOAK * 6 + 2400)) --nodes fast=320M,slow=640M --smp single --modules zram \
		--append 'page_poison=1 slub_debug=FZPU'
	echo "1..$(grep -cE '^(not )?ok' "$scratch/all")"
	! grep -q '^not ok' "$scratch/all"
}

# --- the guest's half

full() { [[ -n ${MMPROF_LAB_ALL:-} ]]; }

load() { insmod "kmod/build/$kernel/tiering/tiering.ko" "target_cgroup=/mmprof-*" "$@" 2>"$scratch/insmod"; }
unload() { rmmod tiering; }
loaded() { [[ -e /sys/module/tiering ]]; }
value() { cat "$S/$1" 2>/dev/null; }
sum() { # FILE...: their values added
	local f total=0
	for f; do total=$((total + $(value "$f"))); done
	echo $total
}
vmstat() { # processors' shares are added up first
	echo 1 >/proc/sys/vm/stat_refresh
	sed -n "s/^$1 //p" /proc/vmstat
}
none_isolated() { [[ $(vmstat nr_isolated_anon) == 0 ]]; }
work() { sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' $C "$W/tierwork" "$@"; }
# of the last line of a hot workload: field hot_fast, cold_fast, wrong
field() { tail -n 1 "$scratch/work" | sed -n "s/.*$1=\(-\{0,1\}[0-9]*\).*/\1/p"; }

# What one sampler or kernel thread of this machine does, others must not undo.
quiet_kernel() {
	mkdir -p $C
	echo madvise >/sys/kernel/mm/transparent_hugepage/enabled # 6.1: never, with so little memory
	echo 0 >/proc/sys/kernel/numa_balancing
	[[ ! -e /sys/kernel/mm/lru_gen/enabled ]] || echo 0 >/sys/kernel/mm/lru_gen/enabled
}

identities() { # with the threads stopped, so that nothing moves between two reads
	local fail=() f
	echo 0 >$S/enabled
	is "$(value samples/total)" "$(sum samples/kept_fast samples/kept_slow samples/drop_invalid samples/drop_vma samples/drop_trylock \
		samples/drop_queue_full samples/drop_table_full)" "$1: samples = kept + each drop ($(value samples/total))"
	for f in "$S"/moves/fail_*; do fail+=("moves/${f##*/}"); done
	is "$(value moves/tried)" "$(sum moves/promoted moves/demoted "${fail[@]}")" \
		"$1: pages tried = promoted + demoted + each failure ($(value moves/tried))"
	ok "$1: no page is left isolated" soon none_isolated # reclaim isolates some for a moment
}

show() {
	local f line=
	for f in "$S"/{managed_*,room_*,overhead_*} "$S"/{samples,moves,phases}/* "$S/$(value policy)"/*; do
		[[ $(<"$f") == 0 ]] || line+=" ${f#"$S"/}=$(<"$f")"
	done
	echo "# $1, after $SECONDS s:$line"
}

check_refusals() {
	local step
	for ((step = 1; step <= STEPS; step++)); do
		load fail_at=$step
		ok "refused at step $step: not loaded, no files, no threads" eval '! loaded && [[ ! -e $S ]] && ! pgrep ktiering'
	done
	is "$(dmesg | grep -c 'tiering: refused: told to fail')" $STEPS "each says so in one line"
	ok "a wrong policy is refused" eval '! load policy=lru && ! loaded && dmesg | grep -q "tiering: refused: no such policy"'
	ok "so is a wrong number" eval '! load scan_ms=1 && dmesg | grep -q "tiering: refused: scan_ms must be from 10"'
	ok "so are nodes that overlap" eval '! load fast_node=0 slow_nodes=0-1 && ! loaded'
	ok "and a sampler that this machine lacks" eval '! load sampler=pebs && dmesg | grep -q "tiering: sampler pebs refused"'
}

# Budgets over a run that has more to do than they allow. A batch is not interrupted, and what the host does meanwhile
# counts as its time, which is then made up for: who keeps a budget does so in one of eight windows.
check_budgets() {
	local from ns pages spent ms
	load policy=ours sampler=abit scan_ms=50 cpu_budget_permille=100 migrate_mbps=4 || return
	work hot 128 20 300 >"$scratch/work" &
	sleep 2
	for _ in {1..8}; do
		from=$(date +%s%N) ns=$(sum phases/sampling_ns phases/classification_ns phases/migration_ns)
		pages=$(sum moves/promoted moves/demoted)
		sleep 5
		ms=$((($(date +%s%N) - from) / 1000000))
		spent=$((($(sum phases/sampling_ns phases/classification_ns phases/migration_ns) - ns) / 1000000))
		pages=$(($(sum moves/promoted moves/demoted) - pages))
		((spent * 1000 / ms > 130 || spent * 1000 / ms < 5 || pages * 4 * 1000 / 1024 / ms > 5)) || break
	done
	pkill -x tierwork
	wait
	between $((spent * 1000 / ms)) 5 130 "CPU budget 100 per mille: $spent ms of $ms are spent"
	between $((pages * 4 * 1000 / 1024 / ms)) 0 5 "4 MiB/s: $((pages * 4)) KiB in $ms ms are moved"
	unload
}

# POLICY SAMPLER LEAST-HOT-% MIB SECONDS [thp]: memory on the slow node, of which 20 % are hot; fast memory holds that
# part. SECONDS are for a slow machine: it ends when the share is reached.
check_policy() {
	local policy=$1 sampler=$2 least=$3 mib=$4 seconds=$5
	load policy="$policy" sampler="$sampler" scan_ms=200 cpu_budget_permille=400 migrate_mbps=0
	is "$(value policy) $(value sampler) $(value enabled)" "$policy $sampler 1" "$policy with $sampler runs"
	ok "$policy: threads have telling names" eval 'pgrep ktiering_sample >/dev/null && pgrep ktiering_migrat >/dev/null'
	work hot "$mib" 20 "$seconds" "${6-small}" "$least" >"$scratch/work"
	is "$?" 0 "$policy with $sampler: contents are what they were"
	sed -n '1p;$p' "$scratch/work" | sed 's/^/# /'
	ok "$policy with $sampler${6+, huge pages}: the hot part's share of fast memory rises to $(field hot_fast) %" test "$(field hot_fast)" -ge "$least"
	show "$policy $sampler"
	identities "$policy with $sampler"
	ok "unloads" unload
}

# All of fast memory but MIB is taken by others, who keep it. What earlier processes and files had may still become free.
leave_free() { # MIB
	local more
	mkdir -p "$scratch/others" && mount -t tmpfs -o mpol=bind:0,size=2G others "$scratch/others"
	while more=$(($(value room_fast) / 256 - $1)) && ((more > 0)); do
		dd if=/dev/zero of="$scratch/others/file" bs=1M count=$more oflag=append conv=notrunc 2>/dev/null
		sleep 1
	done
	echo "# others have $(du -m "$scratch/others/file" | cut -f1) MiB of fast memory, room $(($(value room_fast) / 256)) MiB"
}

# ours: fast memory holds the hot part but little more, and that moves: only exchanges can follow it.
check_exchange() {
	load policy=ours sampler=abit scan_ms=100 cpu_budget_permille=0 migrate_mbps=0 enabled=0
	leave_free 48
	echo 1 >$S/enabled
	echo 700 >$S/cpu_budget_permille
	work moving 72 50 300 small 80 >"$scratch/work"
	is "$?" 0 "ours: a hot part that moves: contents are what they were"
	sed -n '1~4p;$p' "$scratch/work" | sed 's/^/# /'
	show exchange
	ok "ours: after it moved, $(field hot_fast) % of the hot part are in fast memory" test "$(field hot_fast)" -ge 80
	ok "ours: by exchange" test "$(value moves/exchanges)" -gt 1000
	identities "ours, exchange"
	umount "$scratch/others"
	unload
}

# memtis: fast memory is full of huge pages that nobody uses, those in use are in slow memory, and would fill most of it: else
# those not in use are warm.
check_huge() {
	load policy=memtis sampler=abit scan_ms=100 cpu_budget_permille=0 migrate_mbps=0 cooling=200 enabled=0
	leave_free 25
	echo 1 >$S/enabled
	work full 24 20 300 70 >"$scratch/work"
	is "$?" 0 "memtis: huge pages in full fast memory: contents are what they were"
	sed 's/^/# /' "$scratch/work"
	show "memtis, full"
	ok "memtis: huge pages in use get the place of those that are not: $(field hot_fast) %" test "$(field hot_fast)" -ge 70
	identities "memtis, huge pages"
	umount "$scratch/others"
	unload
}

# nomad: pages promoted by transactional copy that stay clean go back by their shadow when fast memory is short.
check_shadows() {
	local bill
	load policy=nomad sampler=abit scan_ms=100 cpu_budget_permille=0 migrate_mbps=0
	leave_free 56
	work shadows 32 300 >"$scratch/work" &
	within 300 eval '(($(value nomad/shadows) > 6000))'
	bill=$(<$C/memory.current)
	ok "nomad: $(value nomad/shadows) shadows are on nobody's bill: $((bill >> 20)) MiB" test "$bill" -lt $((44 << 20))
	pkill -USR1 -x tierwork
	wait $!
	is "$?" 0 "nomad: pages that went to and fro by shadow are what they were: $(tail -n 1 "$scratch/work")"
	show shadows
	ok "nomad: pages are promoted by transactional copy" test "$(value moves/tpm_promoted)" -gt 1000
	ok "nomad: clean pages go back to their shadows" test "$(value moves/shadow_demoted)" -gt 100
	identities "nomad's shadows"
	is "$(value nomad/shadows)" 0 "switched off, it holds no shadows"
	umount "$scratch/others"
	unload
}

# nomad: what is written and given away between a page's copy and its commit. The pause makes that last.
check_given() {
	load policy=nomad sampler=abit scan_ms=50 cpu_budget_permille=0 migrate_mbps=0 migrate_ms=10 pause_ms=100
	for _ in {1..5}; do # on a slow machine few are given away in the middle
		work given 16 6 >"$scratch/work"
		is "$?" 0 "nomad: pages given away while they are copied are as they were, or zero: $(tail -n 1 "$scratch/work")"
		sed '$d' "$scratch/work"
		(($(value moves/fail_dirty) <= 100)) || break
	done
	show given
	ok "nomad: such pages stay where they are" test "$(value moves/fail_dirty)" -gt 100
	identities "nomad, given away"
	unload
}

check_interface() {
	load policy=ours sampler=auto enabled=0 target_pid=1 cpu_budget_permille=0
	is "$(value enabled) $(value sampler) $(value target_cgroup) $(value target_pid)" "0 auto /mmprof-* 1" "loaded but off, with its parameters"
	is "$(value fast_node) $(value slow_nodes)" "0 1" "the kernel's tiers are its tiers"
	ok "on" eval 'echo 1 >$S/enabled'
	is "$(value sampler)" abit "auto takes accessed bits where there is no PMU"
	ok "and says so" eval 'dmesg | grep -q "tiering: sampler abit (the best of this machine)"'
	ok "nodes can't change while it runs" eval '! echo 1 >$S/fast_node'
	ok "the policy can" eval 'echo memtis >$S/policy && [[ $(value policy) == memtis && $(value enabled) == 1 ]]'
	ok "a refused sampler leaves the old one" eval '! echo pebs >$S/sampler && [[ $(value sampler) == abit ]]'
	ok "an unknown one too" eval '! echo lru >$S/policy && ! echo x >$S/sampler && ! echo x >$S/target_cgroup'
	ok "a number out of range is refused" eval '! echo 1001 >$S/cpu_budget_permille'
	ok "init and its children are found" soon eval '(($(value processes) >= 1 && $(value managed_fast) > 0))'
	echo 0 >$S/target_pid
	ok "and forgotten when they are no target any more" soon eval '[[ "$(value processes) $(value managed_fast) $(value managed_slow)" == "0 0 0" ]]'
	unload
}

# A process that does nothing: reclaim still knows that its pages were accessed, and its memory is free as soon as it is
# killed, however long a census waits for credit.
check_still() {
	local pid kib
	load policy=ours sampler=abit scan_ms=100 cpu_budget_permille=0
	work still 96 900 >"$scratch/work" &
	within 300 grep -q filled "$scratch/work"
	pid=$(<$C/cgroup.procs)
	echo 0 >$S/enabled
	echo 1 >$S/enabled
	ok "a process that does nothing is known" within 120 eval '(($(sum managed_fast managed_slow) > 20000))'
	kib=$(sed -n 's/^Referenced: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup")
	if [[ $kernel != 6.1 ]]; then
		ok "pages whose accessed bits were taken count as accessed: $kib KiB" test "$kib" -gt 80000
	else
		skip "pages whose accessed bits were taken count as accessed" "Debian's 6.1 has no flag for that: $kib KiB"
	fi
	echo 1 >$S/cpu_budget_permille
	sleep 1 # so that a census is in the middle, which now takes a minute
	kill -KILL "$pid"
	wait
	ok "killed while a census waits for credit, its memory is free" within 20 eval '(($(<$C/memory.current) < 24 << 20))'
	diag "$(($(<$C/memory.current) >> 20)) MiB are left"
	unload
}

# Tracepoints, as BPF programs or ftrace see them.
check_tracepoints() {
	local t e
	load policy=ours sampler=abit scan_ms=100 cpu_budget_permille=500 migrate_mbps=0
	for e in sample classify promote demote exchange fail; do
		ok "tracepoint tiering:$e" test -e /sys/kernel/tracing/events/tiering/$e/enable
	done
	t=/sys/kernel/tracing/instances/tiering
	mkdir $t && for e in classify promote; do echo 1 >$t/events/tiering/$e/enable; done
	work hot 48 20 60 small 50 >"$scratch/work"
	cat $t/trace >"$scratch/trace"
	rmdir $t
	like "$(grep -c 'promote: mm=' "$scratch/trace") $(grep -c 'classify: policy=ours' "$scratch/trace")" '^[1-9].* [1-9]' "promote and classify are traced"
	unload
}

alone_part() {
	ok "one node: refused" eval '! load && ! loaded'
	is "$(dmesg | grep -c 'tiering: refused: this machine has one memory node')" 1 "with one line that says why"
	ok "the kernel's log is clean" kernel_log_clean
	tap_done
}

policies_part() {
	quiet_kernel
	check_refusals
	check_interface
	check_tracepoints
	check_still
	check_policy ours abit 95 160 300
	check_policy memtis abit 90 160 300
	check_policy nomad abit 50 96 300
	check_exchange
	check_shadows
	check_given
	check_huge
	check_budgets
	if full; then
		check_policy ours hint 70 64 300
		check_policy ours abit 90 128 300 thp
	fi
	ok "the kernel's log is clean" kernel_log_clean
	tap_done
}

# So that the kernel reclaims some of it all the while.
swap_on() { # MIB of memory for the workload
	echo "${1}M" >$C/memory.max
	[[ -e /sys/block/zram0 ]] || return
	echo 200M >/sys/block/zram0/disksize
	mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
	echo "# swap: $(tail -n 1 /proc/swaps)"
}

moved_enough() { # POLICY
	(($(sum moves/promoted moves/demoted) > 1000)) && { [[ $1 != nomad ]] || (($(value moves/tpm_promoted) > 100)); }
}

# POLICY SAMPLER SECONDS MIB JOBS
chaos_under() {
	local status
	load policy="$1" sampler="$2" scan_ms=100 cpu_budget_permille=600 migrate_mbps=0 hysteresis=0 decay_rounds=2
	for _ in {1..3}; do # as often as a slow machine needs to move enough
		work chaos "$4" "$3" "$5" >"$scratch/work" 2>&1
		status=$?
		if ((status)) || moved_enough "$1"; then break; fi
	done
	is "$status" 0 "$1 with $2: fork, exec, kill, threads, munmap, mprotect, mlock, mremap, huge pages, swap, KSM, MADV_FREE: $(grep -c wrong=0 "$scratch/work") processes found all as it was"
	grep -v 'wrong=0' "$scratch/work" | sed 's/^/# /'
	show "$1 $2"
	ok "$1 with $2: pages moved meanwhile: $(sum moves/promoted moves/demoted)" test "$(sum moves/promoted moves/demoted)" -gt 1000
	[[ $1 != nomad ]] || ok "nomad with $2: by transactional copy: $(value moves/tpm_promoted), to their shadows: $(value moves/shadow_demoted)" \
		test "$(value moves/tpm_promoted)" -gt 100
	identities "$1 with $2, chaos"
	unload
}

reloads() { # SECONDS: the module comes and goes while memory is in use
	local failed=0 n=0 pid end policies=(ours memtis nomad) samplers=(abit hint)
	work chaos 48 "$1" 2 >"$scratch/work" 2>&1 &
	pid=$!
	end=$((SECONDS + $1 - 2))
	while ((SECONDS < end)); do
		load policy="${policies[n % 3]}" sampler="${samplers[n % 2]}" scan_ms=50 cpu_budget_permille=600 migrate_mbps=0 || failed=$((failed + 1))
		sleep 0.$((n % 3 * 4 + 1))
		unload || failed=$((failed + 1))
		n=$((n + 1))
	done
	wait $pid
	is "$?" 0 "memory is as it was after $n loads and unloads"
	is $failed 0 "each of which went well"
	ok "no page is left isolated" soon none_isolated
}

busy_ksm() { echo 2000 >/sys/kernel/mm/ksm/pages_to_scan && echo 20 >/sys/kernel/mm/ksm/sleep_millisecs && echo 1 >/sys/kernel/mm/ksm/run; }

check_chaotic() { # all that was to go on did
	is "$(vmstat oom_kill)" 0 "nothing was killed for lack of memory"
	ok "pages were swapped out: $(vmstat pswpout)" test "$(vmstat pswpout)" -gt 100
	ok "huge pages were split: $(vmstat thp_split_page)" test "$(vmstat thp_split_page)" -gt 0
	ok "and made: $(vmstat thp_fault_alloc) by faults, $(vmstat thp_collapse_alloc) by khugepaged" \
		test $(($(vmstat thp_fault_alloc) + $(vmstat thp_collapse_alloc))) -gt 0
	ok "KSM merged pages, which were then written: $(vmstat cow_ksm)" test "$(vmstat cow_ksm)" -gt 0
	ok "pages were given away (MADV_FREE) and reclaimed or not: $(vmstat pglazyfree)" test "$(vmstat pglazyfree)" -gt 1000
}

chaos_part() {
	local times=1
	quiet_kernel
	swap_on 420
	busy_ksm
	full && times=2
	chaos_under ours abit $((5 * times)) 140 3
	chaos_under memtis abit $((3 * times)) 140 3
	chaos_under nomad abit $((5 * times)) 140 3
	chaos_under ours hint $((3 * times)) 100 3
	reloads $((10 * times))
	check_chaotic
	ok "the kernel's log is clean" kernel_log_clean
	tap_done
}

many_part() {
	quiet_kernel
	chaos_under ours abit 15 120 4
	chaos_under nomad abit 15 120 4
	chaos_under memtis abit 10 120 4
	ok "the kernel's log is clean" kernel_log_clean
	tap_done
}

soak_part() {
	quiet_kernel
	swap_on 420
	busy_ksm
	chaos_under ours abit "$MMPROF_SOAK" 150 3
	chaos_under memtis abit "$MMPROF_SOAK" 150 3
	chaos_under nomad abit "$MMPROF_SOAK" 150 3
	chaos_under nomad hint "$MMPROF_SOAK" 150 3
	reloads "$MMPROF_SOAK"
	check_chaotic
	ok "the kernel's log is clean" kernel_log_clean
	tap_done
}

case $1 in
guest) kernel=$3 && "$2_part" ;;
*) host "$1" ;;
esac
