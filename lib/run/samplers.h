// The samplers of a run: reads each when it is due, puts what they say into the store. A sampler whose
// reading is slow is read less often, so that sampling never takes more than a small share of one CPU.
#ifndef MMPROF_RUN_SAMPLERS_H
#define MMPROF_RUN_SAMPLERS_H

#include <stdbool.h>
#include <stdint.h>

#include "sampler/sampler.h"

struct samplers;
struct store;

// All together take at most about target->percent of one CPU, by resting longer. `target` must outlive them.
struct samplers *samplers_open(struct store *store, int64_t run, const struct sample_target *target,
			       int interval_ms);

// Reads those that are due at t_ns (all of them when `all`; `last` when the workload has ended). 0 or the
// store's error.
int samplers_read(struct samplers *samplers, int64_t t_ns, bool all, bool last);

// How long a sampler rests, in ns of time, after a reading that took cost_ns of CPU time and one before that
// took before_ns: as long as the cheaper of them asks. A single slow one (its pages were swapped out, another
// guest ran on the CPU) would leave a hole of many seconds in the series.
int64_t samplers_pause_ns(int64_t cost_ns, int64_t before_ns, double percent);

// Stores how often each was read, how long that took, and the longest time without a reading; closes them.
int samplers_close(struct samplers *samplers);

#endif
