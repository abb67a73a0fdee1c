// Our module that caches page-table pages, per level (kmod/pgcache, docs/pgcache.md).
#include <stddef.h>

#include "system/system.h"

#define LEVEL(level)                                                                                         \
	{"ratio_" level, "/sys/kernel/mm/pgcache/" level "/ratio", NULL},                                    \
	{                                                                                                    \
		"low_" level, "/sys/kernel/mm/pgcache/" level "/low", NULL                                   \
	}

static const struct system_key keys[] = {
    LEVEL("pgd"), LEVEL("p4d"), LEVEL("pud"), LEVEL("pmd"), LEVEL("pte"), {NULL, NULL, NULL},
};

const struct system system_pgcache = {
    .name = "pgcache",
    .what = "freed page-table pages are kept, per level and CPU, for the next to need them",
    .keys = keys,
    .module = "pgcache",
    .state = "/sys/kernel/mm/pgcache",
};
