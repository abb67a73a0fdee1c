// Histogram arithmetic: every bucket border, and percentiles against those of the sorted values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/hist.h"

static void borders_meet(void **state)
{
	(void)state;
	assert_int_equal(hist_bucket_low(0), 0);
	for (unsigned int b = 0; b < HIST_OVERFLOW; b++) {
		uint64_t low = hist_bucket_low(b), high = hist_bucket_high(b);

		assert_true(low <= high);
		assert_int_equal(hist_bucket(low), b);
		assert_int_equal(hist_bucket(high), b);
		assert_int_equal(hist_bucket(high + 1), b + 1);
		assert_int_equal(hist_bucket_low(b + 1), high + 1);
		if (low) {
			double middle = (double)((low + high) / 2);

			assert_true(fabs(middle - (double)low) <= HIST_ERROR * (double)low);
			assert_true(fabs(middle - (double)high) <= HIST_ERROR * (double)high);
		}
	}
	assert_int_equal(hist_bucket_low(HIST_OVERFLOW), 1ull << HIST_MAX_BITS);
	assert_int_equal(hist_bucket(UINT64_MAX), HIST_OVERFLOW);
	assert_int_equal(hist_bucket_high(HIST_OVERFLOW), UINT64_MAX);
}

static void log2_of_all(void **state)
{
	(void)state;
	for (int e = 0; e < HIST_MAX_BITS; e++) {
		assert_int_equal(hist_log2(1ull << e), e);
		assert_int_equal(hist_log2((1ull << e) | ((1ull << e) - 1)), e);
	}
}

static void empty_and_single(void **state)
{
	struct hist h = {};

	(void)state;
	assert_int_equal(hist_percentile(&h, 50), 0);
	assert_true(hist_mean(&h) == 0);
	hist_add(&h, 12345);
	for (int p = 0; p <= 100; p++)
		assert_int_equal(hist_percentile(&h, p), 12345);
	assert_int_equal(h.min, 12345);
	assert_int_equal(h.max, 12345);
	hist_add(&h, 0);
	assert_int_equal(h.min, 0);
	assert_int_equal(hist_percentile(&h, 50), 0);
	assert_int_equal(hist_percentile(&h, 50.1), 12345);
}

static void beyond_the_last_bucket(void **state)
{
	struct hist h = {};

	(void)state;
	hist_add(&h, 5);
	hist_add(&h, 1ull << 41);
	hist_add(&h, 1ull << 50);
	assert_int_equal(hist_percentile(&h, 50), 1ull << 50); // the maximum: nothing better is known
	assert_int_equal(hist_percentile(&h, 10), 5);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void check_percentiles(const struct hist *h, const uint64_t *sorted, size_t n)
{
	static const double ps[] = {0, 0.1, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100};

	for (size_t i = 0; i < sizeof(ps) / sizeof(*ps); i++) {
		size_t rank = (size_t)ceill((long double)ps[i] * (long double)n / 100 - 1e-9L);
		uint64_t exact = sorted[rank ? rank - 1 : 0], got = hist_percentile(h, ps[i]);
		double off = fabs((double)got - (double)exact);

		if (off > HIST_ERROR * (double)exact)
			fail_msg("p%g of %zu: %llu instead of %llu", ps[i], n, (unsigned long long)got,
				 (unsigned long long)exact);
	}
}

// Values spread over all magnitudes, evenly, and piled up on a few.
static uint64_t random_value(int shape)
{
	uint64_t r = ((uint64_t)random() << 31 | (uint64_t)random()) & ((1ull << HIST_MAX_BITS) - 1);

	if (shape == 0)
		return r >> (random() % HIST_MAX_BITS);
	if (shape == 1)
		return r % 1000000;
	return 1ull << (random() % 30);
}

static void percentiles_of_random_values(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 300; round++) {
		size_t n = 1 + (size_t)random() % (round % 10 ? 200 : 20000);
		uint64_t *values = calloc(n, sizeof(*values)), sum = 0;
		struct hist h = {};

		for (size_t i = 0; i < n; i++) {
			values[i] = random_value(round % 3);
			sum += values[i];
			hist_add(&h, values[i]);
		}
		qsort(values, n, sizeof(*values), by_value);
		check_percentiles(&h, values, n);
		assert_int_equal(h.count, n);
		assert_int_equal(h.sum, sum);
		assert_int_equal(h.min, values[0]);
		assert_int_equal(h.max, values[n - 1]);
		free(values);
	}
}

static void merging_is_adding(void **state)
{
	struct hist a = {}, b = {}, all = {}, empty = {};

	(void)state;
	for (int i = 0; i < 5000; i++) {
		uint64_t v = random_value(0);

		hist_add(i % 3 ? &a : &b, v);
		hist_add(&all, v);
	}
	hist_merge(&a, &b);
	hist_merge(&a, &empty);
	assert_memory_equal(&a, &all, sizeof(a));
	hist_merge(&empty, &all);
	assert_memory_equal(&empty, &all, sizeof(all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(borders_meet),
	    cmocka_unit_test(log2_of_all),
	    cmocka_unit_test(empty_and_single),
	    cmocka_unit_test(beyond_the_last_bucket),
	    cmocka_unit_test(percentiles_of_random_values),
	    cmocka_unit_test(merging_is_adding),
	};

	return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}
