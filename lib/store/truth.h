// What the lab knows: where the workload's pages were (snapshots that record takes), how hot each really was
// in each window (mmprof truth import), and how hot a sampler took them for. Arrays of pages are stored
// compactly.
#ifndef MMPROF_STORE_TRUTH_H
#define MMPROF_STORE_TRUTH_H

#include <glib.h>
#include <stdint.h>

struct store;

struct store_place {          // a page of a process, by rising page
	uint64_t page, frame; // virtual page number, physical page frame
};

// A snapshot of one process, begun at t_ns after the workload's start. Waits with the samples.
int store_places(struct store *store, int64_t run, int64_t t_ns, int64_t pid, int64_t took_ns,
		 const GArray *places);

struct store_snapshot {
	int64_t t_ns, pid, took_ns;
};
int store_read_snapshots(struct store *store, int64_t run, GArray **snapshots); // by time
int store_read_places(struct store *store, int64_t run, const struct store_snapshot *snapshot,
		      GArray **places);

struct store_heat { // a page in a window, by rising pid and page
	uint64_t pid, page, reads, writes, fast_fills, slow_fills;
};

struct store_window {
	int64_t t_ns, end_ns;
	int64_t reads, writes;        // of the whole guest
	int64_t accesses, fast, slow; // of the workload's pages: all; what each tier served
	int64_t doubt;                // heat that one snapshot only gives to the workload
};

struct store_truth {
	int64_t interval_ns, window_ns, clock_error_ns;
	const char *heat; // 'fills': what missed the modelled cache; 'accesses': there was none
};

#define STORE_TRUTH_END "the end of the truth" // in table not_measured

// Forgets what was imported of this run before.
int store_truth(struct store *store, int64_t run, const struct store_truth *truth);
int store_truth_window(struct store *store, int64_t run, const struct store_window *window,
		       const GArray *heats);

// How hot a sampler took pages for at a moment, in its own measure.
struct store_score {
	uint64_t pid, page, score;
};
int store_view(struct store *store, int64_t run, const char *name, int64_t t_ns, const GArray *scores);
int store_forget_views(struct store *store, int64_t run, const char *name);
struct store_view_row {
	const char *name;
	int64_t t_ns;
};
int store_read_views(struct store *store, int64_t run, GArray **views); // by time
int store_read_scores(struct store *store, int64_t run, const struct store_view_row *view, GArray **scores);

#endif
