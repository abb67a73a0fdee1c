// SPDX-License-Identifier: GPL-2.0
/*
 * nomad: the policy of Nomad (OSDI '24), re-implemented from its description; docs/tiering.md lists
 * what differs. A page of slow memory that is accessed a second time soon is promoted, by
 * transactional copy (remap.c), leaving its old page behind as a shadow (shadow.c); pages of fast
 * memory that were not accessed for two rounds may be demoted, which happens only when fast memory
 * is short.
 */
#include <linux/kobject.h>
#include <linux/sysfs.h>
#include "idlist.h"
#include "tiering.h"
#include "trace.h"

enum { CANDIDATES, INACTIVE };
#define SOON 2 /* rounds */
/*
 * faults: candidates at most, the oldest is forgotten (rounds find them in the order of addresses)
 */
#define RECENT 4096

static struct idlist_set lists;
static u16 rounds;

/* e->clock: the round of the last access; e->flags: accessed at all */
static int init(void)
{
	rounds = 0;
	return 0;
}

static void clear(void)
{
	idlist_free(&lists);
	tier_shadow_flush();
}

static void seen_slow(u32 id, struct vmap_entry *e, unsigned int weight)
{
	bool again = e->flags && (u16)(rounds - e->clock) <= SOON;

	idlist_del(&lists, idlist_of(&lists, id) == INACTIVE ? id : VMAP_NONE);
	if (!weight)
		return;
	e->flags = 1;
	e->clock = rounds;
	if (!again || e->busy || idlist_of(&lists, id) == CANDIDATES)
		return;
	if (tier_sampler != &tier_abit && lists.n[CANDIDATES] >= RECENT)
		idlist_del(&lists, idlist_first(&lists, CANDIDATES));
	idlist_put(&lists, CANDIDATES, id);
}

static void seen_fast(u32 id, struct vmap_entry *e, unsigned int weight, bool fresh)
{
	if (weight || fresh) {
		e->clock = rounds;
		idlist_del(&lists, id);
	} else if (!e->busy && (u16)(rounds - e->clock) >= SOON && idlist_of(&lists, id) < 0) {
		idlist_put(&lists, INACTIVE, id);
	}
}

static int seen(u32 id, struct vmap_entry *e, unsigned int weight, bool fresh)
{
	if (id >= lists.size && idlist_reserve(&lists, tier_book.size))
		return -ENOMEM;
	if (e->tier == TIER_SLOW)
		seen_slow(id, e, weight);
	else
		seen_fast(id, e, weight, fresh);
	return 0;
}

static void gone(u32 id, struct vmap_entry *e)
{
	idlist_del(&lists, id);
}

static void end_of_round(void)
{
	rounds++;
	trace_classify("nomad", lists.n[INACTIVE], lists.n[CANDIDATES], 0);
}

static bool take(struct tier_batch *b, int list, enum tier_id to, s64 *room)
{
	u32 id = idlist_first(&lists, list);
	s64 pages = id == IDLIST_NONE ? 0 : 1ll << vmap_at(&tier_book, id)->order;

	if (!pages || pages > *room || !tier_batch_add(b, id, to))
		return false;
	idlist_del(&lists, id);
	*room -= pages;
	return true;
}

/*
 * kswapd's part: demotes to where there is room for a batch, and for the first candidate, which may
 * be a huge page.
 */
static void pick(struct tier_batch *b)
{
	s64 room = tier_room(TIER_FAST), slow_room = tier_room(TIER_SLOW),
	    least = tier_params.batch;
	u32 id = idlist_first(&lists, CANDIDATES);

	if (id != IDLIST_NONE)
		least = max(least, 1ll << vmap_at(&tier_book, id)->order);
	while (room + b->pages[TIER_SLOW] < least && take(b, INACTIVE, TIER_SLOW, &slow_room))
		;
	while (take(b, CANDIDATES, TIER_FAST, &room))
		;
}

static void done(u32 id, struct vmap_entry *e, const struct tier_job *job, bool moved)
{
	/* in its new tier, or after an abort, it must be accessed twice again */
	e->flags = 0;
	e->clock = rounds;
	if (!moved)
		tier_count(MOVES_backoffs, 1);
}

static u64 bytes(void)
{
	return idlist_bytes(&lists) + (tier_shadow_count() << PAGE_SHIFT);
}

/* --- gauges */

#define GAUGE(name, value)                                                                 \
	static ssize_t name##_show(struct kobject *k, struct kobj_attribute *a, char *buf) \
	{                                                                                  \
		return sysfs_emit(buf, "%llu\n", (u64)(value));                            \
	}                                                                                  \
	static struct kobj_attribute attr_##name = __ATTR_RO(name);

GAUGE(candidates, READ_ONCE(lists.n[CANDIDATES]))
GAUGE(inactive, READ_ONCE(lists.n[INACTIVE]))
GAUGE(shadows, tier_shadow_count())

static struct attribute *attrs[] = {&attr_candidates.attr, &attr_inactive.attr, &attr_shadows.attr,
				    NULL};
static const struct attribute_group gauges = {.attrs = attrs};

static void move(struct mm_struct *mm, struct tier_job *job, unsigned int n, enum tier_id to)
{
	if (to == TIER_FAST)
		tier_remap_promote(mm, job, n);
	else
		tier_remap_demote(mm, job, n);
}

const struct tier_policy tier_nomad = {
	.name = "nomad",
	.init = init,
	.exit = clear,
	.seen = seen,
	.gone = gone,
	.round = end_of_round,
	.pick = pick,
	.done = done,
	.move = move,
	.bytes = bytes,
	.gauges = &gauges,
};
