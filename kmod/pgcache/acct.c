// SPDX-License-Identifier: GPL-2.0
/*
 * Counting: what memory cgroups pay for, and how many tables are in use.
 *
 * Memory cgroups. A cached table stays charged to the cgroup that freed it until it is handed out again, given back, or
 * the tick finds it ready: the kernel's destructor runs after our free hook and needs to know the cgroup, so that its
 * statistics of page tables stay true.
 */
#include "kcompat.h"
#include "pgcache.h"
#include "symbols.h"

void pgc_uncharge(struct pgc_level *l, struct page *page)
{
	if (PageMemcgKmem(page))
		static_call(ksym___memcg_kmem_uncharge_page)(page, l->order);
}

/* Charges to the caller's cgroup. GFP_NOWAIT, because hooks must not sleep: no room is a miss. */
int pgc_charge(struct pgc_level *l, struct page *page)
{
	pgc_uncharge(l, page);
	if (!kc_memcg_kmem())
		return 0;
	return static_call(ksym___memcg_kmem_charge_page)(page, GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT, l->order);
}

static long counted(enum pgc_id id, bool exact)
{
	struct percpu_counter *used = &pgc_levels[id].used;

	return exact ? percpu_counter_sum_positive(used) : percpu_counter_read_positive(used);
}

unsigned long pgc_used(struct pgc_level *l, bool exact)
{
	long n;

	if (l != &pgc_levels[PGC_PTE])
		return counted(l - pgc_levels, exact);
	n = global_node_page_state(NR_PAGETABLE) - counted(PGC_PMD, exact);
	if (KC_PUD_CTOR)
		n -= counted(PGC_PUD, exact);
	return max(n, 0L);
}
