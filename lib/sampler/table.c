// The list of all samplers: to add one, write its file and a row here.
#include "sampler/read.h"

#include <stddef.h>

// name, least interval in ms, what it gives
#define SAMPLERS(ROW)                                                                                        \
	ROW(vmstat, 0, "all of /proc/vmstat: faults, reclaim, migration, THP, swap, page states")            \
	ROW(meminfo, 0, "all of /proc/meminfo, in bytes")                                                    \
	ROW(nodes, 200, "each NUMA node's memory, allocation counters, promotions and demotions")            \
	ROW(psi, 0, "time stalled for memory, CPU and I/O: the machine's and the workload's")                \
	ROW(pagetables, 500, "bytes in page tables: the machine's and the workload's")                       \
	ROW(workload, 0,                                                                                     \
	    "the workload's resident and swapped memory, processes and threads (what is shared "             \
	    "counts once for each process)")                                                                 \
	ROW(residency, 1000,                                                                                 \
	    "on which NUMA nodes the workload's memory is, from numa_maps: walks its page tables under "     \
	    "mmap_lock, which disturbs a workload that faults or maps much")                                 \
	ROW(swap, 500, "swap devices in use and zswap's pool")                                               \
	ROW(ksm, 0, "pages that KSM has merged and scanned")                                                 \
	ROW(control, 0, "what the controller of a system under test did: `ksm-zswap,control=on`")            \
	ROW(thp, 1000, "huge pages of each size: faults, fallbacks, splits, swap, and khugepaged's work")    \
	ROW(cputime, 0, "CPU time by class: user, system, idle, interrupts, kernel threads, the workload")   \
	ROW(cpufreq, 0, "frequency of the CPUs: lowest, mean, highest")                                      \
	ROW(modules, 0,                                                                                      \
	    "what our kernel modules count while they are loaded: pgcache's hits, misses, tables kept")      \
	ROW(interrupts, 500, "TLB shootdowns, function-call, rescheduling and timer interrupts")

#define DECLARE(name, interval, what) SAMPLER_FUNCTIONS(name);
SAMPLERS(DECLARE)

#define ENTRY(name, interval, what)                                                                          \
	{#name, what, interval, name##_sampler_open, name##_sampler_read, name##_sampler_close},
const struct sampler sampler_table[] = {SAMPLERS(ENTRY){NULL, NULL, 0, NULL, NULL, NULL}};
