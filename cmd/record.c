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
#include "cmd/command.h"
#include "run/session.h"
#include "store/store.h"

struct options {
	char *db, *system, *name, *backend, *user, *cpus, *membind, *preferred, *interleave, *stdin_path,
	    *stdout_path;
	char **tags, **probes, **no_probes, **extracts, **marks;
	int runs, warmup, timeout, interval;
	double pause;
	int quiet, json, bpf_stats;
};

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

static void told(const char *line)
{
	fprintf(stderr, "mmprof record: put back what an earlier mmprof left behind: %s\n", line);
}

static int check(const struct options *o, const char **workload)
{
	if (!*workload)
		return err_set(-EINVAL, "no workload: mmprof record [OPTIONS] -- WORKLOAD [ARG...]");
	if (o->runs < 1 || o->runs > 100000)
		return err_set(-EINVAL, "--runs must be 1 or more");
	if (o->warmup < 0 || o->timeout < 0 || o->pause < 0)
		return err_set(-EINVAL, "--warmup, --timeout and --pause can't be negative");
	if (o->interval < 10 || o->interval > 3600000)
		return err_set(-EINVAL, "--interval is in milliseconds, 10 or more");
	for (char **t = o->tags; t && *t; t++)
		if (**t == '=' || !strchr(*t, '='))
			return err_set(-EINVAL, "--tag \"%s\" is not of the form KEY=VALUE", *t);
	if (geteuid() != 0)
		return err_set(
		    -EPERM,
		    "measuring the kernel needs root: run it with sudo (the workload itself runs as you)");
	return 0;
}

static void summary(const struct options *o, const struct session_outcome *out, const char *db, int iteration)
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
	if (out->left_running)
		fprintf(
		    stderr,
		    "mmprof: %d processes of the workload still run; the run ended with its first process\n",
		    out->left_running);
}

// Warm-ups first, then the runs, until one can't be made or a signal ends the series.
static int series(const struct options *o, struct session_options *so, const char *db, struct store *store,
		  int *exit_code)
{
	struct session_outcome out = {};
	int rc = 0;

	for (int i = 1 - o->warmup; i <= o->runs && !rc && !out.interrupted; i++) {
		if (i > 1 - o->warmup)
			g_usleep((gulong)(o->pause * 1e6));
		so->iteration = MAX(i, 0);
		rc = session_run(store, so, &out);
		if (rc)
			break;
		summary(o, &out, db, so->iteration);
		if (i >= 1 && out.exit_code)
			*exit_code = out.exit_code;
	}
	return rc;
}

static const char *default_user(void)
{
	const char *user = getenv("SUDO_USER");

	return user && *user ? user : NULL;
}

static int run(const struct options *o, const char **workload)
{
	g_autofree char *experiment = g_uuid_string_random(),
			*base = *workload ? g_path_get_basename(*workload) : NULL;
	struct session_options so = {
	    .workload = {.argv = workload,
			 .user = o->user ? o->user : default_user(),
			 .cpus = o->cpus,
			 .membind = o->membind,
			 .preferred = o->preferred,
			 .interleave = o->interleave,
			 .stdin_path = o->stdin_path,
			 .stdout_path = o->stdout_path},
	    .experiment = experiment,
	    .name = o->name ? o->name : base,
	    .system = o->system ? o->system : "none",
	    .tags = (const char *const *)o->tags,
	    .probes = (const char *const *)o->probes,
	    .no_probes = (const char *const *)o->no_probes,
	    .extracts = (const char *const *)o->extracts,
	    .marks = (const char *const *)o->marks,
	    .backend = o->backend ? o->backend : "auto",
	    .interval_ms = o->interval,
	    .timeout_s = o->timeout,
	    .bpf_stats = o->bpf_stats,
	    .progress = progress,
	};
	const char *db = command_db_path(o->db);
	struct store *store = NULL;
	int exit_code = 0, rc = check(o, workload), undone;

	if (!rc)
		rc = session_check(&so);
	if (!rc)
		rc = journal_open(told);
	if (!rc)
		rc = store_open(db, STORE_WRITE, &store);
	if (!rc)
		rc = series(o, &so, db, store, &exit_code);
	if (rc)
		exit_code = command_fail(&cmd_record, "%s", err_text());
	undone = journal_close();
	if (undone)
		fprintf(stderr, "mmprof record: %d changes of this machine could not be put back: %s\n",
			undone, err_text());
	if (store)
		store_close(store);
	return exit_code;
}

static int record(int argc, const char **argv)
{
	struct options o = {.system = NULL, .runs = 1, .interval = 100};
	const struct poptOption table[] = {
	    {"db", 0, POPT_ARG_STRING, &o.db, 0, "database (default: $MMPROF_DB, else ./mmprof.db)", "FILE"},
	    {"system", 0, POPT_ARG_STRING, &o.system, 0,
	     "name of the memory-management system under test (default: none)", "NAME"},
	    {"name", 0, POPT_ARG_STRING, &o.name, 0,
	     "the workload's name in reports (default: its program's)", "NAME"},
	    {"tag", 0, POPT_ARG_ARGV, &o.tags, 0, "a remark stored with the run (repeatable)", "KEY=VALUE"},
	    {"runs", 'n', POPT_ARG_INT, &o.runs, 0, "how often to run it (default 1)", "N"},
	    {"warmup", 0, POPT_ARG_INT, &o.warmup, 0, "runs before these, stored as warm-ups", "N"},
	    {"pause", 0, POPT_ARG_DOUBLE, &o.pause, 0, "seconds between runs", "S"},
	    {"timeout", 0, POPT_ARG_INT, &o.timeout, 0, "end the workload after so many seconds", "S"},
	    {"interval", 0, POPT_ARG_INT, &o.interval, 0, "milliseconds between samples (default 100)", "MS"},
	    {"probe", 'p', POPT_ARG_ARGV, &o.probes, 0,
	     "instead of the default probes: a catalogue name or group, a kernel function, a GLOB*, "
	     "tracepoint:SYSTEM:EVENT, or `default`; FUNCTION@BACKEND picks a backend (repeatable)",
	     "SPEC"},
	    {"no-probe", 0, POPT_ARG_ARGV, &o.no_probes, 0,
	     "leave this probe or group out; `all` for none (repeatable)", "SPEC"},
	    {"backend", 0, POPT_ARG_STRING, &o.backend, 0,
	     "how to time functions: auto, fentry, kprobe, ftrace (default auto)", "NAME"},
	    {"cpus", 0, POPT_ARG_STRING, &o.cpus, 0, "CPUs for the workload, e.g. 0-3,8", "LIST"},
	    {"membind", 0, POPT_ARG_STRING, &o.membind, 0, "its memory from these NUMA nodes only", "NODES"},
	    {"preferred", 0, POPT_ARG_STRING, &o.preferred, 0,
	     "its memory from this NUMA node while it lasts", "NODE"},
	    {"interleave", 0, POPT_ARG_STRING, &o.interleave, 0, "its memory from these NUMA nodes in turn",
	     "NODES"},
	    {"user", 0, POPT_ARG_STRING, &o.user, 0,
	     "run the workload as this user (default: who called sudo)", "NAME"},
	    {"stdin", 0, POPT_ARG_STRING, &o.stdin_path, 0,
	     "the workload's standard input (default: mmprof's)", "FILE"},
	    {"stdout", 0, POPT_ARG_STRING, &o.stdout_path, 0,
	     "the workload's standard output (default: mmprof's)", "FILE"},
	    {"extract", 0, POPT_ARG_ARGV, &o.extracts, 0,
	     "a figure that the workload prints: the regular expression's first group; + more, - less is "
	     "better "
	     "(repeatable)",
	     "NAME[:UNIT][+|-]=REGEX"},
	    {"mark", 0, POPT_ARG_ARGV, &o.marks, 0,
	     "a line that the workload prints when a phase begins, which the first group names (repeatable)",
	     "REGEX"},
	    {"bpf-stats", 0, POPT_ARG_NONE, &o.bpf_stats, 0,
	     "let the kernel measure BPF run time (costs two clock reads a probe hit)", NULL},
	    {"quiet", 'q', POPT_ARG_NONE, &o.quiet, 0, "say nothing but errors", NULL},
	    {"json", 0, POPT_ARG_NONE, &o.json, 0, "one JSON object a run on standard output", NULL},
	    POPT_AUTOHELP POPT_TABLEEND};
	poptContext ctx;
	const char **rest;
	int rc =
	    command_options(&cmd_record, argc, argv, table, "[OPTIONS] -- WORKLOAD [ARG...]", &ctx, &rest);

	if (!rc) {
		show_progress = isatty(STDERR_FILENO) && !o.quiet;
		session_block_signals();
		rc = run(&o, rest);
	}
	poptFreeContext(ctx);
	command_free_options(table);
	return rc;
}
