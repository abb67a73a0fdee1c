/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A budget per time: credit grows with time, is spent afterwards by what was done, and who is in
 * debt waits. Over any time t no more than rate * t + burst + one piece of work is spent. Plain C;
 * the caller has a lock.
 */
#ifndef TIERING_BUDGET_H
#define TIERING_BUDGET_H

#include "plain.h"

#define BUDGET_MAX (1ull << 33)

struct budget {
	u64 per_second; /* 0: without limit; BUDGET_MAX at most */
	s64 credit, burst;
	u64 last_ns;
	u64 rest; /* of the division below */
};

void budget_set(struct budget *b, u64 per_second, u64 burst, u64 now_ns);
void budget_spend(struct budget *b, u64 amount, u64 now_ns);
/* Nanoseconds until there may be credit, a second at most: 0 is now. */
u64 budget_wait(struct budget *b, u64 now_ns);

#endif
