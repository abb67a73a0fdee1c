// One run: prepares the workload, attaches probes, samples at the interval, and writes everything to the
// store as it comes, so that a crash loses at most a second.
#ifndef MMPROF_RUN_SESSION_H
#define MMPROF_RUN_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "run/workload.h"

struct store;

struct session_options {
	struct workload_options workload;
	const char *experiment, *name, *system;
	const char *const *tags;                      // "KEY=VALUE", NULL-terminated; may be NULL
	const char *const *probes, *const *no_probes; // specifications; may be NULL
	const char *const *extracts, *const *marks;   // see output.h; may be NULL
	const char *backend;
	int interval_ms, timeout_s; // timeout 0: none
	int iteration;              // 0: warm-up
	bool bpf_stats;
	const char
	    *bench; // the workload is this benchmark of ours, which gives back results; NULL: it is not
	void (*progress)(
	    const char *text); // one line that replaces the one before; NULL text: done. May be NULL.
};

struct session_outcome {
	int64_t run;      // its id
	int exit_code;    // what `time` would end with: the status, or 128 + signal
	bool interrupted; // by a signal to mmprof
	const char *status;
	int64_t elapsed_ns;
	int attached, not_attached, left_running;
};

// Blocks the signals that a session handles; call once, before any thread or session.
void session_block_signals(void);

// Checks everything that can be checked without changing anything: workload, placement, probe specifications.
// -EINVAL with an err chain.
int session_check(const struct session_options *options);

// -errno with an err chain when the run could not be made; what was stored by then stays, marked failed.
int session_run(struct store *store, const struct session_options *options, struct session_outcome *outcome);

#endif
