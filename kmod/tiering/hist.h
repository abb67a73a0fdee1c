/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MEMTIS' histogram of accesses (SOSP '23, re-implemented from its description): how many pages of
 * memory were accessed so often, in bins that double. Plain C.
 *
 * A page's bin is floor(log2(count + 1)), 15 at most. Cooling halves all counts: the histogram at
 * once, by moving each bin down by one, and a page's count when it is next looked at, so that both
 * always agree: counts stop at AHIST_COUNT_MAX, and a halved count is (count + 1) / 2 - 1, whose
 * bin is exactly one lower.
 */
#ifndef TIERING_HIST_H
#define TIERING_HIST_H

#include "plain.h"

#define AHIST_BINS 16
#define AHIST_COUNT_MAX 65534u

struct ahist {
	u64 pages[AHIST_BINS];
	u16 clock; /* coolings so far */
};

unsigned int ahist_bin(u32 count);
/* count after n accesses more */
u32 ahist_more(u32 count, u32 n);
/* count after so many coolings */
u32 ahist_cooled(u32 count, u16 coolings);
void ahist_add(struct ahist *h, unsigned int bin, u64 pages);
void ahist_del(struct ahist *h, unsigned int bin, u64 pages);
void ahist_cool(struct ahist *h);
/*
 * The lowest bin that, with all above it, fits into so many pages; AHIST_BINS when not even the
 * highest does.
 */
unsigned int ahist_threshold(const struct ahist *h, u64 room, unsigned int least);
u64 ahist_above(const struct ahist *h, unsigned int bin);

#endif
