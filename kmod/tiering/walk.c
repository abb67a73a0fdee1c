// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables: which pages of private anonymous memory are mapped, and which were accessed. Huge
 * pages are taken as one; ACTION_CONTINUE keeps the walker from splitting them. x86's accessed bit
 * is cleared as x86 does itself.
 */
#include <linux/page_idle.h>
#include <linux/pagewalk.h>
#include <linux/sched/task.h>
#include "symbols.h"
#include "tiering.h"

#ifndef VM_SHADOW_STACK
#define VM_SHADOW_STACK VM_NONE
#endif
#define VM_NOT_OURS                                                                             \
	(VM_LOCKED | VM_SHARED | VM_IO | VM_PFNMAP | VM_MIXEDMAP | VM_HUGETLB | VM_DONTEXPAND | \
	 VM_SHADOW_STACK)

/* Locked memory stays where it is; so does what is no ordinary memory. */
bool tier_vma_ours(struct vm_area_struct *vma)
{
	return vma_is_anonymous(vma) && !(vma->vm_flags & VM_NOT_OURS);
}

/* Why this folio is not ours, or SAMPLES_kept_fast. */
static enum tier_stat why_not(struct folio *folio, unsigned int order)
{
	if (tier_of_node(folio_nid(folio)) < 0 || folio_is_zone_device(folio))
		return SAMPLES_drop_invalid;
	if (!folio_test_anon(folio) || folio_test_ksm(folio) || !folio_test_swapbacked(folio) ||
	    folio_order(folio) != order || kc_mapcount(folio) != 1)
		return SAMPLES_drop_vma;
	return SAMPLES_kept_fast;
}

/*
 * Accessed bits of a tier whose accesses are told by others are left to the kernel. Reclaim is told
 * by a flag of the page that it was accessed, where the kernel has one (6.12; not Debian's 6.1).
 */
static bool take_young(struct tier_walk *w, struct folio *folio, unsigned long *entry)
{
	int tier = folio ? tier_of_node(folio_nid(folio)) : -1;

	if (tier < 0 || !w->young[tier] || !test_and_clear_bit(_PAGE_BIT_ACCESSED, entry))
		return false;
	folio_clear_idle(folio);
	folio_set_young(folio);
	w->cleared++;
	return true;
}

static void note(struct tier_walk *w, struct folio *folio, u64 vpn, unsigned int order,
		 unsigned long *entry)
{
	w->page[w->n++] = (struct tier_page){
		.vpn = vpn,
		.pfn = folio ? folio_pfn(folio) : 0,
		.order = order,
		.young = take_young(w, folio, entry),
		.drop = folio ? why_not(folio, order) : SAMPLES_drop_invalid,
	};
}

static bool visit_huge(struct tier_walk *w, pmd_t *pmd, unsigned long addr, struct mm_struct *mm)
{
	spinlock_t *ptl = pmd_lock(mm, pmd);
	bool huge = pmd_present(*pmd) && pmd_trans_huge(*pmd);
	struct page *page;

	if (huge) {
		page = pmd_page(*pmd);
		w->scanned++;
		if (PageAnon(page)) /* not the huge zero page */
			note(w, page_folio(page), (addr & PMD_MASK) >> PAGE_SHIFT,
			     PMD_SHIFT - PAGE_SHIFT, (unsigned long *)pmd);
	}
	spin_unlock(ptl);
	return huge;
}

static void visit_small(struct tier_walk *w, pmd_t *pmd, unsigned long addr, unsigned long end,
			struct vm_area_struct *vma)
{
	spinlock_t *ptl;
	pte_t *first = tier_pte_lock(vma->vm_mm, pmd, addr, &ptl), *pte = first;
	struct page *page;

	if (!pte)
		return;
	for (; addr < end; addr += PAGE_SIZE, pte++) {
		w->scanned++;
		if (!pte_present(*pte))
			continue;
		page = kcall(vm_normal_page)(vma, addr, *pte);
		note(w, page ? page_folio(page) : NULL, addr >> PAGE_SHIFT, 0,
		     (unsigned long *)pte);
	}
	pte_unmap_unlock(first, ptl);
}

static int visit(pmd_t *pmd, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	struct tier_walk *w = walk->private;
	pmd_t now = READ_ONCE(*pmd);

	walk->action = ACTION_CONTINUE;
	w->n = 0;
	if (pmd_none(now) || !pmd_present(now))
		return 0;
	if (!pmd_trans_huge(now) || !visit_huge(w, pmd, addr, walk->mm)) {
		if (!pmd_trans_huge(now) && !pmd_bad(now))
			visit_small(w, pmd, addr, next, walk->vma);
	}
	if (w->n)
		w->pages(w, w->page, w->n);
	return 0;
}

static const struct mm_walk_ops walk_ops = {
	.pmd_entry = visit,
#if KC_WALK_LOCK
	.walk_lock = PGWALK_RDLOCK,
#endif
};

int tier_walk_range(struct tier_walk *w, struct mm_struct *mm, unsigned long start,
		    unsigned long end)
{
	int err;

	w->cleared = 0;
	err = kcall(walk_page_range)(mm, start, end, &walk_ops, w);
	if (w->cleared && mm_has_notifiers(mm))
		kcall(__mmu_notifier_clear_young)(mm, start, end);
	if (w->cleared && tier_params.flush)
		kcall(flush_tlb_mm_range)(mm, start, end, PAGE_SHIFT, false);
	return err;
}

/* --- one page */

static pmd_t *find_pmd(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(*pgd) || pgd_bad(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d) || p4d_bad(*p4d))
		return NULL;
	pud = pud_offset(p4d, addr);
	if (pud_none(*pud) || pud_bad(*pud))
		return NULL;
	return pmd_offset(pud, addr);
}

static enum tier_stat lock_huge(struct tier_spot *s, struct mm_struct *mm)
{
	s->pte = NULL;
	s->ptl = pmd_lock(mm, s->pmd);
	if (pmd_present(*s->pmd) && pmd_trans_huge(*s->pmd) && PageAnon(pmd_page(*s->pmd))) {
		s->folio = page_folio(pmd_page(*s->pmd));
		return 0;
	}
	spin_unlock(s->ptl);
	return MOVES_fail_stale;
}

static enum tier_stat lock_small(struct tier_spot *s, struct mm_struct *mm, unsigned long addr)
{
	struct page *page = NULL;

	s->pte = tier_pte_lock(mm, s->pmd, addr, &s->ptl);
	if (!s->pte)
		return MOVES_fail_stale;
	if (pte_present(*s->pte))
		page = kcall(vm_normal_page)(s->vma, addr, *s->pte);
	if (page) {
		s->folio = page_folio(page);
		return 0;
	}
	pte_unmap_unlock(s->pte, s->ptl);
	return MOVES_fail_gone;
}

enum tier_stat tier_spot_lock(struct tier_spot *s, struct mm_struct *mm, u64 vpn)
{
	unsigned long addr = vpn << PAGE_SHIFT;
	pmd_t now;

	s->vma = find_vma(mm, addr);
	if (!s->vma || s->vma->vm_start > addr)
		return MOVES_fail_gone;
	if (!vma_is_anonymous(s->vma))
		return MOVES_fail_vma;
	s->pmd = find_pmd(mm, addr);
	if (!s->pmd)
		return MOVES_fail_gone;
	now = READ_ONCE(*s->pmd);
	if (pmd_none(now) || !pmd_present(now))
		return MOVES_fail_gone;
	if (pmd_trans_huge(now))
		return lock_huge(s, mm);
	return pmd_bad(now) ? MOVES_fail_stale : lock_small(s, mm, addr);
}

void tier_spot_unlock(struct tier_spot *s)
{
	if (s->pte)
		pte_unmap_unlock(s->pte, s->ptl);
	else
		spin_unlock(s->ptl);
}

enum tier_stat tier_spot_why_not(const struct tier_spot *s, u64 vpn)
{
	unsigned int order = s->pte ? 0 : PMD_SHIFT - PAGE_SHIFT;
	enum tier_stat why = why_not(s->folio, order);

	if (!tier_vma_ours(s->vma))
		return MOVES_fail_vma;
	if (order && vpn & ((1ul << order) - 1))
		return MOVES_fail_stale;
	if (why == SAMPLES_kept_fast)
		return 0;
	if (folio_test_anon(s->folio) && !folio_test_ksm(s->folio) && kc_mapcount(s->folio) == 1)
		return why == SAMPLES_drop_invalid ? MOVES_fail_stale : MOVES_fail_vma;
	return MOVES_fail_shared;
}
