// What bench_measure() makes of samples: which count, what a figure is of, and what it says of its end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>

#include "base/err.h"
#include "bench/internal.h"

struct plan {
	struct bench_op op;
	uint64_t n, last; // samples so far; how many there are
	uint64_t (*cycles)(uint64_t n);
	bool (*sleeps)(uint64_t n), (*happens)(uint64_t n);
	double (*units)(uint64_t n);
	bool outside; // it really sleeps, before what is timed
};

static const struct bench fake = {.name = "fake"};

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct plan *p = ctx;
	uint64_t n = p->n++;

	if (n == p->last)
		return BENCH_NO_MORE;
	if (p->outside)
		usleep(100);
	bench_before(run);
	bench_after(run);
	if (!p->outside) { // the machine's own disturbances are none of this test's
		run->after = run->before;
		run->after.nvcsw += p->sleeps && p->sleeps(n);
	}
	if (p->happens && !p->happens(n))
		return err_set(BENCH_NOT_SO, "the moon was not full");
	if (p->units)
		p->op.units = p->units(n);
	*cycles = p->cycles(n);
	return 0;
}

struct result {
	char *text;
	bool hist;
	double median;
};

static struct result measure(struct plan *p, const char *limit, const char *precision)
{
	struct bench_run run = {.bench = &fake,
				.params = g_hash_table_new(g_str_hash, g_str_equal),
				.hists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
				.order = g_ptr_array_new_with_free_func(g_free),
				.timing = {.hz = 1e9},
				.fd = memfd_create("results", MFD_CLOEXEC)};
	struct result r = {.median = -1};
	off_t n;

	p->op = (struct bench_op){"op", sample, p->op.units ? p->op.units : 1, "thing", p->op.sleeps};
	p->last = p->last ? p->last : UINT64_MAX;
	g_hash_table_insert(run.params, "limit", (char *)limit);
	g_hash_table_insert(run.params, "precision", (char *)precision);
	assert_int_equal(bench_measure(&run, &p->op, p, &r.median), 0);
	n = lseek(run.fd, 0, SEEK_END);
	r.text = g_malloc0((gsize)n + 1);
	assert_int_equal(pread(run.fd, r.text, (size_t)n, 0), n);
	r.hist = g_hash_table_contains(run.hists, "op");
	close(run.fd);
	g_hash_table_unref(run.params);
	g_hash_table_unref(run.hists);
	g_ptr_array_unref(run.order);
	return r;
}

static int64_t loss(const struct result *r, const char *kind)
{
	g_autofree char *start = g_strdup_printf("{\"loss\":\"op.%s\",\"count\":", kind);
	const char *at = strstr(r->text, start);

	return at ? g_ascii_strtoll(at + strlen(start), NULL, 10) : -1;
}

static uint64_t thousand(uint64_t n)
{
	return 1000 + n % 3;
}

static bool always(uint64_t n)
{
	(void)n;
	return true;
}

static bool never(uint64_t n)
{
	(void)n;
	return false;
}

static bool each_other(uint64_t n)
{
	return n % 2;
}

// Those that sleep take longer: without them, the figure would be of those that did not have to.
static uint64_t longer_with_sleep(uint64_t n)
{
	return n % 4 ? 5000 : 1000;
}

static bool three_of_four(uint64_t n)
{
	return n % 4;
}

static void what_waits_keeps_its_waits(void **state)
{
	struct plan p = {
	    .last = 400, .cycles = longer_with_sleep, .sleeps = three_of_four, .op.sleeps = true};
	struct result r = measure(&p, "100", "0");

	(void)state;
	assert_float_equal(r.median, 5000, 0);
	assert_int_equal(loss(&r, "disturbed"), -1); // it was not looked for
	g_free(r.text);
}

static void what_is_disturbed_is_set_aside_and_counted(void **state)
{
	struct plan p = {.last = 400, .cycles = longer_with_sleep, .sleeps = three_of_four};
	struct result r = measure(&p, "100", "0");

	(void)state;
	assert_float_equal(r.median, 1000, 0);
	assert_int_equal(loss(&r, "disturbed"), 300);
	g_free(r.text);
}

// Every one is disturbed: some are taken all the same, and that is counted.
static void what_is_kept_is_counted(void **state)
{
	struct plan p = {.last = 260, .cycles = thousand, .sleeps = always};
	struct result r = measure(&p, "100", "0");

	(void)state;
	assert_int_equal(loss(&r, "disturbed") + loss(&r, "disturbed_kept"), 260);
	assert_int_equal(loss(&r, "disturbed_kept"), 10);
	assert_non_null(strstr(r.text, "{\"metric\":\"op.samples\",\"value\":10.0"));
	g_free(r.text);
}

// A sleep before what is timed is not in it.
static void what_is_outside_does_not_disturb(void **state)
{
	struct plan p = {.last = 100, .cycles = thousand, .outside = true};
	struct result r = measure(&p, "100", "0");

	(void)state;
	assert_true(loss(&r, "disturbed") < 50); // others' doing
	g_free(r.text);
}

static void what_did_not_happen_is_no_figure(void **state)
{
	struct plan none = {.last = 100, .cycles = thousand, .happens = never};
	struct plan endless = {.cycles = thousand, .happens = never};
	struct plan half = {.last = 100, .cycles = thousand, .happens = each_other};
	struct result r = measure(&none, "100", "0");

	(void)state;
	assert_non_null(strstr(r.text, "{\"not_measured\":\"op\",\"why\":\"the moon was not full\"}"));
	assert_null(strstr(r.text, "\"metric\""));
	assert_float_equal(r.median, -1, 0);
	assert_false(r.hist);
	assert_int_equal(loss(&r, "not_so"), 100);
	g_free(r.text);
	r = measure(&endless, "0.05", "0");
	assert_non_null(strstr(r.text, "the moon was not full"));
	g_free(r.text);
	r = measure(&half, "100", "0");
	assert_int_equal(loss(&r, "not_so"), 50);
	assert_non_null(strstr(r.text, "{\"metric\":\"op\""));
	g_free(r.text);
}

static double as_many_as_cycles(uint64_t n)
{
	return (double)thousand(n) / 10;
}

static void a_figure_is_of_one(void **state)
{
	struct plan one = {.last = 100, .cycles = thousand};
	struct plan four = {.last = 100, .cycles = thousand, .op.units = 4};
	struct plan some = {.last = 100, .cycles = thousand, .units = as_many_as_cycles};
	struct result r = measure(&one, "100", "0");

	(void)state;
	assert_float_equal(r.median, 1001, 0);
	assert_true(r.hist);
	g_free(r.text);
	r = measure(&four, "100", "0");
	assert_float_equal(r.median, 1001.0 / 4, 1e-9);
	assert_false(r.hist); // an average of four has no distribution
	g_free(r.text);
	r = measure(&some, "100", "0"); // each sample says how many it did
	assert_float_equal(r.median, 10, 1e-9);
	assert_false(r.hist);
	g_free(r.text);
}

static uint64_t rising(uint64_t n)
{
	return 1000 + n;
}

static uint64_t jumping(uint64_t n)
{
	return 1000 + (n * 2654435761u >> 8) % 2000;
}

static void its_end_is_told(void **state)
{
	struct plan over = {.last = 5, .cycles = thousand};
	struct plan slow = {.cycles = jumping};
	struct plan drift = {.last = 1000, .cycles = rising};
	struct plan good = {.last = 10000, .cycles = thousand};
	struct result r = measure(&over, "100", "0");

	(void)state;
	assert_non_null(strstr(r.text, "after 5 samples there was nothing more to time"));
	assert_null(strstr(r.text, "time limit"));
	g_free(r.text);
	r = measure(&slow, "0.01", "0");
	assert_non_null(strstr(r.text, "the time limit came"));
	g_free(r.text);
	r = measure(&drift, "100", "0.5"); // its interval is narrow enough, but of what?
	assert_non_null(strstr(r.text, "op without its warm-up"));
	assert_non_null(strstr(r.text, "still drifted when there was nothing more to time"));
	g_free(r.text);
	r = measure(&good, "100", "0.02");
	assert_null(strstr(r.text, "not_measured"));
	assert_true(good.n < 10000);
	g_free(r.text);
}

// A child whose parent was gone before it asked to end with it.
static void a_child_without_its_parent_ends(void **state)
{
	pid_t self = getpid();
	int status;

	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		pid_t pid = fork();

		if (pid == 0) {
			bench_die_with(gone ? self + 1 : self);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), gone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_waits_keeps_its_waits),
	    cmocka_unit_test(what_is_disturbed_is_set_aside_and_counted),
	    cmocka_unit_test(what_is_kept_is_counted),
	    cmocka_unit_test(what_is_outside_does_not_disturb),
	    cmocka_unit_test(what_did_not_happen_is_no_figure),
	    cmocka_unit_test(a_figure_is_of_one),
	    cmocka_unit_test(its_end_is_told),
	    cmocka_unit_test(a_child_without_its_parent_ends),
	};

	return cmocka_run_group_tests_name("measure", tests, NULL, NULL);
}
