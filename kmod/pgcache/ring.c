// SPDX-License-Identifier: GPL-2.0
#include "ring.h"
#include <linux/slab.h>

static unsigned long *slots(unsigned int size, int node)
{
	return kvmalloc_node(array_size(size, sizeof(unsigned long)), GFP_KERNEL | __GFP_ZERO,
			     node);
}

int pgc_ring_init(struct pgc_ring *ring, unsigned int size, int node)
{
	raw_spin_lock_init(&ring->lock);
	ring->size = roundup_pow_of_two(max(size, 2U));
	ring->slot = slots(ring->size, node);
	return ring->slot ? 0 : -ENOMEM;
}

int pgc_ring_resize(struct pgc_ring *ring, unsigned int size)
{
	unsigned long *to, *from;
	unsigned int i;

	size = roundup_pow_of_two(max(size, 2U));
	if (size <= ring->size)
		return 0;
	to = slots(size, NUMA_NO_NODE);
	if (!to)
		return -ENOMEM;
	raw_spin_lock(&ring->lock);
	for (i = 0; i < ring->count; i++)
		to[i] = *pgc_ring_at(ring, i);
	from = ring->slot;
	ring->slot = to;
	ring->size = size;
	ring->head = 0;
	raw_spin_unlock(&ring->lock);
	kvfree(from);
	return 0;
}

void pgc_ring_destroy(struct pgc_ring *ring)
{
	WARN_ON_ONCE(ring->count);
	kvfree(ring->slot);
	ring->slot = NULL;
}

static void shrunk(struct pgc_ring *ring)
{
	WRITE_ONCE(ring->count, ring->count - 1);
	if (ring->count < ring->idle)
		WRITE_ONCE(ring->idle, ring->count);
	if (ring->count < ring->settled)
		ring->settled = ring->count;
}

bool pgc_ring_push(struct pgc_ring *ring, unsigned long entry)
{
	if (ring->count >= ring->limit || ring->count >= ring->size)
		return false;
	*pgc_ring_at(ring, ring->count) = entry;
	WRITE_ONCE(ring->count, ring->count + 1);
	return true;
}

static unsigned long newest(struct pgc_ring *ring)
{
	unsigned long entry = *pgc_ring_at(ring, ring->count - 1);

	shrunk(ring);
	return entry;
}

unsigned long pgc_ring_oldest(struct pgc_ring *ring)
{
	unsigned long entry;

	if (!ring->count)
		return 0;
	entry = *pgc_ring_at(ring, 0);
	ring->head = (ring->head + 1) & (ring->size - 1);
	if (ring->settled)
		ring->settled--;
	shrunk(ring);
	return entry;
}

unsigned long pgc_ring_take(struct pgc_ring *ring)
{
	if (!ring->count)
		return 0;
	if (pgc_ready(pgc_entry_page(*pgc_ring_at(ring, ring->count - 1))))
		return newest(ring);
	if (pgc_ready(pgc_entry_page(*pgc_ring_at(ring, 0))))
		return pgc_ring_oldest(ring);
	return 0;
}

unsigned int pgc_ring_move(struct pgc_ring *from, struct pgc_ring *to, unsigned int n)
{
	unsigned int moved = 0;

	while (moved < n && from->count && pgc_ring_push(to, *pgc_ring_at(from, 0))) {
		pgc_ring_oldest(from);
		moved++;
	}
	return moved;
}
