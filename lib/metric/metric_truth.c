// What the lab's truth says of a run (mmprof truth import): which part of the workload's memory accesses each
// tier really served, and how far that is from an oracle that knows the future of a window and has all of
// fast memory for itself.
#include "metric/internal.h"

struct share {
	struct metric_row row;
	const char *of, *less, *by[2]; // (of - less) / (by[0] + by[1])
};

static const struct share table[] = {
    {{"true_fast_share", "ratio", METRIC_MORE,
      "part of the workload's memory accesses that fast memory served, exactly"},
     "truth.fast",
     NULL,
     {"truth.fast", "truth.slow"}},
    {{"true_hot_fast_share", "ratio", METRIC_MORE,
      "part of the truly hot pages (those with 80 % of the accesses in a second) that is in fast memory, "
      "mean "
      "over time"},
     "truth.hot_fast",
     NULL,
     {"truth.hot", NULL}},
    {{"oracle_fast_share", "ratio", METRIC_NEITHER,
      "part of the accesses that fast memory would serve if it held each second's hottest pages, as many as "
      "it can"},
     "truth.oracle_fast",
     NULL,
     {"truth.fast", "truth.slow"}},
    {{"oracle_distance", "ratio", METRIC_LESS,
      "part of the accesses that slow memory served and an oracle's placement would have fast memory serve"},
     "truth.oracle_fast",
     "truth.fast",
     {"truth.fast", "truth.slow"}},
    {{"truth_doubt_share", "ratio", METRIC_LESS,
      "part of the accesses whose page was the workload's in only one of the snapshots around; pages that it "
      "had only between two are not in it"},
     "truth.doubt",
     NULL,
     {"truth.fast", "truth.slow"}},
};

// `sign` times the series' value is added to each sum.
static int add(struct store *store, const char *name, double sign, const GArray *runs, double *sums)
{
	g_autofree double *one = g_new0(double, runs->len + 1);
	struct metric *term = NULL;
	int rc = name ? metric_find(store, name, &term) : 0;

	if (!name)
		return 0;
	if (!rc)
		rc = metric_values(store, term, runs, one, NULL);
	metric_free(term);
	for (guint i = 0; i < runs->len; i++)
		sums[i] = rc == -ENOENT ? NAN : sums[i] + sign * one[i];
	return rc == -ENOENT ? 0 : rc;
}

static int values(struct store *store, const struct metric *m, const GArray *runs, double *values,
		  const char **why)
{
	const struct share *s = m->data;
	g_autofree double *by = g_new0(double, runs->len + 1);
	int rc = 0;

	for (guint i = 0; i < runs->len; i++)
		values[i] = 0;
	rc = add(store, s->of, 1, runs, values);
	rc = rc ? rc : add(store, s->less, -1, runs, values);
	rc = rc ? rc : add(store, s->by[0], 1, runs, by);
	rc = rc ? rc : add(store, s->by[1], 1, runs, by);
	for (guint i = 0; i < runs->len && !rc; i++) {
		if (isnan(by[i]))
			why[i] =
			    "the lab's truth was not imported (scripts/lab --truth, mmprof truth import)";
		else if (by[i] == 0)
			why[i] = "the workload's pages were not accessed";
		values[i] = by[i] > 0 ? values[i] / by[i] : NAN;
	}
	return rc;
}

const struct metric_kind metric_truth = {.values = values, METRIC_TABLE(table)};
