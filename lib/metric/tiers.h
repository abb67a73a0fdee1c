// Which NUMA nodes are fast memory on the machine of a run, from the facts that were stored with it.
#ifndef MMPROF_METRIC_TIERS_H
#define MMPROF_METRIC_TIERS_H

#include <glib.h>
#include <stdint.h>

struct store;
struct store_run_row;

// The nodes of the fastest memory tier as bits (nodes 0 to 63): the kernel numbers tiers from the fastest up
// (mm/memory-tiers.c); under a system of our module the nodes that it takes for fast. 0: all memory is of one
// tier, or tiers are not known; *why then says so.
int tiers_fast_nodes(struct store *store, int64_t run, uint64_t *nodes, const char **why);

#endif
