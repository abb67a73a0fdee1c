// `mmprof report`: everything that the database has about single runs; with --compare, systems against each
// other.
#include <stdio.h>

#include "base/err.h"
#include "cmd/query.h"
#include "cmd/report_compare.h"
#include "report/report.h"
#include "store/store_read.h"

static int report(int argc, const char **argv);
const struct command cmd_report = {"report", "show what runs measured", report};

static int find_runs(struct store *store, const GPtrArray *args, GArray *runs)
{
	struct store_run_row run;
	int rc = 0;

	for (guint i = 0; i < MAX(args->len, 1) && !rc; i++) {
		rc = store_find_run(store, args->len ? args->pdata[i] : "last", &run);
		if (!rc)
			g_array_append_val(runs, run);
	}
	return rc ? command_fail(&cmd_report, "%s", err_text()) : 0;
}

static int print_one(struct store *store, const struct store_run_row *run, bool all, const struct query *q)
{
	struct doc *doc = NULL;
	int rc;

	if (report_run(store, run, all, &doc))
		return command_fail(&cmd_report, "%s", err_text());
	rc = query_print(&cmd_report, q, doc);
	doc_free(doc);
	return rc;
}

// One run is one document. Several are an array of them in JSON, and stand below each other in the other
// formats.
static int print_all(struct store *store, const GArray *runs, bool all, const struct query *q)
{
	bool array = q->format == DOC_JSON && runs->len > 1;
	int rc = 0;

	for (guint i = 0; i < runs->len && !rc; i++) {
		if (array)
			fputs(i ? "," : "[", stdout);
		else if (i)
			fputs("\n", stdout);
		rc = print_one(store, &g_array_index(runs, struct store_run_row, i), all, q);
	}
	if (array && !rc)
		fputs("]\n", stdout);
	return rc;
}

static int runs(struct store *store, const struct query *q, bool all)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct store_run_row));
	int rc = find_runs(store, q->args, list);

	return rc ? rc : print_all(store, list, all, q);
}

static int report(int argc, const char **argv)
{
	struct query q = {};
	struct compare_command c = {};
	int all = 0, rc;
	const struct poptOption table[] = {QUERY_OPTIONS(q),
					   {"all", 'a', POPT_ARG_NONE, &all, 0,
					    "also what did not move, every level, every fact of the machine",
					    NULL},
					   COMPARE_OPTIONS(c),
					   POPT_AUTOHELP POPT_TABLEEND};
	struct store *store = NULL;

	rc = query_options(
	    &cmd_report, argc, argv, table,
	    "[OPTIONS] [RUN...]\n       mmprof report --compare [OPTIONS] [SYSTEM...]\n\n"
	    "RUN is a run's id, the beginning of its UUID, or \"last\" (the default). The first SYSTEM is "
	    "the baseline.",
	    &q);
	if (!rc)
		rc = compare_command_check(&cmd_report, &c);
	if (!rc)
		rc = query_open(&cmd_report, &q, &store);
	if (!rc)
		rc = c.compare ? compare_command_run(&cmd_report, store, &q, &c, all) : runs(store, &q, all);
	store_close(store);
	command_free_options(table);
	query_clear(&q);
	return rc;
}
