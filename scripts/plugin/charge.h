// What a cache miss costs. The guest's clock under TCG is the host's, so a tier's latency is waited for.
//
// Latency: an access is served no earlier than its tier's latency after it began; it began when the CPU's
// access before was served, or at most the fast tier's latency ago. So what the emulator itself takes between
// two misses is inside of the latency, not on top: a chain of dependent misses takes exactly the latency a
// step wherever the emulator is quicker than that, and the ratio between tiers is the one that was asked for.
//
// Bandwidth: each tier's channel passes one line (fetched or written back) after another; an access waits
// until its line has passed. It saves up what it did not use for a few lines at most. A line that follows the
// one that its page's stream fetched last was prefetched: it waits for the channel only, not for the latency.
//
// A host that gives its CPUs to others makes the guest's clock run on meanwhile, unless that is held
// (clock.c). Where it can't be, the time is taken off later waits, up to 100 ms.
#ifndef MMPROF_PLUGIN_CHARGE_H
#define MMPROF_PLUGIN_CHARGE_H

#include "plugin.h"

#define CHARGE_SAVED 16 // lines that a channel may pass at once after it was free

struct charge_tier {
	uint64_t latency, line; // TSC ticks; 0: free
	uint64_t free;          // TSC when the channel has passed what it has
} __attribute__((aligned(64)));

extern struct charge_tier charge_tiers[TRUTH_TIERS];
extern uint64_t charge_credit;          // how far back an access may have begun
extern __thread uint64_t charge_stolen; // by the host, and not made up for yet

void charge_init(void);
// Waits, unless there is stolen time to make up for.
void charge_wait(struct cpu *c, uint64_t now, uint64_t until);

static inline uint64_t charge_channel(struct charge_tier *t, uint64_t now)
{
	uint64_t was = __atomic_load_n(&t->free, __ATOMIC_RELAXED),
		 least = now - CHARGE_SAVED * t->line - charge_stolen, until;

	do
		until = (was > least ? was : least) + t->line;
	while (!__atomic_compare_exchange_n(&t->free, &was, until, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return until;
}

static inline bool charge_streamed(struct cpu *c, uint64_t line)
{
	uint64_t page = line >> (TRUTH_PAGE_SHIFT - options.cache_line_shift);
	// scattered, so that a copy's two ends don't meet in one
	uint32_t *next = &c->stream[(uint32_t)(page * 0x9e3779b1u) >> (32 - STREAMS_SHIFT)];
	bool follows = *next == (uint32_t)line;

	*next = (uint32_t)line + 1;
	return follows;
}

static inline void charge_fill(struct cpu *c, uint64_t line, uint32_t tier)
{
	struct charge_tier *t = &charge_tiers[tier];
	bool streamed = charge_streamed(c, line);
	uint64_t now = __rdtsc(), least = now - charge_credit - charge_stolen;
	uint64_t begun = c->done > least ? c->done : least;
	uint64_t until = t->line ? charge_channel(t, now) : least;

	if (!streamed && begun + t->latency > until)
		until = begun + t->latency;
	charge_wait(c, now, until);
}

static inline void charge_write_back(uint32_t tier)
{
	if (charge_tiers[tier].line)
		charge_channel(&charge_tiers[tier], __rdtsc());
}

#endif
