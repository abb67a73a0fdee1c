// SPDX-License-Identifier: GPL-2.0
/* pte tables: stands in for pte_alloc_one, and sees ___pte_free_tlb. */
#include "kcompat.h"
#include "pgcache.h"

noinline pgtable_t pgcache_alloc_pte(struct mm_struct *mm)
{
	struct page *page = pgc_take(&pgc_levels[PGC_PTE]);

	if (page &&
	    !kc_pte_ctor(page)) { /* never: locks that are allocated apart are refused at load */
		put_page(page);
		return NULL;
	}
	return page;
}

noinline void pgcache_free_pte(struct page *page)
{
	pgc_park(&pgc_levels[PGC_PTE], page);
}
