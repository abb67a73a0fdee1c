// Our module that caches page-table pages, per level (kmod/pgcache, docs/pgcache.md).
#include <stddef.h>

#include "system/system.h"

const struct system system_pgcache = {
    .name = "pgcache",
    .what = "freed page-table pages are kept, per level and CPU, for the next to need them",
    .module = "pgcache",
    .state = "/sys/kernel/mm/pgcache",
};
