// Metrics by name, the selection of runs, the comparison and its bounds, on a database made here with known
// figures.
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "metric/bound.h"
#include "metric/compare.h"
#include "metric/tiers.h"
#include "stats/hist.h"
#include "store/store.h"
#include "store/store_read.h"

static char *dir, *path;
static struct store *db;

static int64_t add_run(const char *name, const char *system, double elapsed_s, bool warmup)
{
	static const char *const argv[] = {"x", NULL};
	static int64_t now = 1000;
	const struct store_run info = {.name = name,
				       .system = system,
				       .argv = argv,
				       .boot_id = "b",
				       .version = "t",
				       .iteration = warmup ? 0 : 1,
				       .warmup = warmup,
				       .started_unix_ns = now++,
				       .interval_ms = 100};
	const struct store_result result = {.status = "done",
					    .exit_status = 0,
					    .signal = -1,
					    .elapsed_ns = (int64_t)(elapsed_s * 1e9),
					    .user_ns = 300,
					    .system_ns = 200,
					    .bpf_ns = -1,
					    .bpf_ns_source = "nobody asked"};
	int64_t run;

	assert_int_equal(store_run_begin(db, &info, &run), 0);
	assert_int_equal(store_run_end(db, run, &result), 0);
	return run;
}

static int64_t add_probe(int64_t run, const char *name, const char *kind, const char *status, const char *why)
{
	const struct store_probe p = {.name = name,
				      .kind = kind,
				      .target = name,
				      .backend = "fentry",
				      .status = status,
				      .why = why,
				      .sum_unit = "pages"};
	int64_t probe;

	assert_int_equal(store_probe(db, run, &p, &probe), 0);
	return probe;
}

static void add_hist(int64_t probe, const char *part, const char *class, const uint64_t *values, size_t n)
{
	struct hist h = {};
	struct store_hist row = {.part = part, .class = class, .buckets = h.buckets};

	for (size_t i = 0; i < n; i++)
		hist_add(&h, values[i]);
	row.count = h.count;
	row.sum_ns = h.sum;
	row.min_ns = h.min;
	row.max_ns = h.max;
	assert_int_equal(store_hist(db, probe, &row), 0);
}

static void add_count(int64_t probe, const char *part, int64_t key, const char *name, uint64_t count,
		      int64_t sum)
{
	const struct store_count c = {part, "workload", key, name, count, true, sum};

	assert_int_equal(store_count(db, probe, &c), 0);
}

static void add_series(int64_t run, const char *name, const char *unit, bool counter, const int64_t *values,
		       size_t n)
{
	int64_t series;

	assert_int_equal(store_series(db, run, name, unit, counter, &series), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(store_sample(db, series, (int64_t)i * 1000, values[i], true), 0);
}

static int setup(void **state)
{
	(void)state;
	dir = g_dir_make_tmp("mmprof-test-XXXXXX", NULL);
	path = g_build_filename(dir, "t.db", NULL);
	return store_open(path, STORE_WRITE, &db);
}

static int teardown(void **state)
{
	(void)state;
	store_close(db);
	g_unlink(path);
	g_rmdir(dir);
	g_free(path);
	g_free(dir);
	return 0;
}

// The value of a metric for the only run, or for run `index` of all.
static double value_at(const char *name, guint index, const char **why)
{
	g_autoptr(GArray) runs = NULL;
	struct metric *m = NULL;
	double values[16];
	const char *reasons[16];

	assert_int_equal(store_read_runs(db, &runs), 0);
	if (metric_find(db, name, &m))
		fail_msg("%s: %s", name, err_text());
	assert_int_equal(metric_values(db, m, runs, values, reasons), 0);
	metric_free(m);
	if (why)
		*why = reasons[index];
	return values[index];
}

static double value(const char *name)
{
	return value_at(name, 0, NULL);
}

static void unknown(const char *name)
{
	struct metric *m = NULL;

	assert_int_not_equal(metric_find(db, name, &m), 0);
	assert_null(m);
}

static void of_the_run(void **state)
{
	const char *why;

	(void)state;
	add_run("w", "s", 2, false);
	assert_float_equal(value("elapsed"), 2e9, 0);
	assert_float_equal(value("cpu"), 500, 0);
	assert_true(isnan(value_at("bpf", 0, &why)));
	assert_string_equal(why, "nobody asked");
	unknown("nothing");
	unknown("nothing.count");
	unknown("");
	unknown(".");
	unknown("elapsed.count");
}

static void of_a_latency(void **state)
{
	const uint64_t own[] = {10, 20, 30, 1000}, others[] = {5, 7};
	int64_t run = add_run("w", "s", 1, false), probe = add_probe(run, "f", "func", "attached", NULL);

	(void)state;
	add_hist(probe, "", "workload", own, 4);
	add_hist(probe, "", "kswapd", others, 2);
	assert_float_equal(value("f.count"), 4, 0);
	assert_float_equal(value("f.total"), 1060, 0);
	assert_float_equal(value("f.mean"), 265, 0);
	assert_float_equal(value("f.min"), 10, 0);
	assert_float_equal(value("f.max"), 1000, 0);
	assert_float_equal(value("f.p100"), 1000, 0);
	assert_float_equal(value("f.p50"), 20, 20 * HIST_ERROR + 0.5);
	assert_float_equal(value("f.p99.9"), 1000, 0);
	assert_float_equal(value("f@kswapd.count"), 2, 0);
	assert_float_equal(value("f@all.count"), 6, 0);
	assert_float_equal(value("f@all.min"), 5, 0);
	assert_float_equal(value("f@all.p0"), 5, 0);
	unknown("f.sum");
	unknown("f.p101");
	unknown("f.pp");
	unknown("f");
}

// A second backend in the same run counts the same calls: only the first is taken.
static void of_two_backends(void **state)
{
	const uint64_t values[] = {10, 20};
	int64_t run = add_run("w", "s", 1, false);

	(void)state;
	add_hist(add_probe(run, "f", "func", "attached", NULL), "", "workload", values, 2);
	add_hist(add_probe(run, "f", "func", "attached", NULL), "", "workload", values, 2);
	assert_float_equal(value("f.count"), 2, 0);
	assert_float_equal(value("f.p100"), 20, 0);
}

static void not_called_and_not_there(void **state)
{
	int64_t a = add_run("w", "s", 1, false), b = add_run("w", "s", 1, false);
	const char *why;

	(void)state;
	add_run("w", "s", 1, false);
	add_probe(a, "f", "func", "attached", NULL);
	add_probe(b, "f", "func", "absent", "this kernel has none");
	assert_float_equal(value_at("f.count", 0, NULL), 0,
			   0); // attached and never called: measured, and zero
	assert_true(isnan(value_at("f.mean", 0, NULL)));
	assert_true(isnan(value_at("f.count", 1, &why)));
	assert_string_equal(why, "this kernel has none");
	assert_true(isnan(value_at("f.count", 2, &why)));
	assert_string_equal(why, "the run did not have this probe");
}

static void of_counts(void **state)
{
	int64_t run = add_run("w", "s", 1, false), probe = add_probe(run, "t", "tp", "attached", NULL);
	int64_t lock = add_probe(run, "mmap_lock", "lock", "attached", NULL);
	const uint64_t waits[] = {100};

	(void)state;
	add_count(probe, "", 1, "remote IPI send", 3, 30);
	add_count(probe, "", 2, "local", 4, 40);
	add_count(probe, "full", 1, "remote IPI send", 1, 0);
	assert_float_equal(value("t.count"), 7, 0);
	assert_float_equal(value("t.sum"), 70, 0);
	assert_float_equal(value("t=remote IPI send.count"), 3, 0);
	assert_float_equal(value("t/full.count"), 1, 0);
	assert_float_equal(value("t@kswapd.count"), 0, 0);
	unknown("t.p99");
	add_hist(lock, "read wait", "workload", waits, 1);
	add_count(lock, "read acquire", 0, "failed", 1, 0);
	add_count(lock, "read acquire", 1, "ok", 3, 0);
	assert_float_equal(value("mmap_lock/read wait.max"), 100, 0);
	assert_float_equal(value("mmap_lock/read acquire.count"), 4, 0);
	assert_float_equal(value("mmap_lock/write wait.count"), 0, 0); // known, and there was none
	assert_float_equal(value("trylock_failure_ratio"), 0.25, 1e-12);
}

// What was misspelt has not happened 0 times.
static void misspelt_words(void **state)
{
	const uint64_t one[] = {1};
	int64_t run = add_run("w", "s", 1, false),
		lock = add_probe(run, "mmap_lock", "lock", "attached", NULL);
	int64_t ways = add_probe(run, "ways", "ptpath", "attached", NULL);
	const char *why;

	(void)state;
	add_hist(add_probe(run, "f", "func", "attached", NULL), "", "workload", one, 1);
	add_count(add_probe(run, "t", "tp", "attached", NULL), "", 1, "remote IPI send", 3, 30);
	add_count(lock, "read acquire", 1, "ok", 3, 0);
	add_count(ways, "pte taken", 1, "fault", 3, 0);
	add_probe(run, "absent", "tp", "absent", "this kernel has none");
	unknown("f@worload.count");
	unknown("f/read wait.p99");
	unknown("t=remote IPI sent.count");
	unknown("t/ful.count");
	unknown("mmap_lock.count");
	unknown("mmap_lock/read await.count");
	unknown("mmap_lock/read acquire=oK.count");
	unknown("ways.count");
	assert_float_equal(value("ways/pte taken=fault.count"), 3, 0);
	assert_true(isnan(value_at("absent=any.count", 0, &why)));
	assert_string_equal(why, "this kernel has none");
}

static void figures_that_are_not_there(void **state)
{
	const uint64_t great[] = {1000}, small[] = {10};
	const struct store_count no_sum = {"", "workload", 1, "x", 5, false, 0};
	struct hist h = {.count = 3, .sum = UINT64_MAX, .min = 1, .max = UINT64_MAX};
	int64_t a = add_run("w", "s", 1, false), b = add_run("w", "s", 1, false);
	int64_t t = add_probe(a, "t", "tp", "attached", NULL),
		probe = add_probe(b, "f", "func", "attached", NULL);
	const char *why;

	(void)state;
	assert_int_equal(store_count(db, t, &no_sum), 0);
	assert_float_equal(value("t.count"), 5, 0);
	assert_true(isnan(value_at("t.sum", 0, &why)));
	assert_string_equal(why, "not all of its events have a sum");
	add_hist(add_probe(a, "f", "func", "attached", NULL), "", "workload", great, 1);
	add_hist(probe, "", "kswapd", NULL, 0);
	add_hist(probe, "", "workload", small, 1);
	assert_float_equal(value_at("f@all.p100", 1, NULL), 10, 0); // not run a's
	assert_int_equal(
	    store_hist(db, add_probe(a, "g", "func", "attached", NULL),
		       &(struct store_hist){"", "workload", h.count, h.sum, h.min, h.max, h.buckets}),
	    0);
	assert_float_equal(value("g.count"), 3, 0);
	assert_float_equal(value("g.min"), 1, 0);
	assert_true(isnan(value("g.total")) && isnan(value("g.mean")) && isnan(value_at("g.max", 0, &why)));
	assert_non_null(strstr(why, "above 2^63"));
}

static void of_series(void **state)
{
	const int64_t counter[] = {100, 150, 400}, level[] = {10, 20, 60};
	int64_t run = add_run("w", "s", 2, false);

	(void)state;
	add_series(run, "vmstat.pgfault", "count", true, counter, 3);
	add_series(run, "vmstat.pgmigrate_fail", "pages", true, counter, 2);
	add_series(run, "vmstat.pgmigrate_success", "pages", true, counter, 3);
	add_series(run, "workload.rss", "bytes", false, level, 3);
	assert_float_equal(value("vmstat.pgfault"), 300, 0);
	assert_float_equal(value("vmstat.pgfault.rate"), 150, 1e-9);
	// 10 and 20 were held for 1 us each, 60 until the run's end
	assert_float_equal(value("workload.rss"), 60 - (50 + 40) * 1e-6 / 2, 1e-9);
	assert_float_equal(value("workload.rss.max"), 60, 0);
	assert_float_equal(value("workload.rss.min"), 10, 0);
	assert_float_equal(value("workload.rss.first"), 10, 0);
	assert_float_equal(value("workload.rss.last"), 60, 0);
	assert_float_equal(value("migration_failure_ratio"), 50.0 / 350, 1e-12);
	assert_float_equal(value("migrations"), 300, 0);
	unknown("vmstat.pgfault.max");
	unknown("workload.rss.rate");
}

// What KSM merged goes with the workload: the reading after its end has none of it.
static void of_what_goes_with_the_workload(void **state)
{
	const int64_t sharing[] = {0, 70, 50, 3};
	int64_t run = add_run("w", "s", 2.5e-6, false); // read at 0, 1, 2 and 3 us

	(void)state;
	add_series(run, "ksm.pages_sharing", "pages", false, sharing, 4);
	assert_float_equal(value("ksm.pages_sharing.end"), 50, 0);
	assert_float_equal(value("ksm.pages_sharing.last"), 3, 0);
	assert_float_equal(value("ksm_saved"), 50, 0);
}

static void of_the_log(void **state)
{
	int64_t known = add_run("w", "s", 1, false), unread = add_run("w", "s", 1, false),
		lossy = add_run("w", "s", 1, false);
	const char *why;

	(void)state;
	assert_int_equal(store_kernel_log(db, known, 1, 3, "Out of memory: Killed process 7 (x)"), 0);
	assert_int_equal(store_kernel_log(db, known, 1, 3, "Out of memory: Killed process 8 (x)"), 0);
	assert_int_equal(store_not_measured(db, unread, STORE_LOG, "can't read /dev/kmsg"), 0);
	assert_int_equal(store_kernel_log(db, lossy, 1, 3, "Out of memory: Killed process 7 (x)"), 0);
	assert_int_equal(store_kernel_log(db, lossy, 2, 4, STORE_LOG_LOST), 0);
	assert_float_equal(value_at("log.oom_kills", 0, &why), 2, 0);
	assert_float_equal(value_at("log.hung_tasks", 0, &why), 0, 0);
	assert_true(isnan(value_at("log.oom_kills", 1, &why)));
	assert_string_equal(why, "can't read /dev/kmsg");
	assert_true(isnan(value_at("log.hung_tasks", 2, &why)));
	assert_non_null(strstr(why, "lost"));
}

static void add_delta(int64_t run, const char *name, int64_t n)
{
	const int64_t counter[] = {0, n};

	add_series(run, name, "pages", true, counter, 2);
}

// The kernel counts none of our module's moves as promoted or demoted, and of its migrations those that it
// did.
static void of_our_module(void **state)
{
	int64_t run = add_run("w", "ours", 1, false);
	const char *why = NULL;

	(void)state;
	add_delta(run, "vmstat.pgpromote_success", 5);
	add_delta(run, "vmstat.pgmigrate_success", 70);
	add_delta(run, "vmstat.pgmigrate_fail", 10);
	add_delta(run, "tiering.moves.tried", 130);
	add_delta(run, "tiering.moves.promoted", 60);
	add_delta(run, "tiering.moves.demoted", 40);
	add_delta(run, "tiering.moves.tpm_promoted", 20);
	add_delta(run, "tiering.moves.shadow_demoted", 10);
	add_delta(run, "tiering.moves.fail_dirty", 26);
	assert_float_equal(value("promotions"), 65, 0);
	assert_float_equal(value("demotions"), 40, 0);
	assert_float_equal(value("migrations"), 100, 0);
	assert_float_equal(value("migration_failure_ratio"), 36.0 / 136, 1e-12);
	assert_float_equal(value("moves_failed_dirty"), 0.2, 1e-12);
	// a difference needs all of its terms
	assert_true(isnan(value_at("moves_unaccounted", 0, &why)));
	for (const char *const *f = (const char *const[]){"gone", "stale", "vma", "shared", "lru", "nomem",
							  "migrate", "bounced", NULL};
	     *f; f++) {
		g_autofree char *name = g_strconcat("tiering.moves.fail_", *f, NULL);

		add_delta(run, name, 0);
	}
	assert_float_equal(value("moves_unaccounted"), 4, 0);
}

static void of_the_managers(void **state)
{
	int64_t run = add_run("w", "s", 1, false);

	(void)state;
	add_delta(run, "cpu.kswapd", 1);
	add_delta(run, "cpu.kdamond", 10);
	add_delta(run, "cpu.kpromoted", 100);
	add_delta(run, "cpu.kmigrated", 1000);
	add_delta(run, "cpu.kscand", 10000);
	add_delta(run, "cpu.kworker", 100000); // of which nobody knows which part
	assert_float_equal(value("management_cpu"), 11111, 0);
}

static void of_the_user(void **state)
{
	static const char *const no_numbers[] = {"abc", "2024-01-05", "12,345", "1.5M", "1.2.3",
						 "-",   "e",          "1e999",  "0x10", ""};
	int64_t run = add_run("w", "s", 1, false);

	(void)state;
	assert_int_equal(store_run_tag(db, run, "ratio", "1.5e1"), 0);
	assert_int_equal(store_run_tag(db, run, "negative", "-3"), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(no_numbers); i++)
		assert_int_equal(store_run_tag(db, run, no_numbers[i], no_numbers[i]), 0);
	assert_int_equal(store_metric(db, run, "ops", 12, "ops/s", "more", "x"), 0);
	assert_int_equal(store_metric(db, run, "bench.fault.anon", 3, "ns", "less", "x"), 0);
	assert_float_equal(value("tag.ratio"), 15, 0);
	assert_float_equal(value("extract.ops"), 12, 0);
	assert_float_equal(value("bench.fault.anon"), 3, 0);
	assert_float_equal(value("tag.negative"), -3, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(no_numbers); i++) {
		g_autofree char *name = g_strconcat("tag.", no_numbers[i], NULL);

		unknown(name);
	}
	unknown("extract.nothing");
}

static void of_tiers(void **state)
{
	static const char *const keys[] = {"memory_tier22.nodes", "memory_tier4.nodes"}, *const nodes[] = {
											     "1-2", "0,3"};
	const int64_t fast[] = {30, 30}, slow[] = {10, 10};
	int64_t run = add_run("w", "s", 1, false);
	const char *why = NULL;
	uint64_t bits;

	(void)state;
	add_series(run, "workload.node0", "bytes", false, fast, 2);
	add_series(run, "workload.node1", "bytes", false, slow, 2);
	assert_true(isnan(value_at("fast_share", 0, &why)));
	assert_string_equal(why, "this kernel tells no memory tiers");
	run = add_run("w", "s", 1, false);
	add_series(run, "workload.node0", "bytes", false, fast, 2);
	add_series(run, "workload.node1", "bytes", false, slow, 2);
	assert_int_equal(store_run_facts(db, run, keys, nodes, 2), 0);
	assert_int_equal(tiers_fast_nodes(db, run, &bits, &why), 0);
	assert_int_equal(bits, 1 << 0 | 1 << 3);
	assert_float_equal(value_at("fast_share", 1, NULL), 0.75, 1e-12);
	assert_float_equal(value_at("fast_share_end", 1, NULL), 0.75, 1e-12);
	// our module was told otherwise
	run = add_run("w", "s", 1, false);
	add_series(run, "workload.node0", "bytes", false, fast, 2);
	add_series(run, "workload.node1", "bytes", false, slow, 2);
	assert_int_equal(store_run_facts(db, run, (const char *const[]){"tiering.fast_node"},
					 (const char *const[]){"1"}, 1),
			 0);
	assert_float_equal(value_at("fast_share", 2, NULL), 0.25, 1e-12);
}

// A level's last change holds until the run's end, the same for each node.
static void of_levels_that_stay(void **state)
{
	static const char *const keys[] = {"memory_tier4.nodes", "memory_tier22.nodes"}, *const nodes[] = {
											     "0", "1"};
	static const struct {
		int node;
		int64_t t_ms, value;
	} rows[] = {{0, 0, 100}, {0, 500, 0}, {1, 0, 0}, {1, 500, 50}, {1, 1500, 100}};
	int64_t run = add_run("w", "s", 2, false), ids[2];
	const struct store_result crashed = {.status = "crashed", .elapsed_ns = 0};
	const char *why;

	(void)state;
	assert_int_equal(store_run_facts(db, run, keys, nodes, 2), 0);
	assert_int_equal(store_series(db, run, "workload.node0", "bytes", false, &ids[0]), 0);
	assert_int_equal(store_series(db, run, "workload.node1", "bytes", false, &ids[1]), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_int_equal(
		    store_sample(db, ids[rows[i].node], rows[i].t_ms * 1000000, rows[i].value, false), 0);
	assert_float_equal(value("workload.node0"), 25, 1e-9);
	assert_float_equal(value("workload.node1"), 50, 1e-9);
	assert_float_equal(value("fast_share"), 1.0 / 3, 1e-12);
	assert_int_equal(store_run_end(db, run, &crashed), 0);
	assert_true(isnan(value_at("workload.node0", 0, &why)));
	assert_string_equal(why, "the run's end is not known, and so how long the level was held");
	assert_float_equal(value("workload.node0.max"), 100, 0);
}

// Every name that is listed can be asked for.
static void all_listed_are_found(void **state)
{
	g_autoptr(GPtrArray) metrics = NULL;

	of_counts(state);
	assert_int_equal(metric_list(db, NULL, &metrics), 0);
	assert_true(metrics->len > 20);
	for (guint i = 0; i < metrics->len; i++)
		value(((struct metric *)metrics->pdata[i])->name);
}

// --- selection and comparison

static struct comparison *compared(const struct selection_options *o, struct selection **s)
{
	const struct compare_options options = {CORRECT_HOLM, 1};
	struct comparison *c = NULL;
	struct metric *m = NULL;

	assert_int_equal(selection_make(db, o, s), 0);
	assert_int_equal(metric_find(db, "elapsed", &m), 0);
	assert_int_equal(compare(db, *s, m, &options, &c), 0);
	return c;
}

static void what_is_left_out(void **state)
{
	const struct selection_options o = {.excluded = (const char *const[]){"3", NULL}};
	struct selection *s;
	struct comparison *c;

	(void)state;
	add_run("w", "a", 1, true);
	add_run("w", "b", 2, false);
	add_run("w", "a", 3, false);
	add_run("w", "a", 4, false);
	c = compared(&o, &s);
	assert_string_equal(s->systems->pdata[0], "a");
	assert_int_equal(s->runs->len, 2);
	assert_int_equal(s->left_out->len, 2);
	assert_string_equal(g_array_index(s->left_out, struct selection_out, 0).why, "warm-up");
	assert_string_equal(g_array_index(s->left_out, struct selection_out, 1).why, "excluded (--exclude)");
	assert_int_equal(comparison_cell(c, 0, 0)->n, 1);
	assert_int_equal(comparison_cell(c, 0, 1)->verdict, VERDICT_TOO_FEW);
	comparison_free(c);
	selection_free(s);
}

// A mean over time is told from how few readings it is: the worst run of the cell counts.
static void a_mean_of_few_readings(void **state)
{
	static const char *const keys[] = {"memory_tier22.nodes", "memory_tier4.nodes"}, *const nodes[] = {
											     "1", "0"};
	const int64_t pages[] = {30, 30}, unread[][1] = {{200000000}, {700000000}, {100000000}};
	const struct compare_options options = {.seed = 1};
	const struct selection_options all = {};
	struct selection *s;
	struct comparison *c = NULL;
	struct metric *m = NULL;

	(void)state;
	for (int i = 0; i < 3; i++) {
		int64_t run = add_run("w", i < 2 ? "a" : "b", 1, false);

		add_series(run, "workload.node0", "bytes", false, pages, 2);
		add_series(run, "self.sampler.residency.unread", "ns", false, unread[i], 1);
		assert_int_equal(store_run_facts(db, run, keys, nodes, 2), 0);
	}
	c = compared(&all, &s);
	assert_float_equal(comparison_cell(c, 0, 0)->unread, 0, 0); // elapsed is of no readings
	comparison_free(c);
	assert_int_equal(metric_find(db, "fast_share", &m), 0);
	assert_int_equal(compare(db, s, m, &options, &c), 0);
	assert_float_equal(comparison_cell(c, 0, 0)->unread, 0.7, 1e-12);
	assert_float_equal(comparison_cell(c, 0, 1)->unread, 0.1, 1e-12);
	comparison_free(c);
	selection_free(s);
}

static void a_clear_difference(void **state)
{
	const struct selection_options o = {.baseline = "a"};
	enum bound_state bound_state;
	struct selection *s;
	struct comparison *c;
	struct bound b;
	char *why = NULL;

	(void)state;
	for (int i = 0; i < 8; i++) {
		add_run("w", "b", 2 + 0.01 * i, false);
		add_run("w", "a", 1 + 0.01 * i, false);
		add_run("only b", "b", 1, false);
	}
	c = compared(&o, &s);
	assert_int_equal(comparison_cell(c, 0, 0)->verdict, VERDICT_BASELINE);
	assert_int_equal(comparison_cell(c, 0, 1)->verdict, VERDICT_WORSE);
	assert_string_equal(verdict_word(c->metric, VERDICT_WORSE), "slower");
	assert_int_equal(comparison_cell(c, 1, 1)->verdict, VERDICT_NO_DATA);
	assert_int_equal(c->geomean_n, 1);
	assert_float_equal(c->geomean[1], 2.035 / 1.035, 1e-9);
	assert_string_equal(c->unmatched->pdata[0], "only b");
	comparison_free(c);
	selection_free(s);

	const struct selection_options w = {.workloads = (const char *const[]){"w", NULL}};

	assert_int_equal(bound_parse("elapsed:b>a*1.5", &b), 0);
	assert_int_equal(bound_check(db, &b, &w, &bound_state, &why), 0);
	assert_int_equal(bound_state, BOUND_BROKEN);
	g_clear_pointer(&why, g_free);
	bound_clear(&b);
	assert_int_equal(bound_parse("elapsed:b>a*2.5", &b), 0);
	assert_int_equal(bound_check(db, &b, &w, &bound_state, &why), 0);
	assert_int_equal(bound_state, BOUND_KEPT);
	g_clear_pointer(&why, g_free);
	bound_clear(&b);
}

static void bounds_are_parsed(void **state)
{
	static const char *const bad[] = {
	    "",           "elapsed",       "elapsed:a",     ":a>b",           "elapsed:>b",
	    "elapsed:a>", "elapsed:a>b*x", "elapsed:a>b*0", "elapsed:a>b*-1", "elapsed>5"};
	struct bound b;

	(void)state;
	assert_int_equal(bound_parse("tracepoint:mm:x.count:a<b", &b), 0);
	assert_string_equal(b.metric, "tracepoint:mm:x.count");
	assert_string_equal(b.system, "a");
	assert_string_equal(b.other, "b");
	assert_false(b.above);
	bound_clear(&b);
	assert_int_equal(bound_parse("f.p99:a>10us", &b), 0);
	assert_null(b.other);
	assert_float_equal(b.factor, 10000, 0);
	bound_clear(&b);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		assert_int_equal(bound_parse(bad[i], &b), -EINVAL);
		bound_clear(&b);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(of_the_run),
					   T(of_a_latency),
					   T(of_two_backends),
					   T(not_called_and_not_there),
					   T(of_counts),
					   T(misspelt_words),
					   T(figures_that_are_not_there),
					   T(of_series),
					   T(of_our_module),
					   T(of_the_managers),
					   T(of_what_goes_with_the_workload),
					   T(of_the_log),
					   T(of_the_user),
					   T(of_tiers),
					   T(of_levels_that_stay),
					   T(all_listed_are_found),
					   T(what_is_left_out),
					   T(a_mean_of_few_readings),
					   T(a_clear_difference),
					   T(bounds_are_parsed)};

	return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
