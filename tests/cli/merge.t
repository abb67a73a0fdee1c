#!/usr/bin/env bash
# Databases as a whole: merge, export, rm, note, and what an older mmprof wrote.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

a=$scratch/a.db b=$scratch/b.db all=$scratch/all.db
python3 tests/planted.py "$a" --runs 6 --seed 1
python3 tests/planted.py "$b" --runs 6 --seed 2
in_db() { sqlite3 "$1" "$2"; }
rows() { # FILE: rows of every table, so that nothing is lost on the way
	for t in run env_fact probe hist series sample run_tag note metric mark loss; do
		printf '%s=%s ' $t "$(in_db "$1" "SELECT count(*) FROM $t")"
	done
}
in_db "$a" "INSERT INTO note (run_id, unix_ns, text) VALUES (1, 1, 'n'); INSERT INTO run_tag VALUES (1, 'k', 'v');
	INSERT INTO metric VALUES (1, 'm', 1.5, 'u', 'more', 's'); INSERT INTO mark (run_id, t_ns, name) VALUES (1, 5, 'p');
	INSERT INTO loss (run_id, probe_id, kind, count) VALUES (1, 1, 'missed', 2), (1, NULL, 'whole', 3);"
ok "merge into a new database" "$MMPROF" merge "$all" "$a"
is "$(rows "$all")" "$(rows "$a")" "everything is there"
is "$(in_db "$all" "SELECT group_concat(probe_id || kind || count) FROM loss WHERE probe_id IS NOT NULL")" \
	"$(in_db "$all" "SELECT min(id) FROM probe")missed2" "losses are of their probe"
ok "merge again" "$MMPROF" merge "$all" "$a"
is "$(rows "$all")" "$(rows "$a")" "adds nothing"
ok "merge a second" sh -c "$MMPROF merge $all $b --json >$scratch/merge.json"
like "$(<"$scratch/merge.json")" '"added": '"$(in_db "$b" 'SELECT count(*) FROM run')" "all of its runs are new"
is "$(in_db "$all" 'PRAGMA integrity_check; PRAGMA foreign_key_check')" ok "the result is sound"
"$MMPROF" merge "$scratch/one.db" "$b" >/dev/null
is "$("$MMPROF" report --compare base ours --db "$scratch/one.db")" "$("$MMPROF" report --compare base ours --db "$b")" \
	"a merged database reports what its source reports"
in_db "$b" "UPDATE run SET status = 'running' WHERE id = 3"
"$MMPROF" merge "$scratch/two.db" "$b" --json >"$scratch/merge.json"
like "$(<"$scratch/merge.json")" '"running": 1' "a run that has not ended is left out, and that is said"

# --- experiments
for db in "$a" "$b"; do in_db "$db" "UPDATE run SET experiment = 'e', cell = id"; done
in_db "$a" "INSERT INTO experiment VALUES ('e', 'plan one', 1, 9, 1)"
in_db "$b" "INSERT INTO experiment VALUES ('e', 'plan two', 1, 9, 1)"
like "$("$MMPROF" merge "$scratch/e.db" "$a" "$b")" 'another plan has the name "e" here; this one is "e \([0-9a-f]{8}\)"' \
	"an experiment that is renamed is named"
is "$(in_db "$scratch/e.db" "SELECT count(DISTINCT experiment) FROM run")" 2 "another plan of the same name is another experiment"
"$MMPROF" merge "$scratch/e.db" "$b" "$a" >/dev/null
is "$(in_db "$scratch/e.db" "SELECT count(*) FROM experiment")" 2 "and stays that one"

# --- sources that can't be trusted
refuses 'there is no database here' "a source that is not there" "$MMPROF" merge "$all" "$scratch/nothing.db"
echo text >"$scratch/text.db"
refuses 'not a database' "a text file" "$MMPROF" merge "$all" "$scratch/text.db"
refuses 'same file' "into itself" "$MMPROF" merge "$all" "$all"
ln "$all" "$scratch/hard.db"
refuses 'same file' "nor into itself by another name" "$MMPROF" merge "$all" "$scratch/hard.db"
rm "$scratch/hard.db"
in_db "$scratch/schema1.db" ".read tests/unit/schema-1.sql"
refuses 'written by an older mmprof' "a source of an older schema" "$MMPROF" merge "$all" "$scratch/schema1.db"
before=$(rows "$all")
head -c 20000 "$b" >"$scratch/cut.db"
refuses 'damaged' "a source that is cut off" "$MMPROF" merge "$all" "$scratch/cut.db"
cp "$b" "$scratch/bad.db"
in_db "$scratch/bad.db" "UPDATE run SET uuid = uuid || 'x'; PRAGMA ignore_check_constraints = ON; UPDATE hist SET count = -5 WHERE probe_id = (SELECT max(probe_id) FROM hist)"
refuses 'nothing of .*bad.db was merged' "a row that mmprof never writes" "$MMPROF" merge "$all" "$scratch/bad.db"
is "$(rows "$all")" "$before" "and nothing of it came in"
refuses 'only what was named before it' "a good source before a bad one" \
	"$MMPROF" merge "$scratch/good.db" "$a" "$scratch/bad.db"
is "$(rows "$scratch/good.db")" "$(rows "$a")" "is merged"
cp "$b" "$scratch/trigger.db"
in_db "$scratch/trigger.db" "UPDATE run SET uuid = uuid || 'y'; CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM run; END"
"$MMPROF" merge "$scratch/t.db" "$scratch/trigger.db" >/dev/null
is "$(in_db "$scratch/t.db" "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'")" 0 "a source's triggers stay where they are"

# --- export
export MMPROF_DB=$a
ok "JSON lines" sh -c "$MMPROF export >$scratch/x.jsonl"
is "$(wc -l <"$scratch/x.jsonl")" "$(in_db "$a" 'SELECT count(*) FROM run')" "one a run"
ok "each is JSON" python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' "$scratch/x.jsonl"
"$MMPROF" export --samples 1 >"$scratch/x.json"
is "$(python3 -c 'import json, sys; print(sum(len(s) for s in json.load(open(sys.argv[1]))["samples"].values()))' "$scratch/x.json")" \
	"$(in_db "$a" 'SELECT count(*) FROM v_sample WHERE run_id = 1')" "--samples: every sample of the run"
in_db "$a" "INSERT INTO not_measured VALUES (1, 'cpufreq', 'no driver')"
like "$("$MMPROF" export 1)" '"what":"cpufreq","why":"no driver"' "what was not measured has its reason"
in_db "$a" "UPDATE run SET name = 'a,\"b\"' || char(10) || '\\c' WHERE id = 1"
for what in runs latency counts series samples facts metrics; do
	ok "CSV of $what" sh -c "$MMPROF export --format csv --what $what >$scratch/x.csv"
	ok "is CSV" python3 -c 'import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline=""))); assert rows and len({len(r) for r in rows}) == 1' "$scratch/x.csv"
done
"$MMPROF" export --format csv --what latency >"$scratch/x.csv"
is "$(($(python3 -c 'import csv, sys; print(len(list(csv.reader(open(sys.argv[1], newline="")))))' "$scratch/x.csv") - 1))" \
	"$(in_db "$a" 'SELECT count(*) FROM hist')" "a row a histogram"
is "$(python3 -c 'import csv, sys; print(next(csv.DictReader(open(sys.argv[1], newline="")))["p99_ns"])' "$scratch/x.csv")" \
	"$(sql 'SELECT percentile(buckets, min_ns, max_ns, 99) AS p FROM hist ORDER BY probe_id LIMIT 1')" \
	"with percentiles"
in_db "$a" "INSERT INTO probe (id, run_id, name, kind, backend, status) VALUES (9001, 1, 'c', 'tp', 'tp', 'attached'),
	(9002, 1, 'c', 'tp', 'raw_tp', 'attached'); INSERT INTO probe_count VALUES (9001, '', 'other', 1, 'same', 3, NULL),
	(9001, '', 'other', 2, 'same', 4, NULL), (9002, '', 'other', 1, 'same', 5, NULL)"
ok "OpenMetrics" sh -c "$MMPROF export --format openmetrics >$scratch/x.om"
ok "is OpenMetrics: families together, labels escaped, an end" python3 - "$scratch/x.om" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
assert text.endswith("# EOF\n")
seen, now, samples = set(), None, set()
for line in text.splitlines()[:-1]:
    if line.startswith("# TYPE"):
        now = line.split()[2]
        assert now not in seen, now
        seen.add(now)
    elif not line.startswith("#"):
        m = re.fullmatch(r'(\w+)\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*\} \S+', line)
        assert m and m.group(1).startswith(now), line
        sample = line.rsplit(" ", 1)[0]
        assert sample not in samples, line
        samples.add(sample)
assert len(seen) == 4 and sum(s.startswith("mmprof_events_total") for s in samples) == 3
assert r'workload="a,\"b\"\n\\c"' in text
PY
ok "of some runs to a file" "$MMPROF" export --format csv --out "$scratch/out.csv" 1 2
(umask 077 && "$MMPROF" export --format csv --out "$scratch/out.csv" 1 2)
is "$(stat -c %a "$scratch/out.csv")" 644 "which everybody may read"
refuses 'is the database itself' "not over the database" "$MMPROF" export --out "$a"
is "$(in_db "$a" 'PRAGMA quick_check')" ok "which is still there"
before=$(sha256sum "$scratch/out.csv")
in_db "$a" "PRAGMA ignore_check_constraints = ON; UPDATE hist SET buckets = x'0100' WHERE probe_id = 2"
refuses 'a histogram is damaged' "a run that can't be read" "$MMPROF" export --out "$scratch/out.csv" 1 2
is "$(sha256sum "$scratch/out.csv")$(find "$scratch" -name '.out.csv*')" "$before" "leaves the file as it was"
in_db "$a" "DELETE FROM hist WHERE probe_id = 2"
for format in csv jsonl openmetrics; do
	refuses 'No space left' "a full disk: $format" sh -c "$MMPROF export --format $format >/dev/full"
done
ln -s /etc/hostname "$scratch/link.csv"
refuses 'symbolic link' "not through a link" "$MMPROF" export --out "$scratch/link.csv"
refuses 'for --format jsonl' "--samples of CSV" "$MMPROF" export --format csv --samples
refuses 'csv, jsonl or openmetrics' "an unknown format" "$MMPROF" export --format xml
refuses '--what' "an unknown table" "$MMPROF" export --format csv --what nothing

# --- note and rm
ok "a note" "$MMPROF" note 2 "the fan" "was loud"
like "$("$MMPROF" note 2)" 'the fan was loud' "is kept"
ok "words after --" "$MMPROF" note 2 -- a -q --json
like "$("$MMPROF" note 2)" ' a -q --json' "are no options"
refuses 'there is no database' "a note makes no database" "$MMPROF" note --db "$scratch/none.db" 1 x
ok "none at all" test ! -e "$scratch/none.db"
like "$("$MMPROF" report 2)" 'Note of .*: the fan was loud' "and shown by report"
refuses 'no run' "a note on no run" "$MMPROF" note 9999 x
refuses 'which run' "note without a run" "$MMPROF" note
n=$(in_db "$a" 'SELECT count(*) FROM run')
refuses 'run 2 \(equal, ours, done\) would be deleted: say --yes' "rm without a terminal and --yes" "$MMPROF" rm 2 </dev/null
python3 - "$MMPROF" >"$scratch/asked" <<'PY'
import os, pty, sys
answers = iter([b"n\n"])
def read(fd):
    data = os.read(fd, 1024)
    if b"[y/N]" in data:
        os.write(fd, next(answers, b""))
    return data
pty.spawn([sys.argv[1], "rm", "2"], read)
PY
like "$(<"$scratch/asked")" 'Delete run 2 \(equal, ours, done\)\? \[y/N\].*nothing was deleted' "on a terminal it asks"
refuses 'no run in 900-999' "a range of no runs" "$MMPROF" rm --yes 1 900-999
in_db "$a" "UPDATE run SET uuid = '12345678' || substr(uuid, 9) WHERE id = 1"
refuses 'there is no run 1234' "a number is no beginning of a UUID" "$MMPROF" rm --yes 1234
in_db "$a" "UPDATE run SET uuid = '00000003-0004' || substr(uuid, 14) WHERE id = 2"
is "$("$MMPROF" rm --yes 00000003-0004)" "run 2 (equal, ours, done) deleted" "and the beginning of a UUID no range"
is "$(in_db "$a" 'SELECT count(*) FROM run')" $((n - 1)) "nothing else is gone"
is "$("$MMPROF" rm --yes 9 4-5 1 3-4)" "5 runs (1, 3-5, 9) deleted" "rm"
is "$(in_db "$a" 'SELECT count(*) FROM run')" $((n - 6)) "those runs are gone"
is "$(in_db "$a" 'SELECT count(*) FROM hist WHERE probe_id NOT IN (SELECT id FROM probe)')$(in_db "$a" 'PRAGMA foreign_key_check')" 0 \
	"with all that belonged to them"
ok "rm of an experiment" "$MMPROF" rm --yes --experiment e
is "$(in_db "$a" 'SELECT count(*) FROM run')$(in_db "$a" 'SELECT count(*) FROM env')$(in_db "$a" 'SELECT count(*) FROM experiment')" 000 \
	"leaves no facts and no plan that nobody uses"
refuses 'no run of an experiment "e"' "rm of no experiment" "$MMPROF" rm --yes --experiment e
refuses 'no run' "rm of nothing" "$MMPROF" rm --yes 1
refuses 'there is no database' "rm makes no database" "$MMPROF" rm --db "$scratch/none.db" --yes 1
refuses 'there is no database' "nor does truth" "$MMPROF" truth import --db "$scratch/none.db" /dev/null
ok "none at all" test ! -e "$scratch/none.db"

"$MMPROF" record --quiet --no-probe all --db "$scratch/live.db" -- sleep 300 &
begun() { [[ $(sqlite3 -readonly "$scratch/live.db" 'SELECT count(*) FROM run' 2>/dev/null) == 1 ]]; }
soon begun
refuses 'nothing was deleted: run 1 is being recorded' "rm of a run that is being recorded" \
	"$MMPROF" rm --db "$scratch/live.db" --yes 1
like "$("$MMPROF" merge "$scratch/three.db" "$scratch/live.db")" '1 run still running: left out' "nor is it merged"
kill %1
wait

# --- what schema 1 wrote
in_db "$scratch/old.db" ".read tests/unit/schema-1.sql"
in_db "$scratch/old.db" "INSERT INTO run (uuid, name, system, argv_json, iteration, warmup, status, started_unix_ns, interval_ms)
	VALUES ('u', 'w', 's', '[]', 1, 0, 'done', 1, 100); INSERT INTO run_tag VALUES (1, 'k', 'v')"
refuses 'written by an older mmprof \(schema 1\)' "reading it" "$MMPROF" report --db "$scratch/old.db"
ok "writing to it" "$MMPROF" record --quiet --no-probe all --db "$scratch/old.db" -- true
is "$(in_db "$scratch/old.db" 'PRAGMA user_version')$(in_db "$scratch/old.db" 'SELECT value FROM run_tag')" 3v "migrates it and keeps what was there"
ok "and it can be read" "$MMPROF" report --db "$scratch/old.db" 1
in_db "$scratch/half.db" ".read tests/unit/schema-1.sql"
in_db "$scratch/half.db" "CREATE TABLE mark (x)"
"$MMPROF" record --quiet --no-probe all --db "$scratch/half.db" -- true 2>/dev/null
is "$?$(in_db "$scratch/half.db" 'PRAGMA user_version')" 21 "a migration that fails leaves version 1"
is "$(in_db "$scratch/half.db" "SELECT count(*) FROM sqlite_schema WHERE name = 'note'")" 0 "and nothing half done"
tap_done
