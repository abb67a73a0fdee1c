// The truth file: what scripts/lab --truth writes, by the lab's plugin (scripts/plugin/truth.c), and
// base/truth.c reads. Exact counts of the guest's memory accesses by physical page and interval, before and
// behind a model of the last-level cache.
//
// All numbers are little-endian. The file is a header, then records until its end. A record is a type (one
// byte), the length of the rest (varint), and that many bytes; readers skip types that they don't know. A
// varint is LEB128: seven bits a byte, lowest first, high bit set on all but the last, at most ten bytes.
// Times are ns of the host's monotonic clock since the file's start. A file whose last record is not
// TRUTH_END was cut off.
//
//  TRUTH_INTERVAL  varints: vCPU, start, end - start, reads, writes (of all memory, also what belongs to no
//  known
//                  page), fills of each tier, write-backs to each tier, number of pages; then for each page,
//                  by rising page frame number: that less the one before's (the first: itself), reads,
//                  writes, fills by reads, fills by writes. An interval without accesses has no record.
//  TRUTH_SYNC      varints: time, kind (enum labcall_sync), the guest's CLOCK_MONOTONIC, its CLOCK_REALTIME,
//                  page frame number as the plugin sees it, and as the guest says (0: did not say); then text
//  TRUTH_END       varints: time, reads, writes, accesses outside of known memory, checks of the physical
//                  address, checks that failed, host time spent waiting for the tiers in ns, records lost
#ifndef MMPROF_BASE_TRUTH_FORMAT_H
#define MMPROF_BASE_TRUTH_FORMAT_H

#include <stdint.h>

#define TRUTH_MAGIC "mmtruth\n"
#define TRUTH_VERSION 1
#define TRUTH_TIERS 2
#define TRUTH_RANGES 8
#define TRUTH_PAGE_SHIFT 12

enum truth_record { TRUTH_INTERVAL = 'I', TRUTH_SYNC = 'S', TRUTH_END = 'E' };

struct truth_range {
	uint64_t start, bytes; // guest-physical
	uint32_t tier, unused;
};

struct truth_header {
	char magic[8];
	uint32_t version, header_bytes; // header_bytes: where the records begin
	uint32_t page_shift, cpus, tiers, ranges;
	uint64_t interval_ns;
	uint64_t started_unix_ns; // the host's clock at time 0
	uint64_t cache_bytes;     // 0: no cache model, so no fills
	uint32_t cache_ways, cache_line;
	uint64_t latency_ns[TRUTH_TIERS], bytes_per_s[TRUTH_TIERS]; // 0: not charged
	struct truth_range range[TRUTH_RANGES];
};

#endif
