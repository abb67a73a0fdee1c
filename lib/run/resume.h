// Which cells of an experiment are left to run, from what the database holds of it. A cell that took mmprof
// or the machine down is not run again by itself, so that a plan that goes on at boot can't go round in
// circles.
#ifndef MMPROF_RUN_RESUME_H
#define MMPROF_RUN_RESUME_H

#include <glib.h>

struct plan;
struct store;

enum resume {
	RESUME_NOT,   // none of the cells may have been run
	RESUME_REST,  // those that were not run, or were interrupted
	RESUME_RETRY, // those that crashed or failed too
};

struct resume_count {
	int done, failed, running; // failed: crashed too; running: by another mmprof that lives
};

// Writes down the plan if it is new, refuses another one of the same name (-EEXIST with an err chain), takes
// the cells that are not to be run out of `cells` (struct cell) and counts them. `n_cells` is of the whole
// plan.
int resume_cells(struct store *store, const struct plan *plan, int n_cells, enum resume how, GArray *cells,
		 struct resume_count *count);

#endif
