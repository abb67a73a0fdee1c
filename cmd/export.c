// `mmprof export`: runs for other programs: CSV tables, a JSON object a line, or OpenMetrics.
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/outfile.h"
#include "cmd/export.h"
#include "cmd/query.h"
#include "report/report.h"
#include "store/export.h"

static int export(int argc, const char **argv);
const struct command cmd_export = {"export", "give out runs as CSV, JSON lines or OpenMetrics", export};

int export_written(FILE *out)
{
	int code = errno ? errno : EIO;

	return ferror(out) ? err_set(-code, "can't write: %s", g_strerror(code)) : 0;
}

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
	return export_written(out);
}

// --- JSON lines: what `report --all --json` has, a line a run

// ,"samples":{"vmstat.pgfault":[[t_ns,value],...],...}: one series in memory at a time.
static int write_samples(struct store *store, const struct store_run_row *run, FILE *out)
{
	g_autoptr(GArray) series = NULL;
	int rc = store_read_series(store, run->id, &series);

	fputs(",\"samples\":{", out);
	for (guint i = 0; !rc && i < series->len; i++) {
		const struct store_series_row *s = &g_array_index(series, struct store_series_row, i);
		g_autoptr(GArray) samples = NULL;
		json_t *name = json_string(s->name);

		fputs(i ? "," : "", out);
		json_dumpf(name, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		json_decref(name);
		fputs(":[", out);
		rc = store_read_samples(store, s->id, &samples);
		for (guint k = 0; !rc && k < samples->len; k++) {
			const struct store_sample_row *x =
			    &g_array_index(samples, struct store_sample_row, k);

			fprintf(out, "%s[%" PRId64 ",%" PRId64 "]", k ? "," : "", x->t_ns, x->value);
		}
		fputc(']', out);
		rc = rc ? rc : export_written(out);
	}
	fputc('}', out);
	return rc;
}

// The report as one line of JSON, for free().
static int report_line(struct store *store, const struct store_run_row *run, char **line)
{
	struct doc *doc = NULL;
	int rc = report_run(store, run, true, &doc);

	if (rc)
		return rc;
	*line = doc_json(doc, 0);
	doc_free(doc);
	return *line ? 0 : err_set(-ENOMEM, "run %" PRId64 ": can't make JSON of its report", run->id);
}

static int write_json_line(struct store *store, const struct store_run_row *run, bool samples, FILE *out)
{
	char *line = NULL;
	int rc = report_line(store, run, &line);

	if (rc)
		return rc;
	fwrite(line, 1, strlen(line) - 1, out); // all but the last brace
	free(line);
	if (samples)
		rc = write_samples(store, run, out);
	fputs("}\n", out);
	return rc ? rc : export_written(out);
}

// --- the command

struct options {
	char *db, *format, *what, *out;
	int samples;
};

struct job {
	const struct options *o;
	struct store *store;
	GArray *runs; // of struct store_run_row
	bool all;     // they are all there are
};

static int write_csv(const struct job *job, FILE *out)
{
	const struct store_query_sink sink = {csv_columns, csv_row, out};
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));

	for (guint i = 0; i < job->runs->len; i++)
		g_array_append_val(ids, g_array_index(job->runs, struct store_run_row, i).id);
	return store_export(job->store, job->o->what ? job->o->what : "runs", job->all ? NULL : ids, &sink);
}

static int write_all(void *ctx, FILE *out)
{
	const struct job *job = ctx;
	int rc = 0;

	if (!strcmp(job->o->format, "openmetrics"))
		return export_openmetrics(job->store, job->runs, out);
	if (!strcmp(job->o->format, "csv"))
		return write_csv(job, out);
	for (guint i = 0; i < job->runs->len && !rc; i++)
		rc = write_json_line(job->store, &g_array_index(job->runs, struct store_run_row, i),
				     job->o->samples, out);
	return rc;
}

static int find_runs(struct job *job, const GPtrArray *args)
{
	int rc = 0;

	job->all = !args->len;
	if (job->all)
		return store_read_runs(job->store, &job->runs);
	job->runs = g_array_new(FALSE, FALSE, sizeof(struct store_run_row));
	for (guint i = 0; i < args->len && !rc; i++) {
		struct store_run_row run;

		rc = store_find_run(job->store, args->pdata[i], &run);
		if (!rc)
			g_array_append_val(job->runs, run);
	}
	return rc;
}

static int check(const struct options *o)
{
	static const char *const formats[] = {"csv", "jsonl", "openmetrics", NULL};
	struct stat out, db;

	if (!g_strv_contains(formats, o->format))
		return err_set(-EINVAL, "unknown format \"%s\": csv, jsonl or openmetrics", o->format);
	if (o->what && strcmp(o->format, "csv"))
		return err_set(-EINVAL, "--what chooses a table for --format csv; %s has all", o->format);
	if (o->what && !g_strv_contains(store_export_tables, o->what))
		return err_set(-EINVAL,
			       "--what \"%s\": runs, latency, counts, series, samples, facts or metrics",
			       o->what);
	if (o->samples && strcmp(o->format, "jsonl"))
		return err_set(-EINVAL, "--samples is for --format jsonl; CSV has --what samples");
	if (o->out && !stat(o->out, &out) && !stat(command_db_path(o->db), &db) && out.st_dev == db.st_dev &&
	    out.st_ino == db.st_ino)
		return err_set(-EINVAL, "--out %s is the database itself", o->out);
	return 0;
}

static int run(const struct options *o, const GPtrArray *args)
{
	struct job job = {.o = o};
	int rc = check(o);

	if (!rc)
		rc = store_open(command_db_path(o->db), STORE_READ, &job.store);
	if (!rc)
		rc = store_begin(job.store); // all of one moment
	if (!rc)
		rc = query_add_percentile(job.store);
	if (!rc)
		rc = find_runs(&job, args);
	if (!rc)
		rc = o->out ? outfile_fill(o->out, write_all, &job) : write_all(&job, stdout);
	if (!rc && fflush(stdout))
		rc = err_set(-EIO, "can't write: %m");
	g_clear_pointer(&job.runs, g_array_unref);
	store_close(job.store);
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
	    {"samples", 0, POPT_ARG_NONE, &o.samples, 0, "JSON lines with every sample", NULL},
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
