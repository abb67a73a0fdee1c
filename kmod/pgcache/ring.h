/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bounded double-ended queue of page-table pages: one for each processor and level, and one for
 * each node and level behind them. Newest pages are taken first because they are in the processor's
 * cache; but the newest may still be waiting for a TLB flush or a grace period, so the oldest can
 * be taken too.
 *
 * A page that others still refer to (its reference count is above 1) is never handed out.
 */
#ifndef PGCACHE_RING_H
#define PGCACHE_RING_H

#include <linux/mm.h>
#include <linux/spinlock.h>

struct pgc_ring {
	raw_spinlock_t lock;
	unsigned int head; /* of the oldest */
	unsigned int count;
	unsigned int limit;   /* how many it may hold */
	unsigned int size;    /* slots, a power of two */
	unsigned int settled; /* so many, from the oldest on, are not charged to a memory cgroup any
				 more */
	unsigned int idle;    /* the least it held since the last tick: that many were not needed */
	unsigned long *slot;
};

/*
 * An entry is a page with, in the bits that its address leaves free, which processor gave it (0 is
 * no entry: page structures are not at address 0).
 */
#define PGC_TAG_MASK 63UL
static_assert(sizeof(struct page) % (PGC_TAG_MASK + 1) == 0);

static inline unsigned long pgc_entry(struct page *page, int cpu)
{
	return (unsigned long)page | (cpu & PGC_TAG_MASK);
}

static inline struct page *pgc_entry_page(unsigned long entry)
{
	return (struct page *)(entry & ~PGC_TAG_MASK);
}

/*
 * Ready: the last reference is the cache's. Acquire, so that whatever the others did to the page is
 * done.
 */
static inline bool pgc_ready(struct page *page)
{
	return atomic_read_acquire(&page->_refcount) == 1;
}

int pgc_ring_init(struct pgc_ring *ring, unsigned int size, int node);
void pgc_ring_destroy(struct pgc_ring *ring);
/* Makes room for `size` entries; those that it holds must fit. */
int pgc_ring_resize(struct pgc_ring *ring, unsigned int size);

/* The following are called with ring->lock held. */
bool pgc_ring_push(struct pgc_ring *ring, unsigned long entry);
unsigned long pgc_ring_oldest(struct pgc_ring *ring);
/* An entry whose page is ready: the newest, or else the oldest. */
unsigned long pgc_ring_take(struct pgc_ring *ring);
/* Moves up to n of the oldest of one to another; both are locked. Returns how many. */
unsigned int pgc_ring_move(struct pgc_ring *from, struct pgc_ring *to, unsigned int n);

static inline unsigned long *pgc_ring_at(struct pgc_ring *ring, unsigned int i)
{
	return &ring->slot[(ring->head + i) & (ring->size - 1)];
}

#endif
