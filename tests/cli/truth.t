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
printf '0.5,1,0x1000,4096,7\n' >"$scratch/view"
ok "the same sampler's view again" "$MMPROF" truth view damon "$scratch/view"
is "$(sql "SELECT count(*) FROM page_view WHERE name = 'damon'")" 1 "takes the place of the one before"
printf '0.5,1,0x1000,4096,7\n0.4,1,0x1000,4096,7\n' >"$scratch/view"
refuses 'line 2: its time is before' "times that fall" "$MMPROF" truth view damon "$scratch/view"
printf '0.5,1,0,1099511627776,7\n' >"$scratch/view"
refuses 'line 1: more than 16777216 pages' "a line of a TiB" "$MMPROF" truth view damon "$scratch/view"
printf '0.5,1,0xfffffffffffff000,8192,7\n' >"$scratch/view"
refuses 'line 1 is not' "one that goes round the end of addresses" "$MMPROF" truth view damon "$scratch/view"
is "$(sql "SELECT count(*) FROM page_view WHERE name = 'damon'")" 1 "and the view before is still there"
# what perf script says of sampled addresses: as pid or pid/tid; other processes and samples without an address are not ours
printf '%s\n' ' 77 1700000100.250000:     7f0000001008 ' ' 77/78 1700000100.290000: 7f0000001ff0' ' 76 1700000100.295000: 7f0000002000' \
	' 77 1700000101.500000:    0 ' ' 77 1700000102.310000:     7f0000003000' >"$scratch/perf"
is "$(scripts/lab-view perf 77 <"$scratch/perf" | tr '\n' ' ')" \
	"1700000100.25,77,0x7f0000001000,4096,2 1700000102.35,77,0x7f0000003000,4096,1 " "sampled addresses of perf, by tenths of a second"
refuses 'no line PID TIME: ADDRESS of process 99' "of a process that is not there" sh -c "scripts/lab-view perf 99 <$scratch/perf"
scripts/lab-view perf 77 <"$scratch/perf" >"$scratch/view"
ok "are a sampler's view" "$MMPROF" truth view pebs "$scratch/view"
is "$(sql "SELECT count(*) || ' ' || (max(t_ns) / 1000000) FROM page_view WHERE name = 'pebs'")" "2 1700000102349" "of two moments, in Unix time"
if [[ $EUID == 0 ]] && perf record -q -e page-faults -c 1 -d -o "$scratch/data" -- "$W/pages" 300 >/dev/null 2>&1; then
	perf script -i "$scratch/data" -F pid,time,addr >"$scratch/perf" 2>/dev/null
	read -r pid _ <"$scratch/perf"
	between "$(scripts/lab-view perf "$pid" <"$scratch/perf" | cut -d, -f3 | sort -u | wc -l)" 300 600 \
		"perf's own words of 300 touched pages"
else
	skip "perf's own words" "perf does not record page faults here"
fi
echo '0.5,1,x' >"$scratch/view"
refuses 'line 1 is not' "a line that is none" "$MMPROF" truth view damon "$scratch/view"
refuses "sampler's name" "a name that is none" "$MMPROF" truth view 'a b' "$scratch/view"

# --- what the lab refuses before it starts a guest
refuses 'not --accel kvm' "KVM has no plugin" scripts/lab --truth "$scratch/t" --accel kvm -- true
refuses 'six functions' "more functions than can be counted apart" scripts/lab --count-range a,b,c,d,e,f,g -- true
if [[ $(command -v qemu-system-x86_64 busybox modprobe zstd setpriv dpkg-deb | wc -l) == 6 ]]; then
	mkdir "$scratch/bin"
	printf '#!/bin/sh\necho "QEMU emulator version 9.2.0 (Debian 1:9.2.0)"\n' >"$scratch/bin/qemu-system-x86_64"
	chmod +x "$scratch/bin/qemu-system-x86_64"
	refuses 'need QEMU 7.2.*this is QEMU 9.2' "nor has another QEMU the interface that is known" \
		env PATH="$scratch/bin:$PATH" scripts/lab --truth "$scratch/t" -- true
	echo precious >"$scratch/victim"
	ln -s victim "$scratch/link"
	printf '#!/bin/sh\necho "QEMU emulator version 7.2.0"\n' >"$scratch/bin/qemu-system-x86_64"
	refuses 'no plain file' "a truth file that is a link" env PATH="$scratch/bin:$PATH" scripts/lab --truth "$scratch/link" -- true
	is "$(<"$scratch/victim")" precious "and what it leads to is left alone"
	refuses 'cannot write' "one in a directory that is not there" \
		env PATH="$scratch/bin:$PATH" scripts/lab --truth "$scratch/none/t" -- true
else
	skip "other versions of QEMU, and truth files that are links" "the lab's tools are not installed (scripts/deps --install lab)"
fi

like "$("$MMPROF" report --compare --metric true_fast_share 2>&1)" 'was not imported' "a metric of the truth says what is missing"
tap_done
