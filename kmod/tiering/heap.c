// SPDX-License-Identifier: GPL-2.0
/* An indexable binary heap; see heap.h. */
#include "heap.h"

#define FIRST_SIZE 1024u

void heap_init(struct heap *h, struct heap_index *index, bool highest, unsigned int tag)
{
	*h = (struct heap){.index = index, .flip = highest ? ~0u : 0, .tag = tag ? HEAP_TAG : 0};
	index->heap[!!tag] = h;
}

void heap_free(struct heap *h)
{
	plain_free(h->node);
	h->node = NULL;
	h->n = h->size = 0;
}

int heap_index_reserve(struct heap_index *index, u32 n)
{
	u32 *place;

	if (n <= index->size)
		return 0;
	place = plain_grow(index->place, index->size, n, sizeof(*place));
	if (!place)
		return -ENOMEM;
	index->place = place;
	index->size = n;
	return 0;
}

void heap_index_free(struct heap_index *index)
{
	plain_free(index->place);
	*index = (struct heap_index){0};
}

bool heap_has(const struct heap *h, u32 id)
{
	u32 place;

	if (id >= h->index->size)
		return false;
	place = h->index->place[id];
	if ((place & HEAP_TAG) != h->tag)
		return false;
	place &= ~HEAP_TAG;
	return place < h->n && h->node[place].id == id;
}

static void set_node(struct heap *h, u32 place, struct heap_node node)
{
	h->node[place] = node;
	h->index->place[node.id] = place | h->tag;
}

static void sift_up(struct heap *h, u32 place, struct heap_node node)
{
	u32 parent;

	for (; place; place = parent) {
		parent = (place - 1) / 2;
		if (h->node[parent].key <= node.key)
			break;
		set_node(h, place, h->node[parent]);
	}
	set_node(h, place, node);
}

static void sift_down(struct heap *h, u32 place, struct heap_node node)
{
	u32 child;

	for (; (child = 2 * place + 1) < h->n; place = child) {
		if (child + 1 < h->n && h->node[child + 1].key < h->node[child].key)
			child++;
		if (h->node[child].key >= node.key)
			break;
		set_node(h, place, h->node[child]);
	}
	set_node(h, place, node);
}

/* Puts a node where another was. */
static void settle(struct heap *h, u32 place, struct heap_node node)
{
	if (place && h->node[(place - 1) / 2].key > node.key)
		sift_up(h, place, node);
	else
		sift_down(h, place, node);
}

static int make_room(struct heap *h)
{
	u32 size = h->size ? h->size * 2 : FIRST_SIZE;
	struct heap_node *node;

	if (h->n < h->size)
		return 0;
	node = plain_grow(h->node, h->n, size, sizeof(*node));
	if (!node)
		return -ENOMEM;
	h->node = node;
	h->size = size;
	return 0;
}

static bool elsewhere(const struct heap *h, u32 id)
{
	const struct heap *other = h->index->heap[!h->tag];

	return other && heap_has(other, id);
}

int heap_put(struct heap *h, u32 id, u32 priority)
{
	struct heap_node node = {.id = id, .key = priority ^ h->flip};
	int err;

	if (id >= h->index->size)
		return -ERANGE;
	if (heap_has(h, id)) {
		settle(h, h->index->place[id] & ~HEAP_TAG, node);
		return 0;
	}
	err = elsewhere(h, id) ? -EEXIST : make_room(h);
	if (err)
		return err;
	h->n++;
	sift_up(h, h->n - 1, node);
	return 0;
}

bool heap_del(struct heap *h, u32 id)
{
	struct heap_node last;
	u32 place;

	if (!heap_has(h, id))
		return false;
	place = h->index->place[id] & ~HEAP_TAG;
	last = h->node[--h->n];
	if (place < h->n)
		settle(h, place, last);
	return true;
}

bool heap_top(const struct heap *h, u32 *id, u32 *priority)
{
	if (!h->n)
		return false;
	if (id)
		*id = h->node[0].id;
	if (priority)
		*priority = h->node[0].key ^ h->flip;
	return true;
}

u32 heap_priority(const struct heap *h, u32 id)
{
	return heap_has(h, id) ? h->node[h->index->place[id] & ~HEAP_TAG].key ^ h->flip : 0;
}

void heap_halve(struct heap *h)
{
	u32 i;

	for (i = 0; i < h->n; i++)
		h->node[i].key = ((h->node[i].key ^ h->flip) >> 1) ^ h->flip;
}

u64 heap_bytes(const struct heap *h)
{
	return (u64)h->size * sizeof(*h->node);
}

bool heap_valid(const struct heap *h)
{
	u32 i;

	for (i = 0; i < h->n; i++) {
		if (!heap_has(h, h->node[i].id) || (i && h->node[(i - 1) / 2].key > h->node[i].key))
			return false;
	}
	return true;
}
