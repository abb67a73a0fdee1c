// Timing by the cycle: serialised reads of the TSC, its frequency with an error bound, and what a read itself
// costs.
//
// The discipline (Intel SDM vol. 2, RDTSC and RDTSCP; Paoloni, "How to benchmark code execution times",
// 2010): lfence before the first rdtsc waits for all that came before, lfence behind it holds back what is
// timed; rdtscp waits for what is timed, lfence behind it holds back what follows. AMD's lfence is
// serialising when MSR C001_1029[1] is set, which Linux does (arch/x86/kernel/cpu/amd.c). Stores may still be
// on their way to memory: what is timed is up to their retirement.
//
// Where the TSC can't be used, CLOCK_MONOTONIC_RAW stands in and a "cycle" is a nanosecond; `why` then says
// the reason.
#ifndef MMPROF_BENCH_TIMING_H
#define MMPROF_BENCH_TIMING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

struct timing {
	bool tsc;          // false: the clock stands in
	double hz;         // cycles a second
	double hz_error;   // its relative error bound
	uint64_t overhead; // cycles that an empty begin/end pair takes: the least of many, so that nothing is
			   // made shorter than it was
	char why[160];     // the clock stands in because...
};

extern bool timing_use_tsc; // set by timing_init()

// A clock in ns. Where the TSC is forbidden the vDSO, which reads it, would be killed: the system call is
// not.
static inline uint64_t timing_clock_of(clockid_t clock)
{
	struct timespec t;

	if (timing_use_tsc)
		clock_gettime(clock, &t);
	else
		syscall(SYS_clock_gettime, clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline uint64_t timing_clock(void)
{
	return timing_clock_of(CLOCK_MONOTONIC_RAW);
}

static inline uint64_t timing_begin(void)
{
#if defined(__x86_64__)
	if (__builtin_expect(timing_use_tsc, true)) {
		uint64_t t;

		_mm_lfence();
		t = __rdtsc();
		_mm_lfence();
		return t;
	}
#endif
	return timing_clock();
}

// *cpu: where it was read (IA32_TSC_AUX, as Linux sets it), 0 when the clock stands in.
static inline uint64_t timing_end(unsigned *cpu)
{
#if defined(__x86_64__)
	if (__builtin_expect(timing_use_tsc, true)) {
		uint64_t t = __rdtscp(cpu);

		_mm_lfence();
		return t;
	}
#endif
	*cpu = 0;
	return timing_clock();
}

// Finds out what this machine has; takes about 60 ms.
void timing_init(struct timing *timing);

// Cycles between a begin and an end → nanoseconds, the pair's own cost taken off; never negative.
double timing_ns(const struct timing *timing, uint64_t cycles);

// The largest difference between two CPUs' TSCs that was seen, in cycles: threads on the first CPU and on
// each other stamp in turn, and a stamp must not be before the one that it answers. -1: not checked (one CPU,
// or the clock stands in).
int64_t timing_skew(const struct timing *timing);

// For what may begin on one CPU and end on another: the clock stands in from now on if their TSCs differ by
// more than `timing` can tell apart, or if the kernel keeps time by something else, as it does when it has
// found that they don't agree.
void timing_across_cpus(struct timing *timing, int64_t skew);

// What may disturb a sample. Take one before and one after, outside of what is timed.
struct timing_mark {
	unsigned cpu;
	long nvcsw, nivcsw; // context switches of this thread
};

struct timing_mark timing_mark(void);
bool timing_disturbed(const struct timing_mark *before, const struct timing_mark *after);

#endif
