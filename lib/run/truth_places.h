// Which page of the workload a physical frame was at a moment, by the snapshots that record took.
//
// A frame is looked up in the snapshots before and after the moment. Both say the same page: sure. They
// differ, or one knows the frame and the other does not (the page was allocated, freed or moved in between):
// the page is taken from the snapshot that is nearer, or that has one, and that is in doubt. Neither: it is
// not the workload's.
#ifndef MMPROF_RUN_TRUTH_PLACES_H
#define MMPROF_RUN_TRUTH_PLACES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct store;
struct truth;
struct truth_places;

struct truth_place { // who has a frame
	uint64_t frame, pid, page;
};

// At the run's begin. -errno with an err chain: the store's, or there are no snapshots. Free *out in any
// case.
int truth_places_open(struct store *store, int64_t run, const struct truth *truth, struct truth_places **out);
void truth_places_free(struct truth_places *p);
// Time only goes on. -errno: the store's.
int truth_places_advance(struct truth_places *p, int64_t t_ns);
// NULL: not the workload's.
const struct truth_place *truth_places_find(const struct truth_places *p, uint64_t frame, int64_t t_ns,
					    bool *doubt);
uint64_t truth_places_fast(const struct truth_places *p); // pages in the fast tier in the snapshot before
int64_t truth_places_end(const struct truth_places *p);   // when the last snapshot was begun
uint64_t truth_places_read(const struct truth_places *p); // snapshots so far

#endif
