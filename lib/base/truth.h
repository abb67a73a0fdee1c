// Reads a truth file (base/truth_format.h), which may be cut off or hostile: whatever it holds, reading it
// ends in an answer or in one line that says what is wrong where.
#ifndef MMPROF_BASE_TRUTH_H
#define MMPROF_BASE_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/truth_format.h"

struct truth;

struct truth_page {
	uint64_t frame;
	uint64_t reads, writes, read_fills, write_fills;
};

struct truth_event {
	enum truth_record type;
	uint64_t t_ns; // since the file's start: of an interval its begin
	// TRUTH_INTERVAL
	uint64_t cpu, end_ns, reads, writes, fills[TRUTH_TIERS], write_backs[TRUTH_TIERS];
	const struct truth_page *pages; // by rising frame; until the next call
	size_t n_pages;
	// TRUTH_SYNC
	uint64_t kind, clock_ns[2], frame, told_frame;
	char text[64];
	// TRUTH_END, with reads and writes of all
	uint64_t outside, checks, failed, waited_ns, lost;
};

// -errno with an err chain: no such file, no truth file, another version.
int truth_open(const char *path, struct truth **truth);
void truth_free(struct truth *truth);
const struct truth_header *truth_header(const struct truth *truth);

// 1: an event; 0: the end. With an err chain: -ENODATA: the file was cut off in this record; -EBADMSG:
// damaged.
int truth_next(struct truth *truth, struct truth_event *event);
// From the first event again.
void truth_rewind(struct truth *truth);

// The tier of a page frame; -1: of no known range.
int truth_tier(const struct truth *truth, uint64_t frame);

#endif
