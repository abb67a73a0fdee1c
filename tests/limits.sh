# shellcheck shell=bash
# shellcheck disable=SC2154 # $scratch and the rest are tests/tap.sh's
# Benchmarks in cgroups with a limit of processes and of memory, version 1 or 2, whichever has the controller;
# sourced by tests/cli/bench.t and tests/lab/bench.sh. The worker itself is limited: mmprof puts the workload into a
# cgroup of its own.

limit_of() { # CONTROLLER VERSION: the file
	case $1$2 in
	memory1) echo memory.limit_in_bytes ;;
	memory2) echo memory.max ;;
	*) echo pids.max ;;
	esac
}

# In a cgroup with that limit; 125 when there is no such controller.
in_cgroup() { # CONTROLLER VALUE COMMAND...
	local controller=$1 value=$2 version=1 root dir status
	shift 2
	root=$(awk -v c=",$controller," '$3 == "cgroup" && index("," $4 ",", c) { print $2; exit }' /proc/self/mounts)
	if [[ -z $root ]]; then
		version=2 root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
		grep -qsw "$controller" "$root/cgroup.controllers" || return 125
		grep -qw "$controller" "$root/cgroup.subtree_control" || echo "+$controller" >"$root/cgroup.subtree_control" || return 125
	fi
	dir=$root/mmprof-test-$$
	mkdir "$dir" && echo "$value" >"$dir/$(limit_of "$controller" $version)" || return 125
	(echo "$BASHPID" >"$dir/cgroup.procs" && exec "$@")
	status=$?
	for _ in $(seq 50); do
		rmdir "$dir" 2>/dev/null && break
		sleep 0.1
	done
	return $status
}
told() { sed -n "s/^{\"metric\":\"$1\",\"value\":\([0-9]*\).*/\1/p" "$scratch/worker"; }
refused() { awk -F'"count":' '/"fork_failed_/ { n += $2 } END { print n + 0 }' "$scratch/worker"; }

limited_worker() { # CONTROLLER VALUE ARGUMENT...
	in_cgroup "$1" "$2" "$MMPROF" bench-worker "${@:3}" >"$scratch/worker" 2>"$scratch/worker.err"
}

limited_worker pids 64 forkbomb duration=1 period=0.25 procs=128
status=$?
if ((status == 125)); then
	skip "a cgroup's limit of processes" "no cgroup hierarchy here has the controller pids"
else
	is $status 0 "forkbomb in a cgroup with a limit of 64 processes"
	is "$(told due)" 512 "all forks were due"
	is $(($(told forks) + $(refused))) 512 "each was done or refused and counted"
	ok "some were refused" test "$(refused)" -gt 0
	is "$(told reaped)" "$(told forks)" "and each child was reaped"
	like "$(<"$scratch/worker")" 'the limit of processes here is 64 \([^"]*pids.max' "it was said before"
fi

limited_worker pids 64 hotset size=1M threads=100 phase=0.1 phases=1
status=$?
if ((status != 125)); then
	is $status 2 "hotset with more threads than there may be processes ends"
	like "$(<"$scratch/worker.err")" "can't start 100 threads" "and says so"
fi

limited_worker memory 64M forkbomb duration=0.4 period=0.2 procs=16 touch=8M
status=$?
if ((status == 125)); then
	skip "a cgroup's limit of memory" "no cgroup hierarchy here has the controller memory"
else
	is $status 2 "forkbomb in a cgroup of 64 MiB: children that would touch 128 MiB are refused"
	like "$(<"$scratch/worker.err")" 'more than half of the [56][0-9]{7} bytes left of /.*/memory\.' "and that is said, less what is used"
	limited_worker memory 64M forkbomb duration=0.4 period=0.2 procs=16 touch=1M
	is $? 0 "16 MiB are not"
	is "$(told reaped)" 32 "and all children end"
	limited_worker memory 64M hotset size=256M
	is $? 2 "hotset of 256 MiB there is refused"
	like "$(<"$scratch/worker.err")" '268435456 bytes are more than the [56][0-9]{7} left of' "and that is said"
	limited_worker memory 64M fork_cow memory=1G limit=0.05
	like "$(<"$scratch/worker.err")" '2147483648 bytes are more than the [56][0-9]{7} left of' "and a GiB and its copy for fork_cow"
	for refused in 'bw_mem size=48M' 'lat_mem_rd size=128M' 'mremap pages=32768' 'mprotect pages=32768'; do
		# shellcheck disable=SC2086 # a name and a parameter
		limited_worker memory 64M $refused limit=0.05
		is $? 2 "$refused is refused there"
	done
fi
