#!/usr/bin/env python3
"""Makes a database with planted effects, from schema.sql: what a comparison must find is known beforehand.

usage: tests/planted.py FILE.db [--runs N] [--seed S] [--probes N] [--samples N] [--systems N] [--workloads N]

Without sizes: the workloads equal, faster, slower, bimodal, drifting, outlying, few, missing under the systems base
and ours, each with what its name says under ours. With --systems or --workloads: that many, all alike, for size.
"""
import argparse
import json
import random
import sqlite3
import uuid


def varint(n):
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def bucket_of(value, sub_bits=4):
    """probes/hist.h: 16 sub-buckets to each power of two."""
    if value < 1 << (sub_bits + 1):
        return value
    shift = value.bit_length() - 1 - sub_bits
    return (shift << sub_bits) + (value >> shift)


def encode(values):
    counts = {}
    for v in values:
        counts[bucket_of(v)] = counts.get(bucket_of(v), 0) + 1
    out, before = b"", 0
    for bucket in sorted(counts):
        out += varint(bucket - before) + varint(counts[bucket])
        before = bucket
    return out


class Db:
    def __init__(self, path, rng):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(open("schema.sql").read())
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.execute("BEGIN")
        self.rng = rng
        self.time = 1_700_000_000_000_000_000

    def env(self, facts):
        digest = "%064x" % self.rng.getrandbits(256)
        self.db.execute("INSERT INTO env (digest) VALUES (?)", (digest,))
        env = self.db.execute("SELECT last_insert_rowid()").fetchone()[0]
        self.db.executemany("INSERT INTO env_fact VALUES (?, ?, ?)", [(env, k, v) for k, v in facts.items()])
        return env

    def run(self, name, system, elapsed, env=None, **more):
        self.time += 10_000_000_000
        row = dict(
            uuid=str(uuid.UUID(int=self.rng.getrandbits(128), version=4)), name=name, system=system,
            argv_json=json.dumps(["./" + name]), iteration=1, warmup=0, status="done", started_unix_ns=self.time,
            interval_ms=100, elapsed_ns=int(elapsed * 1e9), exit_status=0, user_ns=int(elapsed * 7e8),
            system_ns=int(elapsed * 2e8), maxrss_bytes=1 << 28, version="test", env_id=env,
        )
        row.update(more)
        keys = ", ".join(row)
        self.db.execute(f"INSERT INTO run ({keys}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
        return self.db.execute("SELECT last_insert_rowid()").fetchone()[0]

    def latency(self, run, name, values, cls="workload", blob=None):
        self.db.execute(
            "INSERT INTO probe (run_id, name, kind, target, backend, status) VALUES (?, ?, 'func', ?, 'fentry', 'attached')",
            (run, name, name))
        probe = self.db.execute("SELECT last_insert_rowid()").fetchone()[0]
        self.db.execute("INSERT INTO hist VALUES (?, '', ?, ?, ?, ?, ?, ?)",
                        (probe, cls, len(values), sum(values), min(values), max(values), blob or encode(values)))

    def series(self, run, name, unit, counter, points):
        self.db.execute("INSERT INTO series (run_id, name, unit, counter) VALUES (?, ?, ?, ?)", (run, name, unit, counter))
        series = self.db.execute("SELECT last_insert_rowid()").fetchone()[0]
        self.db.executemany("INSERT INTO sample VALUES (?, ?, ?)", [(series, t, v) for t, v in points])

    def close(self):
        self.db.execute("COMMIT")
        self.db.close()


def planted(db, n):
    rng = db.rng
    envs = {"base": db.env({"kernel.release": "6.1", "sysctl.kernel.numa_balancing": "0", "cpu.model": "test"}),
            "ours": db.env({"kernel.release": "6.1", "sysctl.kernel.numa_balancing": "2", "cpu.model": "test"})}
    effects = {
        "equal": lambda i: 10, "faster": lambda i: 9.5, "slower": lambda i: 11, "bimodal": lambda i: 10 if i % 2 else 14,
        "drifting": lambda i: 10 + 0.3 * i, "outlying": lambda i: 20 if i + 1 in (3, 6, 11) else 10,
    }
    for i in range(n):
        for name, effect in effects.items():
            for system in ("base", "ours"):
                elapsed = (effect(i) if system == "ours" else 10) * rng.gauss(1, 0.01)
                run = db.run(name, system, elapsed, envs[system])
                scale = 0.8 if system == "ours" and name == "faster" else 1
                db.latency(run, "handle_mm_fault", [int(rng.lognormvariate(7, 0.5) * scale) for _ in range(500)])
                db.series(run, "vmstat.pgfault", "count", 1, [(0, 1000), (int(elapsed * 1e9), 1500)])
    for i in range(3):
        for system in ("base", "ours"):
            db.run("few", system, 10 if system == "base" else 5, envs[system])
    for i in range(n):
        db.run("missing", "base", 10 * rng.gauss(1, 0.01), envs["base"])
    db.run("equal", "ours", 1, envs["ours"], warmup=1, iteration=0)
    db.run("equal", "ours", 1, envs["ours"], status="crashed", elapsed_ns=None)
    db.run("equal", "ours", 1, envs["ours"], exit_status=3)


def large(db, a):
    rng = db.rng
    envs = [db.env({"kernel.release": "6.1", "knob": str(s)}) for s in range(a.systems)]
    values = {p: [int(rng.lognormvariate(7, 0.5)) for _ in range(300)] for p in range(a.probes)}
    blobs = {p: encode(v) for p, v in values.items()}
    names = ["handle_mm_fault", "change_prot_numa", "flush_tlb_mm_range", "___pte_free_tlb"]
    names += [f"f{p}" for p in range(4, a.probes)]
    for r in range(a.runs):
        s, w = r % a.systems, r // a.systems % a.workloads
        run = db.run(f"workload{w}", f"system{s}", 10 * rng.gauss(1, 0.02) * (1 - 0.02 * s), envs[s])
        for p in range(a.probes):
            db.latency(run, names[p], values[p], blob=blobs[p])
        for k in range(10 if a.samples else 0):
            db.series(run, "cpu.kswapd" if k == 0 else f"vmstat.v{k}", "ns" if k == 0 else "count", 1, [])
    db.db.execute(
        "WITH RECURSIVE t(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM t WHERE i + 1 < ?)"
        " INSERT INTO sample SELECT s.id, i * 100000000, i * 7 FROM series s, t WHERE ? > 0 ORDER BY s.id, i",
        (max(a.samples // (10 * a.runs), 1), a.samples))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("file")
    p.add_argument("--runs", type=int, default=12)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--probes", type=int, default=1)
    p.add_argument("--samples", type=int, default=0)
    p.add_argument("--systems", type=int, default=0)
    p.add_argument("--workloads", type=int, default=1)
    a = p.parse_args()
    db = Db(a.file, random.Random(a.seed))
    if a.systems:
        large(db, a)
    else:
        planted(db, a.runs)
    db.close()


if __name__ == "__main__":
    main()
