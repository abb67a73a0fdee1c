// A latency histogram in user space: the buckets of probes/hist.h with exact count, sum, min and max. Pure
// functions. Zeroed memory is an empty histogram.
#ifndef MMPROF_STATS_HIST_H
#define MMPROF_STATS_HIST_H

#include <stdint.h>

#include "probes/hist.h"

// The most by which a percentile may be off, as a part of the true value: half a bucket. Holds below
// 2^HIST_MAX_BITS ns; above that a percentile is the maximum.
#define HIST_ERROR (1.0 / (2 * HIST_SUB))

struct hist {
	uint64_t count, sum, min, max; // min and max are 0 while count is
	uint64_t buckets[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t value);
void hist_merge(struct hist *to, const struct hist *from);

// The smallest and the largest value that fall into a bucket.
uint64_t hist_bucket_low(unsigned int bucket);
uint64_t hist_bucket_high(unsigned int bucket);

// The p-th percentile, 0 <= p <= 100, by nearest rank: the smallest recorded value that at least p % of the
// recorded values do not exceed, i.e. the one at place ceil(p / 100 * n) of the sorted values (the first for
// p = 0). Known to HIST_ERROR: the middle of that value's bucket, kept within [min, max]; the first and the
// last value are exact. 0 for an empty histogram.
uint64_t hist_percentile(const struct hist *h, double p);

// sum / count, exact; 0 for an empty histogram.
double hist_mean(const struct hist *h);

#endif
