// SPDX-License-Identifier: GPL-2.0
/*
 * Counting: what memory cgroups pay for, and how many tables are in use.
 *
 * Memory cgroups. A cached table stays charged to the cgroup that freed it until it is handed out
 * again, given back, or the tick finds it ready: the kernel's destructor runs after our free hook
 * and needs to know the cgroup, so that its statistics of page tables stay true.
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
	return static_call(ksym___memcg_kmem_charge_page)(
		page, GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT, l->order);
}

static long counted(enum pgc_id id, bool exact)
{
	struct percpu_counter *used = &pgc_levels[id].used;

	return exact ? percpu_counter_sum_positive(used) : percpu_counter_read_positive(used);
}

/* Exactly: with what the processors have not yet added to the total. */
static long kernels_total(bool exact)
{
	long n = global_node_page_state(NR_PAGETABLE);
	int node, cpu;

	if (!exact)
		return n;
	for_each_online_node(node) {
		for_each_possible_cpu(cpu)
			n += READ_ONCE(per_cpu_ptr(NODE_DATA(node)->per_cpu_nodestats, cpu)
					       ->vm_node_stat_diff[NR_PAGETABLE]);
	}
	return n;
}

/* Tables that the kernel counts in NR_PAGETABLE. */
static long in_total(bool exact)
{
	return counted(PGC_PMD, exact) + (KC_PUD_CTOR ? counted(PGC_PUD, exact) : 0);
}

/* What the kernel's total has beyond the tables of processes: its own address space's. */
static long others;

void pgc_used_start(void)
{
	others = kernels_total(true) - in_total(true) - counted(PGC_PTE, true);
}

unsigned long pgc_used(struct pgc_level *l, bool exact)
{
	if (l != &pgc_levels[PGC_PTE])
		return counted(l - pgc_levels, exact);
	return max(0L, kernels_total(exact) - others - in_total(exact));
}
