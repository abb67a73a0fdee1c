// A metric: a named number with a unit and a better direction, one for each run. Whatever is recorded can be
// asked for by name:
//   elapsed, cpu, user, system, maxrss, minflt, ...       the run itself
//   PROBE.count .total .mean .min .max .p50 .p99 .p99.9   a latency probe; PROBE/PART@CLASS.p99 narrows it
//   down PROBE/KEY.count .sum                                  a counting probe, by the name of its key
//   SERIES                                                a sampler's series: how far a counter went in the
//   run, the
//                                                         mean over time of a level; SERIES.max .min .last
//                                                         .rate
//   extract.NAME, tag.NAME                                what the workload printed; what the user said
// and a few derived ones (metric_derived.c). Knows the store, not how anything is shown.
#ifndef MMPROF_METRIC_METRIC_H
#define MMPROF_METRIC_METRIC_H

#include <glib.h>
#include <stdint.h>

struct store;

enum metric_better { METRIC_LESS, METRIC_MORE, METRIC_NEITHER };

// The unit decides how people are shown the number; values are in base units.
enum metric_unit {
	METRIC_NS,
	METRIC_BYTES,
	METRIC_COUNT,
	METRIC_PAGES,
	METRIC_HZ,
	METRIC_RATIO,  // 0..1
	METRIC_RATE,   // per second
	METRIC_NUMBER, // the user's own unit or none
};

struct metric {
	const char *name;      // as it was asked for
	const char *unit_name; // "ns", "bytes", "pages", "ops/s" ...; "" for none
	enum metric_unit unit;
	enum metric_better better;
	const char *what; // one line
};

// Finds out what `name` means in this database. 0, -ENOENT with an err chain that tells where to look, or the
// store's errors. Free with metric_free().
int metric_find(struct store *store, const char *name, struct metric **metric);
void metric_free(struct metric *metric);

// One value for each run of `runs` (of struct store_run_row), in their order; NAN where that run has none.
// *why, which may be NULL, is then the most frequent reason, or NULL; it belongs to the metric.
int metric_values(struct store *store, struct metric *metric, const GArray *runs, double *values,
		  const char **why);

// What can be asked for in this database: an array of struct metric * for g_ptr_array_unref. `filter`: only
// names that have this in them; NULL: all.
int metric_list(struct store *store, const char *filter, GPtrArray **metrics);

#endif
