// SPDX-License-Identifier: GPL-2.0
#include "ratio.h"

unsigned long pgc_excess(unsigned long free, unsigned long used, unsigned int ratio,
			 unsigned int low)
{
	if (!ratio || free <= ratio * used || free <= low * used)
		return 0;
	return free - low * used;
}

unsigned long pgc_share(unsigned long size_kib, unsigned int level, int five_levels,
			unsigned int table_kib)
{
	const unsigned int share[] = {1, !!five_levels, 1, 4, 16};

	return size_kib / (22 + share[1]) * share[level] / table_kib;
}

/*
 * At most half of what the level holds lies in rings, so that the other half can move between
 * processors.
 */
unsigned int pgc_ring_limit(unsigned long max, unsigned int cpus, unsigned int slots)
{
	unsigned long each = max / 2 / cpus;

	if (!max)
		return 0;
	if (each < 2)
		return 2;
	return each < slots ? each : slots;
}
