// A run's series on a grid of equal cells of time. What is stored are changes: a level holds until the next
// one; a counter's growth happened between its reading and the reading before.
#ifndef MMPROF_PLOT_RESAMPLE_H
#define MMPROF_PLOT_RESAMPLE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct grid {
	double cell_ns;
	guint cells;
};

// Adds to sum[cell], NAN in the cells that the run did not reach, or of a level that
// was not read yet: the mean over the cell of a level, of a
// counter its growth a second. `samples` are of struct store_sample_row, in order; readings are `interval_ns`
// apart at least; the run ends at `end_ns`.
void resample(const GArray *samples, bool counter, double interval_ns, double end_ns, const struct grid *grid,
	      double *sum);

#endif
