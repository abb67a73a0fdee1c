// The comparison of one metric; see compare.h. All runs that the selection kept count: what is odd about them
// is told (stability), never trimmed away.
#include "metric/compare.h"

#include <math.h>

#include "store/store_read.h"

struct cell *comparison_cell(const struct comparison *c, guint workload, guint system)
{
	return &c->cells[workload * c->selection->systems->len + system];
}

// --- values into cells

static void make_room(struct comparison *c)
{
	const struct selection *s = c->selection;
	size_t n_cells = (size_t)s->systems->len * s->workloads->len;
	g_autofree size_t *runs = g_new0(size_t, n_cells + 1);

	c->cells = g_new0(struct cell, n_cells + 1);
	for (guint i = 0; i < s->places->len; i++) {
		const struct selection_place *p = &g_array_index(s->places, struct selection_place, i);

		runs[p->workload * s->systems->len + p->system]++;
	}
	for (size_t i = 0; i < n_cells; i++) {
		c->cells[i].values = g_new0(double, runs[i] + 1);
		c->cells[i].runs = g_new0(int64_t, runs[i] + 1);
		c->cells[i].outlier = g_new0(bool, runs[i] + 1);
	}
}

static int fill(struct store *store, struct comparison *c)
{
	const struct selection *s = c->selection;
	g_autofree double *values = g_new(double, s->runs->len + 1);
	g_autofree double *unread = g_new(double, s->runs->len + 1);
	g_autofree const char **why = g_new0(const char *, s->runs->len + 1);
	int rc = metric_values(store, c->metric, s->runs, values, why);

	if (!rc)
		rc = metric_unread(store, c->metric, s->runs, unread);
	if (rc)
		return rc;
	for (guint i = 0; i < s->runs->len; i++) {
		const struct selection_place *p = &g_array_index(s->places, struct selection_place, i);
		struct cell *cell = comparison_cell(c, p->workload, p->system);

		if (isnan(values[i])) {
			cell->missing++;
			cell->why_missing = why[i];
			continue;
		}
		cell->unread = fmax(cell->unread, unread[i]);
		cell->values[cell->n] = values[i];
		cell->runs[cell->n++] = g_array_index(s->runs, struct store_run_row, i).id;
	}
	return 0;
}

// --- what a cell says by itself and against the baseline

// The same cell of the same database always has the same seed, whatever else is in the table.
static uint64_t seed_of(const struct comparison *c, guint workload, guint system)
{
	g_autofree char *text =
	    g_strdup_printf("%s\n%s\n%s", c->metric->name, (char *)c->selection->workloads->pdata[workload],
			    (char *)c->selection->systems->pdata[system]);

	return c->options.seed * 0x9e3779b97f4a7c15ull + g_str_hash(text);
}

static void describe(struct comparison *c, guint workload, guint system)
{
	const struct cell *base = comparison_cell(c, workload, 0);
	struct cell *cell = comparison_cell(c, workload, system);
	uint64_t seed = seed_of(c, workload, system);

	cell->median = stats_median_interval(cell->values, cell->n);
	cell->drift = stability_drift(cell->values, cell->n);
	cell->modes = stability_modes(cell->values, cell->n, seed);
	cell->n_outliers = stability_outliers(cell->values, cell->n, cell->outlier);
	cell->p_adjusted = NAN;
	cell->change = (struct interval){NAN, NAN, NAN};
	if (!system || !cell->n || !base->n)
		return;
	cell->test = rank_compare(base->values, base->n, cell->values, cell->n);
	cell->change = stats_change_interval(base->values, base->n, cell->values, cell->n, seed);
	cell->p_adjusted = cell->test.p;
	c->n_tests++;
}

static void correct(struct comparison *c, size_t n_cells)
{
	g_autofree double *p = g_new(double, n_cells + 1);

	for (size_t i = 0; i < n_cells; i++)
		p[i] = c->cells[i].p_adjusted;
	if (c->options.correction == CORRECT_HOLM)
		rank_holm(p, n_cells);
	else if (c->options.correction == CORRECT_BH)
		rank_benjamini_hochberg(p, n_cells);
	for (size_t i = 0; i < n_cells; i++)
		c->cells[i].p_adjusted = p[i];
}

static bool could_show(const struct comparison *c, const struct cell *base, const struct cell *cell)
{
	double tests = c->options.correction == CORRECT_HOLM ? (double)c->n_tests : 1;

	return rank_least_p(base->n, cell->n) * tests < COMPARE_ALPHA;
}

// Evidence is a rank test below alpha whose direction the interval of the medians' change does not
// contradict.
static enum verdict judge(const struct comparison *c, const struct cell *base, const struct cell *cell)
{
	bool higher = cell->test.delta > 0;

	if (!base->n || !cell->n)
		return VERDICT_NO_DATA;
	if (!(cell->p_adjusted < COMPARE_ALPHA))
		return could_show(c, base, cell) ? VERDICT_NO_EVIDENCE : VERDICT_TOO_FEW;
	if (higher ? cell->change.high <= 0 : cell->change.low >= 0)
		return VERDICT_NO_EVIDENCE;
	if (c->metric->better == METRIC_NEITHER)
		return higher ? VERDICT_HIGHER : VERDICT_LOWER;
	return higher == (c->metric->better == METRIC_MORE) ? VERDICT_BETTER : VERDICT_WORSE;
}

// --- the geometric mean, over workloads that every system has

static bool matched(const struct comparison *c, guint workload)
{
	for (guint s = 0; s < c->selection->systems->len; s++)
		if (!(comparison_cell(c, workload, s)->median.value > 0))
			return false;
	return true;
}

static void geomeans(struct comparison *c)
{
	guint n_systems = c->selection->systems->len;

	c->unmatched = g_ptr_array_new();
	c->geomean = g_new0(double, n_systems + 1);
	for (guint w = 0; w < c->selection->workloads->len; w++) {
		if (!matched(c, w)) {
			g_ptr_array_add(c->unmatched, c->selection->workloads->pdata[w]);
			continue;
		}
		c->geomean_n++;
		for (guint s = 0; s < n_systems; s++)
			c->geomean[s] += log(comparison_cell(c, w, s)->median.value /
					     comparison_cell(c, w, 0)->median.value);
	}
	for (guint s = 0; s < n_systems; s++)
		c->geomean[s] = c->geomean_n ? exp(c->geomean[s] / c->geomean_n) : NAN;
}

int compare(struct store *store, const struct selection *selection, struct metric *metric,
	    const struct compare_options *options, struct comparison **comparison)
{
	struct comparison *c = g_new0(struct comparison, 1);
	guint n_systems = selection->systems->len, n_workloads = selection->workloads->len;
	int rc;

	c->metric = metric;
	c->selection = selection;
	c->options = *options;
	make_room(c);
	rc = fill(store, c);
	if (rc) {
		comparison_free(c);
		return rc;
	}
	for (guint w = 0; w < n_workloads; w++)
		for (guint s = 0; s < n_systems; s++)
			describe(c, w, s);
	correct(c, (size_t)n_systems * n_workloads);
	for (guint w = 0; w < n_workloads; w++)
		for (guint s = 0; s < n_systems; s++)
			comparison_cell(c, w, s)->verdict =
			    s ? judge(c, comparison_cell(c, w, 0), comparison_cell(c, w, s))
			      : VERDICT_BASELINE;
	geomeans(c);
	*comparison = c;
	return 0;
}

void comparison_free(struct comparison *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->cells && i < (size_t)c->selection->systems->len * c->selection->workloads->len;
	     i++) {
		g_free(c->cells[i].values);
		g_free(c->cells[i].runs);
		g_free(c->cells[i].outlier);
	}
	g_free(c->cells);
	g_free(c->geomean);
	g_clear_pointer(&c->unmatched, g_ptr_array_unref);
	metric_free(c->metric);
	g_free(c);
}

const char *verdict_word(const struct metric *metric, enum verdict verdict)
{
	bool time = metric_is_time(metric);

	switch (verdict) {
	case VERDICT_BASELINE:
		return "baseline";
	case VERDICT_NO_DATA:
		return "no data";
	case VERDICT_TOO_FEW:
		return "too few runs";
	case VERDICT_NO_EVIDENCE:
		return "no evidence";
	case VERDICT_BETTER:
		return time ? "faster" : "better";
	case VERDICT_WORSE:
		return time ? "slower" : "worse";
	case VERDICT_LOWER:
		return "lower";
	case VERDICT_HIGHER:
		return "higher";
	}
	return "?";
}
