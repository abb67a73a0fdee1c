/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cache's arithmetic: how much a level may hold, and how much it gives back. Plain C, also
 * built in user space.
 */
#ifndef PGCACHE_RATIO_H
#define PGCACHE_RATIO_H

/*
 * Tables to give back when `free` are cached and `used` are in use: none until free > ratio * used,
 * then all but low * used.
 */
unsigned long pgc_excess(unsigned long free, unsigned long used, unsigned int ratio,
			 unsigned int low);

/*
 * Tables that a level may hold (0 pgd, 1 p4d, 2 pud, 3 pmd, 4 pte): its part of size_kib, which is
 * divided 1:1:1:4:16, in tables of table_kib each. With four levels there is no p4d, nor a part for
 * it.
 */
unsigned long pgc_share(unsigned long size_kib, unsigned int level, int five_levels,
			unsigned int table_kib);

/* How many of a level's `max` tables each of `cpus` rings may hold, of `slots` at most. */
unsigned int pgc_ring_limit(unsigned long max, unsigned int cpus, unsigned int slots);

#endif
