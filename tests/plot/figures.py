#!/usr/bin/env python3
"""Makes a database that has data for every figure, of any number of systems and workloads.

usage: tests/plot/figures.py FILE.db [--systems N] [--workloads N] [--runs N] [--names plain|hostile|chinese|long]
                             [--only elapsed] [--missing] [--seed S]

Names may be hostile. --missing: the last workload lacks its last system, and one cell has too few runs for an interval.
--only elapsed: neither probes nor series, so that most figures have nothing to show.
"""
import argparse
import fnmatch
import math
import os
import pathlib
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from planted import Db  # noqa: E402

HOSTILE = [
    "'; system(\"touch /tmp/mmprof-pwned\") #", "`touch /tmp/mmprof-pwned`", "%s%n%d", "{/Symbol a}_b^c", "@x", '"quote"',
    "a\nb\tc", "\\input{/etc/passwd}$x$ & 100% \\", "#", "<b>&amp;", "$(touch /tmp/mmprof-pwned)", "-", "\u202eabc", "\x1b[31mred",
    "'", "''", "%", "~/x", "1e9", "NaN",
]
CHINESE = ["基线", "分层内存", "页面迁移", "压缩交换", "内存去重", "页缓存", "非对称", "我们的系统", "图计算", "键值存储", "数据库查询", "稀疏矩阵"]
SYSTEMS = ["none", "tpp", "memtis", "nomad", "ours", "pgcache", "zswap", "ksm"]
WORKLOADS = ["bfs", "pagerank", "redis", "xsbench", "silo", "btree", "liblinear", "gups", "memcached", "rocksdb", "roms", "fotonik",
             "bwaves", "lbm", "mcf", "graph500", "tpch", "llama", "spark", "voltdb"]
FACTS = {"kernel.release": "6.12.1", "cpu.model": "Planted CPU @ 2.40GHz", "numa.nodes": "0-1", "memory_tier4.nodes": "0",
         "memory_tier22.nodes": "1"}


def names(kind, n, plain):
    if kind == "plain":
        return [plain[i] if i < len(plain) else f"{plain[i % len(plain)]}{i}" for i in range(n)]
    if kind == "long":
        return [f"{plain[i % len(plain)]}-with-a-name-of-sixty-characters-that-goes-on-and-on-{i:02}"[:60] for i in range(n)]
    base = HOSTILE if kind == "hostile" else CHINESE
    return [base[i % len(base)] + (str(i) if i >= len(base) else "") for i in range(n)]


def probe(db, run, name, kind, target=None, unit=None):
    db.db.execute("INSERT INTO probe (run_id, name, kind, target, backend, status, sum_unit) VALUES (?, ?, ?, ?, 'raw_tp', 'attached', ?)",
                  (run, name, kind, target or name, unit))
    return db.db.execute("SELECT last_insert_rowid()").fetchone()[0]


def hist(db, probe_id, part, values, cls="workload"):
    from planted import encode
    db.db.execute("INSERT INTO hist VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                  (probe_id, part, cls, len(values), sum(values), min(values), max(values), encode(values)))


def probes(db, run, s, w):
    rng = db.rng
    factor = (1 - 0.08 * s) * (1 + 0.3 * w)
    values = [int(rng.lognormvariate(6.6, 0.45) * factor) for _ in range(700)]
    values += [int(rng.lognormvariate(9.5, 0.6) * factor) for _ in range(80)]
    values += [int(rng.lognormvariate(13, 0.8) * factor) for _ in range(4)]
    hist(db, probe(db, run, "handle_mm_fault", "func"), "", values)
    hist(db, probe(db, run, "migrate_pages", "func"), "", [int(rng.lognormvariate(9, 0.5) / factor) for _ in range(200)])
    tlb = probe(db, run, "tlb_flush_count", "tp", "tlb:tlb_flush", "pages")
    reasons = ["task switch", "remote shootdown", "local shootdown", "local mm shootdown", "remote IPI send"]
    for key, reason in enumerate(reasons):
        n = int([9000, 4000, 2500, 1200, 3000][key] * factor * rng.gauss(1, 0.03))
        db.db.execute("INSERT INTO probe_count VALUES (?, '', 'workload', ?, ?, ?, ?)", (tlb, key, reason, n, n * 3))
        db.db.execute("INSERT INTO probe_count VALUES (?, '', 'other', ?, ?, ?, ?)", (tlb, key, reason, n // 10, n))
    iotlb = probe(db, run, "qi_submit", "tp", "intel_iommu:qi_submit", "count")
    for key, name in enumerate(("iotlb global", "iotlb domain", "iotlb page")):
        db.db.execute("INSERT INTO probe_count VALUES (?, '', 'workload', ?, ?, ?, ?)", (iotlb, key, name, 500 * (key + 1), 500))
    lock = probe(db, run, "mmap_lock", "lock")
    for part, mu in (("read wait", 6), ("write wait", 8), ("read hold", 7), ("write hold", 9)):
        hist(db, lock, part, [int(rng.lognormvariate(mu, 0.8) * factor) for _ in range(150)])


def steps(seconds, hz=10):
    return [int(i * 1e9 / hz) for i in range(int(seconds * hz) + 1)]


def series_of_figures():
    """Every series that a figure of ours names, or a pattern of them."""
    names = set()
    for file in pathlib.Path(__file__).parents[2].glob("plots/*.gp"):
        for line in file.read_text().splitlines():
            if line.startswith("# part:") and "@" not in line:
                names |= set(line.split(" = ")[1].split(" + "))
    return sorted(n for n in names if not n.startswith("cpu."))  # those are above


def series(db, run, s, w, seconds):
    db.planted = set()
    rng = db.rng
    t = steps(seconds)
    gib = 1 << 30
    noise = rng.gauss(1, 0.03)

    def level(name, unit, fn):
        db.planted.add(name)
        db.series(run, name, unit, 0, [(x, int(fn(x / 1e9 / seconds) * rng.gauss(1, 0.01))) for x in t])

    def counter(name, unit, rate):
        db.planted.add(name)
        total, out = 1000, []
        for x in t:
            out.append((x, int(total)))
            total += max(0, rate(x / 1e9 / seconds) * noise * rng.gauss(1, 0.1)) * 0.1
        db.series(run, name, unit, 1, out)

    fast = lambda x: (0.3 + 0.1 * s) * (1 - math.exp(-6 * x)) + 0.15
    total = lambda x: 2.5 * gib * min(1, 4 * x + 0.02)
    level("workload.node0", "bytes", lambda x: total(x) * min(1, fast(x)))
    level("workload.node1", "bytes", lambda x: total(x) * (1 - min(1, fast(x))))
    level("node0.MemUsed", "bytes", lambda x: gib + total(x) * min(1, fast(x)))
    level("node1.MemUsed", "bytes", lambda x: 0.3 * gib + total(x) * (1 - min(1, fast(x))))
    level("pagetables.workload", "bytes", lambda x: 5 * 1024 * 1024 * min(1, 4 * x + 0.02))
    level("pagetables.system.PageTables", "bytes", lambda x: 8 * 1024 * 1024 + 5 * 1024 * 1024 * min(1, 4 * x + 0.02))
    counter("vmstat.pgfault", "count", lambda x: 40000 if x < 0.25 else 900 + 300 * s)
    counter("vmstat.pgpromote_success", "count", lambda x: s * 4000 * math.exp(-5 * x))
    counter("vmstat.pgdemote_kswapd", "count", lambda x: s * 2500 * math.exp(-3 * x))
    counter("vmstat.pgdemote_direct", "count", lambda x: s * 200)
    counter("vmstat.pgmigrate_success", "count", lambda x: s * 6500 * math.exp(-4 * x))
    counter("vmstat.pgmigrate_fail", "count", lambda x: s * 300 * math.exp(-2 * x))
    counter("cpu.kswapd", "ns", lambda x: 2e7 + 3e7 * s)
    counter("cpu.ksampled", "ns", lambda x: 0)
    counter("cpu.kmigraterd", "ns", lambda x: 5e7 * (s == 2))
    counter("cpu.kcompactd", "ns", lambda x: 6e6)
    rng = random.Random(run)  # what is added later leaves what the goldens show as it is
    for k, name in enumerate(n for n in series_of_figures() if not fnmatch.filter(db.planted, n)):
        counter(name.replace("*", "x"), "count", lambda x: (k % 9 + 1) * 300 * math.exp(-3 * x))
    for at, name in ((0.25, "load"), (0.7, "query")):
        db.db.execute("INSERT INTO mark (run_id, t_ns, name) VALUES (?, ?, ?)", (run, int(at * seconds * 1e9), name))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("file")
    p.add_argument("--systems", type=int, default=3)
    p.add_argument("--workloads", type=int, default=3)
    p.add_argument("--runs", type=int, default=6)
    p.add_argument("--names", choices=("plain", "hostile", "chinese", "long"), default="plain")
    p.add_argument("--only", choices=("all", "elapsed"), default="all")
    p.add_argument("--missing", action="store_true")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    db = Db(a.file, random.Random(a.seed))
    env = db.env(FACTS)
    systems, workloads = names(a.names, a.systems, SYSTEMS), names(a.names, a.workloads, WORKLOADS[::-1] if a.names == "long" else WORKLOADS)
    for i in range(a.runs):
        for w, workload in enumerate(workloads):
            for s, system in enumerate(systems):
                if a.missing and s == a.systems - 1 and w == a.workloads - 1:
                    continue
                if a.missing and s == 1 and w == 0 and i >= 3:
                    continue
                seconds = (10 + 7 * (w % 4)) * (1 - 0.05 * s + 0.12 * ((s * 7 + w * 3) % 5 - 2) * (s > 0)) * db.rng.gauss(1, 0.015)
                if s == 1 and i == 2:
                    seconds *= 1.25
                run = db.run(workload, system, seconds, env, iteration=i + 1)
                if a.only == "all":
                    probes(db, run, s, w)
                    series(db, run, s, w, seconds)
    db.run(workloads[0], systems[0], 1, env, warmup=1, iteration=0)
    db.close()


if __name__ == "__main__":
    main()
