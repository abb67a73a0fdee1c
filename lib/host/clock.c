// How fast the TSC counts: as the CPU says, else as the kernel found at boot, else measured here.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <time.h>

#include "host/internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <x86intrin.h>

// Leaf 0x15: crystal frequency times the ratio. Where the crystal is not given, leaf 0x16 gives only the
// nominal frequency in MHz, which is worse than what the kernel measured.
static uint64_t from_cpuid(void)
{
	unsigned a, b, c, d;

	if (__get_cpuid_count(0x15, 0, &a, &b, &c, &d) && a && b && c)
		return (uint64_t)c * b / a;
	return 0;
}

// "tsc: Refined TSC clocksource calibration: 2445.426 MHz", else "tsc: Detected 2445.449 MHz processor".
static uint64_t from_kernel_log(void)
{
	static const char *const says[] = {"tsc: Refined TSC clocksource calibration: ", "tsc: Detected "};
	enum { READ_ALL = 3, SIZE_BUFFER = 10 };
	int size = klogctl(SIZE_BUFFER, NULL, 0), n;
	g_autofree char *log = NULL;

	if (size <= 0)
		return 0;
	log = g_malloc((gsize)size + 1);
	n = klogctl(READ_ALL, log, size);
	log[MAX(n, 0)] = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(says); i++) {
		const char *at = g_strrstr(log, says[i]);
		double mhz = at ? g_ascii_strtod(at + strlen(says[i]), NULL) : 0;

		if (mhz > 1 && mhz < 1e5)
			return (uint64_t)(mhz * 1e6 + 0.5);
	}
	return 0;
}

// The clock and the TSC at nearly the same moment: of a few tries that which took least.
static uint64_t pair(uint64_t *ns)
{
	uint64_t best = UINT64_MAX, tsc = 0;

	for (int i = 0; i < 8; i++) {
		struct timespec t;
		uint64_t before = __rdtsc(), after;

		clock_gettime(CLOCK_MONOTONIC_RAW, &t);
		after = __rdtsc();
		if (after - before >= best)
			continue;
		best = after - before;
		tsc = before + best / 2;
		*ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	}
	return tsc;
}

static uint64_t measured(void)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	uint64_t ns0 = 0, ns1 = 0, tsc0 = pair(&ns0), tsc1;

	nanosleep(&pause, NULL);
	tsc1 = pair(&ns1);
	return ns1 > ns0 ? (uint64_t)((double)(tsc1 - tsc0) * 1e9 / (double)(ns1 - ns0)) : 0;
}
#else
static uint64_t from_cpuid(void)
{
	return 0;
}

static uint64_t from_kernel_log(void)
{
	return 0;
}

static uint64_t measured(void)
{
	return 0;
}
#endif

uint64_t host_tsc_hz(void)
{
	static uint64_t hz;

	if (!hz)
		hz = from_cpuid();
	if (!hz)
		hz = from_kernel_log();
	if (!hz)
		hz = measured();
	return hz;
}
