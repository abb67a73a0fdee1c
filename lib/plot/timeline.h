// Which series a figure over time shows, and one run's line of them. Private to time.c and timeline.c.
#ifndef MMPROF_PLOT_TIMELINE_H
#define MMPROF_PLOT_TIMELINE_H

#include "plot/internal.h"
#include "plot/resample.h"

struct line {
	char *label;
	GPtrArray *above,
	    *below; // series' names: the sum of these, divided by that of those if there are any
};

struct timeline {
	GArray *lines;    // struct line
	bool by_system;   // lines are systems, and there is one struct line
	GHashTable *ends; // series' name → GArray of struct store_ends_row
	bool counter, ratio, fast;
	double least, most, end_ns; // of what was drawn
};

// Finds the series that the template's parts, or else --series, name. -ENODATA: there are none.
int timeline_find(struct plot *p, struct timeline *t);
void timeline_clear(struct timeline *t);

// A run's line on a grid: y[cell], NAN where it has none. *any: does the run have these series?
int timeline_run(struct plot *p, struct timeline *t, const struct line *line, const struct store_run_row *run,
		 const struct grid *grid, double *y, bool *any);

#endif
