#!/usr/bin/env bash
# mmprof truth, without a lab: what it refuses. The lab's own tests prove what it counts.
set -u
. tests/tap.sh

refuses 'show FILE' "truth without a verb" "$MMPROF" truth
refuses 'show FILE' "an unknown verb" "$MMPROF" truth frob x
refuses 'No such file' "a file that is not there" "$MMPROF" truth show "$scratch/none"
echo "not one" >"$scratch/text"
refuses 'no truth file' "another file" "$MMPROF" truth show "$scratch/text"
: >"$scratch/empty"
refuses 'no truth file' "an empty file" "$MMPROF" truth pages "$scratch/empty"
ok "a run" "$MMPROF" record --quiet --no-probe all -- true
is "$(sql "SELECT count(*) FROM pagemap")" 0 "outside of the lab no snapshots are taken"
refuses 'no truth file' "import of another file" "$MMPROF" truth import "$scratch/text"
printf '0.5,1,0x1000,4096,7\n0.5,1,0x3000,8192,9\n1.5,1,0x1000,4096,1\n' >"$scratch/view"
ok "a sampler's view" "$MMPROF" truth view damon "$scratch/view"
is "$(sql "SELECT count(*) || ' ' || min(t_ns) FROM page_view WHERE name = 'damon'")" "2 500000000" "is stored by moment"
echo '0.5,1,x' >"$scratch/view"
refuses 'line 1 is not' "a line that is none" "$MMPROF" truth view damon "$scratch/view"
refuses "sampler's name" "a name that is none" "$MMPROF" truth view 'a b' "$scratch/view"
like "$("$MMPROF" report --compare --metric true_fast_share 2>&1)" 'was not imported' "a metric of the truth says what is missing"
tap_done
