// SPDX-License-Identifier: GPL-2.0
/*
 * How many tables of each level are in use when the module is loaded: from then on the hooks count.
 * Walks the user half of every address space under its mmap lock for writing, which keeps page
 * tables from being freed (munmap frees them under the read lock), and looks at nothing below the
 * pmd.
 */
#include "kcompat.h"
#include "pgcache.h"
#include "symbols.h"
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

struct census {
	long n[PGC_LEVELS];
};

static void walk_pmd(struct census *c, pud_t *pud)
{
	pmd_t *pmd = pud_pgtable(*pud), value;
	int i;

	for (i = 0; i < PTRS_PER_PMD; i++) {
		value = READ_ONCE(pmd[i]);
		if (pmd_present(value) && !pmd_leaf(value))
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

static void walk_mm(struct census *c, struct mm_struct *mm)
{
	int i;

	if (mmap_write_lock_killable(mm))
		return;
	for (i = 0; i < KERNEL_PGD_BOUNDARY; i++) {
		if (!pgd_present(READ_ONCE(mm->pgd[i])) && pgtable_l5_enabled())
			continue;
		c->n[PGC_P4D] += pgtable_l5_enabled();
		walk_p4d(c, mm->pgd + i);
	}
	mmap_write_unlock(mm);
}

/* The address spaces of all processes, each with a reference; those of threads are one. */
static struct mm_struct **collect(unsigned int *n, unsigned int room)
{
	struct mm_struct **list = kvmalloc_array(room, sizeof(*list), GFP_KERNEL), *mm;
	struct task_struct *p;

	*n = 0;
	if (!list)
		return NULL;
	rcu_read_lock();
	for_each_process(p) {
		mm = *n < room ? get_task_mm(p) : NULL;
		if (mm)
			list[(*n)++] = mm;
	}
	rcu_read_unlock();
	return list;
}

static long count_pgds(void)
{
	struct list_head *at;
	long n = 0;

	spin_lock(ksym_data(pgd_lock, spinlock_t));
	list_for_each(at, ksym_data(pgd_list, struct list_head))
		n++;
	spin_unlock(ksym_data(pgd_lock, spinlock_t));
	return n;
}

int pgc_census(void)
{
	struct census c = {};
	unsigned int n, i;
	struct mm_struct **mm;
	struct pgc_level *l;

	c.n[PGC_PGD] = count_pgds();
	mm = collect(&n, c.n[PGC_PGD] + 64);
	if (!mm)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		walk_mm(&c, mm[i]);
		mmput(mm[i]);
		cond_resched();
	}
	kvfree(mm);
	for_each_level(l)
		percpu_counter_set(&l->used, c.n[l - pgc_levels]);
	pgc_used_start();
	return 0;
}
