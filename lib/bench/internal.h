// What bench.c and measure.c share.
#ifndef MMPROF_BENCH_INTERNAL_H
#define MMPROF_BENCH_INTERNAL_H

#include <glib.h>
#include <signal.h>

#include "bench/bench.h"
#include "bench/timing.h"
#include "stats/hist.h"

struct bench_run {
	const struct bench *bench;
	GHashTable *params; // name → value
	GHashTable *hists;  // name → struct hist
	GPtrArray *order;   // names of hists, as they were made
	struct timing timing;
	int fd;
};

#endif
