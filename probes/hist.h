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

// floor(log2(v)) of a byte, 0 for 0.
#define HIST_LOG2_4(n) n, n, n, n
#define HIST_LOG2_16(n) HIST_LOG2_4(n), HIST_LOG2_4(n), HIST_LOG2_4(n), HIST_LOG2_4(n)
static const unsigned char hist_log2_byte[256] = {
    0,
    0,
    1,
    1,
    HIST_LOG2_4(2),
    HIST_LOG2_4(3),
    HIST_LOG2_4(3),
    HIST_LOG2_16(4),
    HIST_LOG2_16(5),
    HIST_LOG2_16(5),
    HIST_LOG2_16(6),
    HIST_LOG2_16(6),
    HIST_LOG2_16(6),
    HIST_LOG2_16(6),
    HIST_LOG2_16(7),
    HIST_LOG2_16(7),
    HIST_LOG2_16(7),
    HIST_LOG2_16(7),
    HIST_LOG2_16(7),
    HIST_LOG2_16(7),
    HIST_LOG2_16(7),
    HIST_LOG2_16(7),
};

// floor(log2(v)) for 0 < v < 2^HIST_MAX_BITS: BPF has no instruction that counts leading zeros.
static inline __attribute__((always_inline)) unsigned int hist_log2(unsigned long long v)
{
	unsigned int e = 0;

	if (v >> 24) {
		v >>= 24;
		e = 24;
	}
	if (v >> 16)
		return e + 16 + hist_log2_byte[(v >> 16) & 255];
	if (v >> 8)
		return e + 8 + hist_log2_byte[(v >> 8) & 255];
	return e + hist_log2_byte[v & 255];
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
	return (e - HIST_SUB_BITS + 1) * HIST_SUB +
	       ((unsigned int)(v >> (e - HIST_SUB_BITS)) & (HIST_SUB - 1));
}

#endif
