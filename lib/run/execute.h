// Executes cells of a plan: sets the machine up, runs, puts it back. Each run has its system's settings to
// itself: they are written when its row is in the database, so that one that brings the machine down is told.
#ifndef MMPROF_RUN_EXECUTE_H
#define MMPROF_RUN_EXECUTE_H

#include <glib.h>
#include <stdbool.h>

#include "run/plan.h"
#include "run/session.h"

// One run, for those who tell about it.
struct execute_step {
	const struct plan_system *system;
	const struct plan_workload *workload;
	int cell, round; // round 0: a warm-up before this cell
	double left_s;   // until all is done, this run included; -1: not known yet
};

struct execution {
	const struct plan *plan;
	struct store *store;
	GArray *cells;     // struct cell: what is to be run, in order
	const char *user;  // as whom workloads run that don't say; NULL: as mmprof
	bool try_settings; // write each system's settings once and put them back, before the first run
	void (*starting)(void *ctx, const struct execute_step *step);
	// `why`: NULL, or why the run could not be made.
	void (*ended)(void *ctx, const struct execute_step *step, const struct session_outcome *outcome,
		      const char *why);
	void *ctx;
	// results
	int runs, failed; // without warm-ups; failed: that did not end with exit status 0
	bool interrupted;
};

// Checks what can be checked of these cells without changing anything: settings, programs, probes. With
// `skip_missing` the cells of a system that has a setting which this machine lacks are taken out and
// `left_out` is told. -errno with an err chain "PLAN:LINE: ...".
int execute_check(const struct plan *plan, GArray *cells, const char *user, bool skip_missing,
		  void (*left_out)(const char *line));

// Runs them all, until a signal ends it. The journal must be open and the session's signals blocked; the
// settings of the whole plan are put back by journal_close(). -errno with an err chain when a run's row can't
// be written or the machine can't be set up or put back; what else goes wrong with a run is told and the next
// one comes.
int execute(struct execution *execution);

#endif
