// `mmprof rm`: deletes runs with all that belongs to them.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/doc.h"
#include "base/err.h"
#include "cmd/query.h"
#include "store/store_read.h"

static int rm(int argc, const char **argv);
const struct command cmd_rm = {"rm", "delete runs", rm};

// "3-7": both ends are ids, without leading zeros: "00001234-5678" begins a UUID.
static bool is_range(const char *text, int64_t *from, int64_t *to)
{
	g_autofree char *first = g_strndup(text, strcspn(text, "-"));
	const char *second = text + strlen(first) + (text[strlen(first)] == '-');
	gint64 a, b; // of a text without a dash, `second` is empty: no number

	if (*first == '0' || *second == '0' || !g_ascii_string_to_signed(first, 10, 1, INT64_MAX, &a, NULL) ||
	    !g_ascii_string_to_signed(second, 10, a, INT64_MAX, &b, NULL))
		return false;
	*from = a;
	*to = b;
	return true;
}

struct chosen {
	GArray *runs;
	GHashTable *ids; // of them
};

static void choose(struct chosen *c, const struct store_run_row *run)
{
	if (g_hash_table_add(c->ids, GSIZE_TO_POINTER((gsize)run->id)))
		g_array_append_val(c->runs, *run);
}

static int choose_range(const GArray *all, const char *text, int64_t from, int64_t to, struct chosen *c)
{
	bool found = false;

	for (guint i = 0; i < all->len; i++) {
		const struct store_run_row *r = &g_array_index(all, struct store_run_row, i);

		if (r->id < from || r->id > to)
			continue;
		choose(c, r);
		found = true;
	}
	return found ? 0 : command_fail(&cmd_rm, "there is no run in %s (mmprof list runs)", text);
}

// A number is an id and nothing else: the id of a run that is gone must not find another one's UUID.
static int choose_one(struct store *store, const char *text, struct chosen *c)
{
	struct store_run_row run;
	gint64 id;

	if (store_find_run(store, text, &run))
		return command_fail(&cmd_rm, "%s", err_text());
	if (g_ascii_string_to_signed(text, 10, 0, INT64_MAX, &id, NULL) && run.id != id)
		return command_fail(&cmd_rm, "there is no run %s (mmprof list runs)", text);
	choose(c, &run);
	return 0;
}

static int choose_named(struct store *store, const GPtrArray *args, const GArray *all, struct chosen *c)
{
	int rc = 0;

	for (guint i = 0; i < args->len && !rc; i++) {
		int64_t from, to;

		rc = is_range(args->pdata[i], &from, &to) ? choose_range(all, args->pdata[i], from, to, c)
							  : choose_one(store, args->pdata[i], c);
	}
	return rc;
}

static int choose_runs(struct store *store, const struct query *q, const char *experiment, struct chosen *c)
{
	g_autoptr(GArray) all = NULL;
	bool found = !experiment;
	int rc = store_read_runs(store, &all) ? command_fail(&cmd_rm, "%s", err_text())
					      : choose_named(store, q->args, all, c);

	for (guint i = 0; !rc && experiment && i < all->len; i++) {
		const struct store_run_row *r = &g_array_index(all, struct store_run_row, i);

		if (g_strcmp0(r->experiment, experiment))
			continue;
		choose(c, r);
		found = true;
	}
	if (!rc && !found)
		rc = command_fail(&cmd_rm, "there is no run of an experiment \"%s\" (mmprof list runs)",
				  experiment);
	return rc;
}

// "run 3 (memhog, tpp, done)", or "4 runs (1, 3-5)".
static char *describe(const GArray *runs)
{
	g_autoptr(GString) text = g_string_new(NULL);
	const struct store_run_row *r = &g_array_index(runs, struct store_run_row, 0);

	if (runs->len == 1) {
		g_string_printf(text, "run %" PRId64 " (%s, %s, %s)", r->id, r->name, r->system, r->status);
		return doc_harmless(text->str);
	}
	g_string_printf(text, "%u runs (", runs->len);
	for (guint i = 0, k; i < runs->len; i = k + 1) {
		for (k = i; k + 1 < runs->len && r[k + 1].id == r[k].id + 1;)
			k++;
		g_string_append_printf(text, "%s%" PRId64, i ? ", " : "", r[i].id);
		if (k > i)
			g_string_append_printf(text, "-%" PRId64, r[k].id);
	}
	g_string_append_c(text, ')');
	return g_steal_pointer(&text->str);
}

// Asked before anything else: a recording mmprof may keep the database locked. store_delete_run asks again.
static int none_running(const GArray *runs)
{
	for (guint i = 0; i < runs->len; i++) {
		const struct store_run_row *r = &g_array_index(runs, struct store_run_row, i);

		if (!strcmp(r->status, "running"))
			return command_fail(
			    &cmd_rm, "nothing was deleted: run %" PRId64 " is being recorded now", r->id);
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct store_run_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

// Only a yes is a yes; nobody to ask is a no.
static int confirm(const char *what)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO))
		return command_fail(&cmd_rm, "%s would be deleted: say --yes", what);
	fprintf(stderr, "Delete %s? [y/N] ", what);
	if (!fgets(answer, sizeof(answer), stdin) || (*answer != 'y' && *answer != 'Y'))
		return command_fail(&cmd_rm, "nothing was deleted");
	return 0;
}

static int delete_all(struct store *store, const GArray *runs)
{
	int rc = store_begin(store);

	for (guint i = 0; i < runs->len && !rc; i++)
		rc = store_delete_run(store, g_array_index(runs, struct store_run_row, i).id);
	if (!rc)
		rc = store_commit(store);
	if (rc)
		store_rollback(store);
	return rc ? command_fail(&cmd_rm, "nothing was deleted: %s", err_text()) : 0;
}

struct options {
	char *experiment;
	int yes, quiet;
};

static int run(const struct query *q, const struct options *o)
{
	g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(struct store_run_row));
	g_autoptr(GHashTable) ids = g_hash_table_new(NULL, NULL);
	struct chosen chosen = {runs, ids};
	struct store *store = NULL;
	g_autofree char *what = NULL;
	int rc = store_open(command_db_path(q->db), STORE_CHANGE, &store);

	if (rc)
		rc = command_fail(&cmd_rm, "%s", err_text());
	if (!rc)
		rc = choose_runs(store, q, o->experiment, &chosen);
	if (!rc) {
		g_array_sort(runs, by_id);
		what = describe(runs);
		rc = none_running(runs);
	}
	if (!rc && !o->yes)
		rc = confirm(what);
	if (!rc)
		rc = delete_all(store, runs);
	if (!rc && !o->quiet)
		printf("%s deleted\n", what);
	store_close(store);
	return rc;
}

static int rm(int argc, const char **argv)
{
	struct query q = {};
	struct options o = {};
	const struct poptOption table[] = {
	    {"db", 0, POPT_ARG_STRING, &q.db, 0, "database (default: $MMPROF_DB, else ./mmprof.db)", "FILE"},
	    {"experiment", 'e', POPT_ARG_STRING, &o.experiment, 0, "all runs of this experiment", "NAME"},
	    {"yes", 'y', POPT_ARG_NONE, &o.yes, 0, "don't ask", NULL},
	    {"quiet", 'q', POPT_ARG_NONE, &o.quiet, 0, "say nothing but errors", NULL},
	    POPT_AUTOHELP POPT_TABLEEND};
	int rc = query_options(
	    &cmd_rm, argc, argv, table,
	    "[OPTIONS] RUN...\n\nRUN is a run's id, the beginning of its UUID, \"last\", or FROM-TO.", &q);

	if (!rc && !q.args->len && !o.experiment)
		rc = command_fail(&cmd_rm, "which run? mmprof rm RUN...");
	if (!rc)
		rc = run(&q, &o);
	free(o.experiment);
	query_clear(&q);
	return rc;
}
