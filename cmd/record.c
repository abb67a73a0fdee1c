// `mmprof record`: measures one workload. Options and words for people; the work is lib/run's.
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "cmd/record.h"
#include "run/matrix.h"
#include "run/session.h"
#include "store/store.h"
#include "system/spec.h"
#include "system/system.h"

static int record(int argc, const char **argv);
const struct command cmd_record = {"record", "measure a workload: probes and samplers, into the database",
				   record};

static bool show_progress;

static void progress(const char *text)
{
	if (show_progress)
		fprintf(stderr, text ? "\r\033[Kmmprof: %s ..." : "\r\033[K", text);
	fflush(stderr);
}

static int check(const struct record_options *o, const char **workload)
{
	if (!*workload)
		return err_set(-EINVAL, "no workload: mmprof record [OPTIONS] -- WORKLOAD [ARG...]");
	if (o->runs < 1 || o->runs > 100000)
		return err_set(-EINVAL, "--runs must be 1 or more");
	if (o->warmup < 0 || o->timeout < 0 || o->pause < 0)
		return err_set(-EINVAL, "--warmup, --timeout and --pause can't be negative");
	if (o->interval < 10 || o->interval > 3600000)
		return err_set(-EINVAL, "--interval is in milliseconds, 10 or more");
	if (!(o->sampling >= 0.01 && o->sampling <= 100))
		return err_set(-EINVAL, "--sampling is a percentage of one CPU, 0.01 to 100");
	for (char **t = o->tags; t && *t; t++)
		if (**t == '=' || !strchr(*t, '='))
			return err_set(-EINVAL, "--tag \"%s\" is not of the form KEY=VALUE", *t);
	if (geteuid() != 0)
		return err_set(
		    -EPERM,
		    "measuring the kernel needs root: run it with sudo (the workload itself runs as you)");
	return 0;
}

static void summary(const struct record_options *o, const struct session_outcome *out, const char *db,
		    int iteration)
{
	g_autofree char *which = iteration ? g_strdup_printf("run %" PRId64, out->run)
					   : g_strdup_printf("run %" PRId64 " (warm-up)", out->run);

	if (o->json) {
		json_t *j = json_pack("{s:I, s:s, s:I, s:i, s:i, s:i, s:s}", "run", (json_int_t)out->run,
				      "status", out->status, "elapsed_ns", (json_int_t)out->elapsed_ns,
				      "exit_code", out->exit_code, "probes_attached", out->attached,
				      "probes_not_attached", out->not_attached, "db", db);

		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(j);
		return;
	}
	if (o->quiet)
		return;
	fprintf(stderr, "mmprof: %s %s: %.3f s, exit %d, %d probes attached", which, out->status,
		out->elapsed_ns / 1e9, out->exit_code, out->attached);
	if (out->not_attached)
		fprintf(stderr, ", %d not", out->not_attached);
	fprintf(stderr, " (mmprof report --db %s %" PRId64 ")\n", db, out->run);
	if (out->pins_not_done)
		fprintf(stderr,
			"mmprof: --quiet-machine: %d things could not be held still, the report says why\n",
			out->pins_not_done);
	if (out->left_running)
		fprintf(
		    stderr,
		    "mmprof: %d processes of the workload still run; the run ended with its first process\n",
		    out->left_running);
}

// --- the systems, and the runs of each

static void spec_free(void *spec)
{
	system_spec_free(spec);
}

static int find_systems(char **names, GPtrArray *specs)
{
	g_autofree char *kept = journal_kept();
	char *const none[] = {"none", NULL};

	if (kept && names && *names)
		return err_set(-EBUSY, "%s is up: leave --system out, or mmprof system %.*s down", kept,
			       (int)strcspn(kept, ","), kept);
	for (char *const *name = names && *names ? names : none; *name; name++) {
		struct system_spec *spec;
		int rc = system_spec_parse(*name, &spec);

		g_ptr_array_add(specs, spec);
		if (!rc)
			rc = system_spec_check(spec);
		if (rc)
			err_add(rc, "--system %s", *name);
		if (rc)
			return rc;
	}
	return 0;
}

// One that does can't share the machine with another that does.
static bool changes_machine(const struct record_options *o, const GPtrArray *specs)
{
	bool changes = pin_any(&o->pin);

	for (guint i = 0; i < specs->len; i++)
		changes |= system_spec_changes(specs->pdata[i]);
	return changes;
}

// Warm-ups first; then rounds in which each system comes once, in random order, so that a drift of the
// machine can't become a difference between systems. Ends when a run can't be made or a signal comes.
static int series(const struct record_options *o, struct session_options *so, const GPtrArray *specs,
		  const char *db, struct store *store, int *exit_code)
{
	g_autoptr(GArray) cells = matrix_cells((int)specs->len, 1, o->runs, 1);
	g_autoptr(GArray) steps = matrix_with_warmups(cells, o->warmup);
	g_autofree char *kept = journal_kept(); // by `mmprof system NAME up`
	struct session_outcome out = {};
	int rc = 0;

	for (guint i = 0; i < steps->len && !rc && !out.interrupted; i++) {
		const struct cell *cell = &g_array_index(steps, struct cell, i);
		struct system_spec *spec = specs->pdata[cell->system];

		if (i && session_pause(o->pause))
			break;
		so->iteration = cell->round;
		so->system = kept ? kept : spec->text;
		so->known = system_of_text(so->system);
		so->workload.mergeable = system_is_mergeable(so->system);
		so->set_up = system_spec_set_up;
		so->ctx = spec;
		rc = session_run(store, so, &out);
		if (rc)
			break;
		summary(o, &out, db, so->iteration);
		if (cell->round && out.exit_code)
			*exit_code = out.exit_code;
	}
	return rc;
}

int record_workload(const struct command *cmd, const struct record_options *o, const char **workload)
{
	g_autofree char *experiment = g_uuid_string_random(),
			*base = *workload ? g_path_get_basename(*workload) : NULL;
	struct session_options so = {
	    .workload = {.argv = workload,
			 .user = o->user ? o->user : command_default_user(),
			 .cpus = o->cpus,
			 .membind = o->membind,
			 .preferred = o->preferred,
			 .interleave = o->interleave,
			 .stdin_path = o->stdin_path,
			 .stdout_path = o->stdout_path},
	    .experiment = experiment,
	    .name = o->name ? o->name : base,
	    .tags = (const char *const *)o->tags,
	    .probes = (const char *const *)o->probes,
	    .no_probes = (const char *const *)o->no_probes,
	    .extracts = (const char *const *)o->extracts,
	    .marks = (const char *const *)o->marks,
	    .backend = o->backend ? o->backend : "auto",
	    .interval_ms = o->interval,
	    .sampling_percent = o->sampling,
	    .timeout_s = o->timeout,
	    .bpf_stats = o->bpf_stats,
	    .pin = &o->pin,
	    .bench = o->bench,
	    .progress = progress,
	};
	g_autoptr(GPtrArray) specs = g_ptr_array_new_with_free_func(spec_free);
	const char *db = command_db_path(o->db);
	struct store *store = NULL;
	int exit_code = 0, rc = check(o, workload);

	show_progress = isatty(STDERR_FILENO) && !o->quiet;
	session_block_signals();
	if (!rc)
		rc = session_check(&so);
	if (!rc)
		rc = find_systems(o->systems, specs);
	if (!rc)
		rc = command_open_journal(cmd, changes_machine(o, specs), o->quiet);
	if (!rc)
		rc = store_open(db, STORE_WRITE, &store);
	if (!rc)
		rc = series(o, &so, specs, db, store, &exit_code);
	if (rc)
		exit_code = command_fail(cmd, "%s", err_text());
	command_close_journal(cmd);
	if (store)
		store_close(store);
	return exit_code;
}

// `record --bench NAME [OPTIONS] -- [PARAMETERS]` is `bench NAME --record [PARAMETERS] [OPTIONS]`: what was
// before
// "--" goes behind it.
static int record_bench(const char *name, int argc, const char **argv, const char **params)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	g_ptr_array_add(words, "bench");
	g_ptr_array_add(words, (void *)name);
	g_ptr_array_add(words, "--record");
	for (; *params; params++)
		g_ptr_array_add(words, (void *)*params);
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--bench"))
			i++;
		else if (!g_str_has_prefix(argv[i], "--bench="))
			g_ptr_array_add(words, (void *)argv[i]);
	}
	g_ptr_array_add(words, NULL);
	return cmd_bench.run((int)words->len - 1, (const char **)words->pdata);
}

static int record(int argc, const char **argv)
{
	struct record_options o = RECORD_DEFAULTS;
	char *bench = NULL;
	const struct poptOption table[] = {
	    RECORD_OPTIONS(o),
	    {"bench", 0, POPT_ARG_STRING, &bench, 0,
	     "the workload is this benchmark (mmprof bench list), its parameters stand behind --", "NAME"},
	    POPT_AUTOHELP POPT_TABLEEND};
	poptContext ctx;
	const char **rest;
	int rc = command_workload_options(&cmd_record, argc, argv, table, "[OPTIONS] -- WORKLOAD [ARG...]",
					  &ctx, &rest);

	if (!rc)
		rc = bench ? record_bench(bench, argc, argv, rest) : record_workload(&cmd_record, &o, rest);
	poptFreeContext(ctx);
	command_free_options(table);
	return rc;
}
