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
#ifndef MMPROF_PLUGIN_CHARGE_H
#define MMPROF_PLUGIN_CHARGE_H

#include "plugin.h"

struct charge_tier {
	uint64_t latency, line; // TSC ticks; 0: free
	uint64_t free;          // TSC when the channel has passed what it has
} __attribute__((aligned(64)));

extern struct charge_tier charge_tiers[TRUTH_TIERS];
extern uint64_t charge_credit, charge_saved;

static inline uint64_t charge_channel(struct charge_tier *t, uint64_t now)
{
	uint64_t was = __atomic_load_n(&t->free, __ATOMIC_RELAXED), until;

	do
		until = (was + charge_saved > now ? was : now - charge_saved) + t->line;
	while (!__atomic_compare_exchange_n(&t->free, &was, until, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return until;
}

static inline bool charge_streamed(struct cpu *c, uint64_t line)
{
	uint32_t *next = &c->stream[line >> (TRUTH_PAGE_SHIFT - 6) & (STREAMS - 1)];
	bool follows = *next == (uint32_t)line;

	*next = (uint32_t)line + 1;
	return follows;
}

static inline void charge_fill(struct cpu *c, uint64_t line, uint32_t tier)
{
	struct charge_tier *t = &charge_tiers[tier];
	bool streamed = charge_streamed(c, line);
	uint64_t now = __rdtsc(), begun = c->done + charge_credit > now ? c->done : now - charge_credit;
	uint64_t until = t->line ? charge_channel(t, now) : now;

	if (!streamed && begun + t->latency > until)
		until = begun + t->latency;
	if (until > now) {
		c->waited += until - now;
		while (__rdtsc() < until)
			_mm_pause();
		c->done = until;
	} else {
		c->done = now;
	}
}

static inline void charge_write_back(uint32_t tier)
{
	if (charge_tiers[tier].line)
		charge_channel(&charge_tiers[tier], __rdtsc());
}

#endif
