// SPDX-License-Identifier: GPL-2.0
/* Virtual page -> entry: a hash with chains of entry numbers; see vmap.h. */
#include "vmap.h"

#define FIRST_SIZE 1024u

int vmap_init(struct vmap *v, u32 max)
{
	*v = (struct vmap){.max = max, .free = VMAP_NONE};
	return max && max < VMAP_NONE / 2 ? 0 : -EINVAL;
}

void vmap_free(struct vmap *v)
{
	plain_free(v->entry);
	plain_free(v->bucket);
	*v = (struct vmap){.max = v->max, .free = VMAP_NONE};
}

/* size is a power of two, or the last one (max): multiply instead of mask. */
static u32 bucket_of(const struct vmap *v, u64 key)
{
	return ((plain_mix(key) >> 32) * v->size) >> 32;
}

static void rehash(struct vmap *v)
{
	u32 i, *b;

	memset(v->bucket, 0xff, (u64)v->size * sizeof(*v->bucket));
	for (i = 0; i < v->fresh; i++) {
		if (!v->entry[i].key)
			continue;
		b = &v->bucket[bucket_of(v, v->entry[i].key)];
		v->entry[i].next = *b;
		*b = i;
	}
}

static bool grow(struct vmap *v)
{
	u32 size = v->size ? v->size * 2 : FIRST_SIZE;
	struct vmap_entry *entry;
	u32 *bucket;

	size = size < v->max ? size : v->max;
	if (size <= v->size)
		return false;
	v->gave_up = true;
	bucket = plain_alloc(size, sizeof(*bucket));
	entry = bucket ? plain_grow(v->entry, v->size, size, sizeof(*entry)) : NULL;
	if (!entry) {
		plain_free(bucket);
		return false;
	}
	plain_free(v->bucket);
	v->entry = entry;
	v->bucket = bucket;
	v->size = size;
	v->gave_up = false;
	rehash(v);
	return true;
}

u32 vmap_find(const struct vmap *v, u64 key)
{
	u32 id;

	if (!v->n)
		return VMAP_NONE;
	for (id = v->bucket[bucket_of(v, key)]; id != VMAP_NONE; id = v->entry[id].next) {
		if (v->entry[id].key == key)
			break;
	}
	return id;
}

static u32 take_free(struct vmap *v)
{
	u32 id = v->free;

	if (id != VMAP_NONE) {
		v->free = v->entry[id].next;
		return id;
	}
	if (v->fresh == v->size && !grow(v))
		return VMAP_NONE;
	return v->fresh++;
}

u32 vmap_put(struct vmap *v, u64 key, bool *fresh)
{
	u32 id = vmap_find(v, key), *b;

	*fresh = id == VMAP_NONE;
	if (!*fresh || !key)
		return key ? id : VMAP_NONE;
	id = v->gave_up ? VMAP_NONE : take_free(v);
	if (id == VMAP_NONE)
		return id;
	b = &v->bucket[bucket_of(v, key)];
	v->entry[id] = (struct vmap_entry){.key = key, .next = *b};
	*b = id;
	v->n++;
	return id;
}

void vmap_del(struct vmap *v, u32 id)
{
	u32 *link;

	if (!vmap_at(v, id))
		return;
	link = &v->bucket[bucket_of(v, v->entry[id].key)];
	while (*link != id)
		link = &v->entry[*link].next;
	*link = v->entry[id].next;
	v->entry[id] = (struct vmap_entry){.next = v->free};
	v->free = id;
	v->n--;
}

u64 vmap_bytes(const struct vmap *v)
{
	return (u64)v->size * (sizeof(*v->entry) + sizeof(*v->bucket));
}
