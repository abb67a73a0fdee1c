// Reports of a realistic run, of runs that went wrong, and of databases that were damaged.
#include "raw_sql.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/doc.h"
#include "report/compare.h"
#include "report/report.h"
#include "store/store_read.h"

static char *printed(const struct doc *doc, enum doc_format format)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	must(doc_print(doc, format, out));
	fclose(out);
	return text;
}

// The report of a run; -errno leaves *text alone.
static int report(const char *which, bool all, enum doc_format format, char **text)
{
	struct store *s = NULL;
	struct store_run_row run;
	struct doc *doc = NULL;
	int rc = store_open(db, STORE_READ, &s);

	if (!rc)
		rc = store_find_run(s, which, &run);
	if (!rc)
		rc = report_run(s, &run, all, &doc);
	if (!rc)
		*text = printed(doc, format);
	doc_free(doc);
	store_close(s);
	return rc;
}

static void make(void)
{
	struct store *s;

	must(store_open(db, STORE_WRITE, &s));
	sample_run(s, "e", 0);
	sample_run(s, "e", 1);
	store_close(s);
}

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("not in the report: \"%s\"", line);
}

static json_t *first_row(json_t *report, const char *section, const char *key, const char *value)
{
	json_t *rows = json_object_get(json_object_get(json_object_get(report, "sections"), section), "rows"),
	       *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (!strcmp(json_string_value(json_object_get(row, key)), value))
			return row;
	}
	fail_msg("no row in %s with %s = %s", section, key, value);
	return NULL;
}

static void for_people(void **state)
{
	char *text = NULL;

	(void)state;
	make();
	must(report("last", false, DOC_TEXT, &text));
	has(text, "[EMULATED: QEMU TCG lab]");
	has(text, "times are the emulator's");
	has(text, "./memhog --size 256M 'two words'");
	has(text, "One of 2 runs of the same record, 1 of them measured: mmprof report 1 2.");
	has(text, "\n  elapsed                        2.31 s\n");
	has(text, "INCOMPLETE: 1.87 % lost");
	has(text, "remote shootdown");
	has(text, "0.182 %");
	has(text, "vmstat.pgfault");
	assert_null(strstr(text, "vmstat.pgmajfault"));
	has(text, "__update_pginfo");
	has(text, "(1234): drop_caches: 3");
	has(text, "estimated: calls of probed functions");
	free(text);
	must(report("last", true, DOC_TEXT, &text));
	has(text, "vmstat.pgmajfault");
	has(text, "mitigation.meltdown");
	has(text, "recursion_misses_entry");
	free(text);
	must(report("1", true, DOC_MARKDOWN, &text));
	has(text, "## Function latency");
	free(text);
	must(report("1", true, DOC_CSV, &text));
	has(text, "# latency\r\nprobe,class,backend,count,");
	free(text);
}

static void for_programs(void **state)
{
	char *text = NULL;
	json_t *root, *row;

	(void)state;
	make();
	must(report("last", false, DOC_JSON, &text));
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	row = first_row(root, "latency", "class", "workload");
	assert_int_equal(json_integer_value(json_object_get(row, "count")), 65842);
	assert_true(json_real_value(json_object_get(row, "mean_ns")) -
			json_real_value(json_object_get(row, "corrected_mean_ns")) - 94.5 <
		    1e-6);
	row = first_row(root, "calibration", "backend", "kprobe");
	assert_true(json_is_null(json_object_get(row, "call_ns")));
	assert_non_null(json_object_get(row, "call_ns_not_measured"));
	row = first_row(root, "run", "status", "done");
	assert_int_equal(json_integer_value(json_object_get(row, "iteration")), 1);
	row = first_row(root, "lock_outcomes", "class", "workload");
	assert_int_equal(json_integer_value(json_object_get(row, "failed")), 120);
	json_decref(root);
	free(text);
}

static void below_floor_and_never_called(void **state)
{
	struct store *s;
	char *text = NULL;
	int64_t run, p;

	(void)state;
	must(store_open(db, STORE_WRITE, &s));
	run = sample_begin(s, NULL, 1);
	p = sample_probe(s, run,
			 (struct store_probe){"short", "func", "f", "fentry", "attached", NULL, NULL, NULL});
	sample_hist(s, p, "", "other", 1000, 100);
	p = sample_probe(s, run,
			 (struct store_probe){"bare", "func", "h", "ftrace", "attached", NULL, NULL, NULL});
	sample_hist(s, p, "", "other", 1000, 100);
	sample_probe(s, run,
		     (struct store_probe){"silent", "func", "g", "fentry", "attached", NULL, NULL, NULL});
	sample_probe(s, run, (struct store_probe){"quiet", "tp", "a:b", "tp", "attached", NULL, NULL, NULL});
	must(store_calibration(s, run, &(struct store_calibration){"fentry", "x", 10, 90, 91, -1, NULL}));
	must(store_loss(s, run, 0, "ftrace_overrun", 500, "events lost"));
	must(store_run_end(s, run, sample_result()));
	store_close(s);
	must(report("last", false, DOC_TEXT, &text));
	has(text, "below floor");
	has(text, "not calibrated");
	has(text, "INCOMPLETE: 33.3 % lost");
	has(text, "never called");
	has(text, "Attached, and never happened: quiet.");
	has(text, "No facts were kept.");
	free(text);
}

// What ftrace lost is the whole run's: it is told beside each figure of its probes, and of no other's.
static void losses_in_a_comparison(void **state)
{
	const struct report_compare_options o = {
	    .metrics = (const char *const[]){"handle_mm_fault.mean", NULL}, .compare = {CORRECT_HOLM, 1}};
	static const char *const keys[] = {"latency.handle_mm_fault", "time", "metric.handle_mm_fault.mean"};
	struct store *s;
	struct doc *doc = NULL;
	json_t *root;
	char *text;
	int64_t run, p;

	(void)state;
	must(store_open(db, STORE_WRITE, &s));
	run = sample_begin(s, NULL, 1);
	p = sample_probe(
	    s, run,
	    (struct store_probe){"handle_mm_fault", "func", "f", "ftrace", "attached", NULL, NULL, NULL});
	sample_hist(s, p, "", "workload", 1000, 100);
	p = sample_probe(
	    s, run,
	    (struct store_probe){"change_prot_numa", "func", "g", "fentry", "attached", NULL, NULL, NULL});
	sample_hist(s, p, "", "workload", 1000, 100);
	must(store_loss(s, run, 0, "ftrace_overrun", 500, "events lost"));
	must(store_loss(s, run, 0, "late_readings", 500, "no calls"));
	must(store_run_end(s, run, sample_result()));
	must(report_compare(s, &o, &doc));
	text = doc_json(doc, 0);
	root = json_loads(text, 0, NULL);
	assert_null(strstr(text, "INCOMPLETE: change_prot_numa"));
	free(text);
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		text = json_dumps(
		    json_object_get(json_object_get(json_object_get(root, "sections"), keys[i]), "notes"), 0);
		has(text, "INCOMPLETE: handle_mm_fault lost more than 0.1 % of its calls in run 1:");
		free(text);
	}
	json_decref(root);
	doc_free(doc);
	store_close(s);
}

static void runs_that_went_wrong(void **state)
{
	struct store *s;
	char *text = NULL;
	int64_t run;

	(void)state;
	must(store_open(db, STORE_WRITE, &s));
	run = sample_begin(s, NULL, 1);
	store_close(s);
	must(report("last", false, DOC_TEXT, &text));
	has(text, "has not ended yet");
	has(text, "No probe kept a ledger");
	has(text, "Nothing is missing.");
	free(text);
	must(store_open(db, STORE_WRITE, &s));
	must(store_run_end(s, run,
			   &(struct store_result){.status = "failed",
						  .status_why = "no such program",
						  .exit_status = -1,
						  .signal = -1,
						  .bpf_ns = -1}));
	store_close(s);
	must(report("last", true, DOC_TEXT, &text));
	has(text, "no such program");
	has(text, "not completed (failed)");
	free(text);
}

static void lists(void **state)
{
	struct store *s;
	struct doc *doc = doc_new("x");
	char *text;

	(void)state;
	must(store_open(db, STORE_WRITE, &s));
	must(report_list_runs(s, doc));
	text = printed(doc, DOC_TEXT);
	has(text, "None yet");
	free(text);
	doc_free(doc);
	sample_run(s, "e", 0);
	sample_begin(s, NULL, 1);
	doc = doc_new("x");
	must(report_list_runs(s, doc));
	must(report_list_systems(s, doc));
	text = printed(doc, DOC_TEXT);
	has(text, "running");
	has(text, "Iteration 0 is a warm-up.");
	has(text, "  none       2                            0\n");
	free(text);
	doc_free(doc);
	store_close(s);
}

// What adds up in each run adds up in the table, though the medians of the terms do not; pages that were not
// moved are told by reason.
static void what_the_module_counted(void **state)
{
	static const char *const names[] = {"total",    "kept_fast",    "kept_slow",       "drop_invalid",
					    "drop_vma", "drop_trylock", "drop_queue_full", "drop_table_full"};
	static const int64_t counts[3][G_N_ELEMENTS(names)] = {{10, 10}, {20, 0, 20}, {30, 15, 15}};
	struct store *s;
	struct doc *doc = NULL;
	char *text;

	(void)state;
	must(store_open(db, STORE_WRITE, &s));
	for (int i = 0; i < 3; i++) {
		int64_t run = sample_begin(s, "e", i + 1);

		for (size_t k = 0; k < G_N_ELEMENTS(names); k++) {
			g_autofree char *name = g_strconcat("tiering.samples.", names[k], NULL);

			sample_series(s, run, name, "count", true, 0, counts[i][k]);
		}
		sample_series(s, run, "tiering.moves.tried", "pages", true, 0, 400);
		sample_series(s, run, "tiering.moves.exchanges", "count", true, 0, 77);
		sample_series(s, run, "tiering.moves.fail_dirty", "pages", true, 0, 100);
		must(store_run_end(s, run, sample_result()));
	}
	must(report_compare(s, &(struct report_compare_options){}, &doc));
	text = printed(doc, DOC_CSV);
	has(text, "samples unaccounted for (tiering module),0\r\n");
	has(text, "pairs exchanged,77\r\n");
	has(text, "written while copied,0.25");
	assert_null(strstr(text, "unaccounted for,")); // of moves, whose counters are not all there
	free(text);
	doc_free(doc);
	store_close(s);
}

// Bytes of the file changed at random: an error or a report, never a crash (with ASan and UBSan: nor a wild
// read).
static void damaged_files(void **state)
{
	char *whole = NULL;
	gsize n;
	int reports = 0, refused = 0;

	(void)state;
	make();
	assert_true(g_file_get_contents(db, &whole, &n, NULL));
	srandom(4);
	for (int i = 0; i < 300; i++) {
		g_autofree char *bytes = g_memdup2(whole, n);
		char *text = NULL;

		for (int k = 0; k < 1 + i / 20; k++)
			bytes[(size_t)random() % n] = (char)random();
		assert_true(g_file_set_contents(db, bytes, (gssize)n, NULL));
		if (report("last", i % 2, (enum doc_format)(i % 4), &text))
			refused++;
		else
			reports++;
		free(text);
	}
	g_free(whole);
	assert_true(reports > 10 && refused > 10);
}

// Rows that only a liar would write: types are STRICT, but their values are anything.
static void lies(void **state)
{
	static const char *const sql[] = {
	    "UPDATE run SET elapsed_ns = -1, user_ns = 9223372036854775807, system_ns = 9223372036854775807, "
	    "signal = -9,"
	    " started_unix_ns = 9223372036854775807, self_user_ns = 9223372036854775807",
	    "UPDATE run SET argv_json = '{\"a\": 1}', name = char(27) || '[2J', system = char(10)",
	    "UPDATE run SET argv_json = '[1, null, \"\", [2]]', elapsed_ns = 0, started_unix_ns = "
	    "-9223372036854775808",
	    "UPDATE sample SET value = CASE t_ns WHEN 0 THEN -9223372036854775808 ELSE 9223372036854775807 "
	    "END",
	    "PRAGMA ignore_check_constraints = ON; UPDATE hist SET count = -5, sum_ns = -7, min_ns = -1, "
	    "max_ns = -3",
	    "PRAGMA ignore_check_constraints = ON; UPDATE probe_count SET count = -9223372036854775807",
	    "PRAGMA foreign_keys = OFF; UPDATE loss SET probe_id = 12345",
	    "UPDATE hist SET count = NULL; UPDATE probe_count SET count = NULL; UPDATE loss SET count = NULL",
	    "UPDATE calibration SET inside_mean_ns = 9e999, inside_p50_ns = NULL, call_ns = -9e999",
	    "UPDATE series SET name = 'self.sampler..readings' WHERE name = 'self.sampler.vmstat.readings'",
	    "UPDATE series SET name = 'self.sampler.readings' WHERE name = 'self.sampler..readings'",
	    "UPDATE kernel_log SET level = -7, text = char(155) || 'x'"};

	(void)state;
	make();
	for (size_t i = 0; i < G_N_ELEMENTS(sql); i++) {
		char *text = NULL;

		raw(db, sql[i]);
		for (int f = DOC_TEXT; f <= DOC_JSON; f++) {
			must(report("last", f % 2, (enum doc_format)f, &text));
			assert_null(strchr(text, '\x1b'));
			free(text);
		}
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sample_set_up, sample_tear_down)
	const struct CMUnitTest tests[] = {T(for_people),
					   T(for_programs),
					   T(below_floor_and_never_called),
					   T(losses_in_a_comparison),
					   T(runs_that_went_wrong),
					   T(lists),
					   T(what_the_module_counted),
					   T(damaged_files),
					   T(lies)};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
