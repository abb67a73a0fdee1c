// The limits that mmprof itself lives under, for the workload's cgroup, which is made at the top of the
// hierarchy where the kernel accounts for it, and so outside of them.
#ifndef MMPROF_RUN_CGROUP_LIMITS_H
#define MMPROF_RUN_CGROUP_LIMITS_H

// Writes the tightest of mmprof's own cgroup and those above it into `path`: memory, swap, processes, CPU
// time, CPUs and nodes. -errno with an err chain when one can't be given.
int cgroup_limits_copy(const char *hierarchy, const char *path);

#endif
