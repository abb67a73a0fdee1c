// What the source "cells" shares with the figure in which one system stands against another (against.c).
#ifndef MMPROF_PLOT_CELLS_H
#define MMPROF_PLOT_CELLS_H

#include "plot/frame.h"

#include "metric/compare.h"

struct axis {
	bool relative, panels; // panels: one for each workload, in it the systems side by side
	struct unit unit;
	guint *named; // scatter: the system at whose point the workload's name stands; NULL: no names
};

// A value on the y axis of workload `w`; and the interval that belongs to y: of the change against the
// baseline, or of the median itself.
double cells_on_axis(const struct comparison *c, const struct axis *axis, guint w, double value);
struct interval cells_interval(const struct comparison *c, const struct axis *axis, guint w, guint s);

// Both axes show the metric: fills axis->named and says what the axes are. -ENODATA for less than two
// systems.
int cells_against(struct plot *p, const struct comparison *c, struct axis *axis);

#endif
