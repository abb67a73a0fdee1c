#!/usr/bin/env bash
# Bad input and impossible things: one clear line, exit status 2, nothing damaged. Needs root for most.
set -u
. tests/tap.sh

[[ $EUID == 0 ]] || { echo "1..0 # SKIP needs root"; exit 0; }
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }
chmod 755 "$scratch"
install -m 755 "$MMPROF" "$scratch/mmprof" # nobody may not reach the build directory

refuses 'root' "unprivileged record" as_nobody "$scratch/mmprof" record --db "$scratch/no.db" -- true
refuses 'unknown probe "nosuch' "unknown probe" "$MMPROF" record --probe nosuchprobe -- true
refuses 'no function .*matches' "a glob that matches nothing" "$MMPROF" record --probe 'nosuch_*' -- true
refuses 'unknown backend' "unknown backend" "$MMPROF" record --backend magic -- true
refuses 'unknown backend' "unknown backend of a probe" "$MMPROF" record --probe handle_mm_fault@magic -- true
refuses 'system:event' "malformed tracepoint" "$MMPROF" record --probe tracepoint:tlb -- true
refuses '--nosuch' "unknown option" "$MMPROF" record --nosuch -- true
refuses 'no workload' "no workload" "$MMPROF" record
refuses 'not found' "a workload that isn't there" "$MMPROF" record -- /nonexistent/program
refuses 'not an executable' "a workload that can't be executed" "$MMPROF" record -- /etc/passwd
refuses 'KEY=VALUE' "a malformed tag" "$MMPROF" record --tag nonsense -- true
refuses 'runs' "--runs 0" "$MMPROF" record --runs 0 -- true
refuses 'interval' "--interval 1" "$MMPROF" record --interval 1 -- true
refuses 'no user' "--user nobodyknows" "$MMPROF" record --user nobodyknows -- true
refuses 'CPUs' "--cpus 9999" "$MMPROF" record --cpus 9999 -- true
refuses 'NUMA nodes' "--membind 99" "$MMPROF" record --membind 99 -- true
refuses 'unknown command' "unknown subcommand" "$MMPROF" frobnicate
ok "none of them made a run or a database" test ! -e "$MMPROF_DB"

# --- databases
ro=$scratch/ro
mkdir "$ro"
mount -t tmpfs -o ro tmpfs "$ro"
refuses 'Read-only|writ' "a read-only directory" "$MMPROF" record --db "$ro/x.db" -- true
umount "$ro"
refuses 'directory' "a directory that isn't there" "$MMPROF" record --db "$scratch/none/x.db" -- true
mount -t tmpfs -o size=256k tmpfs "$ro"
refuses 'space|full' "a full disk" "$MMPROF" record --db "$ro/x.db" -- sleep 1
umount "$ro"
head -c 8192 /dev/urandom >"$scratch/noise.db"
cp "$scratch/noise.db" "$scratch/noise.copy"
refuses 'not a(n mmprof)? database|database' "a file that is no database" "$MMPROF" record --db "$scratch/noise.db" -- true
ok "is not touched" cmp "$scratch/noise.db" "$scratch/noise.copy"
sqlite3 "$scratch/foreign.db" 'CREATE TABLE precious (x); INSERT INTO precious VALUES (1)'
cp "$scratch/foreign.db" "$scratch/foreign.copy"
refuses 'another|not' "another program's database" "$MMPROF" record --db "$scratch/foreign.db" -- true
ok "is not touched" cmp "$scratch/foreign.db" "$scratch/foreign.copy"
"$MMPROF" record --quiet --no-probe all --db "$scratch/new.db" -- true
sqlite3 "$scratch/new.db" 'PRAGMA user_version = 99'
refuses 'newer' "a database from a newer schema: record" "$MMPROF" record --db "$scratch/new.db" -- true
refuses 'newer' "a database from a newer schema: report" "$MMPROF" report --db "$scratch/new.db"
"$MMPROF" record --quiet --no-probe all --db "$scratch/hurt.db" -- true
python3 - "$scratch/hurt.db" <<'PY'
import sys
with open(sys.argv[1], 'r+b') as f:
    f.seek(4096)
    f.write(b'\xff' * 40000)
PY
refuses 'damaged|corrupt|malformed' "a corrupt database" "$MMPROF" report --db "$scratch/hurt.db"
ln -s "$scratch/target.db" "$scratch/link.db"
refuses 'link' "a symbolic link is not followed" "$MMPROF" record --db "$scratch/link.db" -- true
ok "and its target not made" test ! -e "$scratch/target.db"
refuses 'no|No' "report without a database" "$MMPROF" report --db "$scratch/absent.db"
refuses '.' "report of a run that isn't there" "$MMPROF" report --db "$scratch/foreign.copy" 12
umask 0
"$MMPROF" record --quiet --no-probe all --db "$scratch/mode.db" -- true
is "$(stat -c %a "$scratch/mode.db")" 644 "a database is 0644 whatever the umask"
SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody "$MMPROF" record --quiet --no-probe all --db "$scratch/mine.db" -- true
is "$(stat -c %u "$scratch/mine.db")" 65534 "and belongs to who called sudo"

# --- mmprof sql is read-only
export MMPROF_DB=$scratch/mode.db
for statement in 'DELETE FROM run' 'DROP TABLE run' "ATTACH '/etc/passwd' AS x" 'PRAGMA user_version = 5' 'SELEC' ''; do
	refuses '.' "sql refuses: $statement" "$MMPROF" sql "$statement"
done
is "$(sql 'SELECT count(*) FROM run')" 1 "nothing was changed"

# --- hostile names
"$MMPROF" record --quiet --no-probe all --name $'\e[31mred\n,"x' -- true
ok "escape sequences do not reach the terminal" sh -c "! '$MMPROF' report | grep -q \$(printf '\\033')"
last=$(sql 'SELECT max(id) FROM run')
refuses '\\x1b\[31mred' "nor in a message" "$MMPROF" rm "$last" <"/dev/null"
ok "which is all harmless" sh -c "! grep -q \$(printf '\033') '$scratch/err'"
"$MMPROF" record --quiet --no-probe all --name $'\xc2\x9b31m' -- true
ok "JSON lines are ASCII" sh -c "! '$MMPROF' export --samples last | LC_ALL=C grep -q '[^ -~]'"
ok "JSON stays JSON" sh -c "'$MMPROF' report --json | python3 -m json.tool"
tap_done
