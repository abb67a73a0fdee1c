// Which processes are the workload's, and what /proc/PID says of one. A process may be gone at any moment;
// that is never an error here. Private to lib/sampler.
#ifndef MMPROF_SAMPLER_PROCS_H
#define MMPROF_SAMPLER_PROCS_H

#include "sampler/sampler.h"

#include <stddef.h>

// The fields of /proc/PID/stat that are used; times in clock ticks.
struct proc_stat {
	char comm[64], state;
	pid_t ppid;
	unsigned flags; // PF_*
	int64_t user, system, reaped_user, reaped_system, start;
};

enum { PROC_KTHREAD = 0x00200000 }; // PF_KTHREAD of include/linux/sched.h

int proc_stat_parse(const char *text, struct proc_stat *stat);
// 0, or -errno when there is no such process (any more).
int proc_stat_read(pid_t pid, struct proc_stat *stat);

struct procs;
struct procs *procs_new(void);
void procs_free(struct procs *procs);
// Looks again who belongs to the workload: its cgroup and those below it; without a cgroup the tree below
// root_pid, where one that was seen stays in it when its parent dies. The list is valid until the next call.
const pid_t *procs_refresh(struct procs *procs, const struct sample_target *target, size_t *n);
// The list of the last refresh.
const pid_t *procs_last(const struct procs *procs, size_t *n);
// CPU time of the tree in ns, with that of reaped children; only without a cgroup, after a refresh.
void procs_cpu_ns(const struct procs *procs, int64_t *user, int64_t *system);
// Gives each child of a process to `add`. Their number, or -errno (ENOENT: no CONFIG_PROC_CHILDREN).
int proc_children(pid_t pid, void (*add)(pid_t child, void *arg), void *arg);

#endif
