// KSM before zswap: identical pages are merged, and what is swapped out all the same is compressed. With
// control=on KSM scans hard while memory is being reclaimed, and sleeps otherwise (ksmcontrol.h): the idea of
// waking it on the way to zswap, from user space.
#include <stddef.h>

#include "system/ksm.h"
#include "system/ksmcontrol.h"
#include "system/swapdev.h"
#include "system/zswap.h"

static const struct system_key keys[] = {
    SWAPDEV_KEYS, KSM_KEYS, ZSWAP_KEYS, KSMCONTROL_KEYS, {NULL, NULL, NULL},
};

static int check_options(const struct system_spec *spec)
{
	int rc = ksmcontrol_check(spec);

	return rc ? rc : swapdev_check(spec, true);
}

static int set_up(const struct system_spec *spec)
{
	int rc = swapdev_set_up(spec);

	return rc ? rc : ksmcontrol_start(spec);
}

const struct system system_ksm_zswap = {
    .name = "ksm-zswap",
    .what = "identical pages are merged, the others compressed; control=on: merged while memory is reclaimed",
    .keys = keys,
    .state = "/sys/kernel/mm/ksm",
    .check_options = check_options,
    .set_up = set_up,
    .mergeable = true,
};
