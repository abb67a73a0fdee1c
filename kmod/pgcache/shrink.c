// SPDX-License-Identifier: GPL-2.0
/*
 * Under memory pressure the cache gives back all it has: a table that the kernel needs elsewhere
 * saves nothing here.
 */
#include "kcompat.h"
#include "pgcache.h"

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long pages = 0;
	struct pgc_level *l;

	for_each_level(l)
		pages += pgc_free_tables(l) << l->order;
	return pages ?: SHRINK_EMPTY;
}

/* From each level its part, so that the mix stays what the workload made it. */
static unsigned long scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long total = count(s, sc), done = 0, part;
	struct pgc_level *l;

	if (total == SHRINK_EMPTY)
		return SHRINK_STOP;
	for_each_level(l) {
		part = DIV_ROUND_UP(pgc_free_tables(l) * min(sc->nr_to_scan, total), total);
		done += pgc_give_back(l, part, PGC_shrink) << l->order;
	}
	sc->nr_scanned = done;
	return done;
}

#if KC_SHRINKER_ALLOC
static struct shrinker *shrinker;

int pgc_shrink_init(void)
{
	shrinker = shrinker_alloc(0, "pgcache");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = 0; /* cheap to make again: half of it at each call */
	shrinker_register(shrinker);
	return 0;
}

void pgc_shrink_exit(void)
{
	shrinker_free(shrinker);
}
#else
static struct shrinker shrinker = {.count_objects = count, .scan_objects = scan, .seeks = 0};

int pgc_shrink_init(void)
{
	return register_shrinker(&shrinker, "pgcache");
}

void pgc_shrink_exit(void)
{
	unregister_shrinker(&shrinker);
}
#endif
