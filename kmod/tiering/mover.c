// SPDX-License-Identifier: GPL-2.0
/*
 * Moves pages by the kernel's own migration, in batches: each page is found again by its address,
 * checked and taken off the LRU under its page table's lock; then mmap_lock is dropped and all are
 * migrated; what could not be is put back; then each is looked up once more, because "migrated" is
 * not "there": a write to a page that fork had write-protected copies it to the writer's node.
 *
 * An exchange is demotions, then promotions into the room that they made.
 */
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm_inline.h>
#include <linux/sched/cputime.h>
#include <linux/sort.h>
#include <linux/swap.h>
#include "symbols.h"
#include "tiering.h"
#include "trace.h"

/* Only the mover's thread. */
static struct {
	int nid;
	bool full;
} target;
static bool lru_missed; /* pages were still on their way to the LRU */
static unsigned long last_drain;

struct folio *tier_alloc_folio(int nid, unsigned int order)
{
	gfp_t gfp = (order ? GFP_TRANSHUGE_LIGHT : GFP_HIGHUSER_MOVABLE & ~__GFP_RECLAIM) |
		    __GFP_THISNODE | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC;

	return __folio_alloc(gfp, order, nid, NULL);
}

static kc_migrated *new_folio(kc_migrated *old, unsigned long private)
{
	struct folio *folio = tier_alloc_folio(target.nid, folio_order(kc_migrated_folio(old)));

	if (!folio)
		target.full = true;
	return kc_folio_migrated(folio);
}

bool tier_batch_add(struct tier_batch *b, u32 id, enum tier_id to)
{
	struct vmap_entry *e = vmap_at(&tier_book, id);
	unsigned int pages = 1u << e->order,
		     limit = min_t(unsigned int, tier_params.batch, TIER_BATCH_MAX);

	/* one huge page may be larger than the whole batch */
	if (b->n == ARRAY_SIZE(b->job) || (b->pages[to] && b->pages[to] + pages > limit))
		return false;
	b->job[b->n++] = (struct tier_job){
		.key = e->key, .pfn = e->pfn, .id = id, .order = e->order, .to = to};
	b->pages[to] += pages;
	e->busy = 1;
	return true;
}

/* --- isolation */

static enum tier_stat isolate(struct tier_spot *s, const struct tier_job *job,
			      struct list_head *list)
{
	struct folio *folio = s->folio;
	enum tier_stat why = tier_spot_why_not(s, vmap_vpn(job->key));

	if (why)
		return why;
	if (folio_pfn(folio) != job->pfn || folio_order(folio) != job->order)
		return MOVES_fail_stale;
	if (kc_partly_mapped(folio))
		return MOVES_fail_migrate;
	if (!folio_try_get(folio))
		return MOVES_fail_stale;
	if (tier_isolate(folio)) {
		list_add_tail(&folio->lru, list);
		node_stat_mod_folio(folio, NR_ISOLATED_ANON + folio_is_file_lru(folio),
				    folio_nr_pages(folio));
		why = 0;
	} else {
		why = MOVES_fail_lru;
	}
	folio_put(folio); /* isolation has its own */
	return why;
}

static void isolate_all(struct mm_struct *mm, struct tier_job *job, unsigned int n,
			struct list_head *list)
{
	struct tier_spot spot;
	unsigned int i;

	mmap_read_lock(mm);
	for (i = 0; i < n; i++) {
		job[i].result = tier_spot_lock(&spot, mm, vmap_vpn(job[i].key));
		if (job[i].result)
			continue;
		job[i].result = isolate(&spot, &job[i], list);
		tier_spot_unlock(&spot);
		lru_missed |= job[i].result == MOVES_fail_lru;
	}
	mmap_read_unlock(mm);
}

/* --- verification */

static enum tier_stat where_now(struct mm_struct *mm, struct tier_job *job)
{
	struct tier_spot spot;
	enum tier_stat result = tier_spot_lock(&spot, mm, vmap_vpn(job->key));

	if (result)
		return MOVES_fail_gone;
	if (tier_of_node(folio_nid(spot.folio)) == job->to)
		result = job->to == TIER_FAST ? MOVES_promoted : MOVES_demoted;
	else
		result =
			folio_pfn(spot.folio) == job->pfn ? MOVES_fail_migrate : MOVES_fail_bounced;
	job->pfn = folio_pfn(spot.folio);
	tier_spot_unlock(&spot);
	return result;
}

static void verify_all(struct mm_struct *mm, struct tier_job *job, unsigned int n)
{
	unsigned int i;

	mmap_read_lock(mm);
	for (i = 0; i < n; i++) {
		if (job[i].result)
			continue;
		job[i].result = where_now(mm, &job[i]);
		/*
		 * with the first page that finds no room the kernel gives up the rest of the list
		 */
		if (job[i].result == MOVES_fail_migrate && target.full)
			job[i].result = MOVES_fail_nomem;
	}
	mmap_read_unlock(mm);
}

/* --- a batch */

void tier_move(struct mm_struct *mm, struct tier_job *job, unsigned int n, enum tier_id to)
{
	unsigned int done = 0;
	LIST_HEAD(list);

	isolate_all(mm, job, n, &list);
	target.full = false;
	target.nid = tier_pick_node(to, job->pfn ? pfn_to_nid(job->pfn) : NUMA_NO_NODE);
	/* For this reason the kernel does not split huge pages for which there is no room. */
	if (!list_empty(&list))
		kcall(migrate_pages)(&list, new_folio, NULL, 0, MIGRATE_ASYNC, MR_NUMA_MISPLACED,
				     &done);
	tier_bandwidth_spend((u64)done << PAGE_SHIFT);
	if (!list_empty(&list))
		kcall(putback_movable_pages)(&list);
	verify_all(mm, job, n);
}

static void fail_all(struct tier_job *job, unsigned int n, enum tier_stat why)
{
	while (n--)
		(job++)->result = why;
}

static void move_one_mm(struct tier_job *job, unsigned int n)
{
	struct mm_struct *mm = tier_target_get(vmap_mm(job->key));

	if (!mm) {
		fail_all(job, n, MOVES_fail_gone);
		return;
	}
	(tier_policy->move ?: tier_move)(mm, job, n, job->to);
	mmput_async(mm);
}

/* Demotions first. */
static int by_tier_and_key(const void *a, const void *b)
{
	const struct tier_job *x = a, *y = b;

	if (x->to != y->to)
		return x->to == TIER_SLOW ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

/* Those of one process together, in the order of their addresses, as they are sorted. */
static void move_direction(struct tier_job *job, unsigned int n)
{
	unsigned int i, from;

	for (from = 0; from < n; from = i) {
		for (i = from; i < n && vmap_mm(job[i].key) == vmap_mm(job[from].key); i++)
			;
		move_one_mm(job + from, i - from);
	}
}

static void account(const struct tier_job *job)
{
	u64 vpn = vmap_vpn(job->key), pages = 1ul << job->order;
	u16 mm = vmap_mm(job->key);

	tier_count(MOVES_tried, pages);
	tier_count(job->result, pages);
	if (job->result == MOVES_promoted)
		trace_promote(mm, vpn, job->order, job->pfn);
	else if (job->result == MOVES_demoted)
		trace_demote(mm, vpn, job->order, job->pfn);
	else
		trace_fail(mm, vpn, job->order, job->to, job->result);
}

/*
 * Tells the book and the policy; an entry may have been forgotten and its number given to another
 * page meanwhile.
 */
static void settle(struct tier_job *job)
{
	struct vmap_entry *e = vmap_at(&tier_book, job->id);
	bool moved = job->result == MOVES_promoted || job->result == MOVES_demoted;

	account(job);
	if (!e || e->key != job->key)
		return;
	e->busy = 0;
	e->pfn = job->pfn;
	if (moved)
		tier_book_set_tier(e, job->to);
	e->fails = moved ? 0 : min(e->fails + 1, 200);
	tier_policy->done(job->id, e, job, moved);
}

/*
 * Pages wait in per-CPU lists before they are on the LRU; asking all processors to hurry is dear.
 */
static void drain(void)
{
	if (!lru_missed || time_before(jiffies, last_drain + HZ))
		return;
	kcall(lru_add_drain_all)();
	tier_count(MOVES_drains, 1);
	last_drain = jiffies;
	lru_missed = false;
}

void tier_mover_run(struct tier_batch *b)
{
	unsigned int i, moved[TIERS] = {};

	drain();
	sort(b->job, b->n, sizeof(*b->job), by_tier_and_key, NULL);
	for (i = 0; i < b->n && b->job[i].to == TIER_SLOW; i++)
		;
	b->n_demote = i;
	move_direction(b->job, b->n_demote);
	move_direction(b->job + b->n_demote, b->n - b->n_demote);
	mutex_lock(&tier_book_lock);
	for (i = 0; i < b->n; i++) {
		settle(&b->job[i]);
		if (b->job[i].result == MOVES_promoted || b->job[i].result == MOVES_demoted)
			moved[b->job[i].to] += 1u << b->job[i].order;
	}
	mutex_unlock(&tier_book_lock);
	tier_count(MOVES_batches, 1);
	if (b->exchanges && moved[TIER_FAST] && moved[TIER_SLOW]) {
		tier_count(MOVES_exchanges, min(moved[TIER_FAST], moved[TIER_SLOW]));
		trace_exchange(moved[TIER_SLOW], moved[TIER_FAST]);
	}
}
