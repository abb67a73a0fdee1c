// SPDX-License-Identifier: GPL-2.0
/* Which nodes are fast and which are slow memory, and how much of it is free. */
#include <linux/bitmap.h>
#include <linux/mmzone.h>
#include <linux/moduleparam.h>
#include "symbols.h"
#include "tiering.h"

nodemask_t tier_nodes[TIERS];

/* The kernel's own tiers. */
static void ask_kernel(void)
{
	int nid;

	nodes_clear(tier_nodes[TIER_FAST]);
	nodes_clear(tier_nodes[TIER_SLOW]);
	for_each_node_state(nid, N_MEMORY)
		node_set(nid, tier_nodes[kcall(node_is_toptier)(nid) ? TIER_FAST : TIER_SLOW]);
}

int tier_set_nodes(enum tier_id tier, const char *list)
{
	nodemask_t nodes;
	int err = bitmap_parselist(list, nodes_addr(nodes), MAX_NUMNODES);

	if (err)
		return err;
	if (nodes_empty(nodes) || !nodes_subset(nodes, node_states[N_MEMORY]))
		return -ENODEV;
	if (nodes_intersects(nodes, tier_nodes[!tier]))
		return -EEXIST;
	tier_nodes[tier] = nodes;
	return 0;
}

static char *fast_node, *slow_nodes;
module_param(fast_node, charp, 0444);
MODULE_PARM_DESC(fast_node, "fast memory: a list of nodes (default: the kernel's top tier)");
module_param(slow_nodes, charp, 0444);
MODULE_PARM_DESC(slow_nodes, "slow memory: a list of nodes (default: all others)");

int tier_tiers_init(void)
{
	int err = 0;

	if (num_node_state(N_MEMORY) < 2) {
		pr_err("tiering: refused: this machine has one memory node, there is nothing to move between\n");
		return -ENODEV;
	}
	ask_kernel();
	if (fast_node || slow_nodes) {
		nodes_clear(tier_nodes[TIER_SLOW]);
		err = fast_node ? tier_set_nodes(TIER_FAST, fast_node) : 0;
		nodes_andnot(tier_nodes[TIER_SLOW], node_states[N_MEMORY], tier_nodes[TIER_FAST]);
		if (!err && slow_nodes)
			err = tier_set_nodes(TIER_SLOW, slow_nodes);
	}
	if (err) {
		pr_err("tiering: refused: fast_node and slow_nodes are lists of nodes with memory, of no node in common\n");
		return err;
	}
	if (nodes_empty(tier_nodes[TIER_FAST]) || nodes_empty(tier_nodes[TIER_SLOW])) {
		pr_err("tiering: refused: no lower memory tier (nodes %*pbl are all top-tier; fast_node= and slow_nodes= say otherwise)\n",
		       nodemask_pr_args(&node_states[N_MEMORY]));
		return -ENODEV;
	}
	return 0;
}

int tier_of_node(int nid)
{
	if (node_isset(nid, tier_nodes[TIER_FAST]))
		return TIER_FAST;
	return node_isset(nid, tier_nodes[TIER_SLOW]) ? TIER_SLOW : -1;
}

/* Free above the high watermarks, so that what we take does not wake kswapd. */
static s64 node_free(int nid)
{
	struct zone *zone;
	s64 free = 0;
	int i;

	for (i = 0; i < MAX_NR_ZONES; i++) {
		zone = &NODE_DATA(nid)->node_zones[i];
		if (populated_zone(zone))
			free += (s64)zone_page_state(zone, NR_FREE_PAGES) -
				(s64)high_wmark_pages(zone);
	}
	return free;
}

/* The nearest of those with something left, or the one with most. */
int tier_pick_node(enum tier_id tier, int from)
{
	int nid, best = NUMA_NO_NODE;
	s64 most = S64_MIN, free;

	for_each_node_mask(nid, tier_nodes[tier]) {
		free = node_free(nid);
		if (free > (s64)TIER_BATCH_MAX && from != NUMA_NO_NODE)
			free = S64_MAX - node_distance(from, nid);
		if (free > most) {
			most = free;
			best = nid;
		}
	}
	return best;
}

u64 tier_total(enum tier_id tier)
{
	u64 total = 0;
	int nid;

	for_each_node_mask(nid, tier_nodes[tier])
		total += node_present_pages(nid);
	return total;
}

u64 tier_reserve(void)
{
	return div_u64(tier_total(TIER_FAST) * tier_params.reserve_permille, 1000);
}

s64 tier_room(enum tier_id tier)
{
	s64 room = 0;
	int nid;

	for_each_node_mask(nid, tier_nodes[tier])
		room += node_free(nid);
	if (tier == TIER_FAST)
		room -= tier_reserve();
	return room;
}
