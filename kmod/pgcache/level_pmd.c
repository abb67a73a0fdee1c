// SPDX-License-Identifier: GPL-2.0
/* pmd tables: stands in for __pmd_alloc, whole, because the allocation itself is inlined there. */
#include "kcompat.h"
#include "pgcache.h"

noinline bool pgcache_alloc_pmd(struct mm_struct *mm, pud_t *pud)
{
	struct page *page = pgc_take(&pgc_levels[PGC_PMD]);

	if (!page)
		return false;
	kc_pmd_ctor(page); /* never fails: locks that are allocated apart are refused at load */
	spin_lock(&mm->page_table_lock); /* pud_lock */
	if (!pud_present(*pud)) {
		mm_inc_nr_pmds(mm);
		smp_wmb(); /* see pmd_install() */
		pud_populate(mm, pud, page_address(page));
		page = NULL;
	}
	spin_unlock(&mm->page_table_lock);
	if (page) { /* another has populated it */
		kc_pmd_dtor(page);
		put_page(page);
	}
	return true;
}

noinline void pgcache_free_pmd(pmd_t *pmd)
{
	pgc_park(&pgc_levels[PGC_PMD], virt_to_page(pmd));
}
