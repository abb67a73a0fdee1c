// SPDX-License-Identifier: GPL-2.0
/*
 * Nomad's transactional migration, as far as a module can go: a page is copied while it stays
 * mapped and in use, and only then exchanged in the page table, if nobody wrote to it meanwhile;
 * the old page is kept as a shadow, and while the new one stays clean it can be demoted by mapping
 * the shadow again, without a copy.
 *
 * Base pages that one process maps exclusively, in writable memory; all else takes the ordinary way
 * (tier_move). Why it is safe:
 *  - From taking it to the end the folio is locked and off the LRU, so neither reclaim, KSM,
 *    huge-page collapse nor another migration has it; forks and unmaps are excluded or noticed
 *    under the page table's lock.
 *  - The entry is write-protected and clean while the page is copied, and after. A writer faults
 *    once: the page is exclusive, so the kernel makes the entry writable and dirty in place
 *    (do_wp_page). A write through a pin (get_user_pages) needs a writable entry as well; pins from
 *    before hold references, which are counted.
 *  - A clean entry would not do: MADV_FREE cleans it after a write, and the copy is older than what
 *    was freed. It leaves the entry writable. A write-protected one would not do either: KSM and
 *    fork write-protect again. They leave it, or PG_dirty, dirty; after both (MADV_FREE, then fork)
 *    the page is exclusive again only by a write, or by a read-only long-term pin of a page whose
 *    other process is gone. That pin's page alone could come back older than freed.
 *  - MADV_FREE makes a page lazily freed while it is on the LRU: it then waits, with one more
 *    reference, or has lost PG_swapbacked; both are checked.
 *  - A clean anonymous page is nothing new to the kernel: add_to_swap() marks it dirty.
 *  - PTE_SHADOWED, a bit that neither hardware nor Linux uses, marks an entry that we made. It goes
 *    away with the page (mprotect, migration or swap makes a new entry), so a reused pfn is not
 *    mistaken for ours.
 */
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/userfaultfd_k.h>
#include "symbols.h"
#include "tiering.h"

#define PTE_SHADOWED (1ull << 52)

/* Only the mover's thread. */
static struct remap {
	struct folio *old, *new; /* old: locked, off the LRU; NULL: not taken */
	bool dirty;              /* old was */
} remaps[2 * TIER_BATCH_MAX];

/* --- one page, taken and given back */

static bool remappable(const struct tier_spot *s, const struct tier_job *job)
{
	struct page *page;

	if (!s->pte || tier_spot_why_not(s, vmap_vpn(job->key)) || folio_pfn(s->folio) != job->pfn)
		return false;
	page = folio_page(s->folio, 0);
	return !pte_protnone(*s->pte) && PageAnonExclusive(page) && s->vma->vm_flags & VM_WRITE &&
	       !userfaultfd_armed(s->vma) && !folio_test_swapcache(s->folio) &&
	       !folio_test_writeback(s->folio);
}

/* Locked and off the LRU, with a reference of our own beside the mapping's. */
static bool take_folio(struct folio *folio)
{
	bool taken;

	if (!folio_try_get(folio))
		return false;
	taken = folio_trylock(folio);
	if (taken && !tier_isolate(folio)) {
		folio_unlock(folio);
		taken = false;
	}
	if (taken)
		node_stat_mod_folio(folio, NR_ISOLATED_ANON, 1);
	folio_put(folio); /* isolation has its own */
	return taken;
}

static void put_back(struct folio *folio, bool dirty)
{
	if (dirty)
		folio_set_dirty(folio);
	node_stat_mod_folio(folio, NR_ISOLATED_ANON, -1);
	folio_unlock(folio);
	kcall(folio_putback_lru)(folio);
}

/* --- the exchange in the page table, whose lock is held */

static void move_rmap(struct tier_spot *s, unsigned long addr, struct folio *old, struct folio *new)
{
	struct page *from = folio_page(old, 0), *to = folio_page(new, 0);

	new->index = old->index;
	new->mapping = old->mapping;
	folio_set_swapbacked(new);
	ClearPageAnonExclusive(from);
	/* the statistics of the old one before its cgroup goes, of the new one after it came */
#if KC_RMAP_FOLIO
	kcall(folio_remove_rmap_ptes)(old, from, 1, s->vma);
	folio_migrate_flags(new, old); /* and the cgroup */
	kcall(folio_add_anon_rmap_ptes)(new, to, 1, s->vma, addr, RMAP_EXCLUSIVE);
#else
	kcall(page_remove_rmap)(from, s->vma, false);
	folio_migrate_flags(new, old); /* and the cgroup */
	kcall(page_add_anon_rmap)(to, s->vma, addr, RMAP_EXCLUSIVE);
#endif
	folio_get(new);
	folio_put(old);
}

/* Since it was write-protected and clean, through the page table or through a pin. */
static bool written(pte_t pte, struct folio *folio)
{
	return pte_write(pte) || pte_dirty(pte) || folio_test_dirty(folio);
}

/* 0, or why the old page, which no entry maps just now, must stay where it is. */
static enum tier_stat why_stay(pte_t was, struct folio *old)
{
	if (written(was, old))
		return MOVES_fail_dirty;
	/* references: the mapping's and ours */
	if (!folio_ref_freeze(old, 2))
		return MOVES_fail_migrate;
	folio_ref_unfreeze(old, 2);
	return folio_test_swapbacked(old) ? 0 : MOVES_fail_vma; /* it is to become zeros */
}

/* 0, or why the old page stays where it is. */
static enum tier_stat exchange(struct tier_spot *s, unsigned long addr, struct folio *old,
			       struct folio *new, u64 mark)
{
	struct mm_struct *mm = s->vma->vm_mm;
	pte_t was = ptep_get_and_clear(mm, addr, s->pte), now;
	enum tier_stat why;

	kcall(flush_tlb_mm_range)(mm, addr, addr + PAGE_SIZE, PAGE_SHIFT, false);
	why = why_stay(was, old);
	if (why) {
		set_pte_at(mm, addr, s->pte, was);
		return why;
	}
	move_rmap(s, addr, old, new);
	now = pfn_pte(folio_pfn(new), pte_pgprot(was));
	now = __pte((pte_val(now) & ~PTE_SHADOWED) | mark);
	set_pte_at(mm, addr, s->pte, now);
	return 0;
}

/* The page that is in use now. */
static void finish_new(struct folio *new)
{
	folio_unlock(new);
	folio_add_lru(new);
	folio_put(new);
}

/* The page that no process has any more: only our reference is left. */
static void finish_old(struct folio *old)
{
	node_stat_mod_folio(old, NR_ISOLATED_ANON, -1);
	folio_unlock(old);
}

/* --- promotion */

/* Clean and write-protected; true: it was dirty. */
static bool protect(struct tier_spot *s, unsigned long addr)
{
	struct mm_struct *mm = s->vma->vm_mm;
	pte_t was = ptep_get_and_clear(mm, addr, s->pte);

	set_pte_at(mm, addr, s->pte, pte_wrprotect(pte_mkclean(was)));
	return folio_test_clear_dirty(s->folio) || pte_dirty(was);
}

/* Off the LRU, clean and write-protected, with a page to copy to. */
static void prepare(struct mm_struct *mm, struct tier_job *job, struct remap *r, int nid)
{
	struct tier_spot spot;

	*r = (struct remap){};
	job->result = 0;
	if (job->order)
		return;
	r->new = tier_alloc_folio(nid, 0);
	if (!r->new) {
		job->result = MOVES_fail_nomem;
		return;
	}
	job->result = tier_spot_lock(&spot, mm, vmap_vpn(job->key));
	if (job->result)
		return;
	if (remappable(&spot, job) && take_folio(spot.folio)) {
		r->old = spot.folio;
		r->dirty = protect(&spot, vmap_vpn(job->key) << PAGE_SHIFT);
	}
	tier_spot_unlock(&spot);
}

/*
 * Not a page that somebody has a pin of, who may write without a fault; a new pin would need one.
 */
static void copy(struct remap *r)
{
	if (folio_ref_count(r->old) == 2) { /* the mapping's and ours */
		copy_highpage(folio_page(r->new, 0), folio_page(r->old, 0));
		tier_bandwidth_spend(PAGE_SIZE);
		return;
	}
	put_back(r->old, r->dirty);
	r->old = NULL;
}

static void prepare_all(struct mm_struct *mm, struct tier_job *job, unsigned int n, int nid)
{
	unsigned long low = ULONG_MAX, high = 0, addr;
	unsigned int i;

	for (i = 0; i < n; i++) {
		prepare(mm, &job[i], &remaps[i], nid);
		if (!remaps[i].old)
			continue;
		addr = vmap_vpn(job[i].key) << PAGE_SHIFT;
		low = min(low, addr);
		high = max(high, addr + PAGE_SIZE);
	}
	/* so that a write faults */
	if (high)
		kcall(flush_tlb_mm_range)(mm, low, high, PAGE_SHIFT, false);
	for (i = 0; i < n; i++) {
		if (remaps[i].old)
			copy(&remaps[i]);
	}
	if (high && tier_params.pause_ms)
		msleep(tier_params.pause_ms);
}

static enum tier_stat commit(struct mm_struct *mm, struct tier_job *job, struct remap *r)
{
	struct tier_spot spot;
	enum tier_stat why = tier_spot_lock(&spot, mm, vmap_vpn(job->key));

	if (why)
		return why;
	if (spot.folio != r->old || !remappable(&spot, job)) {
		why = MOVES_fail_stale;
	} else {
		__folio_set_locked(r->new);
		__folio_mark_uptodate(r->new);
		why = exchange(&spot, vmap_vpn(job->key) << PAGE_SHIFT, r->old, r->new,
			       PTE_SHADOWED);
		if (why)
			__folio_clear_locked(r->new);
	}
	tier_spot_unlock(&spot);
	return why;
}

static void promote_one(struct mm_struct *mm, struct tier_job *job, struct remap *r)
{
	job->result = commit(mm, job, r);
	if (job->result) {
		put_back(r->old, r->dirty);
		folio_put(r->new);
		return;
	}
	job->result = MOVES_promoted;
	job->pfn = folio_pfn(r->new);
	tier_count(MOVES_tpm_promoted, 1);
	finish_old(r->old);
	finish_new(r->new);
	tier_shadow_put(vmap_mm(job->key), job->pfn, r->old);
}

/* Those that can't be exchanged in the page table take the ordinary way. */
static void move_rest(struct mm_struct *mm, struct tier_job *job, unsigned int n, enum tier_id to)
{
	unsigned int i, from;

	for (from = 0; from < n; from = i + 1) {
		for (i = from; i < n && !job[i].result; i++)
			;
		if (i > from)
			tier_move(mm, job + from, i - from, to);
	}
}

void tier_remap_promote(struct mm_struct *mm, struct tier_job *job, unsigned int n)
{
	unsigned int i;

	mmap_read_lock(mm);          /* who registers a notifier has it for writing */
	if (!mm_has_notifiers(mm)) { /* page tables elsewhere would have to follow */
		prepare_all(mm, job, n, tier_pick_node(TIER_FAST, NUMA_NO_NODE));
		for (i = 0; i < n; i++) {
			if (remaps[i].old)
				promote_one(mm, &job[i], &remaps[i]);
			else if (remaps[i].new)
				folio_put(remaps[i].new);
		}
	}
	mmap_read_unlock(mm);
	move_rest(mm, job, n, TIER_FAST);
}

/* --- demotion to the shadow */

static enum tier_stat back_to_shadow(struct mm_struct *mm, struct tier_job *job,
				     struct folio *shadow)
{
	unsigned long addr = vmap_vpn(job->key) << PAGE_SHIFT;
	struct tier_spot spot;
	struct folio *old = NULL;
	enum tier_stat why = tier_spot_lock(&spot, mm, vmap_vpn(job->key));

	if (why)
		return why;
	why = MOVES_fail_stale;
	if (remappable(&spot, job) && pte_val(*spot.pte) & PTE_SHADOWED &&
	    !written(*spot.pte, spot.folio) && take_folio(spot.folio)) {
		old = spot.folio;
		__folio_set_locked(shadow);
		why = exchange(&spot, addr, old, shadow, 0);
		if (why)
			__folio_clear_locked(shadow);
	}
	tier_spot_unlock(&spot);
	if (old && why)
		put_back(old, false);
	if (old && !why) {
		finish_old(old);
		folio_put(old);
	}
	return why;
}

static void demote_one(struct mm_struct *mm, struct tier_job *job)
{
	struct folio *shadow = job->order ? NULL : tier_shadow_take(job->pfn);

	job->result = 0;
	if (!shadow)
		return;
	if (back_to_shadow(mm, job, shadow)) {
		folio_put(shadow);
		tier_count(MOVES_shadow_stale, 1);
		return;
	}
	job->pfn = folio_pfn(shadow);
	job->result = MOVES_demoted;
	tier_count(MOVES_shadow_demoted, 1);
	finish_new(shadow);
}

void tier_remap_demote(struct mm_struct *mm, struct tier_job *job, unsigned int n)
{
	unsigned int i;

	mmap_read_lock(mm);
	if (!mm_has_notifiers(mm)) {
		for (i = 0; i < n; i++)
			demote_one(mm, &job[i]);
	}
	mmap_read_unlock(mm);
	move_rest(mm, job, n, TIER_SLOW);
}
