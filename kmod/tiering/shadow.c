// SPDX-License-Identifier: GPL-2.0
#include "tiering.h"

unsigned long tier_shadow_count(void)
{
	return 0;
}

void tier_shadow_forget_mm(u16 mm)
{
}

int tier_shadow_init(void)
{
	return 0;
}

void tier_shadow_exit(void)
{
}
