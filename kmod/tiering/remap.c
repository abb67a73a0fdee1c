// SPDX-License-Identifier: GPL-2.0
#include "tiering.h"

void tier_remap_promote(struct mm_struct *mm, struct tier_job *job, unsigned int n)
{
	tier_move(mm, job, n, TIER_FAST);
}

void tier_remap_demote(struct mm_struct *mm, struct tier_job *job, unsigned int n)
{
	tier_move(mm, job, n, TIER_SLOW);
}
