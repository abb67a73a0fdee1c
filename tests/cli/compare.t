#!/usr/bin/env bash
# `mmprof report --compare`: a database with planted effects is called what it is; what differs, what is missing and
# what was left out is said; every format can be read by what it is for.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

python3 tests/planted.py "$MMPROF_DB" --runs 12
cell() { # METRIC WORKLOAD KEY: of `ours`, from the comparison's JSON
	python3 - "$scratch/c.json" "$@" <<'PY'
import json, sys
doc = json.load(open(sys.argv[1]))
rows = doc["sections"]["cells." + sys.argv[2]]["rows"]
row = next(r for r in rows if r["workload"] == sys.argv[3] and r["system"] == "ours")
print(row.get(sys.argv[4]))
PY
}
ok "the comparison in JSON" sh -c "$MMPROF report --compare base ours --json >$scratch/c.json"
is "$(cell elapsed equal verdict)" "no evidence" "equal systems: no evidence"
is "$(cell elapsed faster verdict)" faster "5 % less is faster"
is "$(cell elapsed slower verdict)" slower "10 % more is slower"
is "$(cell elapsed few verdict)" "too few runs" "three runs against three: too few, however large the difference"
is "$(cell elapsed missing verdict)" "no data" "no runs: no data"
like "$(cell elapsed bimodal unsteady)" 'two modes' "two modes are named"
like "$(cell elapsed drifting unsteady)" 'drifts up' "drift is named"
outlying=$(sql "SELECT group_concat(id, ', ') FROM run WHERE name = 'outlying' AND system = 'ours' AND elapsed_ns > 15e9")
like "$(cell elapsed outlying unsteady)" "outlying: run $outlying" "outlying runs are named by their numbers"
is "$(cell elapsed equal unsteady)" None "and a steady series is called nothing"
is "$(cell elapsed outlying n)" 12 "outliers are not left out"

low=$(cell elapsed faster change_low) high=$(cell elapsed faster change_high)
ok "the interval of the change holds the planted -5 %" awk "BEGIN { exit !($low < -0.05 + 0.008 && $high > -0.05 - 0.008 && $low < $high) }"
ok "the interval of equal systems holds 0" awk "BEGIN { exit !($(cell elapsed equal change_low) <= 0 && $(cell elapsed equal change_high) >= 0) }"
ok "p is corrected for the number of tests" awk "BEGIN { exit !($(cell elapsed faster p_adjusted) > $(cell elapsed faster p)) }"

text=$("$MMPROF" report --compare base ours)
like "$text" 'sysctl.kernel.numa_balancing +0 +2' "the knob that differs is shown"
like "$text" 'Left out, warm-up: 1 run' "warm-ups are left out, and that is said"
like "$text" 'Left out, crashed: 1 run' "crashed runs too"
like "$text" 'exit status 3: 1 run' "failed workloads too"
like "$text" 'The geometric mean is over .*left out: missing' "the geometric mean names what it leaves out"
like "$("$MMPROF" report --compare base ours --any-exit)" 'runs compared +163' "--any-exit keeps failed workloads"
like "$("$MMPROF" report --compare base ours --exclude 2)" 'Left out, excluded \(--exclude\): 1 run \(2\)' "--exclude is shown"
is "$("$MMPROF" report --compare base ours --json | sha256sum)" "$("$MMPROF" report --compare base ours --json | sha256sum)" \
	"the same database gives the same report"
like "$("$MMPROF" report --compare --baseline ours base ours)" 'baseline +ours' "--baseline"
like "$("$MMPROF" report --compare)" 'systems +base, ours' "without names: all systems"
like "$("$MMPROF" report --compare base ours --correct none)" 'corrected for 7 tests: by no method' "--correct none"
like "$("$MMPROF" report --compare base ours --correct bh)" 'Benjamini' "--correct bh"

# --- metrics
for m in cpu maxrss handle_mm_fault.p99 handle_mm_fault.mean handle_mm_fault@all.count vmstat.pgfault vmstat.pgfault.rate; do
	ok "--metric $m" "$MMPROF" report --compare base ours --metric "$m"
done
"$MMPROF" report --compare base ours --metric handle_mm_fault.mean --json >"$scratch/c.json"
is "$(cell handle_mm_fault.mean faster verdict)" faster "a planted difference of a probe's mean is found"
is "$(cell handle_mm_fault.mean equal verdict)" "no evidence" "and none where there is none"
"$MMPROF" report --compare base ours --metric vmstat.pgfault --json >"$scratch/c.json"
is "$(cell vmstat.pgfault equal median)" 500.0 "a counter's metric is how far it went"
mean=$(sql "SELECT avg(1.0 * h.sum_ns / h.count) FROM hist h JOIN probe p ON p.id = h.probe_id JOIN run r ON r.id = p.run_id
	WHERE r.name = 'equal' AND r.system = 'ours'")
"$MMPROF" report --compare base ours --metric handle_mm_fault.mean --json >"$scratch/c.json"
ok "and a probe's mean is that of its histogram" awk "BEGIN { d = $(cell handle_mm_fault.mean equal median_ns) / $mean; exit !(d > 0.95 && d < 1.05) }"

# --- formats
ok "CSV" sh -c "$MMPROF report --compare base ours --format csv >$scratch/c.csv"
ok "CSV has raw numbers" grep -qE '^faster,ours,12,9[0-9]{9}' "$scratch/c.csv"
ok "LaTeX" sh -c "$MMPROF report --compare base ours --format latex >$scratch/c.tex"
ok "LaTeX is booktabs and siunitx" grep -q '\\toprule' "$scratch/c.tex"
is "$(grep -c '\\begin{table}' "$scratch/c.tex")" "$(grep -c '\\end{table}' "$scratch/c.tex")" "LaTeX tables end"
ok "Markdown" "$MMPROF" report --compare base ours --format md
ok "HTML" sh -c "$MMPROF report --compare base ours --format html >$scratch/c.html"
ok "HTML is well-formed" python3 - "$scratch/c.html" <<'PY'
import html.parser, sys
class P(html.parser.HTMLParser):
    void = {"meta", "img"}
    def __init__(self): super().__init__(); self.open = []
    def handle_starttag(self, tag, attrs):
        if tag not in self.void: self.open.append(tag)
    def handle_endtag(self, tag): assert self.open.pop() == tag, tag
p = P(); p.feed(open(sys.argv[1]).read()); assert not p.open
PY

# --- bounds
status() { "$MMPROF" report --compare base ours "$@" >/dev/null 2>"$scratch/err" && echo 0 || echo $?; }
is "$(status --fail-if 'elapsed:ours>base*1.05' -w equal)" 0 "a bound that is kept"
is "$(status --fail-if 'elapsed:ours>base*1.05' -w slower)" 1 "a bound that is broken with evidence: exit 1"
like "$(<"$scratch/err")" 'broken' "and that is said"
is "$(status --fail-if 'elapsed:ours>base*1.15' -w slower)" 0 "10 % slower does not break a bound of 15 %"
is "$(status --fail-if 'elapsed:ours<base*0.6' -w few)" 0 "with too few runs nothing is broken"
like "$(<"$scratch/err")" 'too few runs' "but that is said"
is "$(status --fail-if 'elapsed:ours>10.5s' -w slower)" 1 "a bound may be a number with a unit"
is "$(status --fail-if 'elapsed:ours>12s' -w slower)" 0 "that is kept"
is "$(status --fail-if 'elapsed:ours>base' -w missing)" 2 "a bound that can't be judged: exit 2"

# --- hostile names come out as text
sqlite3 "$MMPROF_DB" "UPDATE run SET name = '<script>alert(1)</script> \\input{/etc/passwd} | \$(id)' WHERE name = 'equal'"
"$MMPROF" report --compare base ours --format html >"$scratch/c.html"
ok "HTML escapes names" sh -c "! grep -q '<script>' $scratch/c.html && grep -q 'lt;script' $scratch/c.html"
"$MMPROF" report --compare base ours --format latex >"$scratch/c.tex"
ok "LaTeX escapes names" sh -c "! grep -q '\\\\input{' $scratch/c.tex && grep -q 'textbackslash' $scratch/c.tex"

# --- bad input
refuses 'no run of system "nobody"' "an unknown system" "$MMPROF" report --compare base nobody
refuses 'no run of workload' "an unknown workload" "$MMPROF" report --compare base ours -w nothing
refuses 'no metric "nonsense"' "an unknown metric" "$MMPROF" report --compare base ours -m nonsense
refuses 'no metric "handle_mm_fault.sum"|has no "sum"' "a statistic that a probe has not" "$MMPROF" report --compare -m handle_mm_fault.sum
refuses 'needs --compare' "--metric without --compare" "$MMPROF" report --metric elapsed
refuses 'the form is METRIC' "a malformed bound" "$MMPROF" report --compare --fail-if 'elapsed>5'
refuses 'holm, bh or none' "an unknown correction" "$MMPROF" report --compare --correct bonferroni
refuses 'no run of experiment' "an unknown experiment" "$MMPROF" report --compare --experiment x
refuses 'not one of the systems' "a baseline that is not compared" "$MMPROF" report --compare ours --baseline base
ok "list metrics" sh -c "$MMPROF list metrics --format csv | grep -q '^handle_mm_fault.p99,ns,less'"

# --- what a workload prints
rm -f "$MMPROF_DB"
record() { "$MMPROF" record --quiet --no-probe all "$@"; }
ok "--extract and --mark" record --extract 'rate:ops/s+=^rate ([0-9.]+)' --extract 'never=nothing (.*)' --extract 'word=^(rate)' \
	--extract 'many=^many (.*)' --extract 'unit=^unit (.*)' --extract 'crlf=^crlf (.*)' \
	--mark '^phase (.*)' -- sh -c 'printf "many 12,345\\nunit 1.5M\\ncrlf 7\\r\\n"; echo phase one; sleep 0.2; echo phase two >&2; echo rate 5; echo rate 12.5'
is "$(sql "SELECT value || unit || better FROM metric WHERE name = 'rate'")" 12.5ops/smore "the last match counts, with unit and direction"
is "$(sql "SELECT group_concat(name) FROM (SELECT name FROM mark ORDER BY t_ns)")" one,two "marks of both streams, in order"
ok "a mark has its time" test "$(sql "SELECT t_ns FROM mark WHERE name = 'two'")" -gt 190000000
like "$(sql "SELECT why FROM not_measured WHERE what = 'extract.never'")" 'no line' "what never came is not measured"
like "$(sql "SELECT why FROM not_measured WHERE what = 'extract.word'")" 'not a number' "what is no number neither"
is "$(sql "SELECT group_concat(what || ' ' || why, '; ') FROM not_measured WHERE what IN ('extract.many', 'extract.unit')")" \
	'extract.many 12,345 is not a number; extract.unit 1.5M is not a number' "nor what only begins as one"
is "$(sql "SELECT value FROM metric WHERE name = 'crlf'")" 7 "a line may end in CR LF"
is "$(record --extract 'a=(.*)' -- sh -c 'echo out; echo err >&2' 2>/dev/null)" out "the output is passed on"
is "$(record --extract 'a=(.*)' -- sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err "standard error too"
is "$(record --extract 'a=(.*)' -- sh -c 'head -c 3000000 /dev/zero | tr "\0" x; echo' | wc -c)" 3000001 "all of it, a line of 3 MB too"
ok "a metric of the workload's" "$MMPROF" report --compare --metric extract.rate
record --name other -- true
record --name other --system b -- true
record --name rated --system b --extract 'rate=(.*)' -- echo 1
record --name rated --system none --extract 'rate=(.*)' -- echo 1
"$MMPROF" report --compare none b --metric extract.rate >"$scratch/rate"
[[ $(sed -n '/^extract.rate/,/^Where/p' "$scratch/rate") != *$'\n  other  '* ]]
is $? 0 "a workload that never gives it has no row"
like "$(<"$scratch/rate")" 'Not measured: other under' "but a note"
refuses 'is no regular expression' "a bad regular expression" "$MMPROF" record --extract 'a=(' -- true
refuses 'the form is NAME' "an --extract without =" "$MMPROF" record --extract 'a' -- true
tap_done
