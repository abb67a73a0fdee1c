// `mmprof export`: runs for other programs: CSV tables, a JSON object a line, or OpenMetrics.
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/outfile.h"
#include "cmd/query.h"
#include "report/report.h"
#include "stats/hist.h"
#include "store/export.h"

static int export(int argc, const char **argv);
const struct command cmd_export = {"export", "give out runs as CSV, JSON lines or OpenMetrics", export};

// --- CSV (RFC 4180)

static void csv_text(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\n\r")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void csv_columns(void *ctx, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		fprintf(ctx, "%s%s", i ? "," : "", names[i]);
	fputs("\r\n", ctx);
}

static int csv_row(void *ctx, const struct store_cell *cells, int n)
{
	char buf[G_ASCII_DTOSTR_BUF_SIZE];
	FILE *out = ctx;

	for (int i = 0; i < n; i++) {
		if (i)
			fputc(',', out);
		if (cells[i].type == STORE_CELL_INT)
			fprintf(out, "%" PRId64, cells[i].i);
		else if (cells[i].type == STORE_CELL_REAL)
			fputs(g_ascii_dtostr(buf, sizeof(buf), cells[i].r), out);
		else if (cells[i].type == STORE_CELL_TEXT)
			csv_text(out, cells[i].text);
	}
	fputs("\r\n", out);
	return 0;
}

static int write_csv(struct store *store, const char *what, const GArray *ids, FILE *out)
{
	const struct store_query_sink sink = {csv_columns, csv_row, out};

	return store_export(store, what, ids, &sink);
}

// --- JSON lines: what `report --all --json` has, a line a run

static int write_json_line(struct store *store, const struct store_run_row *run, FILE *out)
{
	struct doc *doc = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *memory;
	json_t *j;
	int rc = report_run(store, run, true, &doc);

	if (rc)
		return rc;
	memory = open_memstream(&text, &len);
	rc = memory ? doc_print(doc, DOC_JSON, memory) : err_set(-ENOMEM, "out of memory");
	if (memory)
		fclose(memory);
	j = rc ? NULL : json_loadb(text, len, 0, NULL);
	if (j && (json_dumpf(j, out, JSON_COMPACT | JSON_REAL_PRECISION(17)) || fputc('\n', out) == EOF))
		rc = err_set(-EIO, "can't write: %m");
	json_decref(j);
	free(text);
	doc_free(doc);
	return rc;
}

// --- OpenMetrics 1.0 (text): families one after the other, each with TYPE, UNIT and HELP

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

static void labels_of_run(FILE *out, const struct store_run_row *run)
{
	fprintf(out, "{run=\"%" PRId64 "\",", run->id);
	label(out, "uuid", run->uuid);
	fputc(',', out);
	label(out, "workload", run->name);
	fputc(',', out);
	label(out, "system", run->system);
}

static void value(FILE *out, double v)
{
	char buf[G_ASCII_DTOSTR_BUF_SIZE];

	fprintf(out, "} %s\n", g_ascii_dtostr(buf, sizeof(buf), v));
}

static void elapsed_family(const GArray *runs, FILE *out)
{
	fputs("# TYPE mmprof_run_elapsed_seconds gauge\n# UNIT mmprof_run_elapsed_seconds seconds\n"
	      "# HELP mmprof_run_elapsed_seconds From the workload's start to its end.\n",
	      out);
	for (guint i = 0; i < runs->len; i++) {
		const struct store_run_row *run = &g_array_index(runs, struct store_run_row, i);

		if (run->elapsed_ns == STORE_NULL)
			continue;
		fputs("mmprof_run_elapsed_seconds", out);
		labels_of_run(out, run);
		value(out, (double)run->elapsed_ns / 1e9);
	}
}

static const char *probe_name(const GArray *probes, int64_t id)
{
	for (guint i = 0; i < probes->len; i++)
		if (g_array_index(probes, struct store_probe_row, i).id == id)
			return g_array_index(probes, struct store_probe_row, i).name;
	return "?";
}

static void labels_of_probe(FILE *out, const struct store_run_row *run, const char *probe, const char *part,
			    const char *class)
{
	labels_of_run(out, run);
	fputc(',', out);
	label(out, "probe", probe);
	fputc(',', out);
	label(out, "part", part);
	fputc(',', out);
	label(out, "class", class);
}

static void summary(FILE *out, const struct store_run_row *run, const char *probe,
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
		value(out, (double)hist_percentile(h, quantiles[q] * 100) / 1e9);
	}
	fputs("mmprof_latency_seconds_count", out);
	labels_of_probe(out, run, probe, row->part, row->class);
	value(out, (double)h->count);
	fputs("mmprof_latency_seconds_sum", out);
	labels_of_probe(out, run, probe, row->part, row->class);
	value(out, (double)h->sum / 1e9);
}

static int latency_family(struct store *store, const GArray *runs, FILE *out)
{
	int rc = 0;

	fputs("# TYPE mmprof_latency_seconds summary\n# UNIT mmprof_latency_seconds seconds\n"
	      "# HELP mmprof_latency_seconds Latency of a probe; quantiles are within 3.125 %.\n",
	      out);
	for (guint i = 0; i < runs->len && !rc; i++) {
		const struct store_run_row *run = &g_array_index(runs, struct store_run_row, i);
		g_autoptr(GArray) probes = NULL, hists = NULL;

		rc = store_read_probes(store, run->id, &probes);
		if (!rc)
			rc = store_read_hists(store, run->id, &hists);
		for (guint k = 0; !rc && k < hists->len; k++) {
			const struct store_hist_row *row = &g_array_index(hists, struct store_hist_row, k);

			summary(out, run, probe_name(probes, row->probe), row);
		}
	}
	return rc;
}

static int events_family(struct store *store, const GArray *runs, FILE *out)
{
	int rc = 0;

	fputs("# TYPE mmprof_events counter\n# HELP mmprof_events Events that a probe counted.\n", out);
	for (guint i = 0; i < runs->len && !rc; i++) {
		const struct store_run_row *run = &g_array_index(runs, struct store_run_row, i);
		g_autoptr(GArray) probes = NULL, counts = NULL;

		rc = store_read_probes(store, run->id, &probes);
		if (!rc)
			rc = store_read_counts(store, run->id, &counts);
		for (guint k = 0; !rc && k < counts->len; k++) {
			const struct store_count_row *c = &g_array_index(counts, struct store_count_row, k);
			g_autofree char *number = g_strdup_printf("%" PRId64, c->key);

			if (c->count == STORE_NULL)
				continue;
			fputs("mmprof_events_total", out);
			labels_of_probe(out, run, probe_name(probes, c->probe), c->part, c->class);
			fputc(',', out);
			label(out, "key", c->key_name ? c->key_name : number);
			value(out, (double)c->count);
		}
	}
	return rc;
}

// A level's last value; how far a counter went.
static int series_family(struct store *store, const GArray *runs, FILE *out)
{
	int rc = 0;

	fputs("# TYPE mmprof_series gauge\n"
	      "# HELP mmprof_series A sampled series: how far a counter went in the run, the last value of a "
	      "level.\n",
	      out);
	for (guint i = 0; i < runs->len && !rc; i++) {
		const struct store_run_row *run = &g_array_index(runs, struct store_run_row, i);
		g_autoptr(GArray) series = NULL;

		rc = store_read_series(store, run->id, &series);
		for (guint k = 0; !rc && k < series->len; k++) {
			const struct store_series_row *s = &g_array_index(series, struct store_series_row, k);

			if (s->first == STORE_NULL || s->last == STORE_NULL)
				continue;
			fputs("mmprof_series", out);
			labels_of_run(out, run);
			fputc(',', out);
			label(out, "series", s->name);
			fputc(',', out);
			label(out, "unit", s->unit);
			value(out, s->counter ? (double)s->last - (double)s->first : (double)s->last);
		}
	}
	return rc;
}

static int write_openmetrics(struct store *store, const GArray *runs, FILE *out)
{
	int rc;

	elapsed_family(runs, out);
	rc = latency_family(store, runs, out);
	if (!rc)
		rc = events_family(store, runs, out);
	if (!rc)
		rc = series_family(store, runs, out);
	fputs("# EOF\n", out);
	return rc;
}

// --- the command

struct options {
	char *db, *format, *what, *out;
};

static int find_runs(struct store *store, const GPtrArray *args, GArray *runs)
{
	g_autoptr(GArray) all = NULL;
	int rc = 0;

	if (!args->len) {
		rc = store_read_runs(store, &all);
		if (!rc)
			g_array_append_vals(runs, all->data, all->len);
		return rc;
	}
	for (guint i = 0; i < args->len && !rc; i++) {
		struct store_run_row run;

		rc = store_find_run(store, args->pdata[i], &run);
		if (!rc)
			g_array_append_val(runs, run);
	}
	return rc;
}

static int write_all(struct store *store, const struct options *o, const GArray *runs, FILE *out)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	int rc = 0;

	if (!strcmp(o->format, "openmetrics"))
		return write_openmetrics(store, runs, out);
	for (guint i = 0; i < runs->len && !rc; i++) {
		const struct store_run_row *run = &g_array_index(runs, struct store_run_row, i);

		g_array_append_val(ids, run->id);
		if (!strcmp(o->format, "jsonl"))
			rc = write_json_line(store, run, out);
	}
	return strcmp(o->format, "csv") ? rc : write_csv(store, o->what ? o->what : "runs", ids, out);
}

// To a file: whole or not at all, so through a temporary file (it may be large).
static int write_file(struct store *store, const struct options *o, const GArray *runs)
{
	FILE *temporary = tmpfile();
	g_autoptr(GMappedFile) map = NULL;
	int rc = temporary ? write_all(store, o, runs, temporary)
			   : err_set(-EIO, "can't make a temporary file: %m");

	if (!rc && (fflush(temporary) || ferror(temporary)))
		rc = err_set(-EIO, "can't write a temporary file: %m");
	if (!rc) {
		map = g_mapped_file_new_from_fd(fileno(temporary), FALSE, NULL);
		rc = map ? outfile_write(o->out, g_mapped_file_get_contents(map) ?: "",
					 g_mapped_file_get_length(map))
			 : err_set(-EIO, "can't read a temporary file");
	}
	if (temporary)
		fclose(temporary);
	return rc;
}

static int check(const struct options *o)
{
	static const char *const formats[] = {"csv", "jsonl", "openmetrics", NULL};

	if (!g_strv_contains(formats, o->format))
		return err_set(-EINVAL, "unknown format \"%s\": csv, jsonl or openmetrics", o->format);
	if (o->what && strcmp(o->format, "csv"))
		return err_set(-EINVAL, "--what chooses a table for --format csv; %s has all", o->format);
	if (o->what && !g_strv_contains(store_export_tables, o->what))
		return err_set(-EINVAL,
			       "--what \"%s\": runs, latency, counts, series, samples, facts or metrics",
			       o->what);
	return 0;
}

static int run(const struct options *o, const GPtrArray *args)
{
	g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(struct store_run_row));
	struct store *store = NULL;
	int rc = check(o);

	if (!rc)
		rc = store_open(command_db_path(o->db), STORE_READ, &store);
	if (!rc)
		rc = find_runs(store, args, runs);
	if (!rc)
		rc = o->out ? write_file(store, o, runs) : write_all(store, o, runs, stdout);
	if (!rc && fflush(stdout))
		rc = err_set(-EIO, "can't write: %m");
	store_close(store);
	return rc ? command_fail(&cmd_export, "%s", err_text()) : 0;
}

static int export(int argc, const char **argv)
{
	struct options o = {};
	struct query q = {};
	const struct poptOption table[] = {
	    {"db", 0, POPT_ARG_STRING, &o.db, 0, "database (default: $MMPROF_DB, else ./mmprof.db)", "FILE"},
	    {"format", 'f', POPT_ARG_STRING, &o.format, 0, "csv, jsonl or openmetrics (default jsonl)",
	     "FORMAT"},
	    {"what", 0, POPT_ARG_STRING, &o.what, 0,
	     "which table of CSV: runs, latency, counts, series, samples, facts, metrics (default runs)",
	     "TABLE"},
	    {"out", 'o', POPT_ARG_STRING, &o.out, 0, "to this file instead of standard output", "FILE"},
	    POPT_AUTOHELP POPT_TABLEEND};
	int rc = query_options(&cmd_export, argc, argv, table, "[OPTIONS] [RUN...]\n\nWithout RUN: all.", &q);

	if (!rc && !o.format)
		o.format = strdup("jsonl");
	if (!rc)
		rc = run(&o, q.args);
	query_clear(&q);
	command_free_options(table);
	return rc;
}
