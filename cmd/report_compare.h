// The options and the work of `mmprof report --compare`.
#ifndef MMPROF_CMD_REPORT_COMPARE_H
#define MMPROF_CMD_REPORT_COMPARE_H

#include "cmd/query.h"

struct compare_command {
	int compare, any_exit;
	char **metrics, **latencies, **workloads, **excluded, **bounds;
	char *baseline, *experiment, *correct, *html;
	long seed;
};

#define COMPARE_OPTIONS(c)                                                                                    \
	{                                                                                                     \
	    "compare",    0, POPT_ARG_NONE,                                                                   \
	    &(c).compare, 0, "compare systems; the first one named is the baseline",                          \
	    NULL},                                                                                            \
	    {"metric",     'm', POPT_ARG_ARGV,                                                                \
	     &(c).metrics, 0,   "what is compared (default elapsed; repeat it; `mmprof list metrics`)",       \
	     "METRIC"},                                                                                       \
	    {"workload", 'w', POPT_ARG_ARGV, &(c).workloads, 0, "only this workload (repeat it)", "NAME"},    \
	    {"experiment", 'e', POPT_ARG_STRING, &(c).experiment, 0, "only runs of this experiment", "NAME"}, \
	    {"baseline", 0, POPT_ARG_STRING, &(c).baseline, 0, "another baseline than the first system",      \
	     "SYSTEM"},                                                                                       \
	    {"exclude", 0, POPT_ARG_ARGV, &(c).excluded, 0, "leave a run out, which is shown (repeat it)",    \
	     "RUN"},                                                                                          \
	    {"any-exit", 0, POPT_ARG_NONE, &(c).any_exit, 0, "runs whose workload failed count too", NULL},   \
	    {"latency",      0, POPT_ARG_ARGV,                                                                \
	     &(c).latencies, 0, "compare the latency distribution of this function (default: of all)",        \
	     "PROBE"},                                                                                        \
	    {"correct",    0, POPT_ARG_STRING,                                                                \
	     &(c).correct, 0, "for the number of tests: holm, bh or none (default holm)",                     \
	     "METHOD"},                                                                                       \
	    {"seed", 0, POPT_ARG_LONG, &(c).seed, 0, "of the bootstrap's random numbers (default 1)", "N"},   \
	    {"fail-if",   0, POPT_ARG_ARGV,                                                                   \
	     &(c).bounds, 0, "exit 1 if so, with evidence: 'elapsed:ours>tpp*1.05' (repeat it)",              \
	     "BOUND"},                                                                                        \
	{                                                                                                     \
		"html", 0, POPT_ARG_STRING, &(c).html, 0, "write one self-contained page with figures",       \
		    "FILE"                                                                                    \
	}

// 0, or EXIT_USAGE after one line on stderr.
int compare_command_check(const struct command *cmd, struct compare_command *c);

// The exit code: 0, 1 when a bound is broken, EXIT_USAGE.
int compare_command_run(const struct command *cmd, struct store *store, const struct query *q,
			const struct compare_command *c, bool all);

#endif
