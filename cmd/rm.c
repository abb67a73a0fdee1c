// `mmprof rm`: deletes runs with all that belongs to them.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cmd/query.h"
#include "store/store_read.h"

static int rm(int argc, const char **argv);
const struct command cmd_rm = {"rm", "delete runs", rm};

// "3-7": both ends are ids.
static bool is_range(const char *text, int64_t *from, int64_t *to)
{
	int end = 0;

	return sscanf(text, "%" SCNd64 "-%" SCNd64 "%n", from, to, &end) == 2 && !text[end] && *from > 0 &&
	       *from <= *to;
}

static void add_once(GArray *runs, const struct store_run_row *run)
{
	for (guint i = 0; i < runs->len; i++)
		if (g_array_index(runs, struct store_run_row, i).id == run->id)
			return;
	g_array_append_val(runs, *run);
}

static int find_named(struct store *store, const GPtrArray *args, const GArray *all, GArray *runs)
{
	for (guint i = 0; i < args->len; i++) {
		struct store_run_row run;
		int64_t from, to;

		if (is_range(args->pdata[i], &from, &to)) {
			for (guint k = 0; k < all->len; k++) {
				const struct store_run_row *r = &g_array_index(all, struct store_run_row, k);

				if (r->id >= from && r->id <= to)
					add_once(runs, r);
			}
			continue;
		}
		if (store_find_run(store, args->pdata[i], &run))
			return command_fail(&cmd_rm, "%s", err_text());
		add_once(runs, &run);
	}
	return 0;
}

static int find_runs(struct store *store, const struct query *q, const char *experiment, GArray *runs)
{
	g_autoptr(GArray) all = NULL;
	int rc;

	if (store_read_runs(store, &all))
		return command_fail(&cmd_rm, "%s", err_text());
	rc = find_named(store, q->args, all, runs);
	for (guint i = 0; experiment && i < all->len; i++) {
		const struct store_run_row *r = &g_array_index(all, struct store_run_row, i);

		if (!g_strcmp0(r->experiment, experiment))
			add_once(runs, r);
	}
	if (!rc && !runs->len)
		rc = command_fail(&cmd_rm, "no such run (mmprof list runs)");
	return rc;
}

// Only a yes is a yes; nobody to ask is a no.
static int confirm(const GArray *runs)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO))
		return command_fail(&cmd_rm, "%u run%s would be deleted: say --yes", runs->len,
				    runs->len == 1 ? "" : "s");
	for (guint i = 0; i < runs->len && i < 20; i++) {
		const struct store_run_row *r = &g_array_index(runs, struct store_run_row, i);

		fprintf(stderr, "  run %" PRId64 ": %s, %s, %s\n", r->id, r->name, r->system, r->status);
	}
	fprintf(stderr, "Delete %u run%s? [y/N] ", runs->len, runs->len == 1 ? "" : "s");
	if (!fgets(answer, sizeof(answer), stdin) || (*answer != 'y' && *answer != 'Y'))
		return command_fail(&cmd_rm, "nothing was deleted");
	return 0;
}

static int delete_all(struct store *store, const GArray *runs, bool quiet)
{
	int rc = store_begin(store);

	for (guint i = 0; i < runs->len && !rc; i++)
		rc = store_delete_run(store, g_array_index(runs, struct store_run_row, i).id);
	if (!rc)
		rc = store_delete_unused(store);
	if (!rc)
		rc = store_commit(store);
	if (rc) {
		store_rollback(store);
		return command_fail(&cmd_rm, "nothing was deleted: %s", err_text());
	}
	if (!quiet)
		printf("%u run%s deleted\n", runs->len, runs->len == 1 ? "" : "s");
	return 0;
}

static int rm(int argc, const char **argv)
{
	struct query q = {};
	char *experiment = NULL;
	int yes = 0, quiet = 0, rc;
	const struct poptOption table[] = {
	    {"db", 0, POPT_ARG_STRING, &q.db, 0, "database (default: $MMPROF_DB, else ./mmprof.db)", "FILE"},
	    {"experiment", 'e', POPT_ARG_STRING, &experiment, 0, "all runs of this experiment", "NAME"},
	    {"yes", 'y', POPT_ARG_NONE, &yes, 0, "don't ask", NULL},
	    {"quiet", 'q', POPT_ARG_NONE, &quiet, 0, "say nothing but errors", NULL},
	    POPT_AUTOHELP POPT_TABLEEND};
	struct store *store = NULL;
	g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(struct store_run_row));

	rc = query_options(
	    &cmd_rm, argc, argv, table,
	    "[OPTIONS] RUN...\n\nRUN is a run's id, the beginning of its UUID, \"last\", or FROM-TO.", &q);
	if (!rc && !q.args->len && !experiment)
		rc = command_fail(&cmd_rm, "which run? mmprof rm RUN...");
	if (!rc)
		rc = query_open(&cmd_rm, &q, &store); // never makes a database
	if (!rc) {
		store_close(store);
		store = NULL;
		if (store_open(command_db_path(q.db), STORE_WRITE, &store))
			rc = command_fail(&cmd_rm, "%s", err_text());
	}
	if (!rc)
		rc = find_runs(store, &q, experiment, runs);
	if (!rc && !yes)
		rc = confirm(runs);
	if (!rc)
		rc = delete_all(store, runs, quiet);
	store_close(store);
	free(experiment);
	query_clear(&q);
	return rc;
}
