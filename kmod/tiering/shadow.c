// SPDX-License-Identifier: GPL-2.0
/*
 * nomad's shadows: the old pages of promoted ones, by the number of the page that took its place.
 * Ours alone: off the LRU, of no process, with one reference. The oldest go when there are more
 * than shadow_permille of slow memory, and when the kernel is short of that.
 *
 * By the page, not by its address: mremap() takes a page elsewhere with its mark (remap.c), and an
 * address may get a page that has the number, and the mark, of one that was there before. A page's
 * number comes back only when the page is gone, and one that is made by exchange again puts its own
 * shadow in the old one's place.
 */
#include <linux/list.h>
#include <linux/page_idle.h>
#include <linux/rmap.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include "symbols.h"
#include "tiering.h"

struct shadow {
	struct list_head list; /* oldest first */
	u64 pfn;               /* of the page in fast memory */
	u16 mm;                /* whose it was */
	struct folio *folio;
};

static DEFINE_SPINLOCK(lock);
static DEFINE_XARRAY(by_pfn);
static LIST_HEAD(by_age);
static unsigned long n_shadows;

unsigned long tier_shadow_count(void)
{
	return READ_ONCE(n_shadows);
}

static struct shadow *remove_locked(struct shadow *s)
{
	xa_erase(&by_pfn, s->pfn);
	list_del(&s->list);
	n_shadows--;
	return s;
}

static void discard(struct shadow *s, enum tier_stat why)
{
	folio_put(s->folio);
	kfree(s);
	tier_count(why, 1);
}

static bool discard_oldest(enum tier_stat why)
{
	struct shadow *s;

	spin_lock(&lock);
	s = list_first_entry_or_null(&by_age, struct shadow, list);
	if (s)
		remove_locked(s);
	spin_unlock(&lock);
	if (s)
		discard(s, why);
	return s;
}

/* As a page that was never used, so that it can be one again. On nobody's bill: it is nobody's. */
static void strip(struct folio *folio)
{
#if KC_MIGRATE_KEEPS_CHARGE
	kcall(__mem_cgroup_uncharge)(folio);
#endif
	folio->mapping = NULL;
	folio_clear_swapbacked(folio);
	folio_clear_referenced(folio);
	folio_clear_workingset(folio);
	folio_clear_dirty(folio);
	folio_test_clear_young(folio);
	folio_clear_idle(folio);
}

static struct shadow *take(u64 pfn)
{
	struct shadow *s;

	spin_lock(&lock);
	s = xa_load(&by_pfn, pfn);
	if (s)
		remove_locked(s);
	spin_unlock(&lock);
	return s;
}

/* Takes over the reference. Nothing here waits for memory: the caller holds pages' locks. */
int tier_shadow_put(u16 mm, u64 pfn, struct folio *folio)
{
	struct shadow *s = kmalloc(sizeof(*s), GFP_NOWAIT | __GFP_NOWARN), *old = take(pfn);
	u64 limit = div_u64(tier_total(TIER_SLOW) * tier_params.shadow_permille, 1000);

	if (old)
		discard(old, MOVES_shadow_stale);
	strip(folio);
	if (!s || !limit || xa_reserve(&by_pfn, pfn, GFP_NOWAIT | __GFP_NOWARN)) {
		kfree(s);
		folio_put(folio);
		return -ENOMEM;
	}
	*s = (struct shadow){.pfn = pfn, .mm = mm, .folio = folio};
	spin_lock(&lock);
	xa_store(&by_pfn, pfn, s, GFP_ATOMIC | __GFP_NOWARN); /* reserved, so it cannot fail */
	list_add_tail(&s->list, &by_age);
	n_shadows++;
	spin_unlock(&lock);
	tier_count(MOVES_shadow_made, 1);
	while (tier_shadow_count() > limit && discard_oldest(MOVES_shadow_stale))
		;
	return 0;
}

struct folio *tier_shadow_take(u64 pfn)
{
	struct shadow *s = take(pfn);
	struct folio *folio = s ? s->folio : NULL;

	kfree(s);
	return folio;
}

void tier_shadow_forget_mm(u16 mm)
{
	unsigned long pfn = 0;
	struct shadow *s;
	bool its;

	do {
		spin_lock(&lock);
		s = xa_find(&by_pfn, &pfn, ULONG_MAX, XA_PRESENT);
		its = s && s->mm == mm;
		if (its)
			remove_locked(s);
		spin_unlock(&lock);
		if (its)
			discard(s, MOVES_shadow_stale);
		pfn++;
		cond_resched();
	} while (s);
}

void tier_shadow_flush(void)
{
	while (discard_oldest(MOVES_shadow_stale))
		cond_resched();
}

/* --- under memory pressure */

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	/* they are in slow memory: fast memory gains nothing */
	if (!node_isset(sc->nid, tier_nodes[TIER_SLOW]))
		return SHRINK_EMPTY;
	return tier_shadow_count() ?: SHRINK_EMPTY;
}

static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long n = 0;

	while (n < sc->nr_to_scan && discard_oldest(MOVES_shadow_shrunk))
		n++;
	return n ?: SHRINK_STOP;
}

#if KC_SHRINKER_ALLOC
static struct shrinker *shrinker;

int tier_shadow_init(void)
{
	shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE, "tiering-shadows");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = 0; /* a copy that may be needed no more */
	shrinker_register(shrinker);
	return 0;
}

static void unregister(void)
{
	shrinker_free(shrinker);
}
#else
static struct shrinker shrinker = {
	.count_objects = count, .scan_objects = scan, .flags = SHRINKER_NUMA_AWARE};

int tier_shadow_init(void)
{
	return register_shrinker(&shrinker, "tiering-shadows");
}

static void unregister(void)
{
	unregister_shrinker(&shrinker);
}
#endif

void tier_shadow_exit(void)
{
	unregister();
	tier_shadow_flush();
	xa_destroy(&by_pfn);
}
