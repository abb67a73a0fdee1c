// `mmprof run`: an experiment as its plan describes it. Options and words for people; the work is lib/run's.
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/doc.h"
#include "base/err.h"
#include "base/journal.h"
#include "cmd/bench.h"
#include "cmd/command.h"
#include "run/execute.h"
#include "run/matrix.h"
#include "run/plan.h"
#include "run/resume.h"
#include "store/store.h"

static int run(int argc, const char **argv);
const struct command cmd_run = {"run", "execute an experiment's plan", run};

enum { EXIT_INTERRUPTED = 130 };

struct options {
	char *db, *cells;
	int dry_run, resume, retry, json, quiet, skip_missing;
};

// What the callbacks know.
struct telling {
	const struct options *options;
	const char *db;
	int cells; // of the whole plan
	bool terminal, in_place;
};

// --- the list of cells

static char *settings_text(const struct plan_system *s)
{
	GString *text = g_string_new(NULL);

	if (s->spec)
		g_string_append_printf(text, "use %s", s->spec->text);
	for (guint i = 0; i < s->settings->len; i++) {
		const struct setting *setting = &g_array_index(s->settings, struct setting, i);

		g_string_append_printf(text, "%s%s = %s", text->len ? ", " : "", setting->key,
				       setting->value);
	}
	return g_string_free(text, FALSE);
}

static void list_systems(struct doc *doc, const struct plan *plan)
{
	static const struct doc_column columns[] = {{"system", "system", DOC_PLAIN},
						    {"what", "what", DOC_PLAIN},
						    {"settings", "settings", DOC_PLAIN}};
	struct doc_section *sec = doc_section(doc, "systems", "Systems", columns, G_N_ELEMENTS(columns));

	for (guint i = 0; i < plan->systems->len; i++) {
		const struct plan_system *s = plan->systems->pdata[i];
		g_autofree char *settings = settings_text(s);

		doc_row(sec);
		doc_text(sec, "%s", s->name);
		doc_text(sec, "%s", s->what ? s->what : "");
		doc_text(sec, "%s", settings);
	}
}

static void list_cells(struct doc *doc, const struct plan *plan, const GArray *cells)
{
	static const struct doc_column columns[] = {{"cell", "cell", DOC_PLAIN},
						    {"round", "round", DOC_PLAIN},
						    {"system", "system", DOC_PLAIN},
						    {"workload", "workload", DOC_PLAIN},
						    {"command", "command", DOC_PLAIN}};
	struct doc_section *sec = doc_section(doc, "cells", "Cells", columns, G_N_ELEMENTS(columns));

	for (guint i = 0; i < cells->len; i++) {
		const struct cell *cell = &g_array_index(cells, struct cell, i);
		const struct plan_system *s = plan->systems->pdata[cell->system];
		const struct plan_workload *w = plan->workloads->pdata[cell->workload];

		doc_row(sec);
		doc_int(sec, cell->number);
		doc_int(sec, cell->round);
		doc_text(sec, "%s", s->name);
		doc_text(sec, "%s", w->name);
		doc_text(sec, "%s%s", w->bench ? "mmprof bench " : "", w->bench ? w->bench : w->command);
	}
	if (plan->warmup)
		doc_note(sec,
			 "Warm-ups of each pair of a system and a workload, before the first of them: %d.",
			 plan->warmup);
}

static int list(const struct options *o, const struct plan *plan, const GArray *cells, int n_cells)
{
	static const struct doc_column columns[] = {{"name", "name", DOC_PLAIN},
						    {"runs", "runs of each pair", DOC_COUNT},
						    {"warmup", "warm-ups", DOC_COUNT},
						    {"cells", "cells", DOC_COUNT},
						    {"seed", "seed", DOC_PLAIN}};
	struct doc *doc = doc_new("plan");
	struct doc_section *sec =
	    doc_section(doc, "experiment", "Experiment", columns, G_N_ELEMENTS(columns));
	int rc;

	doc_row(sec);
	doc_text(sec, "%s", plan->name);
	doc_int(sec, plan->runs);
	doc_int(sec, plan->warmup);
	doc_int(sec, n_cells);
	doc_int(sec, plan->seed);
	list_systems(doc, plan);
	list_cells(doc, plan, cells);
	rc = doc_print(doc, o->json ? DOC_JSON : DOC_TEXT, stdout);
	doc_free(doc);
	return rc ? command_fail(&cmd_run, "%s", err_text()) : 0;
}

// --- progress

static char *duration(double s)
{
	int64_t n = (int64_t)(s + 0.5);

	if (n < 60)
		return g_strdup_printf("%" PRId64 " s", n);
	if (n < 3600)
		return g_strdup_printf("%" PRId64 " min %" PRId64 " s", n / 60, n % 60);
	if (n < 86400)
		return g_strdup_printf("%" PRId64 " h %" PRId64 " min", n / 3600, n % 3600 / 60);
	return g_strdup_printf("%" PRId64 " d %" PRId64 " h", n / 86400, n % 86400 / 3600);
}

static char *name_of(const struct telling *t, const struct execute_step *step)
{
	g_autofree char *round = step->round ? g_strdup_printf("round %d", step->round) : g_strdup("warm-up");

	return g_strdup_printf("[%d/%d] %s %s %s", step->cell, t->cells, step->system->name,
			       step->workload->name, round);
}

static void starting(void *ctx, const struct execute_step *step)
{
	const struct telling *t = ctx;
	g_autofree char *name = name_of(t, step), *left = duration(step->left_s);

	if (!t->terminal)
		return;
	fprintf(stderr, "%s%s ...", t->in_place ? "\r\033[K" : "", name);
	if (step->left_s >= 0)
		fprintf(stderr, " %s left", left);
	fputs(t->in_place ? "" : "\n", stderr);
}

static void print_json(const struct telling *t, const struct execute_step *step,
		       const struct session_outcome *out, const char *why)
{
	json_t *j =
	    json_pack("{s:i, s:i, s:s, s:s, s:I, s:s, s:I, s:i, s:i, s:i, s:s*, s:s}", "cell", step->cell,
		      "round", step->round, "system", step->system->name, "workload", step->workload->name,
		      "run", (json_int_t)out->run, "status", why ? "failed" : out->status, "elapsed_ns",
		      (json_int_t)out->elapsed_ns, "exit_code", out->exit_code, "probes_attached",
		      out->attached, "probes_not_attached", out->not_attached, "why", why, "db", t->db);

	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(j);
}

static void ended(void *ctx, const struct execute_step *step, const struct session_outcome *out,
		  const char *why)
{
	const struct telling *t = ctx;
	g_autofree char *name = name_of(t, step);
	bool bad = why || out->exit_code;

	if (t->options->json)
		print_json(t, step, out, why);
	if (t->terminal && t->in_place)
		fputs("\r\033[K", stderr);
	if (t->options->quiet || (t->terminal && !bad))
		return;
	if (why)
		fprintf(stderr, "mmprof run: %s: failed: %s\n", name, why);
	else if (bad)
		fprintf(stderr, "mmprof run: %s: %s, exit %d, %.3f s\n", name, out->status, out->exit_code,
			out->elapsed_ns / 1e9);
	else
		fprintf(stderr, "mmprof run: %s: %s, %.3f s\n", name, out->status, out->elapsed_ns / 1e9);
}

static void left_out(const char *line)
{
	fprintf(stderr, "mmprof run: %s\n", line);
}

// Whether nothing but the progress itself is written on the terminal.
static bool alone_on_terminal(const struct plan *plan)
{
	for (guint i = 0; i < plan->workloads->len; i++)
		if (!((const struct plan_workload *)plan->workloads->pdata[i])->stdout_path &&
		    isatty(STDOUT_FILENO))
			return false;
	return true;
}

// --- the end

// For a command line that is to be copied.
static char *word(const char *text)
{
	static const char plain[] = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._/+:=@-";

	return *text && !text[strspn(text, plain)] ? g_strdup(text) : g_shell_quote(text);
}

static char *how_to_look(const struct plan *plan, const char *db)
{
	g_autofree char *file = word(db), *name = word(plan->name);
	GString *text = g_string_new("mmprof ");

	if (plan->systems->len < 2) {
		g_string_append_printf(text, "list runs --db %s", file);
		return g_string_free(text, FALSE);
	}
	g_string_append_printf(text, "report --db %s --experiment %s --compare", file, name);
	for (guint i = 0; i < plan->systems->len; i++) {
		g_autofree char *system = word(((const struct plan_system *)plan->systems->pdata[i])->name);

		g_string_append_printf(text, " %s", system);
	}
	return g_string_free(text, FALSE);
}

static int summary(const struct options *o, const struct execution *e, const struct resume_count *before,
		   const char *db)
{
	int failed = e->failed + before->failed;
	g_autofree char *file = word(db), *path = word(e->plan->path), *look = how_to_look(e->plan, db);

	if (e->interrupted) {
		fprintf(
		    stderr,
		    "mmprof run: stopped by a signal after %d of %u runs; go on with: mmprof run %s --db %s "
		    "--resume\n",
		    e->runs, e->cells->len, path, file);
		return EXIT_INTERRUPTED;
	}
	if (failed)
		fprintf(stderr, "mmprof run: %d of %d runs failed%s\n", failed,
			e->runs + before->done + before->failed,
			before->failed ? "; --retry runs those again that did so before" : "");
	if (!o->quiet && !e->runs)
		fprintf(stderr, "mmprof run: nothing is left to run of experiment %s (%s)\n", e->plan->name,
			look);
	else if (!o->quiet)
		fprintf(stderr, "mmprof run: %d runs of experiment %s (%s)\n", e->runs, e->plan->name, look);
	return failed ? 1 : 0;
}

// --- the work

// A plan sets its systems up itself, and "none" is to be none.
static int check_none_is_up(void)
{
	g_autofree char *kept = journal_kept();

	return kept
		   ? err_set(-EBUSY, "%s is up: mmprof system %.*s down", kept, (int)strcspn(kept, ","), kept)
		   : 0;
}

static int execute_all(const struct options *o, struct execution *e, int n_cells, const char *db,
		       struct resume_count *before)
{
	enum resume how = o->retry ? RESUME_RETRY : o->resume ? RESUME_REST : RESUME_NOT;
	int rc = execute_check(e->plan, e->cells, e->user, o->skip_missing, left_out), undone;

	if (!rc)
		rc = check_none_is_up();
	if (!rc)
		rc = command_open_journal(&cmd_run, true, o->quiet);
	if (!rc)
		rc = store_open(db, STORE_WRITE, &e->store);
	if (!rc)
		rc = resume_cells(e->store, e->plan, n_cells, how, e->cells, before);
	e->try_settings = how == RESUME_NOT;
	if (!rc && e->cells->len)
		rc = execute(e);
	if (rc)
		command_fail(&cmd_run, "%s", err_text());
	undone = command_close_journal(&cmd_run);
	store_close(e->store);
	return rc == -EINTR ? EXIT_INTERRUPTED : rc || undone ? EXIT_USAGE : 0;
}

static int run_plan(const struct options *o, const struct plan *plan, GArray *cells, int n_cells)
{
	const char *db = command_db_path(o->db);
	bool terminal = isatty(STDERR_FILENO) && !o->quiet;
	struct telling t = {o, db, n_cells, terminal, alone_on_terminal(plan)};
	struct execution e = {.plan = plan,
			      .cells = cells,
			      .user = command_default_user(),
			      .starting = starting,
			      .ended = ended,
			      .ctx = &t};
	struct resume_count before;
	int rc;

	if (geteuid() != 0)
		return command_fail(&cmd_run, "measuring the kernel needs root: run it with sudo (the "
					      "workloads themselves run as you)");
	session_block_signals();
	rc = execute_all(o, &e, n_cells, db, &before);
	return rc ? rc : summary(o, &e, &before, db);
}

// A workload that is one of our benchmarks gets the command that runs it.
static int make_benchmarks(struct plan *plan)
{
	for (guint i = 0; i < plan->workloads->len; i++) {
		struct plan_workload *w = plan->workloads->pdata[i];
		g_auto(GStrv) words = NULL;
		int rc = -EINVAL;

		if (!w->bench)
			continue;
		if (g_shell_parse_argv(w->bench, NULL, &words, NULL))
			rc = bench_argv((const char *const *)words, &w->argv, NULL);
		else
			err_set(rc, "\"%s\" is no command line", w->bench);
		if (rc)
			return plan_error(rc, plan->path, plan_line(&w->section, "bench"), "%s", err_text());
	}
	return 0;
}

static int with_plan(const struct options *o, const char *path)
{
	g_autoptr(GArray) all = NULL, chosen = NULL;
	struct plan *plan = NULL;
	int rc = plan_read(path, &plan);

	if (!rc)
		rc = make_benchmarks(plan);
	if (rc) {
		plan_free(plan);
		return command_fail(&cmd_run, "%s", err_text());
	}
	all = matrix_cells((int)plan->systems->len, (int)plan->workloads->len, plan->runs,
			   (uint64_t)plan->seed);
	if (o->cells)
		rc = matrix_select(all, o->cells, &chosen);
	else
		chosen = g_array_ref(all);
	if (rc)
		rc = command_fail(&cmd_run, "--cell: %s", err_text());
	else if (o->dry_run)
		rc = list(o, plan, chosen, (int)all->len);
	else
		rc = run_plan(o, plan, chosen, (int)all->len);
	plan_free(plan);
	return rc;
}

static int run(int argc, const char **argv)
{
	struct options o = {};
	const struct poptOption table[] = {
	    {"db", 0, POPT_ARG_STRING, &o.db, 0, "database (default: $MMPROF_DB, else ./mmprof.db)", "FILE"},
	    {"dry-run", 'n', POPT_ARG_NONE, &o.dry_run, 0, "list the cells and run nothing", NULL},
	    {"cell", 'c', POPT_ARG_STRING, &o.cells, 0, "run only these cells, e.g. 3,5-7", "LIST"},
	    {"resume", 0, POPT_ARG_NONE, &o.resume, 0,
	     "go on with an experiment: run the cells that were not run yet", NULL},
	    {"retry", 0, POPT_ARG_NONE, &o.retry, 0,
	     "as --resume, and run those again that crashed or failed", NULL},
	    {"skip-missing", 0, POPT_ARG_NONE, &o.skip_missing, 0,
	     "leave out systems with settings that this machine lacks", NULL},
	    {"quiet", 'q', POPT_ARG_NONE, &o.quiet, 0, "say nothing but errors", NULL},
	    {"json", 0, POPT_ARG_NONE, &o.json, 0, "one JSON object a run on standard output", NULL},
	    POPT_AUTOHELP POPT_TABLEEND};
	poptContext ctx;
	const char **rest;
	int rc = command_options(&cmd_run, argc, argv, table, "[OPTIONS] PLAN", &ctx, &rest);

	if (!rc && !rest[0])
		rc = command_fail(&cmd_run, "which plan? (mmprof run PLAN; man mmprof-run tells its form)");
	if (!rc && rest[1])
		rc = command_fail(&cmd_run, "\"%s\": one plan at a time", rest[1]);
	if (!rc)
		rc = with_plan(&o, rest[0]);
	poptFreeContext(ctx);
	command_free_options(table);
	return rc;
}
