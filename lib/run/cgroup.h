// The workload's own cgroup v2: where the machine has none mounted (v1 only), a hierarchy without controllers
// is mounted for the purpose. Membership is all that is needed: it tells whose page fault it was.
#ifndef MMPROF_RUN_CGROUP_H
#define MMPROF_RUN_CGROUP_H

#include <sys/types.h>

struct run_cgroup {
	char *path;
	int fd; // the directory
};

// Makes it (journalled), with the limits that mmprof itself has. -errno with an err chain: then the run goes
// on without, as a process tree.
int run_cgroup_make(struct run_cgroup *cg);
int run_cgroup_add(const struct run_cgroup *cg, pid_t pid);
int run_cgroup_population(const struct run_cgroup *cg); // processes in it
void run_cgroup_kill(const struct run_cgroup *cg);      // SIGKILL to all
void run_cgroup_free(struct run_cgroup *cg);            // closes; the journal removes it

#endif
