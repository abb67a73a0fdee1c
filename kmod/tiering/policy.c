// SPDX-License-Identifier: GPL-2.0
/* The list of policies: to add one, write its file and a line here. */
#include <linux/string.h>
#include "tiering.h"

static const struct tier_policy *const table[] = {&tier_ours, &tier_memtis, &tier_nomad, NULL};

const struct tier_policy *tier_policy = &tier_ours;

const struct tier_policy *tier_policy_find(const char *name)
{
	const struct tier_policy *const *p;

	for (p = table; *p; p++) {
		if (sysfs_streq((*p)->name, name))
			return *p;
	}
	return NULL;
}
