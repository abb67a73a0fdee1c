// The comparison of one metric over a selection: a cell for each workload and system. What report and plot
// show.
#ifndef MMPROF_METRIC_COMPARE_H
#define MMPROF_METRIC_COMPARE_H

#include <stdbool.h>

#include "metric/metric.h"
#include "metric/selection.h"
#include "stats/interval.h"
#include "stats/rank.h"
#include "stats/stability.h"

enum verdict {
	VERDICT_BASELINE,
	VERDICT_NO_DATA,
	VERDICT_TOO_FEW, // with so few runs no p below alpha was possible
	VERDICT_NO_EVIDENCE,
	VERDICT_BETTER,
	VERDICT_WORSE,
	VERDICT_LOWER, // the metric has no better direction
	VERDICT_HIGHER,
};

struct cell {
	size_t n, missing;       // runs with a value; runs without
	const char *why_missing; // the reason of the last of them
	double *values;          // in the order in which the runs ran
	int64_t *runs;           // their ids
	struct interval median, change;
	struct rank_test test; // against the baseline
	double p_adjusted;     // NAN: not tested
	enum verdict verdict;
	struct drift drift;
	struct modes modes;
	bool *outlier; // of values
	size_t n_outliers;
	double unread; // the longest part of any of its runs without a reading of the level; 0: not a level
};

enum correction { CORRECT_NONE, CORRECT_HOLM, CORRECT_BH };

struct compare_options {
	enum correction correction;
	uint64_t seed; // of the bootstrap
};

struct comparison {
	struct metric *metric;
	const struct selection *selection; // must outlive the comparison
	struct compare_options options;
	size_t n_tests;
	struct cell *cells;   // [workload * systems + system]
	double *geomean;      // [system]: geometric mean of median / baseline's median; NAN: none
	guint geomean_n;      // workloads in it
	GPtrArray *unmatched; // names of the workloads left out of it
};

#define COMPARE_ALPHA 0.05

// `metric` passes to the comparison, also on failure. Free with comparison_free().
int compare(struct store *store, const struct selection *selection, struct metric *metric,
	    const struct compare_options *options, struct comparison **comparison);
void comparison_free(struct comparison *comparison);

struct cell *comparison_cell(const struct comparison *c, guint workload, guint system);

// "faster", "slower" for times; "better", "worse" for other metrics with a direction; "lower", "higher"; "no
// evidence"; "too few runs"; "no data"; "baseline".
const char *verdict_word(const struct metric *metric, enum verdict verdict);

#endif
