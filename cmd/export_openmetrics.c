// OpenMetrics 1.0 (text): families one after the other, each with TYPE, UNIT and HELP. A probe's labels have
// its backend, a count's its key, because a run may have several probes of one name and keys of one name.
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "cmd/export.h"
#include "stats/hist.h"
#include "store/store_read.h"

static void label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; value && *value; value++) {
		if (*value == '\\' || *value == '"')
			fprintf(out, "\\%c", *value);
		else if (*value == '\n')
			fputs("\\n", out);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

static void more_label(FILE *out, const char *name, const char *value)
{
	fputc(',', out);
	label(out, name, value);
}

static void labels_of_run(FILE *out, const struct store_run_row *run)
{
	fprintf(out, "{run=\"%" PRId64 "\"", run->id);
	more_label(out, "uuid", run->uuid);
	more_label(out, "workload", run->name);
	more_label(out, "system", run->system);
}

// Exact: no double has every nanosecond.
static void seconds(FILE *out, int64_t ns)
{
	uint64_t n = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	fprintf(out, "} %s%" PRIu64 ".%09" PRIu64 "\n", ns < 0 ? "-" : "", n / 1000000000, n % 1000000000);
}

static void number(FILE *out, int64_t n)
{
	fprintf(out, "} %" PRId64 "\n", n);
}

static int elapsed_family(struct store *store, const struct store_run_row *run, FILE *out)
{
	(void)store;
	if (run->elapsed_ns == STORE_NULL)
		return 0;
	fputs("mmprof_run_elapsed_seconds", out);
	labels_of_run(out, run);
	seconds(out, run->elapsed_ns);
	return 0;
}

// --- what probes measured

static const struct store_probe_row *find_probe(const GArray *probes, int64_t id)
{
	static const struct store_probe_row none = {.name = "?"};

	for (guint i = 0; i < probes->len; i++)
		if (g_array_index(probes, struct store_probe_row, i).id == id)
			return &g_array_index(probes, struct store_probe_row, i);
	return &none;
}

static void labels_of_probe(FILE *out, const struct store_run_row *run, const struct store_probe_row *probe,
			    const char *part, const char *class)
{
	labels_of_run(out, run);
	more_label(out, "probe", probe->name);
	more_label(out, "backend", probe->backend);
	more_label(out, "part", part);
	more_label(out, "class", class);
}

static void summary(FILE *out, const struct store_run_row *run, const struct store_probe_row *probe,
		    const struct store_hist_row *row)
{
	static const double quantiles[] = {0.5, 0.9, 0.99, 0.999};
	g_autofree struct hist *h = g_new0(struct hist, 1);

	if (row->count == STORE_NULL || row->sum_ns == STORE_NULL || row->min_ns == STORE_NULL ||
	    row->max_ns == STORE_NULL)
		return;
	*h = (struct hist){
	    (uint64_t)row->count, (uint64_t)row->sum_ns, (uint64_t)row->min_ns, (uint64_t)row->max_ns, {}};
	memcpy(h->buckets, row->buckets, sizeof(h->buckets));
	for (size_t q = 0; q < G_N_ELEMENTS(quantiles) && h->count; q++) {
		fputs("mmprof_latency_seconds", out);
		labels_of_probe(out, run, probe, row->part, row->class);
		fprintf(out, ",quantile=\"%g\"", quantiles[q]);
		seconds(out, (int64_t)hist_percentile(h, quantiles[q] * 100));
	}
	fputs("mmprof_latency_seconds_count", out);
	labels_of_probe(out, run, probe, row->part, row->class);
	number(out, row->count);
	fputs("mmprof_latency_seconds_sum", out);
	labels_of_probe(out, run, probe, row->part, row->class);
	seconds(out, row->sum_ns);
}

static int latency_family(struct store *store, const struct store_run_row *run, FILE *out)
{
	g_autoptr(GArray) probes = NULL, hists = NULL;
	int rc = store_read_probes(store, run->id, &probes);

	if (!rc)
		rc = store_read_hists(store, run->id, &hists);
	for (guint i = 0; !rc && i < hists->len; i++) {
		const struct store_hist_row *row = &g_array_index(hists, struct store_hist_row, i);

		summary(out, run, find_probe(probes, row->probe), row);
	}
	return rc;
}

static int events_family(struct store *store, const struct store_run_row *run, FILE *out)
{
	g_autoptr(GArray) probes = NULL, counts = NULL;
	int rc = store_read_probes(store, run->id, &probes);

	if (!rc)
		rc = store_read_counts(store, run->id, &counts);
	for (guint i = 0; !rc && i < counts->len; i++) {
		const struct store_count_row *c = &g_array_index(counts, struct store_count_row, i);

		if (c->count == STORE_NULL)
			continue;
		fputs("mmprof_events_total", out);
		labels_of_probe(out, run, find_probe(probes, c->probe), c->part, c->class);
		fprintf(out, ",key=\"%" PRId64 "\"", c->key);
		more_label(out, "key_name", c->key_name);
		number(out, c->count);
	}
	return rc;
}

// A level's last value; how far a counter went.
static int series_family(struct store *store, const struct store_run_row *run, FILE *out)
{
	g_autoptr(GArray) series = NULL;
	int rc = store_read_series(store, run->id, &series);

	for (guint i = 0; !rc && i < series->len; i++) {
		const struct store_series_row *s = &g_array_index(series, struct store_series_row, i);
		int64_t n = s->last;

		if (s->first == STORE_NULL || s->last == STORE_NULL)
			continue;
		if (s->counter && __builtin_sub_overflow(s->last, s->first, &n))
			return err_set(-EBADMSG, "run %" PRId64 ": series %s holds what mmprof never writes",
				       run->id, s->name);
		fputs("mmprof_series", out);
		labels_of_run(out, run);
		more_label(out, "series", s->name);
		more_label(out, "unit", s->unit);
		number(out, n);
	}
	return rc;
}

static const struct {
	const char *head;
	int (*of_run)(struct store *store, const struct store_run_row *run, FILE *out);
} families[] = {
    {"# TYPE mmprof_run_elapsed_seconds gauge\n# UNIT mmprof_run_elapsed_seconds seconds\n"
     "# HELP mmprof_run_elapsed_seconds From the workload's start to its end.\n",
     elapsed_family},
    {"# TYPE mmprof_latency_seconds summary\n# UNIT mmprof_latency_seconds seconds\n"
     "# HELP mmprof_latency_seconds Latency of a probe; quantiles are within 3.125 %.\n",
     latency_family},
    {"# TYPE mmprof_events counter\n# HELP mmprof_events Events that a probe counted.\n", events_family},
    {"# TYPE mmprof_series gauge\n"
     "# HELP mmprof_series A sampled series: how far a counter went in the run, the last value of a level.\n",
     series_family},
};

int export_openmetrics(struct store *store, const GArray *runs, FILE *out)
{
	int rc = 0;

	for (size_t f = 0; f < G_N_ELEMENTS(families); f++) {
		fputs(families[f].head, out);
		for (guint i = 0; i < runs->len && !rc; i++) {
			rc = families[f].of_run(store, &g_array_index(runs, struct store_run_row, i), out);
			rc = rc ? rc : export_written(out);
		}
	}
	fputs("# EOF\n", out);
	return rc ? rc : export_written(out);
}
