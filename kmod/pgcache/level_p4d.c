// SPDX-License-Identifier: GPL-2.0
/*
 * p4d tables, which only a kernel that runs with five levels has: stands in for __p4d_alloc, whole.
 */
#include "kcompat.h"
#include "pgcache.h"

noinline bool pgcache_alloc_p4d(struct mm_struct *mm, pgd_t *pgd)
{
	struct page *page = pgc_take(&pgc_levels[PGC_P4D]);

	if (!page)
		return false;
	spin_lock(&mm->page_table_lock);
	if (!pgd_present(*pgd)) {
		smp_wmb(); /* see pmd_install() */
		pgd_populate(mm, pgd, page_address(page));
		page = NULL;
	}
	spin_unlock(&mm->page_table_lock);
	if (page) /* another has populated it */
		put_page(page);
	return true;
}

noinline void pgcache_free_p4d(p4d_t *p4d)
{
	pgc_park(&pgc_levels[PGC_P4D], virt_to_page(p4d));
}
