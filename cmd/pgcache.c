// `mmprof pgcache advise`: parameters of our module for a recorded workload, or for one that is described.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cmd/query.h"
#include "report/advise.h"
#include "store/store_read.h"

static int pgcache(int argc, const char **argv);
const struct command cmd_pgcache = {"pgcache", "parameters of the pgcache module for a workload", pgcache};

static const char usage[] = "advise [RUN] [--procs N --memory BYTES]";

struct given {
	int procs, background;
	char *memory;
	int five_levels;
};

// "8M"
static int bytes_of(const char *text, double *bytes)
{
	static const char units[] = "KMGT";
	char *end;
	const char *unit;

	*bytes = g_ascii_strtod(text, &end);
	unit = *end ? strchr(units, *end) : NULL;
	if (end == text || !(*bytes >= 0) || *bytes > 1e15 || (*end && (!unit || end[1])))
		return err_set(-EINVAL, "--memory takes bytes, such as 8M, not \"%s\"", text);
	for (; unit && unit >= units; unit--)
		*bytes *= 1024;
	return 0;
}

static int take_given(const struct given *g, struct advise_inputs *in)
{
	if (g->procs < 0 || g->background < 0)
		return err_set(-EINVAL, "--procs and --background can't be negative");
	if (g->procs)
		in->processes = g->procs;
	if (g->background)
		in->background = g->background;
	in->five_levels = g->five_levels;
	if (!g->memory)
		return 0;
	return bytes_of(g->memory, &in->memory_bytes);
}

static int read_run(const struct query *q, const char *which, struct advise_inputs *in)
{
	struct store_run_row run;
	struct store *store = NULL;
	int rc = store_open(command_db_path(q->db), STORE_READ, &store);

	if (!rc)
		rc = store_find_run(store, which, &run);
	if (!rc)
		rc = advise_read_run(store, &run, in);
	store_close(store);
	return rc;
}

static int advise(const struct query *q, const struct given *g)
{
	struct advise_inputs in = {.background = 1};
	bool alone = g->procs && g->memory;
	struct advise a;
	struct doc *doc;
	int rc = q->args->len > 2 || (!alone || q->args->len > 1)
		     ? read_run(q, q->args->len > 1 ? q->args->pdata[1] : "last", &in)
		     : 0;

	if (!rc)
		rc = take_given(g, &in);
	if (rc)
		return command_fail(&cmd_pgcache, "%s", err_text());
	advise_compute(&in, &a);
	doc = advise_doc(&in, &a);
	rc = query_print(&cmd_pgcache, q, doc);
	doc_free(doc);
	return rc;
}

static int pgcache(int argc, const char **argv)
{
	struct query q = {};
	struct given g = {};
	const struct poptOption table[] = {
	    {"procs", 0, POPT_ARG_INT, &g.procs, 0, "processes of the workload at once (default: the run's)",
	     "N"},
	    {"memory", 0, POPT_ARG_STRING, &g.memory, 0, "memory that each touches (default: the run's)",
	     "BYTES"},
	    {"background", 0, POPT_ARG_INT, &g.background, 0,
	     "page-table pages of the machine without it (default: the run's; grep PageTables /proc/meminfo)",
	     "PAGES"},
	    {"five-levels", 0, POPT_ARG_NONE, &g.five_levels, 0,
	     "the machine uses page tables of five levels", NULL},
	    QUERY_OPTIONS(q),
	    POPT_AUTOHELP POPT_TABLEEND};
	int rc = query_options(&cmd_pgcache, argc, argv, table, usage, &q);

	if (!rc && (!q.args->len || q.args->len > 2 || strcmp(q.args->pdata[0], "advise")))
		rc = command_fail(&cmd_pgcache, "mmprof pgcache %s", usage);
	else if (!rc)
		rc = advise(&q, &g);
	free(g.memory);
	query_clear(&q);
	return rc;
}
