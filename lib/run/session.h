// One run: prepares the workload, attaches probes, samples at the interval, and writes everything to the
// store as it comes, so that a crash loses at most a second.
#ifndef MMPROF_RUN_SESSION_H
#define MMPROF_RUN_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "run/workload.h"
#include "system/pin.h"

struct store;
struct system;

struct session_options {
	struct workload_options workload;
	const char *experiment, *name, *system;
	const char *const *tags;                      // "KEY=VALUE", NULL-terminated; may be NULL
	const char *const *probes, *const *no_probes; // specifications; may be NULL
	const char *const *extracts, *const *marks;   // see output.h; may be NULL
	const char *backend;
	const struct system *known; // what `system` is, if mmprof knows it; else NULL
	int interval_ms, timeout_s; // timeout 0: none
	double sampling_percent;    // of one CPU that sampling may take
	int iteration;              // 0: warm-up
	int cell;                   // of the experiment's plan, from 1; 0: of no plan
	bool bpf_stats;
	const char
	    *bench; // the workload is this benchmark of ours, which gives back results; NULL: it is not
	const struct pin_options *pin; // what is held still, before the system is set up
	// Sets the machine up, once the run's row is written and before its facts are read. What it changes
	// it writes into the journal; the end of the run puts it back. -errno with an err chain. May be NULL.
	int (*set_up)(void *ctx);
	void *ctx;
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
	int pins_not_done; // of `pin`: what this machine can't do, told in the run's facts as pin.*
	int not_put_back;  // changes of the machine that could not be undone; err_text() tells of the last
};

// Blocks the signals that a session handles; call once, before any thread or session.
void session_block_signals(void);

// Waits so long between sessions; true when one of those signals came, and takes it.
bool session_pause(double seconds);

// Checks everything that can be checked without changing anything: workload, placement, probe specifications.
// -EINVAL with an err chain.
int session_check(const struct session_options *options);

// -errno with an err chain when the run could not be made; what was stored by then stays, marked failed.
int session_run(struct store *store, const struct session_options *options, struct session_outcome *outcome);

#endif
