// SPDX-License-Identifier: GPL-2.0
/*
 * abit: each round takes the accessed bits of all pages. Works on every machine; knows "accessed",
 * not "how often".
 */
#include "tiering.h"

static int start(void)
{
	return 0;
}

static void stop(void)
{
}

const struct tier_sampler tier_abit = {
	.name = "abit",
	.start = start,
	.stop = stop,
	.young = {[TIER_FAST] = true, [TIER_SLOW] = true},
};
