/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pages under management: a hash from virtual page to what is known of it. Entries have a
 * number that stays the same while they live, by which heaps, lists and jobs name them. Plain C.
 *
 * A page is known by where it is mapped, since that stays when it moves; the pfn is a hint, to be
 * checked under the page table's lock and never followed without.
 */
#ifndef TIERING_VMAP_H
#define TIERING_VMAP_H

#include "plain.h"

#define VMAP_NONE (~0u)

struct vmap_entry {
	u64 key; /* 0: free */
	u64 pfn;
	u32 next;  /* in its bucket, or of the free ones */
	u32 count; /* the policy's own */
	u16 clock; /* the policy's own */
	u8 tier;
	u8 order; /* 0, or that of a huge page */
	u8 seen;  /* the last census that found it */
	u8 busy;  /* a job has it */
	u8 fails; /* moves that failed since one succeeded */
	u8 flags; /* the policy's own */
};

struct vmap {
	struct vmap_entry *entry;
	u32 *bucket;
	u32 n, size; /* in use, allocated; buckets are as many */
	u32 max;
	u32 free;  /* the first free one */
	u32 fresh; /* those from here on were never used */
	/*
	 * there was no memory for more: none is asked for, and no page entered, until its owner
	 * clears this
	 */
	bool gave_up;
};

/* Grows as needed up to max entries. */
int vmap_init(struct vmap *v, u32 max);
void vmap_free(struct vmap *v);
u32 vmap_find(const struct vmap *v, u64 key);
/*
 * The entry of this page: its old one, or a new, zeroed one but for its key (*fresh). VMAP_NONE:
 * full, or no memory.
 */
u32 vmap_put(struct vmap *v, u64 key, bool *fresh);
void vmap_del(struct vmap *v, u32 id);
u64 vmap_bytes(const struct vmap *v);

/* An id is one of 0 .. vmap_ids - 1; NULL: that one is free. */
static inline u32 vmap_ids(const struct vmap *v)
{
	return v->fresh;
}

static inline struct vmap_entry *vmap_at(const struct vmap *v, u32 id)
{
	return id < v->fresh && v->entry[id].key ? &v->entry[id] : NULL;
}

/* mm: 1 .. 65535; a virtual page has 45 bits at most (five levels) */
static inline u64 vmap_key(u16 mm, u64 vpn)
{
	return (u64)mm << 45 | vpn;
}

static inline u16 vmap_mm(u64 key)
{
	return key >> 45;
}

static inline u64 vmap_vpn(u64 key)
{
	return key & ((1ull << 45) - 1);
}

#endif
