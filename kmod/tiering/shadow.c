// SPDX-License-Identifier: GPL-2.0
/*
 * nomad's shadows: the old pages of promoted ones, by virtual page. Ours alone: off the LRU, of no process, with one
 * reference. The oldest go when there are more than shadow_permille of slow memory, and when the kernel
 * is short of that.
 */
#include <linux/list.h>
#include <linux/rmap.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include "kcompat_mm.h"
#include "tiering.h"

struct shadow {
	struct list_head list; /* oldest first */
	u64 key, pfn; /* of the page in fast memory */
	struct folio *folio;
};

static DEFINE_SPINLOCK(lock);
static DEFINE_XARRAY(by_key);
static LIST_HEAD(by_age);
static unsigned long n_shadows;

unsigned long tier_shadow_count(void)
{
	return READ_ONCE(n_shadows);
}

static struct shadow *remove_locked(struct shadow *s)
{
	xa_erase(&by_key, s->key);
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

/* As a page that was never used, so that it can be one again. */
static void strip(struct folio *folio)
{
	folio->mapping = NULL;
	folio_clear_swapbacked(folio);
	folio_clear_referenced(folio);
	folio_clear_workingset(folio);
	folio_clear_dirty(folio);
}

/* Takes over the reference. Nothing here waits for memory: the caller holds pages' locks. */
int tier_shadow_put(u64 key, u64 pfn, struct folio *folio)
{
	struct shadow *s = kmalloc(sizeof(*s), GFP_NOWAIT | __GFP_NOWARN), *old;
	u64 limit = div_u64(tier_total(TIER_SLOW) * tier_params.shadow_permille, 1000);

	strip(folio);
	if (!s || !limit || xa_reserve(&by_key, key, GFP_NOWAIT | __GFP_NOWARN)) {
		kfree(s);
		folio_put(folio);
		return -ENOMEM;
	}
	*s = (struct shadow){.key = key, .pfn = pfn, .folio = folio};
	spin_lock(&lock);
	old = xa_load(&by_key, key);
	if (old)
		remove_locked(old);
	xa_store(&by_key, key, s, GFP_ATOMIC | __GFP_NOWARN); /* reserved; where it fails, it goes by age */
	list_add_tail(&s->list, &by_age);
	n_shadows++;
	spin_unlock(&lock);
	if (old)
		discard(old, MOVES_shadow_stale);
	tier_count(MOVES_shadow_made, 1);
	while (tier_shadow_count() > limit && discard_oldest(MOVES_shadow_stale))
		;
	return 0;
}

struct folio *tier_shadow_take(u64 key, u64 pfn)
{
	struct folio *folio = NULL;
	struct shadow *s;

	spin_lock(&lock);
	s = xa_load(&by_key, key);
	if (s)
		remove_locked(s);
	spin_unlock(&lock);
	if (!s)
		return NULL;
	if (s->pfn != pfn) {
		discard(s, MOVES_shadow_stale);
		return NULL;
	}
	folio = s->folio;
	kfree(s);
	return folio;
}

void tier_shadow_forget_mm(u16 mm)
{
	unsigned long index = vmap_key(mm, 0);
	struct shadow *s;

	for (;;) {
		spin_lock(&lock);
		s = xa_find(&by_key, &index, vmap_key(mm, (1ull << 45) - 1), XA_PRESENT);
		if (s)
			remove_locked(s);
		spin_unlock(&lock);
		if (!s)
			return;
		discard(s, MOVES_shadow_stale);
		cond_resched();
	}
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
static struct shrinker shrinker = {.count_objects = count, .scan_objects = scan, .flags = SHRINKER_NUMA_AWARE};

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
	xa_destroy(&by_key);
}
