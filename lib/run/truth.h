// Joins the truth file of a guest (base/truth.h) to a run that was recorded in it, by time and by the
// snapshots of the workload's pages, and stores what comes out: the true heat of each page over time
// (truth_window), series "truth.*", and how far each sampler's view was from it.
#ifndef MMPROF_RUN_TRUTH_H
#define MMPROF_RUN_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

struct store;
struct store_run_row;

struct truth_join_options {
	const char *path;
	int64_t window_ns;
	double hot_share; // the hot set: the fewest pages that have this part of a window's heat
};

struct truth_join_result {
	uint64_t windows, snapshots;
	double own_share;   // of the guest's accesses during the run, those to the workload's pages
	double doubt_share; // of their heat, that of frames that only one of the snapshots around gives to it
	int64_t clock_error_ns;
	bool whole;       // false: the file ends without the plugin's last word
	uint64_t outside; // accesses of the guest during the run to no known page
};

// -errno with an err chain: the run was not recorded in that guest, the file is damaged, the store's errors.
int truth_join(struct store *store, const struct store_run_row *run, const struct truth_join_options *options,
	       struct truth_join_result *result);

#endif
