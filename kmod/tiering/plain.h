/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the plain C parts (sketch, heap, vmap, hist, idlist, budget) need from where they are built:
 * kernel or user space.
 */
#ifndef TIERING_PLAIN_H
#define TIERING_PLAIN_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/vmalloc.h>

/* kvcalloc() refuses more than INT_MAX bytes, which is what 2^26 entries take. */
static inline void *plain_alloc(u64 n, size_t size)
{
	size_t bytes = array_size(n, size);
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_ZERO;

	return bytes > INT_MAX ? __vmalloc(bytes, gfp) : kvmalloc(bytes, gfp);
}

static inline void plain_free(void *p)
{
	kvfree(p);
}
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

static inline u64 div64_u64(u64 a, u64 b)
{
	return a / b;
}

/* A test may let allocations fail: the n-th from now on. */
extern int plain_fail_after;

static inline void *plain_alloc(u64 n, size_t size)
{
	if (plain_fail_after >= 0 && plain_fail_after-- == 0)
		return NULL;
	return calloc(n, size);
}

static inline void plain_free(void *p)
{
	free(p);
}
#endif

/*
 * The finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit of the result depends on every
 * bit of x.
 */
static inline u64 plain_mix(u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ull;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* A larger array with what the old one held; NULL leaves the old one as it is. */
static inline void *plain_grow(void *old, u64 had, u64 wants, size_t size)
{
	void *new = plain_alloc(wants, size);

	if (!new)
		return NULL;
	if (old)
		memcpy(new, old, had * size);
	plain_free(old);
	return new;
}

#endif
