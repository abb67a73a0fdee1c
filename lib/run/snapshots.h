// In the lab with --truth: marks the run's begin and end in the truth file, and stores from time to time
// where the workload's pages are, so that the truth can be joined to them. Anywhere else: nothing.
#ifndef MMPROF_RUN_SNAPSHOTS_H
#define MMPROF_RUN_SNAPSHOTS_H

#include <stdint.h>

#include "sampler/sampler.h"

struct snapshots;
struct store;

// NULL: there is no truth file. `clock_ns` gives the time since the workload's start.
struct snapshots *snapshots_open(struct store *store, int64_t run, const struct sample_target *target,
				 int64_t (*clock_ns)(void *ctx), void *ctx);

// Takes one if it is due; 0 or the store's error. NULL is allowed, here and below.
int snapshots_take(struct snapshots *snapshots);

int snapshots_close(struct snapshots *snapshots);

#endif
