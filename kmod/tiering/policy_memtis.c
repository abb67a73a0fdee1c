// SPDX-License-Identifier: GPL-2.0
/*
 * memtis: the policy of MEMTIS (SOSP '23), re-implemented from its description; docs/tiering.md
 * lists what differs. A histogram of pages by accesses gives the threshold: the hottest pages that
 * fit into fast memory are hot. Pages between that and the next lower bin are warm and stay where
 * they are. Counts are halved at each cooling.
 */
#include <linux/kobject.h>
#include <linux/sysfs.h>
#include "hist.h"
#include "idlist.h"
#include "tiering.h"
#include "trace.h"

enum { HOT_SLOW, COLD_FAST }; /* the lists: to be promoted, may be demoted */
#define LEAST_HOT 1

static struct ahist hist;
static struct idlist_set lists;
static unsigned int hot, warm; /* bins from which on pages are so */
static u64 since_cooling, since_adaptation;
static bool cooled; /* since the last adaptation: only then may the threshold fall, by one */

static int init(void)
{
	memset(&hist, 0, sizeof(hist));
	hot = warm = LEAST_HOT;
	since_cooling = since_adaptation = 0;
	cooled = false;
	return 0;
}

static void clear(void)
{
	idlist_free(&lists);
}

static u32 count_now(struct vmap_entry *e)
{
	e->count = ahist_cooled(e->count, hist.clock - e->clock);
	e->clock = hist.clock;
	return e->count;
}

/*
 * One sample of a base page stands for one of a huge page's 512; an accessed bit says the same of
 * both.
 */
u64 tier_sample_weight(u8 order)
{
	return order || tier_sampler == &tier_abit ? 1 : 512;
}

static void adapt(void)
{
	u64 room = tier_book_pages_in(TIER_FAST) + max_t(s64, tier_room(TIER_FAST), 0);
	unsigned int bin = ahist_threshold(&hist, room, LEAST_HOT);

	if (bin < hot)
		bin = cooled ? hot - 1 : hot;
	hot = bin;
	warm = ahist_above(&hist, hot) * 4 < room * 3 ? max(hot, 1u) - 1 : hot;
	cooled = false;
	since_adaptation = 0;
	trace_classify("memtis", ahist_above(&hist, hot), ahist_above(&hist, warm), hot);
}

static void cool(void)
{
	ahist_cool(&hist);
	cooled = true;
	since_cooling = 0;
	adapt();
}

static void pass_time(unsigned int samples)
{
	u64 cooling = tier_params.cooling ?: max_t(u64, 10000, 20ull * tier_book.n);

	since_cooling += samples;
	since_adaptation += samples;
	if (since_cooling >= cooling)
		cool();
	else if (since_adaptation >= (tier_params.adaptation ?: cooling / 20))
		adapt();
}

/* A page that failed to move is passed over until the next cooling. */
static void put_on_list(u32 id, struct vmap_entry *e, unsigned int bin)
{
	bool rests = e->fails && e->flags == (u8)hist.clock;
	int list = -1;

	if (e->busy)
		return;
	if (e->tier == TIER_SLOW && bin >= hot && !rests)
		list = HOT_SLOW;
	else if (e->tier == TIER_FAST && bin < warm && !rests)
		list = COLD_FAST;
	if (list < 0)
		idlist_del(&lists, id);
	else if (idlist_of(&lists, id) != list)
		idlist_put(&lists, list, id);
}

static int seen(u32 id, struct vmap_entry *e, unsigned int weight, bool fresh)
{
	u64 pages = 1ull << e->order;
	unsigned int before, after;

	if (id >= lists.size && idlist_reserve(&lists, tier_book.size))
		return -ENOMEM;
	before = after = ahist_bin(count_now(e));
	if (weight) {
		e->count = ahist_more(e->count, weight * tier_sample_weight(e->order));
		after = ahist_bin(e->count);
	}
	if (!fresh && before != after)
		ahist_del(&hist, before, pages);
	if (fresh || before != after)
		ahist_add(&hist, after, pages);
	put_on_list(id, e, after);
	if (weight)
		pass_time(weight);
	return 0;
}

static void gone(u32 id, struct vmap_entry *e)
{
	ahist_del(&hist, ahist_bin(count_now(e)), 1ull << e->order);
	idlist_del(&lists, id);
}

static void end_of_round(void)
{
}

/* The first page of a list that still belongs there. */
static u32 first(int list)
{
	struct vmap_entry *e;
	u32 id;

	while ((id = idlist_first(&lists, list)) != IDLIST_NONE) {
		e = vmap_at(&tier_book, id);
		put_on_list(id, e, ahist_bin(count_now(e)));
		if (idlist_first(&lists, list) == id)
			return id;
	}
	return IDLIST_NONE;
}

static bool take(struct tier_batch *b, int list, enum tier_id to, s64 *room)
{
	u32 id = first(list);
	s64 pages = id == IDLIST_NONE ? 0 : 1ll << vmap_at(&tier_book, id)->order;

	if (!pages || pages > *room || !tier_batch_add(b, id, to))
		return false;
	idlist_del(&lists, id);
	*room -= pages;
	return true;
}

/*
 * Base pages to make room for: a batch of those to be promoted, the first at least, which may be a
 * huge page.
 */
static s64 wanted(void)
{
	u32 id = first(HOT_SLOW);

	if (id == IDLIST_NONE)
		return 0;
	return max_t(s64, 1ll << vmap_at(&tier_book, id)->order,
		     min(lists.n[HOT_SLOW], tier_params.batch));
}

/* Demotion keeps the reserve, and makes room for what is to be promoted. */
static void pick(struct tier_batch *b)
{
	s64 room = tier_room(TIER_FAST), slow_room = tier_room(TIER_SLOW), least = wanted();

	while (room + b->pages[TIER_SLOW] < least && take(b, COLD_FAST, TIER_SLOW, &slow_room))
		;
	room += b->pages[TIER_SLOW];
	while (take(b, HOT_SLOW, TIER_FAST, &room))
		;
}

static void done(u32 id, struct vmap_entry *e, const struct tier_job *job, bool moved)
{
	if (!moved) {
		e->flags = hist.clock;
		tier_count(MOVES_backoffs, 1);
	}
	put_on_list(id, e, ahist_bin(count_now(e)));
}

static u64 bytes(void)
{
	return sizeof(hist) + idlist_bytes(&lists);
}

/* --- gauges */

#define GAUGE(name, value) TIER_POLICY_GAUGE(memtis, name, value)

GAUGE(threshold_hot, hot)
GAUGE(threshold_warm, warm)
GAUGE(pages_hot, ahist_above(&hist, hot))
GAUGE(pages_warm, ahist_above(&hist, warm) - ahist_above(&hist, hot))
GAUGE(pages_all, ahist_above(&hist, 0))
GAUGE(to_promote, lists.n[HOT_SLOW])
GAUGE(may_demote, lists.n[COLD_FAST])
GAUGE(coolings, hist.clock)

static struct attribute *attrs[] = {
	&attr_threshold_hot.attr, &attr_threshold_warm.attr, &attr_pages_hot.attr,
	&attr_pages_warm.attr,    &attr_pages_all.attr,      &attr_to_promote.attr,
	&attr_may_demote.attr,    &attr_coolings.attr,       NULL,
};
static const struct attribute_group gauges = {.attrs = attrs};

const struct tier_policy tier_memtis = {
	.name = "memtis",
	.init = init,
	.exit = clear,
	.seen = seen,
	.gone = gone,
	.round = end_of_round,
	.pick = pick,
	.done = done,
	.bytes = bytes,
	.gauges = &gauges,
};
