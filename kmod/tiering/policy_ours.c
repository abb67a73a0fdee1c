// SPDX-License-Identifier: GPL-2.0
/*
 * ours: a frequency sketch and two heaps. The slow tier's heap has its hottest page on top, the
 * fast tier's its coldest; the tops are exchanged while that gains more than `hysteresis`, so that
 * free fast memory does not limit promotion. Frequencies belong to virtual pages, so a page that
 * moves keeps its own.
 */
#include <linux/kobject.h>
#include <linux/sysfs.h>
#include "heap.h"
#include "sketch.h"
#include "tiering.h"
#include "trace.h"

static struct sketch sketch;
static struct heap_index index;
static struct heap heap[TIERS]; /* fast: coldest on top; slow: hottest */
static u32 rounds;

static int init(void)
{
	u32 width = tier_params.sketch_width ?: tier_book.max / 2;

	heap_init(&heap[TIER_FAST], &index, false, TIER_FAST);
	heap_init(&heap[TIER_SLOW], &index, true, TIER_SLOW);
	return sketch_init(&sketch, width);
}

static void clear(void)
{
	heap_free(&heap[TIER_FAST]);
	heap_free(&heap[TIER_SLOW]);
	heap_index_free(&index);
	sketch_free(&sketch);
}

/* A page that could not be moved is left alone for 2, 4, ... 64 rounds. */
static bool backed_off(const struct vmap_entry *e)
{
	return e->fails && (s16)(e->clock - (u16)rounds) > 0;
}

static int put(u32 id, struct vmap_entry *e, u32 frequency)
{
	int err = 0;

	if (e->busy || backed_off(e))
		return 0;
	/* where another heap had it, it was told that the page is gone */
	if (id >= index.size)
		err = heap_index_reserve(&index, tier_book.size);
	return err ?: heap_put(&heap[e->tier], id, frequency);
}

static int seen(u32 id, struct vmap_entry *e, unsigned int weight, bool fresh)
{
	if (!weight && !fresh && heap_has(&heap[e->tier], id))
		return 0;
	return put(id, e, sketch_add(&sketch, e->key, weight));
}

static void gone(u32 id, struct vmap_entry *e)
{
	heap_del(&heap[TIER_FAST], id);
	heap_del(&heap[TIER_SLOW], id);
}

static void end_of_round(void)
{
	u32 hottest = 0;

	rounds++;
	heap_top(&heap[TIER_SLOW], NULL, &hottest);
	trace_classify("ours", heap[TIER_FAST].n, heap[TIER_SLOW].n, hottest);
	if (!tier_params.decay_rounds || rounds % tier_params.decay_rounds)
		return;
	sketch_halve(&sketch);
	heap_halve(&heap[TIER_FAST]);
	heap_halve(&heap[TIER_SLOW]);
}

/* Takes the top off its heap into the batch. */
static bool take(struct tier_batch *b, enum tier_id from, u32 id)
{
	if (!tier_batch_add(b, id, !from))
		return false;
	heap_del(&heap[from], id);
	return true;
}

/*
 * Whether fast memory has, or gets by demoting what is colder than `frequency`, room for so many
 * pages more.
 */
static bool make_room(struct tier_batch *b, s64 *room, s64 *slow_room, s64 pages, u32 frequency)
{
	struct vmap_entry *e;
	u32 id, coldest;

	while (*room < pages) {
		if (!heap_top(&heap[TIER_FAST], &id, &coldest) ||
		    frequency <= coldest + tier_params.hysteresis)
			return false;
		e = vmap_at(&tier_book, id);
		if (*slow_room < 1 << e->order || !take(b, TIER_FAST, id))
			return false;
		*room += 1 << e->order;
		*slow_room -= 1 << e->order;
		b->exchanges++;
	}
	return true;
}

static void pick(struct tier_batch *b)
{
	s64 room = tier_room(TIER_FAST), slow_room = tier_room(TIER_SLOW), pages;
	u32 id, hottest;

	/*
	 * Others have used up half of the reserve: what is coldest makes room. Between that and the
	 * reserve nothing is done, else what was just demoted would be promoted again.
	 */
	if (room < -(s64)(tier_reserve() / 2))
		make_room(b, &room, &slow_room, min_t(s64, 0, room + tier_params.batch), ~0u);
	b->exchanges = 0;
	while (heap_top(&heap[TIER_SLOW], &id, &hottest) && hottest) {
		pages = 1 << vmap_at(&tier_book, id)->order;
		if (!make_room(b, &room, &slow_room, pages, hottest) || !take(b, TIER_SLOW, id))
			break;
		room -= pages;
		slow_room += pages;
	}
}

static void done(u32 id, struct vmap_entry *e, const struct tier_job *job, bool moved)
{
	if (!moved) {
		e->clock = rounds + (1u << min_t(u32, e->fails, 6));
		tier_count(MOVES_backoffs, 1);
	}
	put(id, e, sketch_add(&sketch, e->key, 0));
}

static u64 bytes(void)
{
	return sketch_bytes(&sketch) + heap_bytes(&heap[TIER_FAST]) + heap_bytes(&heap[TIER_SLOW]) +
	       (u64)index.size * sizeof(*index.place);
}

/* --- gauges */

#define GAUGE(name, value) TIER_POLICY_GAUGE(ours, name, value)

static u32 top_of(enum tier_id tier)
{
	u32 frequency = 0;

	heap_top(&heap[tier], NULL, &frequency);
	return frequency;
}

GAUGE(heap_fast, heap[TIER_FAST].n)
GAUGE(heap_slow, heap[TIER_SLOW].n)
GAUGE(coldest_fast, top_of(TIER_FAST))
GAUGE(hottest_slow, top_of(TIER_SLOW))
GAUGE(sketch_total, sketch.total)
GAUGE(sketch_error, sketch.width ? sketch_error(&sketch) : 0)
GAUGE(sketch_bytes, sketch_bytes(&sketch))

static struct attribute *attrs[] = {
	&attr_heap_fast.attr,    &attr_heap_slow.attr,
	&attr_coldest_fast.attr, &attr_hottest_slow.attr,
	&attr_sketch_total.attr, &attr_sketch_error.attr,
	&attr_sketch_bytes.attr, NULL,
};
static const struct attribute_group gauges = {.attrs = attrs};

const struct tier_policy tier_ours = {
	.name = "ours",
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
