// KSM: identical pages are merged, by a thread that scans memory that was offered (mm/ksm.c,
// Documentation/admin-guide/mm/ksm.rst). What is merged stays merged until its processes end.
#include "system/ksm.h"

#include <stddef.h>

#include "system/swapdev.h"

static const struct system_key keys[] = {
    SWAPDEV_KEYS,
    {"zswap", "/sys/module/zswap/parameters/enabled", "0"},
    KSM_KEYS,
    {NULL, NULL, NULL},
};

static int check_options(const struct system_spec *spec)
{
	return swapdev_check(spec, false);
}

const struct system system_ksm = {
    .name = "ksm",
    .what = "identical pages of the workload are merged",
    .keys = keys,
    .state = "/sys/kernel/mm/ksm",
    .check_options = check_options,
    .set_up = swapdev_set_up,
    .mergeable = true,
};
