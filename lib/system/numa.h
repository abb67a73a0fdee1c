// What the kernel's own NUMA systems need of a machine.
#ifndef MMPROF_SYSTEM_NUMA_H
#define MMPROF_SYSTEM_NUMA_H

struct system_spec;

// As a struct system's .check; nothing is read of the spec.
int numa_check_nodes(const struct system_spec *spec); // two NUMA nodes with memory: 0, or -ENOENT with an err
						      // chain
int numa_check_tiers(const struct system_spec *spec); // two memory tiers: the same

#endif
