// SPDX-License-Identifier: GPL-2.0
#include "tiering.h"

atomic64_t tier_stats[TIER_NSTATS];

u64 tier_overhead(void)
{
	u64 bytes;

	mutex_lock(&tier_book_lock);
	bytes = tier_book_bytes() + (tier_policy->bytes ? tier_policy->bytes() : 0);
	mutex_unlock(&tier_book_lock);
	return bytes;
}
