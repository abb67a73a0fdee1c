// Where a template's data come from. A new source is a function and a line here.
#include "plot/internal.h"

const struct plot_source plot_sources[] = {
    {"cells", "the comparison of a metric: a row for each workload and system", source_cells},
    {"runs", "a metric: a row for each run, in the order in which they ran", source_runs},
    {NULL, NULL, NULL}};
