// The workload's process: made stopped, so that it can be put into its cgroup and the probes switched on
// before its first instruction; waited for by a thread of its own, so that its end is timed exactly.
#ifndef MMPROF_RUN_WORKLOAD_H
#define MMPROF_RUN_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct workload_options {
	const char *const *argv;                      // NULL-terminated
	const char *user;                             // NULL: as mmprof itself
	const char *cwd;                              // where it runs; NULL: mmprof's own
	const char *cpus;                             // NULL: any; e.g. "0-3,8"
	const char *membind, *preferred, *interleave; // nodes, NULL: not set
	const char *stdin_path, *stdout_path;         // NULL: mmprof's own
	int stdout_fd, stderr_fd; // 0: mmprof's own; stdout_path: see workload_open_stdout
	bool no_aslr;             // without address space layout randomization
	bool mergeable;           // its memory is offered to KSM, if the kernel can
	int results_fd;           // 0: none; else named in $MMPROF_RESULTS_FD
};

struct workload;

// Checks what can be checked without starting anything: the program exists and can be executed, the user
// exists, CPUs and nodes are there. -EINVAL with an err chain.
int workload_check(const struct workload_options *options);

// Opens stdout_path, as the user (root would follow whatever links somebody else has put there) and no link
// itself. -errno with an err chain.
int workload_open_stdout(const struct workload_options *options, int *fd);

// Forks the process, which waits. -errno with an err chain.
int workload_prepare(const struct workload_options *options, struct workload **workload);
pid_t workload_pid(const struct workload *workload);

// Of one that was prepared `mergeable`: how its memory was offered to KSM, or why it could not be. g_free.
char *workload_mergeable_how(const struct workload *workload);

// Lets it go; -errno with an err chain when it could not be executed.
int workload_start(struct workload *workload);

// A descriptor that becomes readable when it has ended.
int workload_event_fd(const struct workload *workload);

struct workload_end {
	int64_t elapsed_ns;      // from start to the end of the first process
	int exit_status, signal; // -1 where there is none
	struct rusage usage;     // of it and of all children it waited for
	int64_t own_maxrss;      // bytes; what ru_maxrss held before exec: see workload_maxrss
};

// Its largest resident set in bytes; -1: only known to be at most ru_maxrss. Linux keeps a process's maximum
// over exec (fs/exec.c, exec_mmap), and before it the process was a copy of mmprof.
int64_t workload_maxrss(const struct workload_end *end);

// After the event: how it ended.
void workload_end(struct workload *workload, struct workload_end *end);
int64_t workload_start_ns(const struct workload *workload); // CLOCK_MONOTONIC; 0: not started
int64_t workload_since_start_ns(const struct workload *workload);
void workload_free(struct workload *workload); // kills it if it still runs

#endif
