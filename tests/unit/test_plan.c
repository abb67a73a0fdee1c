// Plans: what is read from one, each error with its line, and the order of the cells: a permutation in which
// every round has each pair once, the same for the same text, another for another seed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "base/err.h"
#include "run/matrix.h"
#include "run/plan.h"

#define HEAD "[experiment]\nname = x\n"
#define TAIL "[workload w]\ncommand = true\n"

static struct plan *parse(const char *text)
{
	struct plan *plan = NULL;

	if (plan_parse("p.ini", text, strlen(text), &plan))
		fail_msg("%s", err_text());
	return plan;
}

static void test_whole(void **state)
{
	struct plan *p = parse("\xef\xbb\xbf; a comment\n# another\r\n"
			       "[experiment]\r\n"
			       "  name = a b c ; the name\n"
			       "runs=3\nwarmup = 0\nseed = 42\npause = 0.5\ninterval = 50\ntimeout = 600\n"
			       "probes = a  b\nprobes = c\nno-probes = all\nbackend = kprobe\n"
			       "[settings]\nsysctl.vm.overcommit_memory = 1\n"
			       "/sys/devices/virtual/bdi/8:0/read_ahead_kb = 0 ; a colon in the name\n"
			       "[system A]\nwhat = it = that\nsysctl.kernel.numa_balancing = 0\n"
			       "[system a longer name than the fifty bytes which the library keeps]\n"
			       "[workload w]\n"
			       "command = prog 'a ; b' \"c ;\" d\\ ;e # f ; g\n"
			       "extract = a;b=(x y)\nextract = c=z\nmark = m\ncwd = /tmp\n");
	const struct plan_system *a = p->systems->pdata[0], *b = p->systems->pdata[1];
	const struct plan_workload *w = p->workloads->pdata[0];
	const struct setting *colon = &g_array_index(p->settings, struct setting, 1);

	(void)state;
	assert_string_equal(p->name, "a b c");
	assert_int_equal(p->runs, 3);
	assert_int_equal(p->warmup, 0);
	assert_int_equal(p->seed, 42);
	assert_true(p->pause == 0.5);
	assert_int_equal(p->interval_ms, 50);
	assert_int_equal(p->timeout_s, 600);
	assert_int_equal(g_strv_length(p->probes), 3);
	assert_string_equal(p->probes[2], "c");
	assert_string_equal(p->no_probes[0], "all");
	assert_string_equal(p->backend, "kprobe");
	assert_int_equal(p->settings->len, 2);
	assert_string_equal(colon->path, "/sys/devices/virtual/bdi/8:0/read_ahead_kb");
	assert_string_equal(colon->value, "0");
	assert_int_equal(colon->line, 17);
	assert_int_equal(p->systems->len, 2);
	assert_string_equal(a->what, "it = that");
	assert_string_equal(g_array_index(a->settings, struct setting, 0).path,
			    "/proc/sys/kernel/numa_balancing");
	assert_string_equal(b->name, "a longer name than the fifty bytes which the library keeps");
	assert_int_equal(b->settings->len, 0);
	assert_int_equal(g_strv_length(w->argv), 4);
	assert_string_equal(w->argv[1], "a ; b");
	assert_string_equal(w->argv[2], "c ;");
	assert_string_equal(w->argv[3], "d ;e");
	assert_int_equal(g_strv_length(w->extracts), 2);
	assert_string_equal(w->extracts[0], "a;b=(x y)");
	assert_string_equal(w->marks[0], "m");
	assert_string_equal(w->cwd, "/tmp");
	assert_int_equal(plan_line(&w->section, "cwd"), 27);
	assert_int_equal(plan_line(&w->section, "cpus"), 22);
	plan_free(p);
}

static void test_defaults(void **state)
{
	struct plan *p = parse(HEAD TAIL);

	(void)state;
	assert_int_equal(p->runs, 10);
	assert_int_equal(p->warmup, 1);
	assert_int_equal(p->interval_ms, 100);
	assert_null(p->probes);
	assert_int_equal(p->systems->len, 1);
	assert_string_equal(((struct plan_system *)p->systems->pdata[0])->name, "none");
	assert_true(p->seed >= 0);
	plan_free(p);
}

static void test_errors(void **state)
{
	static const struct {
		const char *text, *error; // a beginning, or "*" and a part
	} bad[] = {
	    {"", "p.ini:1: the experiment has no name"},
	    {"[experiment]\n\n" TAIL, "p.ini:1: the experiment has no name"},
	    {HEAD, "p.ini:3: there is no workload"},
	    {HEAD "[workload w]\nwhat = x\n", "p.ini:3: workload w has no command"},
	    {"runs = 3\n" HEAD, "p.ini:1: \"runs\" is in no section"},
	    {HEAD "nonsense\n" TAIL, "p.ini:3: not a [section]"},
	    {HEAD "[workload w\ncommand = x\n", "p.ini:3: not a [section]"},
	    {HEAD "[workloads w]\n", "p.ini:3: unknown section [workloads]; did you mean \"workload\"?"},
	    {HEAD "[zzzzz]\n", "p.ini:3: unknown section [zzzzz]; known: experiment, settings"},
	    {HEAD "run = 3\n", "p.ini:3: unknown key \"run\" in [experiment]; did you mean \"runs\"?"},
	    {HEAD "[workload]\n", "p.ini:3: [workload] needs a name"},
	    {HEAD "[settings all]\n", "p.ini:3: [settings] takes no name"},
	    {HEAD TAIL HEAD, "p.ini:5: [experiment] is in line 1 already"},
	    {HEAD TAIL TAIL, "p.ini:5: [workload w] is in line 3 already"},
	    {HEAD "runs = 1\n\nruns = 2\n", "p.ini:5: runs is in line 3 already"},
	    {HEAD "runs = 0\n", "p.ini:3: runs must be a whole number from 1 to 100000, not \"0\""},
	    {HEAD "runs = 3x\n", "p.ini:3: runs must be"},
	    {HEAD "warmup = -1\n", "p.ini:3: warmup must be"},
	    {HEAD "seed = -1\n", "p.ini:3: seed must be"},
	    {HEAD "pause = nan\n", "p.ini:3: pause must be"},
	    {HEAD "interval = 9\n", "p.ini:3: interval must be"},
	    {HEAD "[workload w]\ncommand = ; nothing\n", "p.ini:4: command is empty"},
	    {HEAD "[workload w]\ncommand = a 'b\n", "p.ini:4: command: "},
	    {HEAD "[settings]\nvm.swappiness = 1\n", "p.ini:4: unknown key \"vm.swappiness\" in [settings]"},
	    {HEAD "[system s]\nwhta = 1\n",
	     "p.ini:4: unknown key \"whta\" in [system]; did you mean \"what\"?"},
	    {HEAD "[settings]\n/etc/passwd = x\n", "p.ini:4: \"/etc/passwd\": only files under"},
	    {HEAD "[settings]\n/sys/../etc/passwd = x\n", "p.ini:4: \"/sys/../etc/passwd\": write the path"},
	    {HEAD "[settings]\nsysctl.vm.swappiness = 1\n/proc/sys/vm/swappiness = 2\n",
	     "p.ini:5: /proc/sys/vm/swappiness is set in line 4 already"},
	    {HEAD "[settings]\nsysctl.vm.swappiness =\n", "p.ini:4: sysctl.vm.swappiness is empty"},
	    {HEAD "sysctl.vm.swappiness = 1\n", "p.ini:3: settings belong into"},
	    {HEAD "\xff\xfe", "p.ini:3: this is not text"},
	    {HEAD "runs = 100000\n[system a]\n[system b]\n[system c]\n[system d]\n[system e]\n[system f]\n"
		  "[workload v]\ncommand = true\n" TAIL,
	     "p.ini:3: more than"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct plan *plan = NULL;

		assert_int_equal(plan_parse("p.ini", bad[i].text, strlen(bad[i].text), &plan), -EINVAL);
		if (!g_str_has_prefix(err_text(), bad[i].error))
			fail_msg("got \"%s\", wanted \"%s\"", err_text(), bad[i].error);
	}
}

static void test_long_line(void **state)
{
	g_autofree char *word = g_strnfill(30000, 'a'), *more = g_strnfill(100000, 'b');
	g_autofree char *good = g_strdup_printf(HEAD "[workload w]\ncommand = %s\n", word);
	g_autofree char *bad = g_strdup_printf(HEAD "[workload w]\ncommand = %s\n", more);
	struct plan *p = parse(good);

	(void)state;
	assert_string_equal(((struct plan_workload *)p->workloads->pdata[0])->argv[0], word);
	plan_free(p);
	assert_int_equal(plan_parse("p.ini", bad, strlen(bad), &p), -EINVAL);
	assert_true(g_str_has_prefix(err_text(), "p.ini:4: the line is longer"));
}

// --- the order

static bool equal(const GArray *a, const GArray *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len * sizeof(struct cell));
}

static void test_order(void **state)
{
	enum { SYSTEMS = 3, WORKLOADS = 4, ROUNDS = 7, PAIRS = SYSTEMS * WORKLOADS };
	g_autoptr(GArray) cells = matrix_cells(SYSTEMS, WORKLOADS, ROUNDS, 1),
			  again = matrix_cells(SYSTEMS, WORKLOADS, ROUNDS, 1),
			  other = matrix_cells(SYSTEMS, WORKLOADS, ROUNDS, 2),
			  shorter = matrix_cells(SYSTEMS, WORKLOADS, 2, 1);
	int differ = 0;

	(void)state;
	assert_int_equal(cells->len, PAIRS * ROUNDS);
	for (int round = 0; round < ROUNDS; round++) {
		bool seen[PAIRS] = {};

		for (int i = 0; i < PAIRS; i++) {
			const struct cell *c = &g_array_index(cells, struct cell, round * PAIRS + i),
					  *first = &g_array_index(cells, struct cell, i);

			assert_int_equal(c->number, round * PAIRS + i + 1);
			assert_int_equal(c->round, round + 1);
			assert_in_range(c->system, 0, SYSTEMS - 1);
			assert_in_range(c->workload, 0, WORKLOADS - 1);
			assert_false(seen[c->system * WORKLOADS + c->workload]);
			seen[c->system * WORKLOADS + c->workload] = true;
			differ += c->system != first->system || c->workload != first->workload;
		}
	}
	assert_true(differ > PAIRS); // rounds are not in the same order
	assert_true(equal(cells, again));
	assert_false(equal(cells, other));
	assert_memory_equal(cells->data, shorter->data, shorter->len * sizeof(struct cell));
}

// The numbers that other machines of a cluster have: splitmix64 and the shuffle, worked out by another
// program.
static void test_order_is_fixed(void **state)
{
	static const int order[] = {0, 2, 1, 1, 2, 0, 2, 0, 1, 2, 0, 1};
	g_autoptr(GArray) cells = matrix_cells(3, 1, 4, 42);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		assert_int_equal(g_array_index(cells, struct cell, i).system, order[i]);
}

// Each of two pairs comes first in about half of the rounds.
static void test_order_is_even(void **state)
{
	g_autoptr(GArray) cells = matrix_cells(2, 1, 1000, 7);
	int first = 0;

	(void)state;
	for (guint i = 0; i < cells->len; i += 2)
		first += g_array_index(cells, struct cell, i).system;
	assert_in_range(first, 430, 570);
}

static void test_seed_from_text(void **state)
{
	struct plan *a = parse(HEAD TAIL), *b = parse(HEAD TAIL), *c = parse(HEAD "\n" TAIL);

	(void)state;
	assert_true(a->seed == b->seed);
	assert_true(a->seed != c->seed);
	plan_free(a);
	plan_free(b);
	plan_free(c);
}

static void test_warmups(void **state)
{
	g_autoptr(GArray) all = matrix_cells(2, 2, 3, 5), left = NULL, steps = NULL, none = NULL;

	(void)state;
	assert_int_equal(matrix_select(all, "6-12", &left), 0);
	steps = matrix_with_warmups(left, 2);
	none = matrix_with_warmups(left, 0);
	assert_int_equal(steps->len, 2 * 4 + 7);
	assert_int_equal(none->len, 7);
	for (guint i = 0; i < 8; i++) {
		const struct cell *warmup = &g_array_index(steps, struct cell, i), *first = NULL;

		assert_int_equal(warmup->round, 0);
		for (guint k = 0; k < left->len && !first; k++) {
			const struct cell *c = &g_array_index(left, struct cell, k);

			if (c->system == warmup->system && c->workload == warmup->workload)
				first = c;
		}
		assert_int_equal(warmup->number, first->number);
	}
	assert_int_equal(g_array_index(steps, struct cell, 8).number, 6);
	assert_int_equal(g_array_index(steps, struct cell, 8).round, 2);
}

static void test_select(void **state)
{
	static const char *const bad[] = {"", ",", "1,", "0", "13", "-3", "3-", "5-3", "x", "1-13", "1 2"};
	g_autoptr(GArray) all = matrix_cells(2, 2, 3, 5), some = NULL;

	(void)state;
	assert_int_equal(matrix_select(all, "5-7, 3,6", &some), 0);
	assert_int_equal(some->len, 4);
	assert_int_equal(g_array_index(some, struct cell, 0).number, 3);
	assert_int_equal(g_array_index(some, struct cell, 3).number, 7);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		GArray *none = NULL;

		assert_int_equal(matrix_select(all, bad[i], &none), -EINVAL);
		assert_null(none);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),         cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_errors),        cmocka_unit_test(test_long_line),
	    cmocka_unit_test(test_order),         cmocka_unit_test(test_order_is_fixed),
	    cmocka_unit_test(test_order_is_even), cmocka_unit_test(test_seed_from_text),
	    cmocka_unit_test(test_warmups),       cmocka_unit_test(test_select),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
