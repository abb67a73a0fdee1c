#include "bench/timing.h"
#include <sched.h>
#include <sys/resource.h>
#include <time.h>
static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}
int timing_init(struct timing *t)
{
	double a = now();
	unsigned c;
	uint64_t x = timing_begin();
	struct timespec s = {0, 50000000};
	nanosleep(&s, 0);
	uint64_t y = timing_end(&c);
	double b = now();
	*t = (struct timing){.tsc = true, .hz = (y - x) / (b - a) * 1e9, .hz_error = 1e-5, .invariant = true};
	t->overhead = 1000000;
	for (int i = 0; i < 1000; i++) {
		x = timing_begin();
		y = timing_end(&c);
		if (y - x < t->overhead)
			t->overhead = y - x;
	}
	return 0;
}
double timing_ns(const struct timing *t, uint64_t c)
{
	return c < t->overhead ? 0 : (c - t->overhead) / t->hz * 1e9;
}
struct timing_mark timing_mark(void)
{
	struct rusage u;
	getrusage(RUSAGE_THREAD, &u);
	return (struct timing_mark){(unsigned)sched_getcpu(), u.ru_nvcsw, u.ru_nivcsw};
}
bool timing_disturbed(const struct timing_mark *a, const struct timing_mark *b)
{
	return a->cpu != b->cpu || a->nvcsw != b->nvcsw || a->nivcsw != b->nivcsw;
}
