// The same arithmetic in BPF and in C: runs the BPF side on this kernel with BPF_PROG_TEST_RUN and compares,
// at every bucket's borders and for random values, and a filled histogram's percentiles against the exact
// ones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes/shared.h"
#include "stats/hist.h"

struct bss {
	uint64_t values[256];
	uint32_t buckets[256];
	struct cpu_hist filled;
};

static struct bpf_object *object;
static int prog, bss_map;

static int set_up(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	object = bpf_object__open(TEST_BUILD "/unit/test_hist_bpf.bpf.o");
	if (!object || bpf_object__load(object))
		return -1;
	prog = bpf_program__fd(bpf_object__find_program_by_name(object, "bucket_all"));
	bss_map = bpf_object__find_map_fd_by_name(object, ".bss");
	return prog < 0 || bss_map < 0;
}

static int tear_down(void **state)
{
	(void)state;
	bpf_object__close(object);
	return 0;
}

// One call: 256 values through the kernel.
static void through_kernel(struct bss *b)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int zero = 0;

	assert_int_equal(bpf_map_update_elem(bss_map, &zero, b, 0), 0);
	assert_int_equal(bpf_prog_test_run_opts(prog, &opts), 0);
	assert_int_equal(bpf_map_lookup_elem(bss_map, &zero, b), 0);
}

static void compare(const uint64_t *values, size_t n)
{
	for (size_t at = 0; at < n; at += 256) {
		struct bss b = {};

		memcpy(b.values, values + at, MIN(256, n - at) * sizeof(*values));
		through_kernel(&b);
		for (size_t i = 0; i < 256; i++)
			assert_int_equal(b.buckets[i], hist_bucket(b.values[i]));
	}
}

static void test_borders(void **state)
{
	g_autoptr(GArray) v = g_array_new(FALSE, FALSE, sizeof(uint64_t));

	(void)state;
	if (!object)
		skip();
	for (unsigned e = 0; e < 64; e++)
		for (unsigned sub = 0; sub < HIST_SUB; sub++)
			for (int d = -1; d <= 1; d++) {
				uint64_t x =
				    (1ull << e) +
				    (e >= HIST_SUB_BITS ? (uint64_t)sub << (e - HIST_SUB_BITS) : sub) + d;

				g_array_append_val(v, x);
			}
	compare((uint64_t *)(void *)v->data, v->len);
}

static void test_random(void **state)
{
	g_autofree uint64_t *v = g_new(uint64_t, 65536);
	g_autoptr(GRand) r = g_rand_new_with_seed(1);

	(void)state;
	if (!object)
		skip();
	for (int i = 0; i < 65536; i++)
		v[i] = ((uint64_t)g_rand_int(r) << 32 | g_rand_int(r)) >> g_rand_int_range(r, 0, 64);
	compare(v, 65536);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

// A log-normal distribution, known exactly because we made it, filled in by BPF and read back by lib/stats.
static void test_percentiles(void **state)
{
	struct bss b = {};
	struct hist h = {};
	uint64_t sorted[256], sum = 0;
	g_autoptr(GRand) r = g_rand_new_with_seed(2);
	const double at[] = {50, 90, 99};

	(void)state;
	if (!object)
		skip();
	for (int i = 0; i < 256; i++) {
		b.values[i] = (uint64_t)exp(g_rand_double_range(r, 4, 20));
		sum += b.values[i];
	}
	memcpy(sorted, b.values, sizeof(sorted));
	qsort(sorted, 256, sizeof(*sorted), by_value);
	through_kernel(&b);
	assert_int_equal(b.filled.count, 256);
	assert_int_equal(b.filled.sum, sum);
	assert_int_equal(~b.filled.inv_min, sorted[0]);
	assert_int_equal(b.filled.max, sorted[255]);
	h.count = b.filled.count;
	h.sum = b.filled.sum;
	h.min = sorted[0];
	h.max = sorted[255];
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		h.buckets[i] = b.filled.buckets[i];
	for (size_t i = 0; i < G_N_ELEMENTS(at); i++) {
		double exact = (double)sorted[(int)ceil(at[i] / 100 * 256) - 1];

		assert_true(fabs((double)hist_percentile(&h, at[i]) - exact) <= 0.032 * exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_borders),
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_percentiles),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
