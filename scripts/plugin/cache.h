// The last-level cache: physical lines in sets, shared by all vCPUs, write-back, write-allocate; a line that
// was used since the hand passed it gets a second chance (clock), which is close to LRU and needs no order.
// What was in a CPU's first-level cache is not taken out when the shared one drops it (not inclusive), and
// there is no coherence traffic.
#ifndef MMPROF_PLUGIN_CACHE_H
#define MMPROF_PLUGIN_CACHE_H

#include "plugin.h"

#define CACHE_WAYS 16

struct cache_set {
	uint32_t tag[CACHE_WAYS]; // line + 1; 0: empty
	uint16_t used, dirty;     // a bit a way
	uint32_t hand;
};

extern struct cache_set *cache_sets;
extern uint32_t cache_mask;

#define CACHE_HIT UINT64_MAX
#define CACHE_CLEAN (UINT64_MAX - 1)

static inline uint32_t cache_match(const struct cache_set *s, uint32_t tag) // → bits of ways
{
	__m128i want = _mm_set1_epi32((int)tag);
	const __m128i *have = (const __m128i *)s->tag;
	__m128i a = _mm_cmpeq_epi32(_mm_loadu_si128(have), want);
	__m128i b = _mm_cmpeq_epi32(_mm_loadu_si128(have + 1), want);
	__m128i c = _mm_cmpeq_epi32(_mm_loadu_si128(have + 2), want);
	__m128i d = _mm_cmpeq_epi32(_mm_loadu_si128(have + 3), want);

	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d)));
}

// CACHE_HIT; else the line was fetched, and what it replaced is CACHE_CLEAN or the dirty line that goes back.
static inline uint64_t cache_access(uint64_t line, bool store)
{
	struct cache_set *s = &cache_sets[line & cache_mask];
	uint32_t hits = cache_match(s, (uint32_t)line + 1), way;
	uint64_t victim = CACHE_CLEAN;

	if (__builtin_expect(hits != 0, 1)) {
		s->used |= (uint16_t)hits;
		if (store)
			s->dirty |= (uint16_t)hits;
		return CACHE_HIT;
	}
	way = s->hand;
	while (s->used >> way & 1) {
		s->used &= (uint16_t) ~(1u << way);
		way = way + 1 < options.cache_ways ? way + 1 : 0;
	}
	if (s->dirty >> way & 1 && s->tag[way])
		victim = s->tag[way] - 1ull;
	s->hand = way + 1 < options.cache_ways ? way + 1 : 0;
	s->tag[way] = (uint32_t)line + 1;
	s->used |= (uint16_t)(1u << way);
	s->dirty = (uint16_t)((s->dirty & ~(1u << way)) | (uint32_t)store << way);
	return victim;
}

// Through the CPU's own lines first. True: memory has to give the line. *victim: the dirty line that goes
// back to memory, which may also be for one that the CPU has and the shared cache had dropped; else
// CACHE_CLEAN.
static inline __attribute__((always_inline)) bool cache_fetches(uint64_t *lines, uint64_t line, bool store,
								uint64_t *victim)
{
	uint64_t *l1 = &lines[line & (L1_LINES - 1)];
	bool was_here = *l1 >> 1 == line;

	*victim = CACHE_CLEAN;
	if (was_here && (!store || *l1 & 1))
		return false;
	*l1 = line << 1 | store;
	*victim = cache_access(line, store);
	if (*victim != CACHE_HIT)
		return !was_here;
	*victim = CACHE_CLEAN;
	return false;
}

#endif
