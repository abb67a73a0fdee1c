// What the workload prints, passed on as it comes and searched line by line: figures (--extract) and the
// moments at which it entered a phase (--mark). Only then: a workload whose output nobody asks about keeps
// its terminal.
#ifndef MMPROF_RUN_OUTPUT_H
#define MMPROF_RUN_OUTPUT_H

#include <stdint.h>

struct store;
struct output;

// "NAME[:UNIT][+|-]=REGEX": a figure, its unit, whether more (+) or less (-) of it is better, and a regular
// expression (PCRE) whose first group, or whole match, is the number; the last line that matches counts.
// Marks: REGEX, whose first group, or whole match, names the phase. Both lists are NULL-terminated or NULL.
struct output_options {
	const char *const *extracts, *const *marks;
	int stdout_fd; // where the workload's standard output goes
};

// -EINVAL with an err chain for one that can't be understood.
int output_check(const struct output_options *options);

// *output is NULL when nothing is to be searched.
int output_new(const struct output_options *options, struct output **output);

// The workload's ends of the pipes, for standard output and standard error, to be closed by output_started().
int output_workload_fd(const struct output *output, int stream);
void output_started(struct output *output);

// The other ends, for poll(2); -1 once closed.
int output_fd(const struct output *output, int stream);

// Passes on what is there now and stores the marks in it; `now_ns` since the workload's start. 0 or the
// store's errors.
int output_read(struct output *output, int stream, struct store *store, int64_t run, int64_t now_ns);

// At the end: stores the figures, and as not measured those that never came.
int output_finish(struct output *output, struct store *store, int64_t run, int64_t now_ns);
void output_free(struct output *output);

#endif
