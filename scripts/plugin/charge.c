// Waiting, and making up for the time that the host took meanwhile; see charge.h.
#include "charge.h"

#define LOOK_EVERY_NS 100000 // between looks at what the host took
#define MOST_STOLEN_NS 100000000

struct charge_tier charge_tiers[TRUTH_TIERS];
uint64_t charge_credit;
__thread uint64_t charge_stolen;
static uint64_t look_every, most_stolen;
static __thread uint64_t looked; // TSC

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
	most_stolen = time_ticks(MOST_STOLEN_NS);
}

static void look(uint64_t now)
{
	looked = now;
	if (clock_is_held())
		return clock_look();
	charge_stolen += clock_stolen(now);
	if (charge_stolen > most_stolen)
		charge_stolen = most_stolen;
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
	if (now - looked > look_every)
		look(__rdtsc());
}
