#!/usr/bin/env bash
# Swap, zswap, KSM and both in a small guest with a disk: set up for a run and put back, pages' contents checked, the
# counts against vmstat's and debugfs's. TAP on standard output.
set -u
. tests/tap.sh

state() {
	cat /proc/swaps /sys/kernel/mm/ksm/{run,pages_to_scan,sleep_millisecs} /sys/module/zswap/parameters/{enabled,compressor,zpool,max_pool_percent}
	cat /proc/sys/vm/swappiness
	lsmod | grep -c '^zram'
	find /run/mmprof -type f 2>/dev/null
	pgrep -x mmprof-ksm
}
mib() { awk -v key="$1:" '$1 == key { print int($2 / 1024) }' /proc/meminfo; }
bench() { # SYSTEM ARGS...: a run of memhog
	local system=$1 size=${size-$(($(mib MemFree) - 2))M}
	shift
	"$MMPROF" bench memhog --quiet --timeout 1800 --size "$size" --idle 1 --touches 1 --warm 0.5 --companion no --interval 500 --sampling 20 --system "$system" "$@" >"$scratch/bench" 2>&1
	is "$?" 0 "$system: memory is filled and touched again" || diag "$(tail -n 5 "$scratch/bench"; dmesg | grep -i -A 3 'killed process')"
	is "$(metric bench.memhog.wrong_pages)" 0 "and holds what was written"
	is "$(state)" "$before" "all is put back"
	diag "after $SECONDS s; $size; $(sql "SELECT group_concat(name || '=' || delta, ' ') FROM v_counter_delta WHERE name IN ('vmstat.workingset_refault_file', 'vmstat.workingset_refault_anon', 'vmstat.pgmajfault', 'vmstat.pswpin', 'vmstat.pswpout', 'vmstat.zswpout', 'vmstat.pgscan_kswapd', 'vmstat.pgscan_direct') AND run_id = (SELECT max(id) FROM run)") $(sql "SELECT elapsed_ns / 1000000 FROM run ORDER BY id DESC LIMIT 1") ms late readings: $(sql "SELECT sum(count) FROM loss WHERE kind = 'late_readings' AND run_id = (SELECT max(id) FROM run)")"
}
metric() { sql "SELECT CAST(value AS INTEGER) FROM metric WHERE name = '$1' AND run_id = (SELECT max(id) FROM run)"; }
delta() { sql "SELECT coalesce(sum(delta), 0) FROM v_counter_delta WHERE name = '$1' AND run_id = (SELECT max(id) FROM run)"; }
most() { sql "SELECT coalesce(max(value), 0) FROM sample JOIN series ON series.id = series_id WHERE name = '$1' AND run_id = (SELECT max(id) FROM run)"; }
fact() { sql "SELECT value FROM env_fact f JOIN run r USING (env_id) WHERE key = '$1' ORDER BY r.id DESC LIMIT 1"; }
count() { sql "SELECT coalesce(sum(h.count), 0) FROM probe p JOIN hist h ON h.probe_id = p.id WHERE p.run_id = (SELECT max(id) FROM run) AND p.name = '$1' ${2:+AND h.class = '$2'}"; }

# memhog takes what is free and a bit more: anonymous pages go, not those of programs, which come back through 9p
echo "# $(mib MemTotal) MiB of memory, $(mib MemAvailable) MiB available, $(mib MemFree) MiB free"
first=swappiness=190
before=$(state)

# --- what can't be
refuses 'no swap is on: swap=256M makes one' "no swap" "$MMPROF" record --system zswap -- true
refuses 'not a size' "a wrong size" "$MMPROF" record --system swap,swap=much -- true
refuses 'no swap was made there: mkswap' "a disk that is no swap" "$MMPROF" record --system swap,swap_on=/dev/vda -- true
refuses 'has its own size' "a disk with a size" "$MMPROF" record --system swap,swap_on=/dev/vda,swap=64M -- true
refuses 'a file needs a size' "a file without one" "$MMPROF" record --system swap,swap_on=/tmp -- true
refuses 'control=maybe: on or off' "a wrong word" "$MMPROF" record --system ksm-zswap,swap=64M,control=maybe -- true
refuses 'cpu_cap=0: a number from 1 to 100' "a wrong number" "$MMPROF" record --system ksm-zswap,swap=64M,cpu_cap=0 -- true
refuses '"compressor" is no setting' "a key of another" "$MMPROF" record --system swap,swap=64M,compressor=lzo -- true
ok "tmpfs takes no swap file: the run fails" eval '! "$MMPROF" record --quiet --no-probe all --system swap,swap=1M,swap_on=/dev/shm -- true'
is "$(state)" "$before" "and nothing is left"

# --- devices that are made
is "$("$MMPROF" record --quiet --no-probe all --system swap,swap=64M,swap_algorithm=zstd -- cat /proc/swaps | awk 'NR > 1 { print $1, $3, $5 }')" \
	"/dev/zram0 65532 32767" "swap=64M: of zram"
is "$(state)" "$before" "which goes again"
modprobe zram num_devices=1
ok "a device of zram's that somebody still looks at" "$MMPROF" record --quiet --no-probe all --system swap,swap=16M -- \
	sh -c '(while grep -q zram1 /proc/swaps; do sleep 0.1; done; sleep 0.2) 3</dev/zram1 >/dev/null 2>&1 &'
ok "goes all the same" test ! -e /sys/block/zram1
for _ in {1..100}; do
	rmmod zram 2>/dev/null && break
	sleep 0.1
done
is "$(state)" "$before" "and zram too"
modprobe ext4 2>/dev/null
mkfs.ext4 -q /dev/vda 2>/dev/null && mkdir -p "$scratch/disk" && mount /dev/vda "$scratch/disk"
is "$("$MMPROF" record --quiet --no-probe all --system "swap,swap=16M,swap_on=$scratch/disk" -- cat /proc/swaps | awk 'NR > 1 { print $2, int($3 / 100) }')" \
	"file 163" "swap_on=DIR: of a file"
is "$(state) $(find "$scratch/disk" -name 'mmprof*')" "$before " "which goes again"
umount "$scratch/disk"
mkswap /dev/vda >/dev/null
"$MMPROF" record --quiet --no-probe all --system swap,swap_on=/dev/vda -- sleep 60 &
for _ in {1..100}; do
	grep -q vda /proc/swaps && break
	sleep 0.1
done
kill -KILL $!
wait $! 2>/dev/null
pkill -KILL -x sleep
ok "killed: the swap is still on" grep -q vda /proc/swaps
"$MMPROF" record --quiet --no-probe all -- true
is "$(state)" "$before" "the next start turns it off"

# --- plain swap
bench swap,swap_on=/dev/vda,$first --duplicate 0.5 --compressible 0.25 --probe balance_pgdat --probe try_to_free_pages --probe do_swap_page --probe swapin_device --probe swapout_device
ok "pages went to the disk ($(delta vmstat.pswpout))" test "$(delta vmstat.pswpout)" -gt 500
between "$(delta vmstat.zswpout)" 0 0 "none to zswap"
swapped=$(delta vmstat.pswpout)
between "$(count swapout_device)" $((swapped * 9 / 10 - 20)) $((swapped * 11 / 10 + 20)) "each by swapout_device ($(count swapout_device))"
ok "kswapd reclaimed ($(count balance_pgdat kswapd) rounds)" test "$(count balance_pgdat kswapd)" -gt 0
between "$(count balance_pgdat kswapd)" $(($(delta vmstat.pageoutrun) - 3)) $(($(delta vmstat.pageoutrun) + 3)) "as often as vmstat says"
swapped=$(delta vmstat.pswpin)
between "$(count swap_readpage)" $((swapped * 9 / 10 - 20)) $((swapped * 11 / 10 + 20)) "each that came back by swap_readpage ($(count swap_readpage))"
[[ $(uname -r) == 6.1.* ]] || # which waits for most in swap_readpage
	between "$(count swapin_device_wait)" 1 "$(count do_swap_page)" "faults waited for the disk ($(count swapin_device_wait) times)"
stalls=$(sql "SELECT coalesce(sum(delta), 0) FROM v_counter_delta WHERE name LIKE 'vmstat.allocstall%' AND run_id = (SELECT max(id) FROM run)")
between "$(count try_to_free_pages)" $((stalls / 2 - 3)) $((stalls + 3)) "direct reclaims as vmstat says ($stalls)"
is "$(metric bench.memhog.idle.merged)" 0 "nothing is merged"

# --- zswap
# less than is free: mmprof and zswap's pool take more than the rest, and programs' own pages must not go, which are slow to come back
size=$(($(mib MemFree) - 6))M
for idle in 5 30; do # until a reading falls into the time while the pool is full
	bench zswap,swap_on=/dev/vda,max_pool_percent=40,$first --idle $idle --duplicate 0.25 --compressible 0.6 --probe zswap_store --probe swapin_zswap
	(($(most zswap.Zswap) > 500000)) && break
done
unset size
out=$(delta vmstat.zswpout)
ok "pages went to zswap ($out)" test "$out" -gt 500
ok "its pool took memory ($(most zswap.Zswap) bytes)" test "$(most zswap.Zswap)" -gt 500000
ok "less than what is in it" test "$(most zswap.Zswap)" -lt "$(most zswap.Zswapped)"
in=$(($(delta vmstat.zswpin) + $(delta vmstat.zswpwb))) # 6.12 has it; what is written back is decompressed by the same function
between "$(count swapin_zswap)" $((in * 9 / 10 - 20)) $((in * 11 / 10 + 20)) "swap-ins from it, and write-backs, as vmstat says ($in)"
ok "zswap_store was asked at least as often" test "$(count zswap_store)" -ge $((out * 9 / 10))
is "$(fact zswap.enabled)" Y "it is a fact of the run"

# --- KSM
size=24M # it merges without being short of memory
# until a reading falls into the time between the merging and memhog's end; ksmd and readings leave the rest little of the processors
for idle in 10 40 120; do
	bench ksm,swap_on=/dev/vda,$first,pages_to_scan=500,sleep_ms=20 --idle $idle --no-probe all --duplicate 0.5 --compressible 0.25
	merged=$(most ksm.pages_sharing)
	((merged > 500)) && break
done
diag "$("$MMPROF" sql --format csv "SELECT t_ns / 1000000, value FROM sample JOIN series ON series.id = series_id WHERE name = 'ksm.pages_sharing' AND run_id = (SELECT max(id) FROM run)" | tr '\r\n' '  ')"
ok "pages are merged ($merged)" test "$merged" -gt 500
ok "of memhog's ($(metric bench.memhog.touch.merged))" test "$(metric bench.memhog.touch.merged)" -gt 500
ok "ksmd used CPU time" test "$(delta cpu.ksmd)" -gt 10000000
like "$(fact workload.mergeable)" "$([[ $(uname -r) == 6.1.* ]] && echo '^no: prctl' || echo '^all of it, by prctl')" "how is a fact of the run"
if [[ $(uname -r) != 6.1.* ]]; then
	for hold in 3 30 90; do # for a reading
		"$MMPROF" record --quiet --no-probe all --system ksm,pages_to_scan=5000,sleep_ms=10 --sampling 20 -- python3 -c \
			'import mmap, sys, time
m = mmap.mmap(-1, 12 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m.write(b"7" * (12 << 20))
end = time.time() + 300
while time.time() < end and int(open("/sys/kernel/mm/ksm/pages_sharing").read()) <= 1000:
    time.sleep(0.2)
time.sleep(int(sys.argv[1]))' $hold
		(($(most ksm.pages_sharing) > 1000)) && break
	done
	ok "memory of a workload that offers none is merged ($(most ksm.pages_sharing))" test "$(most ksm.pages_sharing)" -gt 1000
fi

# --- both, and the controller
unset size
ksmd_before=$(cut -d ' ' -f 1 "/proc/$(pgrep -x ksmd)/schedstat")
bench ksm-zswap,swap_on=/dev/vda,control=on,hold_ms=5000,max_pool_percent=40,$first --idle 5 --duplicate 0.5 --compressible 0.25
# from its own start on, which may be before the first reading
ok "the controller woke KSM ($(most control.wakeups) times, $(most control.events) events)" test "$(most control.wakeups)" -ge 1
ok "pages were merged ($(most control.merged)), in reclaim $(most control.merged_in_reclaim)" test "$(most control.merged)" -gt 100
between $(($(most control.wakeups) - $(most control.sleeps))) 0 1 "and let it sleep as often"
# it looks from before the first reading on, but for what is after its last look; its own figures are read before the kernel's
between "$(most control.scan_ns)" $(($(delta cpu.ksmd) / 10)) $(($(most cpu.ksmd) - ksmd_before)) "ksmd's time is what the kernel says, or a bit less"
sql_all() { "$MMPROF" sql "$1" | sed 's/^/# /'; }
sql_all "SELECT name, delta FROM v_counter_delta WHERE (name LIKE 'control.%' OR name = 'cpu.ksmd') AND run_id = (SELECT max(id) FROM run)"
ok "system ksm-zswap up" "$MMPROF" system ksm-zswap,swap=64M,control=on up
ok "its controller outlives it" soon pgrep -x mmprof-ksm
like "$("$MMPROF" system ksm-zswap status)" 'control +off +an option' "status lists its options"
ok "system ksm-zswap down" "$MMPROF" system ksm-zswap down
is "$(state)" "$before" "all is put back"

# --- the shipped plan, shorter and smaller: the last workload under the first system and the last
size=$(($(mib MemFree) - 6))M
sed "s/^runs = .*/runs = 1/; s/^timeout = .*/timeout = 1800/; s/^pause = .*/pause = 0/; s/--size [0-9]*M/--size $size --idle 1 --touches 1 --warm 0.5/" docs/plans/ksm-zswap.ini >"$scratch/plan.ini"
cells=$("$MMPROF" run --dry-run "$scratch/plan.ini" | awk '$0 ~ /duplicates-50/ && ($3 == "swap" || $3 == "control") { print $1 }' | paste -sd,)
ok "docs/plans/ksm-zswap.ini, cells $cells" "$MMPROF" run --quiet --cell "$cells" "$scratch/plan.ini"
is "$(sql "SELECT count(*) FROM run WHERE experiment = 'ksm-zswap' AND status = 'done'")" 2 "two runs"
is "$(sql "SELECT CAST(sum(value) AS INTEGER) FROM metric m JOIN run r ON r.id = run_id WHERE experiment = 'ksm-zswap' AND m.name = 'bench.memhog.wrong_pages'")" 0 "with contents as written"
ok "are compared" "$MMPROF" report --experiment ksm-zswap --compare swap control --metric elapsed --metric management_cpu --metric ksm_merged
is "$(state)" "$before" "and all is put back"

# --- compared
ok "compared" "$MMPROF" report --compare "swap,swap_on=/dev/vda,$first" "zswap,swap_on=/dev/vda,max_pool_percent=40,$first" --metric management_cpu --metric direct_reclaims \
	--metric kswapd_wakeups --metric reclaim_efficiency --metric zswap_ratio --metric ksm_merged --metric oom_kills --metric log.hung_tasks --any-exit
for figure in swapping merging reclaim; do
	ok "the figure $figure" "$MMPROF" plot $figure --run last --format svg --out "$scratch"
done
tap_done
