// Holding the machine still for a run, so that two runs differ by what is studied only: frequency, turbo,
// swap, caches and the rest. What is changed goes into the journal first.
#ifndef MMPROF_SYSTEM_PIN_H
#define MMPROF_SYSTEM_PIN_H

#include <stdbool.h>

// NULL or 0: left as it is. What is named itself must be possible; of `quiet` what is possible is done.
struct pin_options {
	char *lock_freq; // MHz, "base" or "max"
	char *governor, *thp;
	int no_turbo, no_aslr, no_swap, drop_caches;
	int quiet; // base frequency, governor performance, and all of the line above
};

// Whether anything is to be held still that the machine's other users could see: all but ASLR and caches.
bool pin_any(const struct pin_options *options);

// Whether this machine can do what is named; changes nothing. -EINVAL or -ENOENT with an err chain.
int pin_check(const struct pin_options *options);

// Does it; the journal must be open. `told` is called once for each that is wanted: key "pin.frequency",
// outcome "2600 MHz", or "not done: " and the reason. -errno with an err chain for what is named itself.
int pin_set_up(const struct pin_options *options,
	       void (*told)(void *ctx, const char *key, const char *outcome), void *ctx);

// Whether the workload is to run without address space layout randomization: personality(2), by its starter.
bool pin_no_aslr(const struct pin_options *options);

#define PIN_NOT_DONE "not done: "

#endif
