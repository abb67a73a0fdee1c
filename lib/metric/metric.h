// A metric: a named number with a unit and a better direction, one for each run. Whatever is recorded can be
// asked for by name:
//   elapsed, cpu, user, system, maxrss, minflt, ...   the run itself (metric_run.c)
//   PROBE.count .total .mean .min .max .p50 .p99.9    a latency probe (metric_probe.c)
//   PROBE.count .sum                                  a counting probe
//   PROBE/PART=KEY@CLASS.STAT  narrows a probe down: one of its parts ("read wait"), one key of its counts
//                              ("remote IPI send"), whose calls ("kswapd", "all"; else the workload's)
//   SERIES                     a sampler's series (metric_series.c): how far a counter went in the run; the
//                              mean over time of a level
//   SERIES.rate; SERIES.mean .min .max .first .end .last   other views of it
//   extract.NAME, bench.NAME, tag.NAME   what the workload printed, what a benchmark gave, what the user
//                              said (metric_user.c)
//   promotions, demotions, fast_share, ...            derived from those (metric_derived.c, metric_tiers.c)
// Knows the store, not how anything is shown.
#ifndef MMPROF_METRIC_METRIC_H
#define MMPROF_METRIC_METRIC_H

#include <glib.h>
#include <stdint.h>

struct store;
struct metric_kind;

enum metric_better { METRIC_LESS, METRIC_MORE, METRIC_NEITHER };

// Decides how people are shown the number; values are in base units.
enum metric_unit {
	METRIC_NS,
	METRIC_BYTES,
	METRIC_COUNT,
	METRIC_PAGES,
	METRIC_HZ,
	METRIC_RATIO,  // 0..1
	METRIC_RATE,   // per second
	METRIC_NUMBER, // the user's own unit, or none
};

struct metric {
	const char *name;      // as it was asked for
	const char *unit_name; // "ns", "bytes", "pages", "ops/s" ...; "" for none
	enum metric_unit unit;
	enum metric_better better;
	const char *what; // one line
	// of lib/metric only:
	const struct metric_kind *kind;
	void *data;
};

// Finds out what `name` means in this database. 0, -ENOENT with an err chain that tells where to look, or the
// store's errors. Free with metric_free().
int metric_find(struct store *store, const char *name, struct metric **metric);
void metric_free(struct metric *metric);

// One value for each run of `runs` (of struct store_run_row), in their order; NAN where that run has none.
// `why`, when not NULL, is an array of as many reasons, which are set (to texts of the store's or constants)
// where a value is NAN.
int metric_values(struct store *store, const struct metric *metric, const GArray *runs, double *values,
		  const char **why);

// The longest part of each run (0..1) without a reading of what the metric is the mean over time of: how far
// that can be trusted. NAN where the metric is no such mean, or of a sampler that is always read often.
int metric_unread(struct store *store, const struct metric *metric, const GArray *runs, double *shares);

// What can be asked for in this database: an array of struct metric *. `filter`: only names that have this in
// them; NULL: all.
int metric_list(struct store *store, const char *filter, GPtrArray **metrics);

// Is it a time: "faster" and "slower" instead of "better" and "worse"?
gboolean metric_is_time(const struct metric *metric);

#endif
