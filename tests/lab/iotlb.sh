#!/usr/bin/env bash
# Flushes of the I/O TLB in a guest with an IOMMU that a disk is behind: their number, kind and time in strict and in lazy
# mode. TAP on standard output.
set -u
. tests/tap.sh

disk=/dev/vda
group=$(readlink -f /sys/block/vda/device/../iommu_group)
address=$(basename "$(readlink -f /sys/block/vda/device/..)") driver=$(readlink -f /sys/block/vda/device/../driver)
mode() { cat "$group/type"; }
count() { # PROBE [KEY]: events of the last run, all classes
	sql "SELECT coalesce(sum(c.count), 0) FROM probe p JOIN probe_count c ON c.probe_id = p.id
		WHERE p.run_id = (SELECT max(id) FROM run) AND p.name = '$1' ${2:+AND c.key_name = '$2'}"
}
calls() { # PROBE: of a function
	sql "SELECT coalesce(sum(h.count), 0) FROM probe p JOIN hist h ON h.probe_id = p.id
		WHERE p.run_id = (SELECT max(id) FROM run) AND p.name = '$1'"
}
field() { sql "SELECT $1 FROM run ORDER BY id DESC LIMIT 1"; }
traffic() { # SYSTEM: as many mappings as reads
	"$MMPROF" record --quiet --probe iotlb --system "$1" -- dd if=$disk of="$scratch/read" bs=16k count=400 iflag=direct 2>/dev/null
	is "$(field status)" "done" "$1: a disk is read"
	ok "and holds what was written" cmp -n 6553600 "$scratch/read" "$scratch/written"
	maps=$(count iommu_map_event) unmaps=$(count iommu_unmap_event)
	ok "with mappings ($maps) and unmappings ($unmaps)" test "$maps" -ge 400
	between $((maps - unmaps)) -64 64 "nearly as many of the one as of the other"
	is "$(sql "SELECT value FROM env_fact f JOIN run r USING (env_id) WHERE key = 'iommu.group${group##*/}.type' ORDER BY r.id DESC LIMIT 1")" \
		"$2" "the mode is a fact of the run"
}

head -c 6553600 /dev/urandom >"$scratch/written"
dd if="$scratch/written" of=$disk bs=64k oflag=direct 2>/dev/null
before=$(mode)
ok "the disk is behind the IOMMU ($before)" test -n "$before"

# --- at once
traffic iommu,device=vda,type=strict DMA
pages=$(count qi_submit iotlb_page)
between $((pages - unmaps)) -64 $((unmaps / 20 + 64)) "strict: one flush by page ($pages) for each unmapping"
between "$(calls iotlb_sync)" $((pages - 64)) $((pages + 64)) "which iotlb_sync times"
between "$(calls qi_submit_sync)" $((pages - 64)) $((pages + 64)) "and qi_submit_sync"
is "$(calls __iommu_flush_iotlb)" 0 "none by register, as there is a queue"
is "$(count qi_submit iotlb_domain)" 0 "none of the whole domain"
is "$(mode)" "$before" "the mode is put back"

# --- later
traffic iommu,device=vda,type=lazy DMA-FQ
domain=$(count qi_submit iotlb_domain)
elapsed=$(field elapsed_ns)
is "$(count qi_submit iotlb_page)" 0 "lazy: none by page"
between "$domain" $((unmaps / 512)) $((elapsed / 10000000 + unmaps / 128 + 4)) "but of the domain ($domain): every 10 ms, or when the queue is full"
between $((domain - $(calls iotlb_flush_all))) 0 1 "each by iotlb_flush_all, whose last may still be under way at the end"
between "$(calls iotlb_flush_queue)" 1 100000000 "the queue is freed after it"
is "$(mode)" "$before" "the mode is put back"

# --- what can't be
refuses 'strict, lazy or identity' "an unknown type" "$MMPROF" record --system iommu,device=vda,type=x -- true
refuses 'no device vdz' "an unknown device" "$MMPROF" record --system iommu,device=vdz -- true
mkswap $disk >/dev/null && swapon $disk
refuses 'vda can.t lose its driver' "a disk that is in use" "$MMPROF" record --system iommu,device=vda -- true
refuses 'vda can.t lose its driver' "the PCI device that it is on" "$MMPROF" record --system "iommu,device=$address" -- true
swapoff $disk

# --- killed, and the driver was taken off by somebody else: the next start finds that undone and does the rest
"$MMPROF" record --quiet --no-probe all --system "iommu,device=$address,type=lazy" -- sleep 60 &
for _ in {1..200}; do
	[[ $(mode) == DMA-FQ && -e $driver/$address ]] && break
	sleep 0.1
done
is "$(mode)" DMA-FQ "the system of a PCI address"
kill -KILL $!
wait $! 2>/dev/null
pkill -KILL -x sleep
echo "$address" >"$driver/unbind"
said=$("$MMPROF" record --no-probe all -- true 2>&1)
ok "all can be undone" test "${said##*could not undo*}" = "$said"
ok "the driver is back" test -e "$driver/$address"
is "$(mode)" "$before" "and the mode"

# --- the shipped plan, once
sed 's/^runs = .*/runs = 1/; s/^warmup = .*/warmup = 0/; s/count=2000/count=400/; s/limit=2/limit=0.5/' docs/plans/iotlb.ini >"$scratch/plan.ini"
ok "docs/plans/iotlb.ini" "$MMPROF" run --quiet "$scratch/plan.ini"
is "$(sql "SELECT count(*) FROM run WHERE experiment = 'iotlb' AND status = 'done'")" 4 "four runs"
ok "is compared" "$MMPROF" report --experiment iotlb --compare strict lazy --metric cpu --metric qi_submit@all.count \
	--metric qi_submit_sync@all.mean --metric extract.fork --metric extract.shell
"$MMPROF" report --experiment iotlb --compare strict lazy --metric cpu --metric system --metric qi_submit@all.count \
	--metric qi_submit_sync@all.mean --metric extract.fork --metric extract.shell | sed 's/^/# /'
is "$(mode)" "$before" "and the mode is as it was"
tap_done
