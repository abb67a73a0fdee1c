// The guest's clock stands still while the host runs others.
//
// Under TCG the guest's TSC is the host's and its timers are CLOCK_MONOTONIC, each plus an offset that QEMU
// keeps to stop them with the machine (its softmmu/cpu-timers.c). What the host took from the thread that
// emulates all CPUs is taken off both offsets, so that a busy host makes the guest wait, but not slow. That
// is done before the guest reads its TSC, thus it never sees the time that is then taken away. Between, it
// may see at most what passed since the last look.
//
// With --smp multi one CPU's lost time is not the other's: there, and with a QEMU that does not export its
// clock, charge.c makes up for it instead.
#include <dlfcn.h>
#include <sys/resource.h>
#include <time.h>

#include "plugin.h"

#define LEAST_STOLEN_NS 20000 // less than that is the measurement's own error

// QEMU 7.2's TimersState as far as we need it; trusted() checks it.
struct timers {
	int64_t ticks_last, ticks_offset;
	uint32_t sequence, lock; // even: nobody writes; 1: locked
	int16_t enabled, rest[15];
	int64_t clock_offset;
};

static struct timers *timers; // NULL: the clock is not held
static uint64_t held;         // TSC ticks off the guest's clock so far
static uint64_t least_stolen;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool within(int64_t low, int64_t value, int64_t high)
{
	return low <= value && value <= high;
}

// Do QEMU's own functions read what we take for the offsets, and does its lock's sequence move where we say?
static bool trusted(const struct timers *t)
{
	int64_t (*get_ticks)(void) = (int64_t(*)(void))dlsym(RTLD_DEFAULT, "cpu_get_ticks");
	int64_t (*get_clock)(void) = (int64_t(*)(void))dlsym(RTLD_DEFAULT, "cpu_get_clock");
	void (*enable)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "cpu_enable_ticks"); // no effect: it is on
	uint32_t sequence = t->sequence;
	int64_t from, value, to;

	if (!get_ticks || !get_clock || !enable || t->enabled != 1)
		return false;
	enable();
	if (t->sequence != sequence + 2)
		return false;
	from = (int64_t)__rdtsc();
	value = get_ticks();
	to = (int64_t)__rdtsc();
	if (!within(from + t->ticks_offset, value, to + t->ticks_offset) || t->ticks_last < value)
		return false;
	from = (int64_t)clock_ns(CLOCK_MONOTONIC);
	value = get_clock();
	to = (int64_t)clock_ns(CLOCK_MONOTONIC);
	return within(from + t->clock_offset, value, to + t->clock_offset);
}

void clock_begin(void)
{
	struct timers *t = (struct timers *)dlsym(RTLD_DEFAULT, "timers_state");

	least_stolen = time_ticks(LEAST_STOLEN_NS);
	if (t && options.slow && !options.threads && trusted(t))
		timers = t;
}

bool clock_is_held(void)
{
	return timers;
}

// The TSC never goes back: what the guest has seen of the time stays.
static void hold(uint64_t ticks)
{
	int64_t seen;

	while (__atomic_exchange_n(&timers->lock, 1, __ATOMIC_ACQUIRE))
		_mm_pause();
	seen = (int64_t)__rdtsc() + timers->ticks_offset - timers->ticks_last;
	if (seen < (int64_t)ticks)
		ticks = seen > 0 ? (uint64_t)seen : 0;
	__atomic_fetch_add(&timers->sequence, 1, __ATOMIC_SEQ_CST);
	timers->ticks_offset -= (int64_t)ticks;
	timers->clock_offset -= (int64_t)((double)ticks * time_ns_per_tick);
	__atomic_fetch_add(&timers->sequence, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&timers->lock, 0, __ATOMIC_RELEASE);
	held += ticks;
}

// What passed and did not run since the thread's first look, less what was told or slept through. By the
// thread's clock, not by rusage's times, which the kernel does not bring up to date for a thread that runs.
uint64_t clock_stolen(uint64_t now)
{
	static __thread struct {
		uint64_t tsc, cpu_ns; // of the first look
		int64_t known;
		long switches; // voluntary ones: it slept, nothing was stolen
	} thread;
	uint64_t cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int64_t lost = (int64_t)(now - thread.tsc) - (int64_t)time_ticks((double)(cpu_ns - thread.cpu_ns)),
		stolen;
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	if (!thread.tsc) {
		thread.tsc = now;
		thread.cpu_ns = cpu_ns;
		thread.switches = u.ru_nvcsw;
		return 0;
	}
	stolen = lost - thread.known;
	if (u.ru_nvcsw == thread.switches && stolen < (int64_t)least_stolen)
		return 0;
	thread.known = lost;
	if (u.ru_nvcsw != thread.switches)
		stolen = 0;
	thread.switches = u.ru_nvcsw;
	return (uint64_t)stolen;
}

void clock_look(void)
{
	uint64_t stolen = timers ? clock_stolen(__rdtsc()) : 0;

	if (stolen)
		hold(stolen);
}

uint64_t time_now(void)
{
	static uint64_t last;
	uint64_t now = __rdtsc();

	if (!timers)
		return now;
	return last = now - held > last ? now - held : last;
}
