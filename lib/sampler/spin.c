// A calibrated spin; see spin.h.
#include "sampler/spin.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "host/host.h"
#include "host/lab.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>

enum { CHAIN = 64, ROUNDS = 256, TRIES = 5, POWER = 0x80000007 };

int spin_check(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(POWER, &a, &b, &c, &d) || !(d & 1u << 8))
		return err_set(-ENOTSUP, "the TSC is not invariant, so a spin can't be timed");
	if (host_emulated())
		return err_set(-ENOTSUP, "the CPU is emulated (QEMU TCG): it has no clock");
	return host_tsc_hz() ? 0 : err_set(-ENOTSUP, "the TSC's frequency is not known");
}

// Register to register: some cores make additions of constants disappear.
static uint64_t spin_once(void)
{
	uint64_t from = __rdtsc(), sum = from, step = 3;

	for (int i = 0; i < ROUNDS; i++)
		__asm__ volatile(".rept 64\n\tadd %1, %0\n\t.endr" : "+r"(sum) : "r"(step));
	return __rdtsc() - from;
}

int64_t spin_hz(void)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t ticks = spin_once();

		best = ticks && ticks < best ? ticks : best;
	}
	return best == UINT64_MAX ? 0
				  : (int64_t)((double)CHAIN * ROUNDS * (double)host_tsc_hz() / (double)best);
}
#else
int spin_check(void)
{
	return err_set(-ENOTSUP, "a spin is timed on x86-64 only");
}

int64_t spin_hz(void)
{
	return 0;
}
#endif
