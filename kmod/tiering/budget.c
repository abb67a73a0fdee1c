// SPDX-License-Identifier: GPL-2.0
/* Budgets; see budget.h. */
#include "budget.h"

#define NS_PER_S 1000000000ull

void budget_set(struct budget *b, u64 per_second, u64 burst, u64 now_ns)
{
	per_second = per_second < BUDGET_MAX ? per_second : BUDGET_MAX;
	*b = (struct budget){.per_second = per_second, .burst = burst, .last_ns = now_ns};
}

/* A pause longer than a second earns no more than one second does, so that the product fits. */
static void refill(struct budget *b, u64 now_ns)
{
	u64 ns = now_ns > b->last_ns ? now_ns - b->last_ns : 0, product;

	ns = ns < NS_PER_S ? ns : NS_PER_S;
	product = ns * b->per_second + b->rest;
	b->rest = product % NS_PER_S;
	b->credit += product / NS_PER_S;
	b->credit = b->credit < b->burst ? b->credit : b->burst;
	b->last_ns = now_ns;
}

void budget_spend(struct budget *b, u64 amount, u64 now_ns)
{
	refill(b, now_ns);
	if (b->per_second)
		b->credit -= amount;
}

u64 budget_wait(struct budget *b, u64 now_ns)
{
	u64 ns;

	refill(b, now_ns);
	if (!b->per_second || b->credit > 0)
		return 0;
	ns = b->credit < -(s64)b->per_second
		     ? NS_PER_S
		     : div64_u64((u64)(1 - b->credit) * NS_PER_S, b->per_second);
	return ns + 1;
}
