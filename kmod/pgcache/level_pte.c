// SPDX-License-Identifier: GPL-2.0
/* pte tables: stands in for pte_alloc_one, and sees ___pte_free_tlb. */
#include "kcompat.h"
#include "pgcache.h"

/* Hidden from modules; only functions of <asm/tlb.h> that are not used here call it. */
void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start, unsigned long end,
			unsigned int stride_shift, bool freed_tables);
#include <asm/tlb.h>

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

/*
 * All tables are empty when they are freed, but for one: with page-table isolation, that which maps
 * a process's LDT is freed as it is (free_ldt_pgtables). An mm with an LDT so gives none.
 */
static bool may_have_entries(struct mm_struct *mm)
{
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	return READ_ONCE(mm->context.ldt);
#else
	return false;
#endif
}

noinline void pgcache_free_pte(struct mmu_gather *tlb, struct page *page)
{
	if (!may_have_entries(tlb->mm))
		pgc_park(&pgc_levels[PGC_PTE], page);
}
