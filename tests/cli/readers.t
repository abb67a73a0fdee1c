#!/usr/bin/env bash
# Reading needs no root and changes nothing: report, list, sql and doctor as an ordinary user, in every format.
set -u
. tests/tap.sh

[[ $EUID == 0 ]] || { echo "1..0 # SKIP needs root to make a database first"; exit 0; }
"$MMPROF" record --quiet --runs 2 -- "$W/pages" 1000
chmod 755 "$scratch"
install -m 755 "$MMPROF" "$scratch/mmprof"
before=$(sha256sum "$MMPROF_DB")
as_nobody() { (cd / && setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"); }

for format in text md csv json; do
	ok "report --format $format" as_nobody "$scratch/mmprof" report --format $format --db "$MMPROF_DB"
	ok "report --format $format says something" test "$(wc -c <"$scratch/out")" -gt 1000
done
as_nobody "$scratch/mmprof" report --json --db "$MMPROF_DB" >"$scratch/json"
ok "report --json is JSON" python3 -m json.tool "$scratch/json"
for what in runs systems samplers probes; do
	ok "list $what" as_nobody "$scratch/mmprof" list $what --db "$MMPROF_DB"
	as_nobody "$scratch/mmprof" list $what --json --db "$MMPROF_DB" >"$scratch/json"
	ok "list $what --json is JSON" python3 -m json.tool "$scratch/json"
done
ok "sql" as_nobody "$scratch/mmprof" sql --db "$MMPROF_DB" 'SELECT name, count(*) FROM probe GROUP BY name'
is "$(sha256sum "$MMPROF_DB")" "$before" "the database is as it was"
is "$(find "$scratch" -name 'run.db-*' | wc -l)" 0 "and nothing lies beside it"
ok "doctor runs without root" sh -c "setpriv --reuid=65534 --regid=65534 --clear-groups -- $scratch/mmprof doctor | grep -q root"
like "$(as_nobody "$scratch/mmprof" doctor --format csv)" 'sudo' "and says what root would be needed for"
for command in record report list sql doctor; do
	ok "$command --help" "$MMPROF" $command --help
done
like "$("$MMPROF" --version)" '^mmprof [0-9]' "--version"
tap_done
