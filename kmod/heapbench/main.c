// SPDX-License-Identifier: GPL-2.0
/*
 * What tiering's parts cost for each sample, beside the kernel's own balanced tree (lib/rbtree.c,
 * with its leftmost node cached) in the heap's place. The tree's nodes are found by an array, so it
 * pays for no search by page.
 *
 * Prints lines "heapbench: NAME N" (ns an operation; in the lab with --icount: instructions) and is
 * refused, so that nothing has to be unloaded. Both sides see the same operations; at the end both
 * must have the same top.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include "heap.h"
#include "sketch.h"
#include "vmap.h"

#define PAGES 65536u /* in the heap: 256 MiB */
#define OPS 200000u

struct page_node {
	struct rb_node rb;
	u32 priority;
};

static struct page_node *page;
static struct rb_root_cached tree;
static struct heap_index index;
static struct heap heap;
static struct sketch sketch;
static struct vmap book;
static u64 seed;

static u32 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 32;
}

/* nine of ten in a fifth of the pages */
static u32 some_page(void)
{
	return rnd() % 10 ? rnd() % (PAGES / 5) : rnd() % PAGES;
}

/* --- one operation, by the heap and by the tree */

/* Highest first, and of equals the lower id. */
static bool less(struct rb_node *a, const struct rb_node *b)
{
	const struct page_node *x = rb_entry(a, struct page_node, rb),
			       *y = rb_entry(b, struct page_node, rb);

	return x->priority != y->priority ? x->priority > y->priority : x < y;
}

static void tree_put(u32 id, u32 priority)
{
	if (!RB_EMPTY_NODE(&page[id].rb))
		rb_erase_cached(&page[id].rb, &tree);
	page[id].priority = priority;
	rb_add_cached(&page[id].rb, &tree, less);
}

static u32 sink;

static void nothing_seen(void)
{
	WRITE_ONCE(sink, some_page());
}

static void heap_seen(void)
{
	u32 id = some_page();

	heap_put(&heap, id, heap_priority(&heap, id) + 1);
}

static void tree_seen(void)
{
	u32 id = some_page();

	tree_put(id, page[id].priority + 1);
}

static void nothing_random(void)
{
	WRITE_ONCE(sink, rnd() % PAGES);
	WRITE_ONCE(sink, rnd() % 1000);
}

static void heap_random(void)
{
	u32 id = rnd() % PAGES;

	heap_put(&heap, id, rnd() % 1000);
}

static void tree_random(void)
{
	u32 id = rnd() % PAGES;

	tree_put(id, rnd() % 1000);
}

static void nothing_top(void)
{
	WRITE_ONCE(sink, rnd() % 1000);
}

/* The hottest goes to fast memory, and one comes in its place. */
static void heap_top_out(void)
{
	u32 id;

	heap_top(&heap, &id, NULL);
	heap_del(&heap, id);
	heap_put(&heap, id, rnd() % 1000);
}

static void tree_top_out(void)
{
	struct page_node *top = rb_entry(rb_first_cached(&tree), struct page_node, rb);

	tree_put(top - page, rnd() % 1000);
}

static void a_sample(void)
{
	u64 key = vmap_key(1, some_page());
	bool fresh;
	u32 id = vmap_put(&book, key, &fresh);

	heap_put(&heap, id, sketch_add(&sketch, key, 1));
}

/* --- loops */

static u64 loop_ns(void (*op)(void))
{
	u64 from;
	u32 i;

	seed = 88172645463325252ull;
	from = ktime_get_ns();
	for (i = 0; i < OPS; i++)
		op();
	return ktime_get_ns() - from;
}

static void tell(const char *name, void (*op)(void), void (*nothing)(void))
{
	u64 base = loop_ns(nothing);

	pr_info("heapbench: %s %llu\n", name, div_u64(loop_ns(op) - base, OPS));
}

static int fill(void)
{
	bool fresh;
	u32 i;

	page = kvcalloc(PAGES, sizeof(*page), GFP_KERNEL);
	heap_init(&heap, &index, true, 0);
	if (!page || heap_index_reserve(&index, PAGES) || sketch_init(&sketch, PAGES) ||
	    vmap_init(&book, PAGES))
		return -ENOMEM;
	tree = RB_ROOT_CACHED;
	for (i = 0; i < PAGES; i++) {
		RB_CLEAR_NODE(&page[i].rb);
		tree_put(i, i % 100);
		if (heap_put(&heap, i, i % 100) ||
		    vmap_put(&book, vmap_key(1, i), &fresh) == VMAP_NONE)
			return -ENOMEM;
	}
	return 0;
}

static int same_top(void)
{
	u32 priority = 0;

	heap_top(&heap, NULL, &priority);
	return heap_valid(&heap) &&
	       rb_entry(rb_first_cached(&tree), struct page_node, rb)->priority == priority;
}

static void measure(void)
{
	tell("heap_seen", heap_seen, nothing_seen);
	tell("tree_seen", tree_seen, nothing_seen);
	pr_info("heapbench: same_top %d\n", same_top());
	tell("heap_random", heap_random, nothing_random);
	tell("tree_random", tree_random, nothing_random);
	tell("heap_top_out", heap_top_out, nothing_top);
	tell("tree_top_out", tree_top_out, nothing_top);
	tell("sample", a_sample, nothing_seen);
}

static int __init heapbench_init(void)
{
	int err = fill();

	if (!err)
		measure();
	heap_free(&heap);
	heap_index_free(&index);
	sketch_free(&sketch);
	vmap_free(&book);
	kvfree(page);
	return err ?: -ECANCELED;
}

module_init(heapbench_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What a sample and a heap update cost beside a red-black tree");
