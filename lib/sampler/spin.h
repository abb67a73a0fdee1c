// The clock of the CPU one runs on, measured by a spin: for machines whose kernel doesn't tell.
#ifndef MMPROF_SAMPLER_SPIN_H
#define MMPROF_SAMPLER_SPIN_H

#include <stdint.h>

// Whether a spin can tell: 0, or -ENOTSUP with an err chain (no x86, no steady TSC, an emulated CPU).
int spin_check(void);

// The clock in Hz, from a chain of additions, one a cycle on every x86 core, timed with the TSC: the best of
// five tries of some 6 us, so that interrupts don't count. Good to half a percent; 0 when it can't be told.
int64_t spin_hz(void);

#endif
