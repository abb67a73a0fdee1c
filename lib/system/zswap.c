// zswap: pages on their way to swap are compressed and kept in memory (mm/zswap.c,
// Documentation/admin-guide/mm/zswap.rst). Its pool's compressed pages go on to the device when it is full.
#include "system/zswap.h"

#include <stddef.h>

#include "system/swapdev.h"

static const struct system_key keys[] = {
    SWAPDEV_KEYS,
    {"ksm", "/sys/kernel/mm/ksm/run", "0"},
    ZSWAP_KEYS,
    {NULL, NULL, NULL},
};

static int check_options(const struct system_spec *spec)
{
	return swapdev_check(spec, true);
}

const struct system system_zswap = {
    .name = "zswap",
    .what = "pages that are swapped out are compressed and kept in memory first",
    .keys = keys,
    .state = "/sys/kernel/debug/zswap",
    .check_options = check_options,
    .set_up = swapdev_set_up,
};
