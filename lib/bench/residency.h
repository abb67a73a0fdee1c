// Where pages of this process are: on nodes of the fastest memory tier or not (move_pages(2)).
#ifndef MMPROF_BENCH_RESIDENCY_H
#define MMPROF_BENCH_RESIDENCY_H

#include <stdint.h>

struct residency {
	uint64_t pages, fast, unknown; // looked at; on a fast node; in no memory now
};

// Which nodes are fast: the fastest memory tier's, as bits (nodes 0 to 63; the kernel numbers tiers from the
// fastest up, mm/memory-tiers.c); 0 when the kernel tells of one tier only. Where our module manages memory,
// the nodes that it takes for fast.
uint64_t residency_fast_nodes(void);

// Looks at the addresses at(ctx, 0) to at(ctx, n - 1). 0 or -errno.
int residency_look(void *(*at)(const void *ctx, uint64_t i), const void *ctx, uint64_t n, uint64_t fast,
		   struct residency *r);

#endif
