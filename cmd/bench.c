// `mmprof bench`: microbenchmarks. `bench NAME` is `record` with the benchmark as its workload: a process of
// this same program, which gives its results back through a pipe (lib/bench/bench.h, lib/run/results.h).
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/doc.h"
#include "base/err.h"
#include "bench/bench.h"
#include "cmd/bench.h"
#include "cmd/record.h"
#include "report/report.h"
#include "store/store.h"
#include "store/store_read.h"

static int bench(int argc, const char **argv);
static int worker(int argc, const char **argv);
const struct command cmd_bench = {"bench", "run a microbenchmark, into the database", bench};
const struct command cmd_bench_worker = {"bench-worker", NULL, worker};

// --- list

static int list(void)
{
	static const struct doc_column columns[] = {{"name", "benchmark", DOC_PLAIN},
						    {"what", "what it measures", DOC_PLAIN}};
	struct doc *doc = doc_new("benchmarks");
	struct doc_section *sec =
	    doc_section(doc, "benchmarks", "Benchmarks", columns, G_N_ELEMENTS(columns));

	for (const struct bench *const *b = bench_table; *b; b++) {
		doc_row(sec);
		doc_text(sec, "%s", (*b)->name);
		doc_text(sec, "%s", (*b)->what);
	}
	doc_note(sec, "`mmprof bench NAME --help` shows a benchmark's parameters.");
	doc_print(doc, DOC_TEXT, stdout);
	doc_free(doc);
	return 0;
}

// --- the worker's command

// "--limit", "3" or "--limit=3" → given["limit"] = "3"
static int take_words(const struct bench *b, const char *const *words, GHashTable *given)
{
	while (*words) {
		const char *word = *words++, *sign = strchr(word, '=');
		g_autofree char *name = NULL;
		const struct bench_param *p;
		const char *value;
		int rc;

		if (!g_str_has_prefix(word, "--"))
			return err_set(-EINVAL, "%s: \"%s\" is not a parameter (mmprof bench %s --help)",
				       b->name, word, b->name);
		name = sign ? g_strndup(word + 2, (gsize)(sign - word - 2)) : g_strdup(word + 2);
		p = bench_param_find(b, name);
		if (!p)
			return err_set(-EINVAL, "%s has no parameter --%s (mmprof bench %s --help)", b->name,
				       name, b->name);
		value = sign ? sign + 1 : *words++;
		if (!value)
			return err_set(-EINVAL, "%s: --%s needs a value", b->name, name);
		rc = bench_param_check(p, value);
		if (rc)
			return err_add(rc, "%s", b->name);
		g_hash_table_insert(given, (void *)p, (void *)value);
	}
	return 0;
}

static void add_params(const struct bench_param *p, GHashTable *given, GPtrArray *argv, GString *title)
{
	for (; p && p->name; p++) {
		const char *value = g_hash_table_lookup(given, p);

		g_ptr_array_add(argv, g_strdup_printf("%s=%s", p->name, value ? value : p->fallback));
		if (value && title)
			g_string_append_printf(title, " %s=%s", p->name, value);
	}
}

int bench_argv(const char *const *words, char ***argv, char **title)
{
	const struct bench *b = *words ? bench_find(*words) : NULL;
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autoptr(GHashTable) given = g_hash_table_new(NULL, NULL);
	g_autoptr(GPtrArray) list = NULL;
	GString *name;
	int rc;

	if (!b)
		return err_set(-EINVAL, "there is no benchmark \"%s\": mmprof bench list",
			       *words ? *words : "");
	if (!self)
		return err_set(-ENOENT, "can't tell where mmprof itself is (/proc/self/exe)");
	rc = take_words(b, words + 1, given);
	if (rc)
		return rc;
	list = g_ptr_array_new();
	name = g_string_new(b->name);
	g_ptr_array_add(list, g_steal_pointer(&self));
	g_ptr_array_add(list, g_strdup("bench-worker"));
	g_ptr_array_add(list, g_strdup(b->name));
	add_params(b->params, given, list, name);
	add_params(bench_common_params, given, list, NULL); // how it is measured is no part of what is
	g_ptr_array_add(list, NULL);
	*argv = (char **)g_ptr_array_steal(list, NULL);
	if (title)
		*title = g_string_free(name, FALSE);
	else
		g_string_free(name, TRUE);
	return 0;
}

// --- one benchmark

struct params {
	const struct bench *bench;
	GArray *table;    // struct poptOption
	char **values;    // of each parameter, as popt found them
	GPtrArray *names; // parallel to values: struct bench_param *
	GPtrArray *texts; // helps
};

static void list_params(struct params *p, const struct bench_param *list)
{
	for (; list && list->name; list++)
		g_ptr_array_add(p->names, (void *)list);
}

static void params_init(struct params *p, const struct bench *b)
{
	p->bench = b;
	p->table = g_array_new(TRUE, TRUE, sizeof(struct poptOption));
	p->names = g_ptr_array_new();
	p->texts = g_ptr_array_new_with_free_func(g_free);
	list_params(p, b->params);
	list_params(p, bench_common_params);
	p->values = g_new0(char *, p->names->len + 1);
	for (guint i = 0; i < p->names->len; i++) {
		const struct bench_param *param = p->names->pdata[i];
		char *help = g_strdup_printf("%s (default %s)", param->what, param->fallback);
		struct poptOption option = {param->name, 0,    POPT_ARG_STRING, &p->values[i],
					    0,           help, param->form};

		g_ptr_array_add(p->texts, help);
		g_array_append_val(p->table, option);
	}
}

static void params_clear(struct params *p)
{
	for (guint i = 0; i < p->names->len; i++)
		free(p->values[i]);
	g_free(p->values);
	g_array_unref(p->table);
	g_ptr_array_unref(p->names);
	g_ptr_array_unref(p->texts);
}

// Probes only when they are asked for: they would be part of what is timed.
static void leave_probes_out(struct record_options *o)
{
	o->no_probes = calloc(2, sizeof(char *));
	if (o->no_probes)
		o->no_probes[0] = strdup("all");
}

static void show_last(const struct record_options *o)
{
	struct store_run_row run;
	struct store *store = NULL;
	struct doc *doc = NULL;
	int rc = store_open(command_db_path(o->db), STORE_READ, &store);

	if (!rc)
		rc = store_find_run(store, "last", &run);
	if (!rc)
		rc = report_results(store, &run, &doc);
	if (!rc) {
		doc_print(doc, DOC_TEXT, stdout);
		doc_free(doc);
	}
	store_close(store);
}

static GPtrArray *words_of(const struct params *p)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(words, g_strdup(p->bench->name));
	for (guint i = 0; i < p->names->len; i++)
		if (p->values[i])
			g_ptr_array_add(words,
					g_strdup_printf("--%s=%s",
							((struct bench_param *)p->names->pdata[i])->name,
							p->values[i]));
	g_ptr_array_add(words, NULL);
	return words;
}

static int run(struct params *p, struct record_options *o, int record)
{
	g_autoptr(GPtrArray) words = words_of(p);
	g_auto(GStrv) argv = NULL;
	g_autofree char *title = NULL;
	int rc = bench_argv((const char *const *)words->pdata, &argv, &title);

	if (rc)
		return command_fail(&cmd_bench, "%s", err_text());
	if (!record && !o->probes && !o->no_probes)
		leave_probes_out(o);
	if (!o->name)
		o->name = strdup(title);
	o->bench = p->bench->name;
	rc = record_workload(&cmd_bench, o, (const char **)argv);
	if (rc != EXIT_USAGE && !o->quiet && !o->json)
		show_last(o);
	return rc;
}

static int one(const struct bench *b, int argc, const char **argv)
{
	struct record_options o = RECORD_DEFAULTS;
	struct params p;
	int with_probes = 0, rc;
	poptContext ctx;
	const char **rest;
	g_autofree char *title = g_strdup_printf("Parameters of %s:", b->name);
	g_autofree char *usage = g_strdup_printf("%s [OPTIONS]\n\n%s.", b->name, b->what);

	params_init(&p, b);
	const struct poptOption record[] = {RECORD_OPTIONS(o), POPT_TABLEEND};
	const struct poptOption table[] = {
	    {NULL, 0, POPT_ARG_INCLUDE_TABLE, p.table->data, 0, title, NULL},
	    {"record", 0, POPT_ARG_NONE, &with_probes, 0,
	     "attach the default probes too (or name some with --probe)", NULL},
	    {"compare-with", 0, POPT_ARG_ARGV, &o.systems, 0,
	     "another system, run in turn with --system's: same as a second --system",
	     "NAME[,SETTING=VALUE...]"},
	    {NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)record, 0, "Options of record:", NULL},
	    POPT_AUTOHELP POPT_TABLEEND};
	rc = command_options(&cmd_bench, argc, argv, table, usage, &ctx, &rest);
	if (!rc && rest[0])
		rc = command_fail(&cmd_bench, "%s: \"%s\" is not an option (mmprof bench %s --help)", b->name,
				  rest[0], b->name);
	if (!rc)
		rc = run(&p, &o, with_probes);
	poptFreeContext(ctx);
	command_free_options(record);
	params_clear(&p);
	return rc;
}

static int bench(int argc, const char **argv)
{
	const char *name = argc > 1 ? argv[1] : "list";
	const struct bench *b = bench_find(name);

	if (!strcmp(name, "list") || !strcmp(name, "--help"))
		return list();
	if (!b)
		return command_fail(&cmd_bench, "there is no benchmark \"%s\": mmprof bench list", name);
	return one(b, argc - 1, argv + 1);
}

// --- the benchmark's own process

static int worker(int argc, const char **argv)
{
	const char *fd = getenv("MMPROF_RESULTS_FD");
	int rc = argc > 1 ? bench_main(argv[1], argv + 2, fd ? atoi(fd) : -1) : -EINVAL;

	if (!rc)
		return 0;
	return command_fail(&cmd_bench, "%s", argc > 1 ? err_text() : "which benchmark?");
}
