// Where a template's data come from. A new source is a function and a line here.
#include "plot/internal.h"

const struct plot_source plot_sources[] = {
    {"cells", "the comparison of a metric: a row for each workload and system", source_cells},
    {"runs", "a metric: a row for each run, in the order in which they ran", source_runs},
    {"parts", "several metrics on top of each other, by workload and system", source_parts},
    {"bins", "a latency distribution on a logarithmic axis, by workload and system", source_bins},
    {"cdf", "a cumulative latency distribution, by workload and system", source_cdf},
    {"run_bins", "a latency distribution, by run", source_run_bins},
    {"time", "series over time: by run, and their median", source_time},
    {"marks", "the moments that workloads named", source_marks},
    {"sql", "a SELECT; rows with a column run_id only of the selected runs", source_sql},
    {NULL, NULL, NULL}};
