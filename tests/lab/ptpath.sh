#!/usr/bin/env bash
# Every way that page-table pages are taken and released in, by level: forks, huge pages that are mapped, forked, unmapped
# and collapsed, against the counts of the functions that do it. TAP on standard output.
set -u
. tests/tap.sh

ways() { # LEVEL DIRECTION [WAY]: of all classes
	sql "SELECT coalesce(sum(c.count), 0) FROM probe p JOIN probe_count c ON c.probe_id = p.id
		WHERE p.run_id = (SELECT max(id) FROM run) AND p.name = 'ptpath' AND c.part LIKE '$1 $2' ${3:+AND c.key_name LIKE '$3'}"
}
calls() { sql "SELECT coalesce(sum(h.count), 0) FROM probe p JOIN hist h ON h.probe_id = p.id
	WHERE p.run_id = (SELECT max(id) FROM run) AND p.name = '$1'"; }
same() { between $(($1 - $2)) -6 6 "$3: $1, $2"; } # other processes run between switching the one and the other on

same_count() { between $(($1 - $2)) -100 100 "$3: $1, $2"; } # each CPU keeps some of the kernel's count to itself

cat >"$scratch/pages.py" <<'PY'
import ctypes, errno, fcntl, mmap, os, struct, sys, time
MB = 1 << 20
libc = ctypes.CDLL(None, use_errno=True)
# a fault on a huge page that userfaultfd(2) takes over gives the page that it was to deposit back
uffd = libc.syscall(323, os.O_CLOEXEC)
fcntl.ioctl(uffd, 0xc018aa3f, bytearray(struct.pack("QQQ", 0xaa, 0, 0)))  # UFFDIO_API
m = mmap.mmap(-1, 20 * MB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m.madvise(14)
start = ctypes.addressof(ctypes.c_char.from_buffer(m)) + 2 * MB - 1 & -2 * MB
fcntl.ioctl(uffd, 0xc020aa00, bytearray(struct.pack("QQQQ", start, 16 * MB, 1, 0)))  # UFFDIO_REGISTER, missing pages
pid = os.fork()
if pid == 0:
    for i in range(8):
        at = struct.unpack_from("Q", os.read(uffd, 32), 16)[0] & -4096
        fcntl.ioctl(uffd, 0xc020aa04, bytearray(struct.pack("QQQQ", at, 4096, 0, 0)))  # UFFDIO_ZEROPAGE
    os._exit(0)
for i in range(0, 16 * MB, 2 * MB): ctypes.c_char.from_address(start + i).value
os.waitpid(pid, 0)
for k in range(4):
    m = mmap.mmap(-1, 32 * MB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    m.madvise(14)  # MADV_HUGEPAGE
    for i in range(0, 32 * MB, MB): m[i] = 1
    pid = os.fork()
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0)
    m.close()
# collapsing: base pages first
m = mmap.mmap(-1, 16 * MB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m.madvise(15)
for i in range(0, 16 * MB, 4096): m[i] = 1
m.madvise(14)
for i in range(100):
    try: m.madvise(25)  # MADV_COLLAPSE
    except OSError as e:  # a page that somebody holds for a moment
        if e.errno not in (errno.EAGAIN, errno.EBUSY): raise
        time.sleep(0.1)
    else: break
m.close()
# 2000 page-table pages at once, to be seen by the kernel's own count
m = mmap.mmap(-1, 4000 * MB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)  # MAP_NORESERVE
m.madvise(15)
for i in range(0, 4000 * MB, 2 * MB): m[i]
time.sleep(float(sys.argv[1]))
m.close()
time.sleep(1.2)
PY
peaks() { # page-table pages at most: by ptpath, by the kernel's count
	"$MMPROF" sql --format csv "WITH r AS (SELECT max(id) id FROM run), s AS (SELECT series.id, name, t_ns, value FROM sample
	JOIN series ON series.id = series_id WHERE run_id = (SELECT id FROM r)), t AS (SELECT DISTINCT t_ns FROM s WHERE name LIKE 'ptpath.%')
	SELECT max((SELECT sum(CASE WHEN p.name LIKE '%.taken' THEN value ELSE -value END) FROM s p WHERE p.name LIKE 'ptpath.%'
		AND p.t_ns = (SELECT max(t_ns) FROM s q WHERE q.id = p.id AND q.t_ns <= t.t_ns))),
	(SELECT max(value) - (SELECT value FROM s f WHERE f.name = 'vmstat.nr_page_table_pages' ORDER BY t_ns LIMIT 1)
		FROM s WHERE name = 'vmstat.nr_page_table_pages') FROM t" | grep -v '^#' | sed -n 2p | tr -d '\r' | tr , ' '
}
record() {
	"$MMPROF" record --quiet --thp madvise --interval 200 --sampling 100 --probe ptpath --probe pte_alloc_one --probe ___pte_free_tlb --probe ___pmd_free_tlb \
		--probe __pmd_alloc --probe zap_huge_pmd --probe copy_huge_pmd --probe do_huge_pmd_anonymous_page -- \
		sh -c "'$W/forks' 50 && python3 '$scratch/pages.py' $1" >"$scratch/out" 2>&1
}
# /proc/vmstat is slow to read in a guest: until a reading of it has seen the peak, which is held so many seconds
for hold in 1.2 10 40; do
	export MMPROF_DB=$scratch/$hold.db
	record $hold || break
	read -r counted kernels < <(peaks)
	((${kernels:-0} > 1900)) && break
done
is "$(sql "SELECT exit_status FROM run")" 0 "forks and huge pages"
"$MMPROF" sql "SELECT part, key_name, sum(count) n FROM probe_count WHERE probe_id = (SELECT id FROM probe WHERE name = 'ptpath') GROUP BY part, key_name" | sed 's/^/# /'
is "$(sql "SELECT status || ' ' || backend FROM probe WHERE name = 'ptpath'")" "attached kprobe" "ptpath attaches"
ok "PTE pages are taken ($(ways pte taken))" test "$(ways pte taken)" -gt 200
same "$(ways pte taken)" "$(calls pte_alloc_one)" "each by pte_alloc_one"
same "$(ways pte released 'unmap, by%')" "$(calls ___pte_free_tlb)" "those that the mmu_gather takes, each by ___pte_free_tlb"
same "$(ways pmd taken populating%)" "$(calls __pmd_alloc)" "PMD pages, each by __pmd_alloc"
same "$(ways pmd released 'unmap, by%')" "$(calls ___pmd_free_tlb)" "and released by ___pmd_free_tlb"
between "$(ways pte taken 'huge-page fault%')" 32 "$(calls do_huge_pmd_anonymous_page)" "huge-page faults take one, which they deposit"
between "$(ways pte taken 'fork of%')" 32 "$(($(calls copy_huge_pmd) + 6))" "forks of huge pages too"
between "$(ways pte released 'unmap of a huge%')" 64 "$(($(calls zap_huge_pmd) + 6))" "unmapping a huge page releases it"
between "$(ways pte released 'huge-page fault%')" 8 "$(calls do_huge_pmd_anonymous_page)" "a huge-page fault that somebody else handles releases it"
between "$(ways % % 'another way')" 0 $(($(ways % %) / 20)) "nearly all ways have a name"
between "$(ways unknown %)" 0 $(($(ways % %) / 50)) "and a level"
between $(($(ways pte released) - $(ways pte taken))) -60 60 "as many are released as are taken, but for what there was at first"
is "$(sql "SELECT coalesce(sum(count), 0) FROM loss WHERE probe_id = (SELECT id FROM probe WHERE name = 'ptpath')")" 0 "nothing is lost"
for part in pte.taken pte.released pmd.taken pmd.released; do
	is "$(sql "SELECT delta FROM v_counter_delta WHERE name = 'ptpath.$part'")" "$(ways "${part%.*}" "${part#*.}")" "ptpath.$part is that over time"
done
ok "page-table pages pile up ($counted)" test "${counted:-0}" -gt 1900
same_count "$counted" "$kernels" "as many as nr_page_table_pages says"
ok "in several steps" test "$(sql "SELECT count(*) FROM sample JOIN series ON series.id = series_id WHERE name = 'ptpath.pte.taken'")" -gt 3
ok "the figure" "$MMPROF" plot ptpath --format svg --out "$scratch"
ok "a way is a metric" "$MMPROF" plot bars --metric 'ptpath/pte released=unmap of a huge page@all.count' --format svg --out "$scratch"
tap_done
