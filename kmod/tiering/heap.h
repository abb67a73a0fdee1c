/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A binary heap whose members are found by their id, so that one is moved up or down in place when
 * its priority changes. Plain C.
 *
 * heap_put is insert AND update: a set whose insert left an old member alone once broke this very
 * design. Several heaps may share one index (who is where); an id is then a member of one of them
 * at most, which heap_put keeps.
 */
#ifndef TIERING_HEAP_H
#define TIERING_HEAP_H

#include "plain.h"

struct heap_node {
	u32 id;
	u32 key; /* the priority; its complement where the highest is on top */
};

struct heap;

/* id -> its heap's tag (one bit) and place. Only believed when that node holds that id. */
struct heap_index {
	u32 *place;
	u32 size;
	struct heap *heap[2]; /* by tag */
};

struct heap {
	struct heap_node *node;
	struct heap_index *index;
	u32 n, size;
	u32 flip; /* 0: lowest on top; ~0: highest */
	u32 tag;  /* 0 or HEAP_TAG */
};

#define HEAP_TAG 0x80000000u

/* tag: 0 and 1 tell two heaps apart that share the index. */
void heap_init(struct heap *h, struct heap_index *index, bool highest, unsigned int tag);
void heap_free(struct heap *h);
/* Makes room for ids below n. */
int heap_index_reserve(struct heap_index *index, u32 n);
void heap_index_free(struct heap_index *index);

/* Insert or update. -EEXIST: it is in the other heap; -ENOMEM; -ERANGE: no room in the index. */
int heap_put(struct heap *h, u32 id, u32 priority);
bool heap_has(const struct heap *h, u32 id);
/* Whether it was a member. */
bool heap_del(struct heap *h, u32 id);
/* Whether there is one; id and priority may be NULL. */
bool heap_top(const struct heap *h, u32 *id, u32 *priority);
u32 heap_priority(const struct heap *h, u32 id);
/* Halves all priorities, rounded down: order is kept, so nothing moves. */
void heap_halve(struct heap *h);
u64 heap_bytes(const struct heap *h);
/* For tests: each node is above its children and found by its id. */
bool heap_valid(const struct heap *h);

#endif
