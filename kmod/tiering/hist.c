// SPDX-License-Identifier: GPL-2.0
/* A histogram of pages by how often they were accessed; see hist.h. */
#include "hist.h"

unsigned int ahist_bin(u32 count)
{
	unsigned int bin = 31 - __builtin_clz(count + 1 ? count + 1 : ~0u);

	return bin < AHIST_BINS ? bin : AHIST_BINS - 1;
}

u32 ahist_more(u32 count, u32 n)
{
	return n > AHIST_COUNT_MAX - count ? AHIST_COUNT_MAX : count + n;
}

u32 ahist_cooled(u32 count, u16 coolings)
{
	u32 c = coolings > 31 ? 0 : (count + 1) >> coolings;

	return c ? c - 1 : 0;
}

void ahist_add(struct ahist *h, unsigned int bin, u64 pages)
{
	h->pages[bin] += pages;
}

void ahist_del(struct ahist *h, unsigned int bin, u64 pages)
{
	h->pages[bin] -= pages;
}

void ahist_cool(struct ahist *h)
{
	unsigned int i;

	h->pages[0] += h->pages[1];
	for (i = 1; i < AHIST_BINS - 1; i++)
		h->pages[i] = h->pages[i + 1];
	h->pages[AHIST_BINS - 1] = 0;
	h->clock++;
}

unsigned int ahist_threshold(const struct ahist *h, u64 room, unsigned int least)
{
	unsigned int bin = AHIST_BINS;
	u64 sum = 0;

	while (bin > least && sum + h->pages[bin - 1] <= room)
		sum += h->pages[--bin];
	return bin;
}

u64 ahist_above(const struct ahist *h, unsigned int bin)
{
	u64 sum = 0;

	for (; bin < AHIST_BINS; bin++)
		sum += h->pages[bin];
	return sum;
}
