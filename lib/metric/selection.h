// Which runs are compared: those of some systems, workloads or an experiment, in rows and columns. Runs that
// don't count (warm-ups, crashed, failed, excluded by the user) are left out and counted, never in silence.
#ifndef MMPROF_METRIC_SELECTION_H
#define MMPROF_METRIC_SELECTION_H

#include <glib.h>
#include <stdint.h>

struct store;

struct selection_options {
	const char *const *systems;   // each counts once; a name without its kind means all kinds; NULL or
				      // empty: all there are
	const char *const *workloads; // NULL or empty: all
	const char *experiment;       // NULL: any
	const char *const *excluded;  // runs as store_find_run() takes them; NULL: none
	const char *baseline;         // NULL: the first system
	gboolean any_exit;            // runs whose workload failed count too
};

struct selection {
	GPtrArray *systems;   // names, with their kind if they have one, the baseline first
	GPtrArray *workloads; // names, as they first ran
	GArray *runs;         // struct store_run_row: what is compared, by workload, system, then time
	GArray *places;       // struct selection_place, parallel to runs
	GArray *left_out;     // struct selection_out
};

struct selection_place {
	guint workload, system;
};

struct selection_out {
	int64_t run;
	guint system;
	const char *workload, *why; // "warm-up", "crashed", "excluded (--exclude)", ...
};

// -ENOENT with an err chain when a system, workload, experiment or run is not in the database.
int selection_make(struct store *store, const struct selection_options *options,
		   struct selection **selection);
void selection_free(struct selection *selection);

#endif
