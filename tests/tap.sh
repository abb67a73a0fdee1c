# shellcheck shell=bash
# TAP for the shell tests: `. tests/tap.sh`, then ok/is/like/between/within/soon/skip, and tap_done at the end.

tap_n=0 tap_failed=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/mmprof-test.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
MMPROF=${MMPROF:-$PWD/${BUILD:-build}/mmprof}
export W=$PWD/${BUILD:-build}/tests/workloads
export MMPROF_DB=$scratch/run.db

tap_result() { # status name
	tap_n=$((tap_n + 1))
	if [[ $1 == 0 ]]; then
		echo "ok $tap_n - $2"
	else
		echo "not ok $tap_n - $2"
		tap_failed=$((tap_failed + 1))
	fi
}
diag() { printf '# %s\n' "${*//$'\n'/$'\n'# }"; }

ok() { # name COMMAND...
	local name=$1 status=0
	shift
	"$@" >"$scratch/out" 2>"$scratch/err" || status=$?
	tap_result "$status" "$name"
	((status == 0)) || diag "exit $status: $*"$'\n'"$(tail -q -n 5 "$scratch/out" "$scratch/err" 2>&1)"
	return "$status"
}

is() { # got wanted name
	[[ $1 == "$2" ]]
	local status=$?
	tap_result $status "$3"
	((status == 0)) || diag "got '$1', wanted '$2'"
	return $status
}

between() { # got low high name
	local status=1
	[[ $1 =~ ^-?[0-9]+$ ]] && (($1 >= $2 && $1 <= $3)) && status=0
	tap_result $status "$4"
	((status == 0)) || diag "got '$1', wanted $2 to $3"
	return $status
}

like() { # got regex name
	[[ $1 =~ $2 ]]
	local status=$?
	tap_result $status "$3"
	((status == 0)) || diag "got '$1', wanted a match of '$2'"
	return $status
}

within() { # SECONDS COMMAND...: until it succeeds, so long at most
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || {
			"$@" # once more: it may have been asked long ago
			return
		}
		sleep 0.1
	done
}
soon() { within 60 "$@"; }

skip() { # name why
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

# Bad input: exit status 2, exactly one line on stderr that matches, nothing on stdout.
refuses() { # regex name COMMAND...
	local regex=$1 name=$2 status=0 lines
	shift 2
	"$@" >"$scratch/out" 2>"$scratch/err" || status=$?
	lines=$(wc -l <"$scratch/err")
	if [[ $status == 2 && $lines == 1 && ! -s $scratch/out ]] && grep -qE -- "$regex" "$scratch/err"; then
		tap_result 0 "$name"
	else
		tap_result 1 "$name"
		diag "exit $status, $lines lines: $(cat "$scratch/err") $(head -3 "$scratch/out")"
	fi
}

# The first row from the database that $MMPROF_DB names. Taken apart here, as a guest starts a process in a tenth of a second.
sql() {
	local line row='' n=0
	while IFS= read -r line; do
		[[ $line == '#'* ]] || ((++n != 2)) || row=$line
	done < <("$MMPROF" sql --format csv "$1")
	row=${row//[$'\r"']/}
	[[ -z $row ]] || printf '%s\n' "$row"
}

tap_done() {
	echo "1..$tap_n"
	exit $((tap_failed > 0))
}

# Of the guest's kernel, apart from what it says at boot.
kernel_log_clean() {
	! dmesg | grep -vE 'not a bug|report a bug|Hardware name|ommand line|stall warnings' |
		grep -A 30 -E 'BUG|WARNING|Bad page|Oops|rcu.*(stall|self-detected)|blocked for more|Call Trace|bad-state|nonzero|Corrupt|Poison'
}
