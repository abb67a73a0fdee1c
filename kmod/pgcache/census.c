// SPDX-License-Identifier: GPL-2.0
/*
 * How many tables of each level are in use when the module is loaded: from then on the hooks count.
 * The hooks are in place already, and the counts are set while all processors stand still, so that
 * no table is counted twice or not at all but the few that a sleeping allocation holds.
 *
 * pgd_list has every address space, also that of a process that is just ending. Whatever an entry
 * leads to is a table: they are unlinked before they are freed.
 */
#include "kcompat.h"
#include "pgcache.h"
#include "symbols.h"
#include <linux/hugetlb.h>
#include <linux/stop_machine.h>

struct census {
	long n[PGC_LEVELS];
};

/* An anonymous huge page has a pte table put by, for when it is split. */
static bool has_spare(pmd_t value)
{
	struct page *page;

	if (pmd_devmap(value))
		return false;
	page = compound_head(pmd_page(value));
	return PageAnon(page) && !PageHuge(page);
}

static void walk_pmd(struct census *c, pud_t *pud)
{
	pmd_t *pmd = pud_pgtable(*pud), value;
	int i;

	for (i = 0; i < PTRS_PER_PMD; i++) {
		value = READ_ONCE(pmd[i]);
		if (pmd_present(value) && (!pmd_leaf(value) || has_spare(value)))
			c->n[PGC_PTE]++;
	}
}

static void walk_pud(struct census *c, p4d_t *p4d)
{
	pud_t *pud = p4d_pgtable(*p4d), value;
	int i;

	for (i = 0; i < PTRS_PER_PUD; i++) {
		value = READ_ONCE(pud[i]);
		if (!pud_present(value) || pud_leaf(value))
			continue;
		c->n[PGC_PMD]++;
		walk_pmd(c, &pud[i]);
	}
}

static void walk_p4d(struct census *c, pgd_t *pgd)
{
	p4d_t *p4d = p4d_offset(pgd, 0);
	int i;

	/* with four levels the pgd's entry is the p4d */
	for (i = 0; i < (pgtable_l5_enabled() ? PTRS_PER_P4D : 1); i++) {
		if (!p4d_present(READ_ONCE(p4d[i])))
			continue;
		c->n[PGC_PUD]++;
		walk_pud(c, &p4d[i]);
	}
}

static void walk_pgd(struct census *c, pgd_t *pgd)
{
	int i;

	c->n[PGC_PGD]++;
	for (i = 0; i < KERNEL_PGD_BOUNDARY; i++) {
		if (!pgd_present(READ_ONCE(pgd[i])) && pgtable_l5_enabled())
			continue;
		c->n[PGC_P4D] += pgtable_l5_enabled();
		walk_p4d(c, pgd + i);
	}
}

/* Nobody holds pgd_lock: its holders cannot be preempted. */
static int take_census(void *unused)
{
	struct census c = {};
	struct pgc_level *l;
	struct page *page;

	list_for_each_entry(page, ksym_data(pgd_list, struct list_head), lru)
		walk_pgd(&c, page_address(page));
	for_each_level(l)
		percpu_counter_set(&l->used, c.n[l - pgc_levels]);
	pgc_used_start();
	return 0;
}

int pgc_census(void)
{
	return stop_machine(take_census, NULL, NULL);
}
