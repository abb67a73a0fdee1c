#!/usr/bin/env bash
# The page-table cache (kmod/pgcache) in the lab. TAP on standard output.
# usage: pgcache.sh KERNEL           builds the module and boots guests that run this with
#        pgcache.sh guest PART KERNEL ROUNDS
# MMPROF_STRESS: how many times the module is loaded and unloaded beside stress-ng, which takes half a minute each.
set -u
. tests/tap.sh
S=/sys/kernel/mm/pgcache
LEVELS=(pgd p4d pud pmd pte)
GONE=(recycle age shrink flushed dirty)
HOOKED=(try_to_free_mem_cgroup_pages pgd_alloc pgd_free pte_alloc_one __pmd_alloc __pud_alloc __p4d_alloc ___pte_free_tlb ___pmd_free_tlb
	___pud_free_tlb ___p4d_free_tlb)

# --- the host's half

part() { # PART LAB-OPTION...
	local part=$1 status=0
	shift
	echo "# guest: $part"
	scripts/lab --kernel "$kernel" --timeout $((2400 + 60 * ${MMPROF_STRESS:-0})) "$@" -- tests/lab/pgcache.sh guest "$part" "$kernel" "${MMPROF_STRESS:-}" >"$scratch/$part" 2>"$scratch/$part.err" || status=$?
	# one plan for all: the guests' own numbers go
	sed -E 's/^((not )?ok) [0-9]+/\1/; /^1\.\./d' "$scratch/$part" | tee -a "$scratch/all"
	grep -q '^1\.\.' "$scratch/$part" || {
		echo "not ok - the guest '$part' ran to its end (exit $status)"
		diag "$(tail -n 12 "$scratch/$part.err")"
	} | tee -a "$scratch/all"
}

# The releases that DKMS builds for.
dkms() {
	local BUILD_EXCLUSIVE_KERNEL release wrong=''
	eval "$(grep ^BUILD_EXCLUSIVE_KERNEL kmod/dkms.conf)"
	for release in 6.1.0-56-amd64 6.12.117+deb12-amd64 6.9.3; do [[ $release =~ $BUILD_EXCLUSIVE_KERNEL ]] || wrong+=" $release"; done
	for release in 5.10.0-30-amd64 6.0.0 6.13.1 6.120.0 16.1.0; do [[ ! $release =~ $BUILD_EXCLUSIVE_KERNEL ]] || wrong+=" $release"; done
	echo "${wrong:+not }ok - DKMS builds for the kernels that the module knows, and for no other$wrong"
}

host() {
	kernel=$1
	flock kmod/Makefile make -C kmod KERNELS="$kernel" >"$scratch/make" 2>&1 || {
		echo "not ok - build the module"
		diag "$(tail -n 12 "$scratch/make")"
		echo 1..1
		exit 1
	}
	dkms | tee -a "$scratch/all"
	kmod/build/tests/ratio | sed -E 's/^((not )?ok) [0-9]+/\1/; /^1\.\./d' | tee -a "$scratch/all"
	part main --no-tiers --nodes fast=2500M --append 'page_poison=1 slub_debug=FZPU nopti'
	# the boot loader's first stage is what turns five levels on
	part small --bzimage --nodes fast=400M --cpus 1 --append 'pti=on page_poison=1 init_on_alloc=0'
	if [[ -n ${MMPROF_STRESS:-} ]]; then
		part stress --no-tiers --nodes fast=2500M --cpus 2 --append 'page_poison=1 slub_debug=FZPU'
	else
		echo "ok - stress-ng beside loads and unloads # SKIP takes minutes: MMPROF_STRESS=20 does it twenty times" | tee -a "$scratch/all"
	fi
	part many --bzimage --no-tiers --nodes fast=2500M --cpus 4 --smp multi --append 'no5lvl init_on_free=1 init_on_alloc=1'
	echo "1..$(grep -cE '^(not )?ok' "$scratch/all")"
	! grep -q '^not ok' "$scratch/all"
}

# --- the guest's half

load() { insmod "kmod/build/$kernel/pgcache/pgcache.ko" "$@" 2>"$scratch/insmod"; }
unload() { rmmod pgcache; }
loaded() { [[ -e /sys/module/pgcache ]]; }
mix() { kmod/build/tests/ptmix mix "$@"; }
hold() { kmod/build/tests/ptmix hold "$@"; }
get() { read -r REPLY <"$S/$1"; } # without a fork, which would itself use page tables
value() { get "$1" && echo "$REPLY"; }
set_all() { # FILE VALUE
	local level
	for level in "${LEVELS[@]}"; do echo "$2" >"$S/$level/$1"; done
}
tables() {
	echo 1 >/proc/sys/vm/stat_refresh
	sed -n 's/^nr_page_table_pages //p' /proc/vmstat
}
# Free pages, with those that wait in the buddy allocator's per-CPU lists: MemFree leaves these out (megabytes, here).
free_kib() {
	local free listed
	free=$(sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	listed=$(awk '$1 == "count:" { n += $2 } END { print n * 4 }' /proc/zoneinfo)
	echo $((free + listed))
}
ooms() { sed -n 's/^oom_kill //p' /proc/vmstat; }
quiet() { sync; echo 3 >/proc/sys/vm/drop_caches; sleep 1; }

unhooked() {
	local f
	for f in "${HOOKED[@]}"; do ! grep -q "^$f " /sys/kernel/tracing/enabled_functions || return 1; done
}

# park = hit + what left otherwise + free, at each level. Another process may come between two reads: it is tried again.
identity() {
	local level f sum park
	for _ in {1..20}; do
		sleep 0.1
		for level in "${LEVELS[@]}"; do
			get "$level/park" && park=$REPLY && sum=0
			for f in hit free "${GONE[@]}"; do get "$level/$f" && sum=$((sum + REPLY)); done
			((sum == park)) || { echo "$level: park $park, sum $sum" && continue 2; }
		done
		return 0
	done
	return 1
}

total() { # FILE: over the levels
	local level sum=0
	for level in "${LEVELS[@]}"; do get "$level/$1" && sum=$((sum + REPLY)); done
	echo $sum
}

# What is cached where, for people who read the log.
show() {
	local level f line
	for level in "${LEVELS[@]}"; do
		line="$1 $level:"
		for f in used free max hit hit_cross miss_empty miss_busy miss_charge park park_full refill steal spill "${GONE[@]}"; do
			get "$level/$f"
			[[ $REPLY == 0 ]] || line+=" $f=$REPLY"
		done
		echo "# $line"
	done
}

check_refusals() {
	local step
	for step in {1..10}; do
		load fail_at="$step"
		ok "refused at step $step: not loaded, nothing hooked, no files" eval '! loaded && unhooked && [[ ! -e $S ]]'
	done
	is "$(dmesg | grep -c 'pgcache: refused: told to fail')" 10 "each says so in one line"
	ok "refused when it should be larger than memory" eval '! load size_kib=99999999 && ! loaded'
	ok "which it says" eval 'dmesg | grep -q "pgcache: refused: cache: error -34"'
	insmod "kmod/build/$kernel/hookheld/hookheld.ko"
	ok "refused while another hook holds a function" eval '! load && ! loaded && [[ ! -e $S ]]'
	like "$(cat "$scratch/insmod")" 'busy' "with EBUSY"
	ok "and says why" eval 'dmesg | grep -q "pgcache: refused: cannot hook"'
	rmmod hookheld
	ok "nothing is left hooked" unhooked
}

check_nothing_kept() {
	local hit miss
	ok "loads with size_kib=0" load size_kib=0 ratio=0 low=0
	is "$(value pte/ratio) $(value pte/low)" "0 0" "parameters can be 0"
	hit=$(total hit) miss=$(total miss)
	build/tests/workloads/forks 20 >/dev/null
	is "$(value size_kib) $(($(total hit) - hit)) $(total free)" "0 0 0" "then nothing is kept"
	ok "each allocation is a miss" test $(($(total miss) - miss)) -gt 20
	unload
}

check_levels() { # LEVEL...
	local level
	for level; do
		ok "$level: tables are served from the cache" test "$(value "$level/hit")" -gt 10
	done
	ok "parked = served + given back + cached, at each level" identity
	is "$(total dirty)" 0 "none was dirty"
}

# The counts by level against the kernel's own words: VmPTE in /proc/PID/status has pte, pmd and pud tables together.
tables_missed() {
	local sum=0 kib=0 f name n
	tables >/dev/null
	for f in /proc/[0-9]*/status; do # without a fork, as above
		while read -r name n _; do [[ $name == VmPTE: ]] && kib=$((kib + n)); done <"$f"
	done 2>/dev/null
	for f in pte pmd pud; do get $f/used && sum=$((sum + REPLY)); done
	DIFFERENCE=$((sum - kib / 4))
}
pgds_missed() { DIFFERENCE=$(($(value pgd/used) - $(find /proc -maxdepth 2 -name exe -lname '/*' 2>/dev/null | wc -l))); }
tables_grown() { DIFFERENCE=$(($(tables) - before_tables)); }
kib_lost() { DIFFERENCE=$((before_free - $(free_kib))); }

# As between, of the DIFFERENCE that FUNCTION finds. Other processes come and go between its readings, and what they
# leave is freed a while later: it is read again for ten seconds. What is really wrong stays wrong.
settles() { # FUNCTION LOW HIGH MESSAGE
	for _ in {1..20}; do
		sleep 0.5
		"$1"
		((DIFFERENCE >= $2 && DIFFERENCE <= $3)) && break
	done
	between "$DIFFERENCE" "$2" "$3" "$4"
}

# Level by level, against USED as it was before.
used_now() {
	local level
	USED=()
	for level in pgd pud pmd pte; do get $level/used && USED+=("$REPLY"); done
}
levels_differ() {
	local i before=("${USED_BEFORE[@]}")
	used_now
	DIFFERENCE=0
	for i in {0..3}; do DIFFERENCE=$((DIFFERENCE + (USED[i] > before[i] ? USED[i] - before[i] : before[i] - USED[i]))); done
}

check_used() {
	settles tables_missed -12 12 "tables in use by level add up to those of all processes"
	settles pgds_missed -3 6 "pgds in use are the processes"
}

# What `break` made dirty lies at the old end of a ring: it is caught when the ring is emptied by a burst, if a tick did not
# give it back before. So it is tried again.
check_broken() { # HOW MARK WHAT
	local tries=0 before dirty
	before=$(value pte/dirty)
	until (($(value pte/dirty) > before || tries == 20)); do
		echo "$1" >$S/break
		hold 60 true
		tries=$((tries + 1))
	done
	echo 1 >$S/flush # none is left to be found later
	dirty=$(($(value pte/dirty) - before))
	between $dirty 1 "$tries" "a table $3 is caught and thrown away ($tries tries)"
	is "$(dmesg | grep -c "pgcache: a cached pte table is not clean (pfn [0-9a-f]*$2)")" $dirty "with one line in the log"
}
check_verifier() {
	check_broken 1 '' "made dirty on purpose"
	check_broken 2 ', in use' "that has another owner, on purpose,"
	echo 0 >$S/verify
	ok "without the verifier nothing is made dirty" eval '! echo 1 >$S/break'
	echo 1 >$S/verify
}

# The notes' example: 48 free and 8 in use are too much, 16 stay; growth past these comes from the buddy allocator.
check_recycling() {
	local used missed recycled
	set_all ratio 0
	echo 1 >$S/flush
	used=$(value pgd/used) recycled=$(value pgd/recycle)
	hold 60 true
	between "$(value pgd/free)" 48 80 "a burst that is over leaves its pgds in the cache"
	is $(($(value pgd/recycle) - recycled)) 0 "with ratio 0 none is given back"
	echo 2 >$S/pgd/low
	missed=$(value pgd/miss_empty)
	hold $((8 - used > 0 ? 8 - used : 1)) sh -c "echo 4 >$S/pgd/ratio; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1; read -r free <$S/pgd/free; [ \$free -ge 40 ] || break; done; cat $S/pgd/used $S/pgd/free >$scratch/recycled"
	used=$(sed -n 1p "$scratch/recycled")
	between "$(sed -n 2p "$scratch/recycled")" $((2 * used - 5)) $((2 * used + 5)) "with $used in use, all but twice that many are given back"
	ok "and counted" test $(($(value pgd/recycle) - recycled)) -gt 10
	missed=$(value pgd/miss_empty)
	hold 60 true
	ok "growth past what is cached is served by the kernel" test $(($(value pgd/miss_empty) - missed)) -gt 20
	set_all ratio 4
	for level in pte pmd pud; do
		ok "$level: free is no more than 4 times used" soon eval '(($(value $level/free) <= 4 * $(value $level/used) + 10))'
	done
}

in_cgroup() { # CGROUP COMMAND...
	local group=/sys/fs/cgroup/$1
	shift
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
}

check_cgroups() {
	local group=/sys/fs/cgroup/pgc kills
	mkdir $group
	echo 6M >$group/memory.max
	in_cgroup pgc kmod/build/tests/ptmix hold 30 sleep 1
	in_cgroup pgc build/tests/workloads/forks 200 >/dev/null
	kills=$(sed -n 's/^oom_kill //p' $group/memory.events)
	is "$kills" 0 "a cgroup with little room is not driven out of memory"
	soon grep -qx 'pagetables 0' $group/memory.stat # which the kernel brings up to date each two seconds
	is "$(sed -n 's/^pagetables //p' $group/memory.stat)" 0 "its page tables are gone from its statistics"
	ok "and cached ones from its bill" soon eval "((\$(sed -n 's/^kernel //p' $group/memory.stat) <= 300000))"
	# what a process leaves here is not in the way of the next: more than half of what the cgroup may have
	set_all ratio 0
	echo 9M >$group/memory.max
	in_cgroup pgc kmod/build/tests/ptmix turns 1400 4
	is "$? $(sed -n 's/^oom_kill //p' $group/memory.events)" "0 0" "tables that an ended process leaves cause no kill"
	ok "and were kept" test "$(value pte/free)" -gt 1000
	echo 6M >$group/memory.max
	# file pages fill the cgroup: a charge that may not wait fails, and the kernel's own way reclaims some
	for _ in {1..20}; do # what of them reclaim has just made room for is luck
		hold 60 true
		echo 1 >/proc/sys/vm/drop_caches
		in_cgroup pgc sh -c 'cat "$0" "$1" >/dev/null; exec kmod/build/tests/ptmix hold 40 true' \
			"$(readlink -f "kmod/build/$kernel/pgcache/pgcache.ko")" "$(command -v bpftrace)"
		(($(total miss_charge) == 0)) || break
	done
	set_all ratio 4
	is "$(sed -n 's/^oom_kill //p' $group/memory.events)" 0 "nor when it is full of file pages"
	ok "where charges fail ($(total miss_charge))" test "$(total miss_charge)" -gt 0
	rmdir $group
	echo 1 >$S/flush
	sleep 2
	echo "# cgroups left: $(sed -n 's/^memory\t[0-9]*\t\([0-9]*\).*/\1/p' /proc/cgroups)"
}

# Probes must see the entry and the exit of each level, from inside the hooks.
check_probes() {
	local kind f
	for kind in kprobe kfunc; do
		f=pgcache_alloc_pte
		[[ $kind == kprobe ]] || f=pgcache:$f
		timeout 300 bpftrace -e "$kind:$f { @in = count(); } ${kind/probe/retprobe}:$f { @n = count(); }" \
			-c "build/tests/workloads/forks 50" >"$scratch/bt" 2>&1
		between "$(sed -n 's/^@n: //p' "$scratch/bt" | grep . || sed -n 's/^@in: //p' "$scratch/bt")" 50 100000 "$kind sees pgcache_alloc_pte"
		diag "$kind: $(grep -v '^Attach' "$scratch/bt" | tr '\n' ' ')"
	done
}

# A BPF trampoline on a function that we skip must hand on what we return; it does less when there is no fexit program.
fentry_alone() { timeout 300 bpftrace -e "kfunc:$1 { @in = count(); }" -c "build/tests/workloads/forks 30" -o "$scratch/bt"; }
check_shared() {
	local f
	for f in pgd_alloc pte_alloc_one __pmd_alloc; do
		ok "fork works with an fentry probe alone on $f" fentry_alone "$f"
		between "$(sed -n 's/^@in: //p' "$scratch/bt")" 30 100000 "which counts"
	done
}

check_reloads() {
	local failed=0 pid
	PTMIX_STOP=$scratch/stop mix 900 4 >"$scratch/mix" 2>&1 &
	pid=$!
	for _ in {1..3}; do
		load verify=1 || failed=$((failed + 1))
		sleep 0.5
		unload || failed=$((failed + 1))
	done
	echo "# three reloads took $SECONDS s"
	is $failed 0 "three times loaded and unloaded under load"
	ok "the load still runs" kill -0 $pid
	load verify=1
	touch "$scratch/stop"
	wait $pid
	is "$?" 0 "and found its memory as it was: $(cat "$scratch/mix")"
	check_used
	used_now
	USED_BEFORE=("${USED[@]}")
	ok "unloads" unload
	load
	settles levels_differ 0 8 "what is counted since a load under load is, level by level, what a load without finds"
	echo "# ${USED_BEFORE[*]}, then ${USED[*]}"
	ok "unloads" unload
	ok "nothing is left hooked" unhooked
}

main_part() {
	local before_tables before_free
	build/tests/workloads/forks 300 >/dev/null
	fentry_alone pte_alloc_one >/dev/null 2>&1 # what the kernel keeps for its first BPF programs is no loss
	quiet
	before_tables=$(tables) before_free=$(free_kib)
	check_refusals
	ok "loads" load verify=1 age_ms=0
	is "$(value levels)" "pgd pud pmd pte" "four levels"
	build/tests/workloads/forks 300 >/dev/null
	mix 6 4 >"$scratch/mix" 2>&1
	is "$?" 0 "a mix of mappings, forks and huge pages finds its memory as it was: $(cat "$scratch/mix")"
	show mix
	check_levels pgd pud pmd pte
	check_used
	check_verifier
	check_recycling
	check_cgroups
	check_probes
	check_shared
	ok "parked = served + given back + cached, still" identity
	echo 0 >$S/enabled
	echo 1 >$S/flush
	is "$(total free)" 0 "switched off and flushed, it holds nothing"
	ok "unloads" unload
	SECONDS=0
	check_reloads
	quiet
	settles tables_grown -12 12 "page tables as before"
	settles kib_lost -20000 8000 "free memory as before (KiB less)"
	echo "# MemFree $before_free -> $(free_kib) kB, tables $before_tables -> $(tables)"
	check_nothing_kept
	ok "the kernel's log is clean" kernel_log_clean
	tap_done
}

# One processor, five levels, page-table isolation, little memory.
small_part() {
	local had held
	ok "loads" load verify=1 age_ms=0 ratio=100 size_kib=60000
	like "$(cat /proc/cpuinfo)" 'la57' "this guest runs with five levels"
	ok "and with page-table isolation" grep -qw pti /proc/cpuinfo
	is "$(value levels)" "pgd p4d pud pmd pte" "five levels"
	mix 4 3 >"$scratch/mix" 2>&1
	is "$?" 0 "the mix finds its memory as it was: $(cat "$scratch/mix")"
	build/tests/workloads/forks 100 >/dev/null
	show mix
	check_levels "${LEVELS[@]}"
	set_all ratio 0
	hold 300 true
	show full
	held=$(total free) had=$(ooms)
	ok "a burst fills the cache ($held tables)" test "$held" -gt 1000
	mount -t tmpfs -o size=90% hog /mnt
	dd if=/dev/zero of=/mnt/hog bs=1M count="$(($(free_kib) / 1024 + 20))" 2>"$scratch/dd"
	show pressed
	ok "under memory pressure tables are given back" test "$(total shrink)" -gt $((held / 4))
	is "$(ooms)" "$had" "and nothing is killed for lack of memory"
	rm /mnt/hog
	ok "parked = served + given back + cached" identity
	is "$(total dirty)" 0 "none was dirty"
	ok "unloads" unload
	ok "nothing is left hooked" unhooked
	ok "the kernel's log is clean" kernel_log_clean
	tap_done
}

# Everything that makes and frees page tables, by a program that isn't ours, while the module comes and goes.
stress_begin() { # exec is run by nobody, as stress-ng refuses that to root
	nice -n 15 setpriv --reuid 65534 --clear-groups stress-ng --temp-path /tmp --exec 1 >"$scratch/exec" 2>&1 &
	stress_pids=($!)
	nice -n 15 stress-ng --verify --mmap 1 --mmap-bytes 32M --mremap 1 --mremap-bytes 16M --mprotect 1 --mmaphuge 1 \
		--fork 1 --vfork 1 --clone 1 --clone-max 32 --mlock 1 >"$scratch/stress" 2>&1 &
	stress_pids+=($!)
}
stress_end() { # fails when one of them found something wrong, or was gone before
	local pid status=0
	kill -INT "${stress_pids[@]}" || status=1
	for pid in "${stress_pids[@]}"; do wait "$pid" || status=$?; done
	return $status
}
stress_part() { # "$rounds" times
	local before_tables before_free round failed=0
	stress_begin
	sleep 10
	ok "stress-ng runs and ends" stress_end
	quiet
	before_tables=$(tables) before_free=$(free_kib)
	stress_begin
	for ((round = 1; round <= rounds; round++)); do
		load verify=1 || failed=$((failed + 1))
		sleep 4
		identity >/dev/null || failed=$((failed + 1))
		show "after $SECONDS s" | grep pte
		unload || failed=$((failed + 1))
	done
	ok "stress-ng found nothing wrong in $SECONDS s: $(grep -hE 'fail:|error:' "$scratch/stress" "$scratch/exec" | head -n 3)" stress_end
	is "$failed" 0 "loaded, its counts true, and unloaded $rounds times meanwhile"
	ok "nothing is left hooked" unhooked
	ok "the kernel's log is clean" kernel_log_clean
	quiet
	settles tables_grown -12 12 "page tables as before"
	settles kib_lost -20000 6000 "free memory as before (KiB less)"
	kernel_log_clean >"$scratch/log" || sed 's/^/# while caches are dropped: /' "$scratch/log"
	tap_done
}

# Four processors at once; hooks are only set and taken away while it is quiet, as QEMU demands.
many_part() {
	ok "loads" load verify=1
	mix 8 8 >"$scratch/mix" 2>&1
	is "$?" 0 "the mix on four processors finds its memory as it was: $(cat "$scratch/mix")"
	build/tests/workloads/forks 100 >/dev/null
	show mix
	check_levels pgd pud pmd pte
	ok "processors serve each other" test "$(value pte/hit_cross)" -gt 0
	sleep 1
	ok "unloads" unload
	ok "the kernel's log is clean" kernel_log_clean
	tap_done
}

case $1 in
guest) kernel=$3 rounds=${4:-3} && "$2_part" ;;
*) host "$1" ;;
esac
