#ifndef MMPROF_BENCH_TIMING_H
#define MMPROF_BENCH_TIMING_H
#include <stdbool.h>
#include <stdint.h>
#include <x86intrin.h>
struct timing {
	bool tsc;
	double hz, hz_error;
	uint64_t overhead;
	bool invariant, synchronised;
	char why[200];
	const char *source;
};
struct timing_mark {
	unsigned cpu;
	long nvcsw, nivcsw;
};
static inline uint64_t timing_begin(void)
{
	_mm_lfence();
	uint64_t t = __rdtsc();
	_mm_lfence();
	return t;
}
static inline uint64_t timing_end(unsigned *cpu)
{
	uint64_t t = __rdtscp(cpu);
	_mm_lfence();
	return t;
}
int timing_init(struct timing *);
double timing_ns(const struct timing *, uint64_t);
struct timing_mark timing_mark(void);
bool timing_disturbed(const struct timing_mark *, const struct timing_mark *);
#endif
