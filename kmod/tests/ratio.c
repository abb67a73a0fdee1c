/* SPDX-License-Identifier: GPL-2.0 */
/* The cache's arithmetic, in user space. TAP on standard output. */
#include "../pgcache/ratio.h"
#include <limits.h>
#include <stdio.h>

static int n, failed;

static void is(unsigned long got, unsigned long wanted, const char *name)
{
	n++;
	failed += got != wanted;
	printf("%sok %d - %s\n", got == wanted ? "" : "not ", n, name);
	if (got != wanted)
		printf("# got %lu, wanted %lu\n", got, wanted);
}

/* The notes: used 8, free 48 is too much and becomes 16. By default free > 4 * used is too much,
 * and 2 * used stays. */
static void worked_example(void)
{
	is(48 - pgc_excess(48, 8, 4, 2), 16, "used 8, free 48: 16 stay");
	is(pgc_excess(32, 8, 4, 2), 0, "used 8, free 32: not yet too many");
	is(pgc_excess(33, 8, 4, 2), 17, "used 8, free 33: too many");
	is(pgc_excess(0, 56, 4, 2), 0, "used 56, free 0: nothing to give back");
}

static void bounds(void)
{
	unsigned long free, used, excess, bad = 0;
	unsigned int ratio, low;

	is(pgc_excess(1000, 0, 4, 2), 1000, "nothing in use: everything goes");
	is(pgc_excess(1000, 1, 0, 2), 0, "ratio 0: never");
	is(pgc_excess(ULONG_MAX / 2, 1, 4, 2), ULONG_MAX / 2 - 2, "large numbers");
	for (free = 0; free < 64; free++)
		for (used = 0; used < 64; used++)
			for (ratio = 0; ratio < 8; ratio++)
				for (low = 0; low < 8; low++) {
					excess = pgc_excess(free, used, ratio, low);
					bad += excess > free ||
					       (excess && free - excess != low * used);
				}
	is(bad, 0, "never more than there is, and down to low * used exactly");
}

static void sizes(void)
{
	is(pgc_share(23 * 1024, 4, 1, 4), 4096,
	   "16 of 23 parts of 23 MiB: 4096 tables of one page");
	is(pgc_share(23 * 1024, 0, 1, 8), 128, "one part: 128 tables of two pages");
	is(pgc_share(23 * 1024, 1, 1, 4), 256, "p4d: one part of five levels");
	is(pgc_share(22 * 1024, 1, 0, 4), 0, "none of four");
	is(pgc_share(22 * 1024, 4, 0, 4), 4096, "where there are 22 parts");
	is(pgc_share(0, 4, 1, 4), 0, "no size, no tables");
	is(pgc_ring_limit(0, 2, 32), 0, "no tables, no ring");
	is(pgc_ring_limit(1, 2, 32), 2, "a ring has two at least");
	is(pgc_ring_limit(64, 2, 32), 16, "two rings share one half");
	is(pgc_ring_limit(100000, 2, 32), 32, "a ring has so many slots");
}

int main(void)
{
	worked_example();
	bounds();
	sizes();
	printf("1..%d\n", n);
	return failed != 0;
}
