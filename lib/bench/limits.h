// What this process may have, of what the machine, its cgroups (v1 and v2) and resource limits allow. Asked
// before anything is begun that would be refused or killed half-way.
#ifndef MMPROF_BENCH_LIMITS_H
#define MMPROF_BENCH_LIMITS_H

#include <stdint.h>

struct limit {
	int64_t value;  // INT64_MAX: none
	char from[256]; // what sets it: "/proc/sys/kernel/pid_max", a cgroup's file ...
};

// How many processes there can be, those that there are included.
struct limit limits_processes(void);

// Bytes of memory that are left: what is available on the machine, or what its cgroups allow and do not use
// yet, if that is less.
struct limit limits_memory(void);

// Is there room for so many bytes, in memory or swap? -ENOMEM with an err chain.
int limits_room(uint64_t bytes);

#endif
