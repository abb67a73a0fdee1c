// What sources share: where workloads and systems stand on the x axis, what the legend and the panels are,
// and what the y axis shows.
#ifndef MMPROF_PLOT_FRAME_H
#define MMPROF_PLOT_FRAME_H

#include "plot/internal.h"

// The x axis has a group for each workload (and one more, `extra`, if not NULL), in it a slot for each
// system.
void frame_groups(struct plot *p, const char *extra);
double frame_slot(const struct plot *p); // its width
double frame_x(const struct plot *p, guint group, guint system);

void frame_systems_are_lines(struct plot *p);
void frame_systems_under_bars(struct plot *p);   // the legend is of something else
void frame_workloads_are_panels(struct plot *p); // if there are several

// A line of which a panel has no data, in rising order; and putting that into the titles, once all is known.
void frame_absent(struct plot *p, guint panel, guint line);
void frame_say_absent(struct plot *p);

// The word after a source's name: "relative": to the baseline, if there is more than one system; "common":
// only if several workloads share the axis; else the metric's own unit.
bool frame_relative(const struct plot *p, const char *args);
void frame_y_title(struct plot *p, const char *what, const struct unit *unit, bool relative,
		   const char *alone); // what it is relative to when there is one system

void frame_hint(struct plot *p, enum metric_better better);

#endif
