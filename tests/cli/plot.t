#!/usr/bin/env bash
# `mmprof plot`: every figure in every format from a planted database; gnuplot alone draws it again; names from the
# database are text and nothing else; what can't be drawn is said in one line; four pictures look as they did.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/tap.sh

root=$PWD
export TMPDIR=$scratch/tmp # its own, that what another mmprof has there is not taken for a leftover
mkdir "$TMPDIR"
figures=$("$MMPROF" list figures --json | python3 -c 'import json, sys
print(*[r["name"] for r in json.load(sys.stdin)["sections"]["figures"]["rows"]])')
like "$figures" 'bars.*cdf.*cpu.*heatmap.*residency.*tlb' "list figures"
if ! command -v gnuplot >/dev/null; then
	python3 tests/plot/figures.py "$MMPROF_DB" --systems 2 --workloads 1
	refuses 'gnuplot is not installed' "without gnuplot: one line" "$MMPROF" plot bars --out "$scratch"
	skip "the figures" "gnuplot is not installed"
	tap_done
fi

db() { # NAME OPTIONS...: a database to use from now on
	MMPROF_DB=$scratch/$1.db
	shift
	python3 tests/plot/figures.py "$MMPROF_DB" "$@"
}
into() { # NAME: a new directory
	out=$scratch/$1
	mkdir -p "$out"
}

# --- every figure in every format; gnuplot alone draws it again
db planted --missing
for format in svg png pdf; do
	into $format
	# shellcheck disable=SC2086 # a list of words
	ok "all figures: $format" "$MMPROF" plot $figures --out "$out" --format $format
	for f in $figures; do
		mkdir -p "$out/again"
		cp "$out/$f".gp "$out/$f"*.tsv "$out/again"
		(cd "$out/again" && gnuplot "$f.gp" 2>"$scratch/$f.err") || cat "$scratch/$f.err"
		case $format in
		svg) ok "$f.svg again: the same bytes" cmp "$out/$f.svg" "$out/again/$f.svg" ;;
		png) is "$(compare -metric AE "$out/$f.png" "$out/again/$f.png" null: 2>&1)" 0 "$f.png again: the same pixels" ;;
		pdf) ok "$f.pdf is a PDF" grep -qa '^%PDF-1' "$out/again/$f.pdf" ;;
		esac
	done
done
is "$(stat -c %a "$scratch/svg/bars.svg" "$scratch/svg/bars.tsv" "$scratch/svg/bars.gp" "$scratch/svg/bars.txt" | sort -u)" 644 \
	"files are 0644"
is "$(find "$TMPDIR" -mindepth 1 | wc -l)" 0 "nothing is left in /tmp"
is "$(identify -format %w "$scratch/png/bars.png")" 1005 "a PNG of single width: 3.35 inches at 300 dpi"
is "$(python3 -c 'import re, sys, zlib
data = open(sys.argv[1], "rb").read()
for m in re.finditer(rb"stream\r?\n(.*?)endstream", data, re.S):
    try:
        data += zlib.decompress(m[1])
    except zlib.error:
        pass
print(round(float(re.search(rb"MediaBox\s*\[\s*0 0 ([0-9.]+)", data)[1])))' "$scratch/pdf/bars.pdf")" 241 "a PDF of single width: 241 points"

# --- what a figure says
caption=$(cat "$scratch/svg/bars.txt")
like "$caption" 'Runs of each workload: none 6, tpp 3 to 6, memtis 0 to 6' "the caption counts runs"
like "$caption" 'bootstrap' "... names the method of the intervals"
like "$caption" 'CPU Planted CPU @ 2.40GHz; kernel 6.12.1; NUMA nodes 0-1' "... the machine"
like "$caption" 'left out of it: redis' "... what the mean leaves out"
like "$caption" 'warm-up: runs [0-9]+' "... and runs that were left out"
like "$(cat "$scratch/svg/bars.svg")" '<text>no data</text>' "a missing cell is marked"
is "$(awk -F'\t' '$NF == "memtis" && $(NF - 1) == "redis" { print $4, $12 }' "$scratch/svg/bars.tsv")" "NaN 0" \
	"and is no zero in the data"
like "$("$MMPROF" plot bars --out "$out" --exclude 2 --format svg && cat "$out/bars.txt")" 'excluded \(--exclude\): runs 2' \
	"--exclude is in the caption"
"$MMPROF" plot bars --out "$out" --compare tpp --compare memtis --workload bfs --format svg >/dev/null
like "$(cat "$out/bars.svg")" 'elapsed relative to tpp' "--compare: the first is the baseline"
"$MMPROF" plot bars --out "$out" --compare tpp --compare none --metric handle_mm_fault.p99 --format svg >/dev/null
like "$(cat "$out/bars.svg")" 'handle_mm_fault.p99 relative to tpp' "--compare twice; --metric"
"$MMPROF" plot cdf --out "$out" --probe migrate_pages --workload bfs --format svg >/dev/null
like "$(cat "$out/cdf.svg")" 'migrate_pages latency' "--probe"
"$MMPROF" plot cdf --out "$out" --probe 'mmap_lock/read wait' --workload bfs --format svg >/dev/null
like "$(cat "$out/cdf.svg")" 'mmap_lock read wait' "--probe with a part"
"$MMPROF" plot series --out "$out" --series vmstat.pgmigrate_success --run 8 --format svg >/dev/null
like "$(cat "$out/series.svg" "$out/series.txt")" 'Runs: [a-z]+ 1\.' "--series and --run: one run"
for style in slide dark; do
	ok "--style $style" "$MMPROF" plot bars --out "$out" --style $style --format svg
done
like "$(cat "$out/bars.svg")" '#16191d|rgb\( *22, *25, *29' "the dark style is dark"
text=$("$MMPROF" plot bars --format term)
like "$text" 'pagerank.*redis.*geomean' "--format term"
is "$("$MMPROF" plot cdf --format term | LC_ALL=C grep -c $'[\x01-\x08\x0b-\x1f]')" 0 "... is plain text"
"$MMPROF" plot bars --format tikz --out "$out" >/dev/null
like "$(cat "$out/bars.tex")" 'begin\{tikzpicture\}' "--format tikz"

# --- two kinds of a system
db kinds
python3 - "$MMPROF_DB" <<'EOF'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for n, (system, kind) in enumerate([("memtis", "policy re-implementation"), ("tpp", "authors' kernel")]):
    env = 900 + n
    db.execute("INSERT INTO env VALUES (?, ?)", (env, f"digest {n}"))
    db.execute("INSERT INTO env_fact SELECT ?, key, value FROM env_fact WHERE env_id = (SELECT min(env_id) FROM run)", (env,))
    db.execute("INSERT INTO env_fact VALUES (?, 'system.kind', ?)", (env, kind))
    db.execute("UPDATE run SET env_id = ? WHERE system = ?", (env, system))
db.commit()
EOF
into kinds
"$MMPROF" plot bars --out "$out" --format svg >/dev/null
like "$(cat "$out/bars.svg")" '>memtis\*\*<' "a kind is a mark in the picture"
like "$(cat "$out/bars.txt")" "\* authors' kernel.*\*\* policy re-implementation" "and the caption says what it means"
"$MMPROF" plot bars --out "$out" --format svg --compare tpp --compare none >/dev/null
like "$(cat "$out/bars.svg")" 'elapsed relative to tpp\*<' "also the baseline's"

# --- one system, one workload; eight and twenty
db one --systems 1 --workloads 1 --runs 1
into one
like "$("$MMPROF" plot all --out "$out" --format svg)" 'scatter +not drawn: it needs two systems' "all: says what is not drawn and why"
like "$(cat "$out/bars.svg")" 'elapsed \(s\)' "one system: absolute values"
db many --systems 8 --workloads 20 --runs 2 --only elapsed
into many
ok "eight systems, twenty workloads" "$MMPROF" plot bars runs scatter cpu --out "$out" --format png
is "$(identify -format %w "$out/bars.png")" 2100 "are drawn in double width"
refuses 'no run has a latency histogram' "no data: one line" "$MMPROF" plot cdf --out "$out"

# --- hostile names
rm -f /tmp/mmprof-pwned
db hostile --names hostile --systems 8 --workloads 14 --runs 2
for format in svg png pdf tikz; do
	into hostile-$format
	some="bars cdf heatmap cpu"
	[[ $format == svg ]] && some="$some ccdf histogram locks residency runs scatter series tlb"
	# shellcheck disable=SC2086 # a list of words
	ok "hostile names: $format" "$MMPROF" plot $some --out "$out" --format $format
	(cd "$out" && for f in *.gp; do gnuplot "$f" 2>/dev/null || echo "$f fails"; done) >"$scratch/again"
	is "$(cat "$scratch/again")" "" "... and again"
done
ok "they execute nothing" test ! -e /tmp/mmprof-pwned
svg=$(cat "$scratch/hostile-svg/cdf.svg")
for name in "'; system(\"touch" '`touch' '%s%n%d' '{/Symbol a}_b^c' '@x' '"quote"' 'a b c' '&lt;b>&amp;amp;' '$(touch' '>-<' '>[31mred<'; do
	if [[ $svg == *"$name"* ]]; then tap_result 0 "shown as text: $name"; else tap_result 1 "shown as text: $name"; fi
done
is "$(grep -cE '\\input|\\write' "$scratch/hostile-tikz/bars.tex")" 0 "TeX gets no command from a name"
is "$(grep -c $'[\x1b\u202e]' "$scratch/hostile-svg/bars.tsv")" 0 "the data have no control characters"
is "$(awk -F'\t' 'NR > 1 { print NF }' "$scratch/hostile-svg/bars.tsv" | sort -u)" 20 "nor more columns than the header"
db chinese --names chinese --systems 5 --workloads 4 --runs 2
into chinese
"$MMPROF" plot bars --out "$out" --format svg >/dev/null
like "$(cat "$out/bars.svg")" '<text>分层内存</text>' "Chinese names"
db long --names long --systems 4 --workloads 3 --runs 2
into long
"$MMPROF" plot bars --out "$out" --format svg >/dev/null
like "$(cat "$out/bars.svg")" '<text>[a-z0-9-]+…[a-z0-9-]+</text>' "long names are shortened in the figure"
like "$(cat "$out/bars.tsv")" 'tpp-with-a-name-of-sixty-characters-that-goes-on-and-on-01' "and whole in the data"

# --- the user's own template
MMPROF_DB=$scratch/planted.db
into own
cat >"$scratch/mine.gp" <<'GP'
# what: faults and time of each run
# needs: runs
# data rows: sql SELECT id AS run_id, minflt, elapsed_ns / 1e9 AS seconds
#   FROM run
set datafile columnheaders
plot rows using (column("run_id")):(column("seconds")) with points pt 7
GP
is "$("$MMPROF" plot "$scratch/mine.gp" --out "$out" --format svg --workload bfs)" "$out/mine.svg" "a template of one's own"
is "$(wc -l <"$out/mine.tsv")" 16 "its SELECT's rows are those of the selected runs"
refuses 'written over' "it is not written over" "$MMPROF" plot "$scratch/mine.gp" --out "$scratch"
echo 'plot nonsense(' >>"$scratch/mine.gp"
refuses 'mine: gnuplot: .*line' "an error in it is gnuplot's own line" "$MMPROF" plot "$scratch/mine.gp" --out "$out"
printf '# what: x\n# data rows: sql DELETE FROM run\n' >"$scratch/bad.gp"
refuses 'only reading' "its SQL can only read" "$MMPROF" plot "$scratch/bad.gp" --out "$out"

# --- what can't be done
refuses 'no figure "nonsense".*list figures' "an unknown figure" "$MMPROF" plot nonsense
refuses 'plot what\?' "no figure" "$MMPROF" plot
refuses 'pdf, svg, png, tikz, term' "an unknown format" "$MMPROF" plot bars --format gif
refuses 'no run of system "nobody"' "an unknown system" "$MMPROF" plot bars --compare nobody
refuses 'no metric "nonsense"' "an unknown metric" "$MMPROF" plot bars --metric nonsense --out "$out"
refuses 'no selected run has nonsense' "an unknown series" "$MMPROF" plot series --series nonsense --out "$out"
refuses 'no such directory' "a directory that is not there" "$MMPROF" plot bars --out "$scratch/nowhere"
refuses 'gnuplot is not installed' "no gnuplot" env PATH="$scratch" "$MMPROF" plot bars --out "$out"
into link
echo precious >"$scratch/precious"
ln -s "$scratch/precious" "$out/bars.svg"
refuses 'symbolic link' "a symbolic link in the way" "$MMPROF" plot bars --out "$out" --format svg
is "$(cat "$scratch/precious")" precious "is not followed"
if ((EUID != 0)); then
	chmod 555 "$out"
	refuses 'ermission denied' "a directory that can't be written to" "$MMPROF" plot cpu --out "$out"
	chmod 755 "$out"
fi

# --- pictures that look as they did: tests/plot/golden, within 3 % of the lightness of white
MMPROF_DB=$scratch/planted.db
into golden
for f in bars cdf cpu residency; do
	"$MMPROF" plot $f --out "$out" --format png >/dev/null
	convert "$out/$f.png" -resize 500x -colorspace Gray +dither -colors 16 "$out/small-$f.png"
	difference=$(compare -metric RMSE "$out/small-$f.png" "$root/tests/plot/golden/$f.png" null: 2>&1 | grep -oE '\([0-9.e-]+\)' | tr -d '()')
	ok "$f looks as tests/plot/golden/$f.png: ${difference:-no comparison}" awk "BEGIN { exit !(${difference:-1} < 0.03) }"
done
tap_done
