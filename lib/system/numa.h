// What the kernel's own NUMA systems need of a machine.
#ifndef MMPROF_SYSTEM_NUMA_H
#define MMPROF_SYSTEM_NUMA_H

int numa_check_nodes(void); // two NUMA nodes with memory: 0, or -ENOENT with an err chain
int numa_check_tiers(void); // two memory tiers: the same

#endif
