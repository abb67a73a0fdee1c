// The plain C parts of kmod/tiering in a test: sources are included, allocations can be made to fail.
#ifndef MMPROF_TESTS_TIERING_PLAIN_H
#define MMPROF_TESTS_TIERING_PLAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "../../kmod/tiering/plain.h"

int plain_fail_after = -1;

static u64 random_state = 88172645463325252ull;

// xorshift64 (Marsaglia 2003): the same sequence everywhere
__attribute__((unused)) static u64 random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

__attribute__((unused)) static u32 random_below(u32 n)
{
	return (random_u64() >> 32) % n;
}

#endif
