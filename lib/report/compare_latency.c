// Latency distributions compared as distributions: the histograms of a cell's runs are merged exactly, and
// the difference of a percentile has an interval from resampling whole runs, since calls within a run are not
// independent.
#include <gsl/gsl_rng.h>

#include "report/compare_internal.h"
#include "stats/hist.h"

#define RESAMPLES 400
#define MOST_HISTS 20000 // without --latency: more than this takes its time

// What is compared: percentiles, and the mean, which is exact.
#define MEAN (-1)
static const struct {
	double percentile;
	const char *key, *title;
} views[] = {{MEAN, "mean", "mean"},
	     {50, "p50", "p50"},
	     {90, "p90", "p90"},
	     {99, "p99", "p99"},
	     {99.9, "p999", "p99.9"}};

// The runs of one probe in one cell.
struct pool {
	GPtrArray *hists; // struct hist
	struct hist sum;
};

static void pool_add(struct pool *p, const struct store_buckets_row *row)
{
	struct hist *h = g_new0(struct hist, 1);

	if (!p->hists)
		p->hists = g_ptr_array_new_with_free_func(g_free);
	h->count = (uint64_t)row->count;
	h->sum = row->sum_ns == STORE_NULL ? 0 : (uint64_t)row->sum_ns;
	h->min = (uint64_t)row->min_ns;
	h->max = (uint64_t)row->max_ns;
	memcpy(h->buckets, row->buckets, sizeof(h->buckets));
	hist_merge(&p->sum, h);
	g_ptr_array_add(p->hists, h);
}

static void pools_free(struct pool *pools, size_t n)
{
	for (size_t i = 0; i < n; i++)
		g_clear_pointer(&pools[i].hists, g_ptr_array_unref);
	g_free(pools);
}

static int read_pools(struct compare_report *r, const char *probe, struct pool *pools)
{
	const struct selection *s = r->selection;
	g_autoptr(GHashTable) places = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_autofree int64_t *first = g_new0(int64_t, s->runs->len + 1);
	g_autoptr(GArray) rows = NULL;
	int rc = store_read_buckets(r->store, probe, "", "workload", &rows);

	for (guint i = 0; i < s->runs->len; i++)
		g_hash_table_insert(places, &ROW(s->runs, store_run_row, i)->id, GINT_TO_POINTER(i + 1));
	for (guint i = 0; !rc && i < rows->len; i++) {
		const struct store_buckets_row *row = ROW(rows, store_buckets_row, i);
		int at = GPOINTER_TO_INT(g_hash_table_lookup(places, &row->run)) - 1;
		const struct selection_place *p;

		if (at < 0 || row->count <= 0 || row->min_ns == STORE_NULL || row->max_ns == STORE_NULL ||
		    first[at])
			continue; // a second backend of the same run would count the calls twice
		first[at] = row->probe;
		p = ROW(s->places, selection_place, at);
		pool_add(&pools[(size_t)p->workload * s->systems->len + p->system], row);
	}
	return rc;
}

// --- the interval of a percentile's change

static void resample(const struct pool *p, gsl_rng *rng, struct hist *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (guint i = 0; i < p->hists->len; i++)
		hist_merge(sum, p->hists->pdata[gsl_rng_uniform_int(rng, p->hists->len)]);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct changes {
	struct interval of[G_N_ELEMENTS(views)];
};

static double view(const struct hist *h, size_t i)
{
	return views[i].percentile == MEAN ? hist_mean(h) : (double)hist_percentile(h, views[i].percentile);
}

static double change(const struct hist *base, const struct hist *h, size_t i)
{
	double from = view(base, i);

	return from > 0 ? view(h, i) / from - 1 : NAN;
}

static void intervals(const struct pool *base, const struct pool *p, uint64_t seed, struct changes *out)
{
	enum { N = G_N_ELEMENTS(views) };
	g_autofree double *draws = g_new(double, (size_t)N *RESAMPLES);
	g_autofree struct hist *a = g_new(struct hist, 1), *b = g_new(struct hist, 1);
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	gsl_rng_set(rng, seed);
	for (int k = 0; k < RESAMPLES; k++) {
		resample(base, rng, a);
		resample(p, rng, b);
		for (size_t i = 0; i < N; i++)
			draws[i * RESAMPLES + k] = change(a, b, i);
	}
	for (size_t i = 0; i < N; i++) {
		double *d = draws + i * RESAMPLES;

		qsort(d, RESAMPLES, sizeof(*d), by_value);
		out->of[i].low = d[(int)(0.025 * RESAMPLES)];
		out->of[i].high = d[(int)(0.975 * RESAMPLES) - 1];
	}
	gsl_rng_free(rng);
}

static void change_of(const struct pool *base, const struct pool *p, uint64_t seed, struct changes *out)
{
	for (size_t i = 0; i < G_N_ELEMENTS(views); i++)
		out->of[i] = (struct interval){change(&base->sum, &p->sum, i), NAN, NAN};
	if (base->hists->len >= STATS_LEAST_N && p->hists->len >= STATS_LEAST_N)
		intervals(base, p, seed, out);
}

// --- the table

static struct doc_section *section(struct compare_report *r, const char *probe)
{
	g_autofree char *key = g_strdup_printf("latency.%s", probe);
	g_autofree char *title =
	    g_strdup_printf("Latency of %s, the workload's calls, all runs merged", probe);
	struct columns c = columns_new();
	struct doc_section *sec;

	columns_add(&c, DOC_PLAIN, "workload", "workload");
	columns_add(&c, DOC_PLAIN, "system", "system");
	columns_add(&c, DOC_COUNT, "runs", "runs");
	columns_add(&c, DOC_COUNT, "count", "calls");
	for (size_t i = 0; i < G_N_ELEMENTS(views); i++) {
		g_autofree char *ns = g_strdup_printf("%s_ns", views[i].key);

		columns_add(&c, DOC_NS, ns, views[i].title);
		columns_add_of(&c, DOC_CHANGE, views[i].key, "change", "");
		columns_add_of(&c, DOC_PLAIN, views[i].key, "interval", "95 %");
	}
	sec = columns_section(&c, r->doc, key, title);
	columns_free(&c);
	return sec;
}

static void change_cells(struct doc_section *sec, const struct interval *change)
{
	if (isnan(change->value))
		doc_none_as(sec, "", "no ratio");
	else
		doc_real(sec, change->value);
	if (isnan(change->low))
		doc_none_as(sec, "", "too few runs for an interval");
	else
		doc_text(sec, "%+.1f .. %+.1f %%", 100 * change->low, 100 * change->high);
}

static void row(struct doc_section *sec, const struct selection *s, const struct pool *pools, guint w,
		guint system, uint64_t seed)
{
	const struct pool *base = &pools[(size_t)w * s->systems->len];
	const struct pool *p = &base[system];
	bool compared = system && base->hists && p->hists;
	struct changes changes;

	doc_row(sec);
	doc_text(sec, "%s", workload_name(s, w));
	doc_text(sec, "%s", system_name(s, system));
	doc_int(sec, p->hists ? p->hists->len : 0);
	doc_int(sec, (int64_t)p->sum.count);
	if (!p->hists)
		return;
	if (compared)
		change_of(base, p, seed + w * 64 + system, &changes);
	for (size_t i = 0; i < G_N_ELEMENTS(views); i++) {
		doc_real(sec, view(&p->sum, i));
		if (compared) {
			change_cells(sec, &changes.of[i]);
		} else {
			doc_none_as(sec, "", "the baseline itself, or it has none");
			doc_none_as(sec, "", "the baseline itself, or it has none");
		}
	}
}

static int one(struct compare_report *r, const char *probe)
{
	const struct selection *s = r->selection;
	size_t n = (size_t)s->systems->len * s->workloads->len;
	struct pool *pools = g_new0(struct pool, n + 1);
	struct doc_section *sec;
	int rc = read_pools(r, probe, pools);
	guint runs = 0;

	for (size_t i = 0; i < n; i++)
		runs += pools[i].hists ? pools[i].hists->len : 0;
	if (!rc && runs) {
		sec = section(r, probe);
		for (guint w = 0; w < s->workloads->len; w++)
			for (guint system = 0; system < s->systems->len; system++)
				row(sec, s, pools, w, system, r->options->compare.seed);
		doc_note(
		    sec,
		    "Means are exact; a percentile is within %.1f %% of the true one, so smaller changes of "
		    "it are not told. Raw latencies: each includes what the "
		    "probe "
		    "itself costs (calibration). 95 %%: bootstrap over whole runs, not corrected for the "
		    "number of comparisons.",
		    100 * HIST_ERROR);
		rc = compare_lossy_note(r, sec, probe);
	}
	pools_free(pools, n);
	return rc;
}

static int every(struct compare_report *r)
{
	g_autoptr(GArray) names = NULL;
	int rc = 0;

	if ((guint64)r->selection->runs->len * 20 > MOST_HISTS) {
		struct doc_section *sec = doc_section(r->doc, "latency", "Latency distributions", NULL, 0);

		doc_note(sec, "Not read, because these are %u runs: name a function with --latency.",
			 r->selection->runs->len);
		return 0;
	}
	rc = store_read_names(r->store, STORE_HISTS, &names);
	for (guint i = 0; !rc && i < names->len; i++) {
		const struct store_name_row *n = ROW(names, store_name_row, i);

		if ((!strcmp(n->kind, "func") || !strcmp(n->kind, "bench")) && !*n->part)
			rc = one(r, n->name);
	}
	return rc;
}

int compare_latencies(struct compare_report *r)
{
	const char *const *names = r->options->latencies;
	int rc = 0;

	if (!names || !*names)
		return every(r);
	for (; *names && !rc; names++) {
		const char *kind = NULL;

		rc = store_find_probe(r->store, *names, &kind);
		if (!rc && !kind)
			rc = err_set(-ENOENT, "--latency %s: no run has such a probe (mmprof list metrics)",
				     *names);
		if (!rc)
			rc = one(r, *names);
	}
	return rc;
}
