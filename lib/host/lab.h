// The lab that this process may run in: scripts/lab's guest, and the plugin of its emulator (host/labcall.h).
#ifndef MMPROF_HOST_LAB_H
#define MMPROF_HOST_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "host/labcall.h"

// Is this CPU one that QEMU emulates (TCG)? The CPU says so, whatever the environment is.
bool host_emulated(void);

// Is the plugin there? Fills what it does; asks once.
bool host_lab_plugin(struct labcall *hello);

// Counters of the CPU that this runs on, and of all, since the guest's start. False: nobody counts.
bool host_lab_read(struct labcall_counts *cpu, struct labcall_counts *all);

// Puts a mark into the truth file: `clock_ns` is the caller's own time, which goes with it. *error_ns: how
// long the caller's clock went on between its reading and the mark. False: there is no truth file.
bool host_lab_sync(enum labcall_sync kind, int64_t (*clock_ns)(void *ctx), void *ctx, const char *text,
		   int64_t *error_ns);

#endif
