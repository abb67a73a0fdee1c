// Waiting, and the time that the host took from the emulator meanwhile; see charge.h.
#include <sys/resource.h>

#include "charge.h"

#define LOOK_EVERY_NS 100000 // between looks at the thread's own CPU time
#define MOST_STOLEN_NS 100000000
#define LEAST_STOLEN_NS 20000

struct charge_tier charge_tiers[TRUTH_TIERS];
uint64_t charge_credit;
__thread uint64_t charge_stolen;
static uint64_t look_every, least_stolen, most_stolen;

// With --smp single one thread runs all CPUs: what was stolen is the thread's.
static __thread struct {
	uint64_t looked, cpu_us; // TSC, CPU time then
	long switches;           // voluntary ones: it slept, nothing was stolen
} thread;

void charge_init(void)
{
	for (unsigned i = 0; i < TRUTH_TIERS; i++) {
		struct charge_tier *t = &charge_tiers[i];

		t->latency = time_ticks((double)options.latency_ns[i]);
		if (options.bytes_per_s[i])
			t->line = time_ticks(1e9 * options.cache_line / (double)options.bytes_per_s[i]);
	}
	charge_credit = charge_tiers[0].latency;
	look_every = time_ticks(LOOK_EVERY_NS);
	least_stolen = time_ticks(LEAST_STOLEN_NS);
	most_stolen = time_ticks(MOST_STOLEN_NS);
}

static void look(uint64_t now)
{
	struct rusage u;
	uint64_t cpu_us, ran, passed = now - thread.looked;

	getrusage(RUSAGE_THREAD, &u);
	cpu_us = (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
		 (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
	ran = time_ticks(1e3 * (double)(cpu_us - thread.cpu_us));
	if (thread.looked && u.ru_nvcsw == thread.switches && passed > ran + least_stolen)
		charge_stolen += passed - ran;
	if (charge_stolen > most_stolen)
		charge_stolen = most_stolen;
	thread.looked = now;
	thread.cpu_us = cpu_us;
	thread.switches = u.ru_nvcsw;
}

void charge_wait(struct cpu *c, uint64_t now, uint64_t until)
{
	uint64_t behind = until < now ? now - until : 0;

	if (charge_stolen > behind) { // made up for, as far as this access would have waited
		c->forgiven += charge_stolen - behind;
		charge_stolen = behind;
	}
	c->done = until;
	if (until > now) {
		c->waited += until - now;
		while (__rdtsc() < until)
			_mm_pause();
	}
	if (now - thread.looked > look_every)
		look(__rdtsc());
}
