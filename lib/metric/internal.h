// What the kinds of metrics share. A kind is a struct in a file of its own, listed once in metric.c.
#ifndef MMPROF_METRIC_INTERNAL_H
#define MMPROF_METRIC_INTERNAL_H

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "metric/metric.h"
#include "store/values.h"

// What is known beforehand of a metric whose name does not depend on the database.
struct metric_row {
	const char *name, *unit_name;
	enum metric_better better;
	const char *what;
};

struct metric_kind {
	// Of a kind that has such metrics only: an array of structs that begin with a struct metric_row. A
	// metric's data is its place there. The others have find() and list().
	const void *rows;
	size_t n_rows, row_bytes;
#define METRIC_TABLE(table) .rows = (table), .n_rows = G_N_ELEMENTS(table), .row_bytes = sizeof((table)[0])

	// Fills `m` (name is set) if the name is of this kind. 0; -ENOENT without an err chain: not mine;
	// -ENODATA with one: mine, but this database has nothing of it.
	int (*find)(struct store *store, struct metric *m);
	int (*values)(struct store *store, const struct metric *m, const GArray *runs, double *values,
		      const char **why);
	// May be NULL. The sampler each of whose readings it takes to last until the next one; NULL: none.
	const char *(*sampler_of)(const struct metric *m);
	void (*free_data)(void *data);
	// Calls metric_listed() for each name there is.
	int (*list)(struct store *store, GPtrArray *metrics);
};

extern const struct metric_kind metric_run, metric_probe, metric_series, metric_user, metric_derived,
    metric_tiers, metric_truth, metric_log;

// Adds a copy of `m` to a list.
void metric_listed(GPtrArray *metrics, const struct metric *m);

// Frees texts that a kind made for a metric, when the metric goes: interned, so that they need no owner.
const char *metric_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// Where each run's value goes: id → index + 1.
GHashTable *metric_places(const GArray *runs);

// The place of a run; -1: not among those that are asked for.
static inline int metric_place(GHashTable *places, int64_t run)
{
	return GPOINTER_TO_INT(g_hash_table_lookup(places, &run)) - 1;
}

enum metric_unit metric_unit_of(const char *unit_name);

#define RUN(runs, i) (&g_array_index(runs, struct store_run_row, i))

#endif
