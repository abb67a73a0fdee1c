// The histogram's arithmetic, shared by the BPF programs and lib/stats: log-linear buckets, 2^HIST_SUB_BITS
// of them to each power of two. Values below 2^HIST_SUB_BITS have a bucket each. A value is reported as its
// bucket's middle, so its relative error is at most 2^-(HIST_SUB_BITS + 1) = 3.125 %.
#ifndef MMPROF_PROBES_HIST_H
#define MMPROF_PROBES_HIST_H

#define HIST_SUB_BITS 4
#define HIST_SUB (1u << HIST_SUB_BITS)
#define HIST_MAX_BITS 40 // values of 2^40 ns (18 min) and above share the last bucket
#define HIST_OVERFLOW ((HIST_MAX_BITS - HIST_SUB_BITS + 1) * HIST_SUB)
#define HIST_BUCKETS (HIST_OVERFLOW + 1)

// floor(log2(v)) for v > 0, without a count-leading-zeros instruction: BPF has none.
static inline __attribute__((always_inline)) unsigned int hist_log2(unsigned long long v)
{
	unsigned int e = 0;

	if (v >> 32) {
		v >>= 32;
		e = 32;
	}
	if (v >> 16) {
		v >>= 16;
		e += 16;
	}
	if (v >> 8) {
		v >>= 8;
		e += 8;
	}
	if (v >> 4) {
		v >>= 4;
		e += 4;
	}
	if (v >> 2) {
		v >>= 2;
		e += 2;
	}
	return e + (unsigned int)(v >> 1);
}

// The bucket that a value falls into: 0 .. HIST_BUCKETS - 1.
static inline __attribute__((always_inline)) unsigned int hist_bucket(unsigned long long v)
{
	unsigned int e;

	if (v < HIST_SUB)
		return (unsigned int)v;
	if (v >> HIST_MAX_BITS)
		return HIST_OVERFLOW;
	e = hist_log2(v);
	return (e - HIST_SUB_BITS + 1) * HIST_SUB + ((unsigned int)(v >> (e - HIST_SUB_BITS)) & (HIST_SUB - 1));
}

#endif
