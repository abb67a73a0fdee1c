// Plain swap: what the kernel does without zswap and KSM. The others are compared with this one.
#include <stddef.h>

#include "system/swapdev.h"

static const struct system_key keys[] = {
    SWAPDEV_KEYS,
    {"zswap", "/sys/module/zswap/parameters/enabled", "0"},
    {"ksm", "/sys/kernel/mm/ksm/run", "0"},
    {NULL, NULL, NULL},
};

static int check_options(const struct system_spec *spec)
{
	return swapdev_check(spec, true);
}

const struct system system_swap = {
    .name = "swap",
    .what = "plain swapping: no zswap, no KSM",
    .keys = keys,
    .check_options = check_options,
    .set_up = swapdev_set_up,
};
