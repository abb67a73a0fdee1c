/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of entry numbers, an entry on one of them at most: what MEMTIS' active and inactive lists
 * are to it. Plain C.
 */
#ifndef TIERING_IDLIST_H
#define TIERING_IDLIST_H

#include "plain.h"

#define IDLIST_MAX 8 /* lists of one set */
#define IDLIST_NONE (~0u)

struct idlist_link {
	u32 next, prev; /* places; those below IDLIST_MAX are the lists' own heads */
};

struct idlist_set {
	struct idlist_link *link; /* IDLIST_MAX heads, then by id */
	u8 *of;                   /* by id: on which list, plus one */
	u32 size;                 /* ids */
	u32 n[IDLIST_MAX];
};

int idlist_reserve(struct idlist_set *s, u32 n);
void idlist_free(struct idlist_set *s);
/* Put on this list's end, whichever it was on before. -ERANGE: no room */
int idlist_put(struct idlist_set *s, unsigned int list, u32 id);
void idlist_del(struct idlist_set *s, u32 id);
/* The first, or IDLIST_NONE */
u32 idlist_first(const struct idlist_set *s, unsigned int list);
/* Which list it is on, or -1 */
int idlist_of(const struct idlist_set *s, u32 id);
u64 idlist_bytes(const struct idlist_set *s);

#endif
