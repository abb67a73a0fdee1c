// The timing core; see timing.h.
#include "bench/timing.h"

#include <glib.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

bool timing_use_tsc;

// --- may the TSC be used?

#if defined(__x86_64__)
static bool has_feature(unsigned leaf, int which, unsigned bit)
{
	unsigned r[4];

	return __get_cpuid(leaf, &r[0], &r[1], &r[2], &r[3]) && r[which] >> bit & 1;
}

static char *clock_source(void)
{
	char *source = NULL;

	g_file_get_contents("/sys/devices/system/clocksource/clocksource0/current_clocksource", &source, NULL,
			    NULL);
	return source ? g_strchomp(source) : NULL;
}

static const char *why_not_tsc(void)
{
	int mode = PR_TSC_ENABLE;

	if (prctl(PR_GET_TSC, &mode) == 0 && mode != PR_TSC_ENABLE)
		return "reading the TSC is forbidden to this process (PR_SET_TSC)";
	if (!has_feature(0x80000001, 3, 27))
		return "this CPU has no rdtscp";
	// A hypervisor may hide that the TSC is invariant; then the kernel's own trust in it decides.
	if (!has_feature(0x80000007, 3, 8)) {
		g_autofree char *source = clock_source();

		if (!source || strcmp(source, "tsc"))
			return "the TSC is not invariant (CPUID 80000007h EDX bit 8), and the kernel does "
			       "not keep time by it";
	}
	return NULL;
}
#else
static char *clock_source(void)
{
	return NULL;
}

static const char *why_not_tsc(void)
{
	return "this architecture has no TSC";
}
#endif

// --- its frequency

// A reading of the clock between two of the TSC: the tightest of many.
struct bracket {
	uint64_t tsc, ns, width;
};

static struct bracket read_both(void)
{
	struct bracket best = {.width = UINT64_MAX};
	unsigned cpu;

	for (int i = 0; i < 200; i++) {
		uint64_t from = timing_begin(), ns = timing_clock(), to = timing_end(&cpu);

		if (to - from < best.width)
			best = (struct bracket){from + (to - from) / 2, ns, to - from};
	}
	return best;
}

// The clock was read somewhere within the bracket, at either end at worst, and it counts whole nanoseconds.
static void calibrate(struct timing *t)
{
	const struct timespec pause = {0, 50000000};
	struct bracket from = read_both(), to;
	double ticks, ns;

	nanosleep(&pause, NULL);
	to = read_both();
	ticks = (double)(to.tsc - from.tsc);
	ns = (double)(to.ns - from.ns);
	t->hz = ticks / ns * 1e9;
	t->hz_error = (double)(from.width + to.width) / 2 / ticks + 2 / ns;
}

static void measure_overhead(struct timing *t)
{
	unsigned cpu;

	t->overhead = UINT64_MAX;
	for (int i = 0; i < 10000; i++) {
		uint64_t from = timing_begin(), to = timing_end(&cpu);

		t->overhead = MIN(t->overhead, to - from);
	}
}

static void use_clock(struct timing *t, const char *why)
{
	timing_use_tsc = t->tsc = false;
	g_strlcpy(t->why, why, sizeof(t->why));
	t->hz = 1e9;
	t->hz_error = 0;
}

void timing_init(struct timing *t)
{
	const char *why = why_not_tsc();

	memset(t, 0, sizeof(*t));
	timing_use_tsc = t->tsc = !why;
	if (why)
		use_clock(t, why);
	else
		calibrate(t);
	measure_overhead(t);
}

void timing_across_cpus(struct timing *t, int64_t skew)
{
	g_autofree char *source = clock_source(), *why = NULL;

	if (t->tsc && skew > (int64_t)t->overhead)
		why = g_strdup_printf(
		    "two CPUs' TSCs differ by %" PRId64 " cycles, and this runs on any of them", skew);
	else if (t->tsc && source && strcmp(source, "tsc"))
		why = g_strdup_printf(
		    "the kernel keeps time by %.40s, not by the TSC, and this runs on any CPU", source);
	if (!why)
		return;
	use_clock(t, why);
	measure_overhead(t);
}

double timing_ns(const struct timing *t, uint64_t cycles)
{
	return cycles > t->overhead ? (double)(cycles - t->overhead) / t->hz * 1e9 : 0;
}

// --- do all CPUs agree?

#define ROUNDS 2000

struct pair {
	int cpus[2];
	volatile uint64_t stamp; // the last one; 0: not begun
	volatile int turn;
	int64_t worst;
};

static bool pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

// Each waits for its turn, stamps, and compares: a stamp below the one before it shows a TSC that is behind.
static void stamp_in_turn(struct pair *p, int me)
{
	unsigned cpu;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t before, now;

		while (p->turn != me)
			__builtin_ia32_pause();
		before = p->stamp;
		now = timing_end(&cpu);
		if (before && now < before)
			p->worst = MAX(p->worst, (int64_t)(before - now));
		p->stamp = now;
		__sync_synchronize();
		p->turn = !me;
	}
}

static void *second(void *arg)
{
	struct pair *p = arg;

	if (!pin(p->cpus[1]))
		p->worst = -1;
	stamp_in_turn(p, 1);
	return NULL;
}

int64_t timing_skew(const struct timing *t)
{
	int64_t worst = -1;
	cpu_set_t allowed;
	int first = -1;

	if (!t->tsc || sched_getaffinity(0, sizeof(allowed), &allowed) || CPU_COUNT(&allowed) < 2)
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		struct pair p = {.cpus = {first, cpu}};
		pthread_t thread;

		if (!CPU_ISSET(cpu, &allowed))
			continue;
		if (first < 0) {
			first = cpu;
			continue;
		}
		if (!pin(first) || pthread_create(&thread, NULL, second, &p))
			break;
		stamp_in_turn(&p, 0);
		pthread_join(thread, NULL);
		worst = MAX(worst, p.worst);
	}
	sched_setaffinity(0, sizeof(allowed), &allowed);
	return worst;
}

// --- disturbances

struct timing_mark timing_mark(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return (struct timing_mark){(unsigned)sched_getcpu(), u.ru_nvcsw, u.ru_nivcsw};
}

bool timing_disturbed(const struct timing_mark *before, const struct timing_mark *after)
{
	return before->cpu != after->cpu || before->nvcsw != after->nvcsw || before->nivcsw != after->nivcsw;
}
