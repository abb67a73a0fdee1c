// SPDX-License-Identifier: GPL-2.0
/* pud tables: stands in for __pud_alloc, whole. */
#include "kcompat.h"
#include "pgcache.h"

noinline bool pgcache_alloc_pud(struct mm_struct *mm, p4d_t *p4d)
{
	struct page *page = pgc_take(&pgc_levels[PGC_PUD]);

	if (!page)
		return false;
	kc_pud_ctor(page);
	spin_lock(&mm->page_table_lock);
	if (!p4d_present(*p4d)) {
		mm_inc_nr_puds(mm);
		smp_wmb(); /* see pmd_install() */
		p4d_populate(mm, p4d, page_address(page));
		page = NULL;
	}
	spin_unlock(&mm->page_table_lock);
	if (page) { /* another has populated it */
		kc_pud_dtor(page);
		put_page(page);
	}
	return true;
}

noinline void pgcache_free_pud(pud_t *pud)
{
	pgc_park(&pgc_levels[PGC_PUD], virt_to_page(pud));
}
