// Histogram arithmetic; see hist.h. The same buckets as in BPF: a unit test goes over every border.
#include "stats/hist.h"

#include <math.h>

void hist_add(struct hist *h, uint64_t value)
{
	if (!h->count || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count++;
	h->sum += value;
	h->buckets[hist_bucket(value)]++;
}

void hist_merge(struct hist *to, const struct hist *from)
{
	if (!from->count)
		return;
	if (!to->count || from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	to->count += from->count;
	to->sum += from->sum;
	for (unsigned int b = 0; b < HIST_BUCKETS; b++)
		to->buckets[b] += from->buckets[b];
}

uint64_t hist_bucket_low(unsigned int bucket)
{
	unsigned int octave = bucket / HIST_SUB;

	if (bucket >= HIST_OVERFLOW)
		return 1ull << HIST_MAX_BITS;
	if (octave == 0)
		return bucket;
	return (uint64_t)(HIST_SUB + bucket % HIST_SUB) << (octave - 1);
}

uint64_t hist_bucket_high(unsigned int bucket)
{
	return bucket >= HIST_OVERFLOW ? UINT64_MAX : hist_bucket_low(bucket + 1) - 1;
}

// ceil(p / 100 * total), with the rounding of p and of the product taken off: p99.9 of 1000 values is the
// 999th.
static uint64_t nearest_rank(double p, uint64_t total)
{
	return (uint64_t)ceil(p * (double)total / 100 * (1 - 1e-13));
}

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

uint64_t hist_percentile(const struct hist *h, double p)
{
	uint64_t total = 0, below = 0, rank;

	for (unsigned int b = 0; b < HIST_BUCKETS; b++)
		total += h->buckets[b];
	if (!total)
		return 0;
	rank = p <= 0 ? 1 : p >= 100 ? total : nearest_rank(p, total);
	if (rank <= 1)
		return h->min;
	if (rank >= total)
		return h->max;
	for (unsigned int b = 0; b < HIST_OVERFLOW; b++) {
		below += h->buckets[b];
		if (below >= rank)
			return clamp((hist_bucket_low(b) + hist_bucket_high(b)) / 2, h->min, h->max);
	}
	return h->max;
}

double hist_mean(const struct hist *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0;
}
