// SPDX-License-Identifier: GPL-2.0
/*
 * pgd tables: stands in for pgd_alloc and pgd_free. With page-table isolation compiled in, a pgd is
 * two pages that are not compound, and __free_pages() with another reference held frees the second
 * one at once: so a pgd is not cached by reference, the free is replaced. It runs when the last
 * user of the mm is gone, so there is nothing to wait for.
 *
 * While it is cached a pgd is not on pgd_list and misses changes of the kernel's half, which is
 * copied afresh on reuse: all of it, also what lies below KERNEL_PGD_BOUNDARY, where pgd_alloc
 * leaves zeroes and a process's own LDT is mapped. With page-table isolation the kernel clears that
 * entry in one of the two pages only.
 */
#include "kcompat.h"
#include "pgcache.h"
#include "symbols.h"

enum { USER_PTRS = PTRS_PER_PGD / 2 };

noinline pgd_t *pgcache_alloc_pgd(struct mm_struct *mm)
{
	struct page *page = pgc_take(&pgc_levels[PGC_PGD]);
	spinlock_t *pgd_lock = ksym_data(pgd_lock, spinlock_t);
	pgd_t *pgd;

	if (!page)
		return NULL;
	pgd = page_address(page);
	mm->pgd = pgd;
	spin_lock(pgd_lock);
	clone_pgd_range(pgd + USER_PTRS, ksym_data(init_top_pgt, pgd_t) + USER_PTRS,
			PTRS_PER_PGD - USER_PTRS);
	kc_set_pt_mm(page, mm);
	list_add(&page->lru, ksym_data(pgd_list, struct list_head));
	spin_unlock(pgd_lock);
	return pgd;
}

/* true: the kernel must not free it any more */
noinline bool pgcache_free_pgd(struct mm_struct *mm, pgd_t *pgd)
{
	struct page *page = virt_to_page(pgd);
	spinlock_t *pgd_lock = ksym_data(pgd_lock, spinlock_t);

	spin_lock(pgd_lock);
	list_del(&page->lru);
	spin_unlock(pgd_lock);
	if (!pgc_park(&pgc_levels[PGC_PGD], page))
		__free_pages(page, PGD_ALLOCATION_ORDER);
	return true;
}
