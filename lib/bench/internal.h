// What bench.c and measure.c share.
#ifndef MMPROF_BENCH_INTERNAL_H
#define MMPROF_BENCH_INTERNAL_H

#include <glib.h>
#include <signal.h>

#include "bench/bench.h"
#include "host/lab.h"
#include "stats/hist.h"

struct bench_run {
	const struct bench *bench;
	GHashTable *params; // name → value
	GHashTable *hists;  // name → struct hist
	GPtrArray *order;   // names of hists, as they were made
	struct timing timing;
	int fd;
	// of the sample that is being taken
	struct timing_mark before, after;
	struct interrupts *interrupts; // NULL: not asked for, or the kernel does not tell
	bool interrupts_asked;
	uint64_t interrupts_before, interrupts_after;
	bool count, counted; // in the lab with --count: wanted, and done
	struct labcall_counts from, to;
};

#endif
