// Swap devices and files, all off for the time of a run.
#ifndef MMPROF_SYSTEM_SWAP_H
#define MMPROF_SYSTEM_SWAP_H

#include <stdbool.h>

// Turns each off; the journal turns it on again with the priority that it had. How many there were, or -errno
// with an err chain (-ENOMEM: what is swapped out doesn't fit into memory).
int swap_off(void);

// Whether any is on.
bool swap_is_on(void);

#endif
