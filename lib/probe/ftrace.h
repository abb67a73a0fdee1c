// Function latency through ftrace's function_graph tracer: the backend for kernels where BPF can't attach.
// Raw events are parsed with libtraceevent and summed up here, in user space. Private to lib/probe.
#ifndef MMPROF_PROBE_FTRACE_H
#define MMPROF_PROBE_FTRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "stats/hist.h"

struct ftrace;
struct ftrace_func;

// Makes a private tracing instance with function_graph, switched off (kernels before 6.11 know it only in the
// top-level instance, which is then taken if nobody uses it, and put back through the journal). -errno with
// an err chain.
int ftrace_new(struct ftrace **ftrace);
void ftrace_free(struct ftrace *ftrace);

// Adds a function to the filter. `ftrace` may be NULL: then an error that says why there is none. The
// function is the ftrace's own.
int ftrace_add(struct ftrace *ftrace, const char *symbol, struct ftrace_func **func);
void ftrace_remove(struct ftrace *ftrace, struct ftrace_func *func);

// The workload's first process; the children it forks are recognised from then on.
void ftrace_set_root(struct ftrace *ftrace, pid_t pid);

int ftrace_enable(struct ftrace *ftrace, bool on);
void ftrace_pump(struct ftrace *ftrace); // reads what the ring buffers hold

const struct hist *ftrace_hist(const struct ftrace_func *func, int class); // NULL: none seen

// Events that the ring buffers lost (overrun), as the kernel counts them.
uint64_t ftrace_lost(struct ftrace *ftrace);

// Why ftrace_new failed earlier in this process: for ftrace_add(NULL, ...).
void ftrace_set_refusal(const char *why);

#endif
