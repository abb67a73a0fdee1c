// Statistics against brute force, published tables and simulation. A simulated share may be off its bound by
// three standard deviations of such a share; where it may not, the comment says so.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <string.h>

#include "stats/interval.h"
#include "stats/rank.h"
#include "stats/stability.h"

#define MOST 500
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static gsl_rng *rng;

static int reseed(void **state)
{
	(void)state;
	if (!rng)
		rng = gsl_rng_alloc(gsl_rng_taus2);
	gsl_rng_set(rng, 20);
	return 0;
}

static void assert_near(double got, double wanted, double tolerance)
{
	if (!(fabs(got - wanted) <= tolerance))
		fail_msg("%.9g instead of %.9g (to %g)", got, wanted, tolerance);
}

// That `count` of `of` is at most the share p, but for chance.
static void assert_rare(size_t count, size_t of, double p, const char *what, size_t n)
{
	double share = (double)count / (double)of;

	if (share > p + 3 * sqrt(p * (1 - p) / (double)of))
		fail_msg("%s, n = %zu: %.2f %%, not at most %g %%", what, n, 100 * share, 100 * p);
}

enum shape { NORMAL, LOGNORMAL, EXPONENTIAL, UNIFORM, POISSON };
static const double true_median[] = {10, 1, M_LN2, 0.5, 3};

static void draw(enum shape shape, double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = shape == NORMAL        ? 10 + gsl_ran_gaussian(rng, 1)
		       : shape == LOGNORMAL   ? gsl_ran_lognormal(rng, 0, 0.3)
		       : shape == EXPONENTIAL ? gsl_ran_exponential(rng, 1)
		       : shape == UNIFORM     ? gsl_rng_uniform(rng)
					      : gsl_ran_poisson(rng, 3);
}

// --- intervals

static void median_is_the_middle(void **state)
{
	(void)state;
	assert_true(isnan(stats_median(NULL, 0)));
	assert_true(stats_median((double[]){7}, 1) == 7);
	assert_true(stats_median((double[]){9, 1, 5}, 3) == 5);
	assert_true(stats_median((double[]){9, 1, 4, 5}, 4) == 4.5);
}

static bool covers(struct interval i, double truth)
{
	assert_true(i.low <= i.high);
	return i.low <= truth && truth <= i.high;
}

// With no allowance for chance, which other seeds would need at n = 5: 93.75 % is the most that can be there.
static void assert_coverage(size_t covered, const char *what, size_t n, enum shape shape)
{
	if (covered < 1860 || covered > 1940)
		fail_msg("%s, n = %zu, shape %d: covered in %zu of 2000", what, n, (int)shape, covered);
}

static void median_interval_covers(void **state)
{
	static const size_t sizes[] = {5, 6, 7, 8, 10, 15, 20, 30};
	double x[30];

	(void)state;
	for (enum shape shape = NORMAL; shape <= EXPONENTIAL; shape++)
		for (size_t k = 0; k < LENGTH(sizes); k++) {
			size_t covered = 0;

			for (uint64_t seed = 0; seed < 2000; seed++) {
				draw(shape, x, sizes[k]);
				covered += covers(stats_median_interval(x, sizes[k]), true_median[shape]);
			}
			assert_coverage(covered, "median", sizes[k], shape);
		}
}

static size_t covered_changes(size_t n, enum shape shape, double change)
{
	double base[30], x[30];
	size_t covered = 0;

	for (uint64_t seed = 0; seed < 2000; seed++) {
		draw(shape, base, n);
		draw(shape, x, n);
		for (size_t i = 0; i < n; i++)
			x[i] *= 1 + change;
		covered += covers(stats_change_interval(base, n, x, n, seed), change);
	}
	return covered;
}

static void change_interval_covers(void **state)
{
	(void)state;
	assert_coverage(covered_changes(5, NORMAL, -0.05), "change", 5, NORMAL);
	assert_coverage(covered_changes(7, LOGNORMAL, 0), "change", 7, LOGNORMAL);
	assert_coverage(covered_changes(10, EXPONENTIAL, -0.05), "change", 10, EXPONENTIAL);
	assert_coverage(covered_changes(20, NORMAL, 0), "change", 20, NORMAL);
	assert_coverage(covered_changes(30, LOGNORMAL, -0.05), "change", 30, LOGNORMAL);
}

static void same_seed_same_interval(void **state)
{
	double base[12], x[9];
	struct interval first, again, other;

	(void)state;
	draw(NORMAL, base, 12);
	draw(NORMAL, x, 9);
	first = stats_change_interval(base, 12, x, 9, 1);
	again = stats_change_interval(base, 12, x, 9, 1);
	other = stats_change_interval(base, 12, x, 9, 2);
	assert_memory_equal(&first, &again, sizeof(first));
	assert_true(first.low != other.low);
	assert_near(other.low, first.low, 0.02);
	assert_near(other.high, first.high, 0.02);
}

static void assert_interval(struct interval got, double value, double low, double high)
{
	assert_near(got.value, value, 1e-12);
	assert_near(got.low, low, 1e-12);
	assert_near(got.high, high, 1e-12);
}

static void intervals_of_ties(void **state)
{
	static const double same[] = {3, 3, 3, 3, 3, 3}, six[] = {6, 6, 6, 6, 6}, none[] = {0, 0, 0, 0, 0};
	static const double mostly[] = {4, 5, 5, 5, 5, 5, 5, 5, 5, 6};

	(void)state;
	assert_interval(stats_median_interval(same, 6), 3, 3, 3);
	assert_interval(stats_median_interval(none, 5), 0, 0, 0);
	assert_interval(stats_median_interval(mostly, 10), 5, 5, 5);
	assert_interval(stats_change_interval(same, 6, six, 5, 1), 1, 1, 1);
	assert_interval(stats_change_interval(same, 6, none, 5, 1), -1, -1, -1);
	assert_interval(stats_change_interval(same, 6, mostly, 10, 1), 2. / 3, 2. / 3, 2. / 3);
}

// The interval of 1 .. n, by the normal approximation; at some sizes GSL's inverse of Beta would abort.
static void intervals_of_many(void **state)
{
	static double x[20000];

	(void)state;
	for (size_t i = 0; i < LENGTH(x); i++)
		x[i] = (double)i + 1;
	for (size_t n = 900; n <= LENGTH(x); n = n * 11 / 10) {
		struct interval median = stats_median_interval(x, n);
		struct interval change = stats_change_interval(x, n, x, n, 1);
		double half = 1.96 * sqrt((double)n) / 2;

		assert_near((median.high - median.low) / 2, half, 0.01 * half);
		assert_near((median.high + median.low) / 2, median.value, 1e-6);
		assert_near((change.high - change.low) / 2, half * M_SQRT2 / median.value,
			    0.15 * half / median.value);
	}
}

static void no_interval_where_none_deserves_its_name(void **state)
{
	static const double four[] = {1, 2, 3, 4}, five[] = {1, 2, 3, 4, 5}, zeros[] = {0, 0, 0, 1, 2};
	static const double around[] = {-1, 0, 1, 2, 3}, negative[] = {-1, -2, -3, -4, -5};
	struct interval i = stats_median_interval(four, 4);

	(void)state;
	assert_true(i.value == 2.5 && isnan(i.low) && isnan(i.high));
	i = stats_median_interval(four, 0);
	assert_true(isnan(i.value) && isnan(i.low) && isnan(i.high));
	i = stats_change_interval(five, 5, four, 4, 1);
	assert_near(i.value, 2.5 / 3 - 1, 1e-12);
	assert_true(isnan(i.low) && isnan(i.high));
	i = stats_change_interval(zeros, 5, five, 5, 1);
	assert_true(isnan(i.value) && isnan(i.low) && isnan(i.high));
	i = stats_change_interval(negative, 5, five, 5, 1);
	assert_true(isnan(i.value) && isnan(i.low) && isnan(i.high));
	i = stats_change_interval(around, 5, five, 5, 1); // a base around 0: no upper bound
	assert_true(i.value == 2 && isnan(i.low) && isnan(i.high));
	i = stats_change_interval(negative, 5, negative, 5, 1);
	assert_true(i.value == 0 && i.low < 0 && i.high > 0);
}

// --- ranks

static double pairs_won(const double *a, size_t n_a, const double *b, size_t n_b)
{
	double u = 0;

	for (size_t i = 0; i < n_a; i++)
		for (size_t k = 0; k < n_b; k++)
			u += b[k] > a[i] ? 1 : b[k] == a[i] ? 0.5 : 0;
	return u;
}

// p from all ways to pick n_b of the n values, u of each by pairs; the first n_a were a's.
static double brute_force_p(const double *x, size_t n, size_t n_b, double u)
{
	size_t all = 0, at_most = 0, at_least = 0;

	for (unsigned int pick = 0; pick < 1u << n; pick++) {
		double a[16], b[16], other;
		size_t i_a = 0, i_b = 0;

		if ((size_t)__builtin_popcount(pick) != n_b)
			continue;
		for (size_t i = 0; i < n; i++)
			*(pick >> i & 1 ? &b[i_b++] : &a[i_a++]) = x[i];
		other = pairs_won(a, i_a, b, i_b);
		all++;
		at_most += other <= u;
		at_least += other >= u;
	}
	return fmin(1, 2 * fmin((double)at_most, (double)at_least) / (double)all);
}

static void rank_test_is_that_of_all_divisions(void **state)
{
	static const size_t sizes[][2] = {{1, 1}, {1, 5}, {3, 3}, {5, 5}, {6, 4}, {4, 7}, {6, 6}};

	(void)state;
	for (int round = 0; round < 140; round++) {
		size_t n_a = sizes[round % 7][0], n_b = sizes[round % 7][1];
		unsigned int different = round < 70 ? 1000000 : 2 + (unsigned int)round / 7 % 6;
		double x[16];
		struct rank_test test;

		for (size_t i = 0; i < n_a + n_b; i++)
			x[i] = (double)gsl_rng_uniform_int(rng, different) * 0.1;
		test = rank_compare(x, n_a, x + n_a, n_b);
		assert_true(test.exact);
		assert_true(test.u == pairs_won(x, n_a, x + n_a, n_b));
		assert_near(test.delta, 2 * test.u / (double)(n_a * n_b) - 1, 1e-12);
		assert_near(test.p, brute_force_p(x, n_a + n_b, n_b, test.u), 1e-12);
	}
}

// R's help of wilcox.test: W = 35, one-sided p = 0.1272 (382 of the 3003 ways).
static void rank_test_of_permeability(void **state)
{
	static const double x[] = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
	static const double y[] = {1.15, 0.88, 0.90, 0.74, 1.21};
	struct rank_test test = rank_compare(y, 5, x, 10);

	(void)state;
	assert_true(test.u == 35);
	assert_near(test.p, 2 * 382. / 3003, 1e-12);
	test = rank_compare(x, 10, y, 5);
	assert_true(test.u == 15);
	assert_near(test.p, 2 * 382. / 3003, 1e-12);
	assert_near(test.delta, -0.4, 1e-12);
}

// Samples of n values each of which b wins u pairs.
static struct rank_test test_of_u(size_t n, size_t u)
{
	double a[MOST], b[MOST];

	for (size_t i = 0; i < n; i++) {
		size_t wins = u < n ? u : n;

		a[i] = (double)i;
		b[i] = (double)wins - 0.5 + (double)i * 1e-4;
		u -= wins;
	}
	return rank_compare(a, n, b, n);
}

static void rank_test_has_the_critical_values_of_the_tables(void **state)
{
	static const size_t critical[][2] = {{5, 2}, {8, 13}, {10, 23}, {20, 127}};

	(void)state;
	for (size_t i = 0; i < LENGTH(critical); i++) {
		size_t n = critical[i][0], u = critical[i][1];

		assert_true(test_of_u(n, u).u == (double)u);
		assert_true(test_of_u(n, u).p <= 0.05);
		assert_true(test_of_u(n, u + 1).p > 0.05);
		assert_near(test_of_u(n, n * n - u).p, test_of_u(n, u).p, 1e-12);
		assert_near(test_of_u(n, 0).p / rank_least_p(n, n), 1, 1e-9);
	}
}

static double normal_two_sided(double z)
{
	return erfc(z / M_SQRT2);
}

// The exact one is, too, when its kurtosis is allowed for.
static void rank_test_of_many_is_normal(void **state)
{
	double a[40], b[40], ties;
	struct rank_test test;

	(void)state;
	for (size_t u = 250; u <= 440; u += 10) {
		double z = (449.5 - (double)u) / sqrt(75 * 61.), kurtosis = -1.2 * 2760 / (900 * 61.);
		double term = exp(-z * z / 2) / sqrt(2 * M_PI) * kurtosis / 24 * (z * z * z - 3 * z);

		assert_near(test_of_u(30, u).p, normal_two_sided(z) + 2 * term, 0.0002);
		assert_true(test_of_u(30, u).exact);
	}
	assert_false(test_of_u(31, 400).exact);
	assert_near(test_of_u(31, 300).p, normal_two_sided(180 / sqrt(31 * 31 * 63 / 12.)), 1e-12);
	for (size_t i = 0; i < 40; i++) { // 1 to 4, of which 30, 20, 20 and 10
		a[i] = i % 4 ? (double)(i % 4) : 1;
		b[i] = i % 4 ? (double)(i % 4) : 4;
	}
	test = rank_compare(a, 40, b, 40);
	ties = 30 * 899 + 2 * 20 * 399 + 10 * 99;
	assert_true(test.u == 1100);
	assert_near(test.p, normal_two_sided(299.5 / sqrt(1600 / 12. * (81 - ties / (80 * 79)))), 1e-12);
}

static void rank_test_of_nothing(void **state)
{
	static const double same[200] = {0};
	struct rank_test test = rank_compare(same, 5, same, 0);

	(void)state;
	assert_true(isnan(test.p));
	for (size_t n = 5; n <= 100; n += 95) {
		test = rank_compare(same, n, same, n);
		assert_true(test.p == 1);
		assert_true(test.delta == 0);
	}
	assert_near(rank_least_p(5, 5), 2. / 252, 1e-12);
	assert_near(rank_least_p(3, 3), 0.1, 1e-12);
	assert_true(rank_least_p(1, 1) == 1);
	assert_true(rank_least_p(0, 10) == 1);
	assert_true(rank_least_p(500, 500) < 1e-200);
}

static void rank_test_of_equals_is_rarely_significant(void **state)
{
	double a[10], b[10];
	size_t significant = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		draw(LOGNORMAL, a, 10);
		draw(LOGNORMAL, b, 10);
		significant += rank_compare(a, 10, b, 10).p < 0.05;
	}
	assert_rare(significant, 10000, 0.05, "rank test", 10);
	assert_true(significant > 350); // 4.3 % is the nearest below 5 that 10 v 10 can have
}

static void corrections(void **state)
{
	double holm[] = {0.05, NAN, 0.01, 0.03, 0.04, 0.02}, bh[] = {0.05, NAN, 0.01, 0.03, 0.04, 0.02};
	static const double holm_wanted[] = {0.09, NAN, 0.05, 0.09, 0.09, 0.08};
	double mixed[] = {0.9, 0.005, 0.04, 0.8}, mixed_bh[] = {0.9, 0.005, 0.04, 0.8};

	(void)state;
	rank_holm(holm, 6);
	rank_benjamini_hochberg(bh, 6);
	for (size_t i = 0; i < 6; i++) {
		if (i == 1) {
			assert_true(isnan(holm[1]) && isnan(bh[1]));
			continue;
		}
		assert_near(holm[i], holm_wanted[i], 1e-12);
		assert_near(bh[i], 0.05, 1e-12);
	}
	rank_holm(mixed, 4);
	rank_benjamini_hochberg(mixed_bh, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_near(mixed[i], (double[]){1, 0.02, 0.12, 1}[i], 1e-12);
		assert_near(mixed_bh[i], (double[]){0.9, 0.02, 0.08, 0.9}[i], 1e-12);
	}
	rank_holm(NULL, 0);
	rank_benjamini_hochberg(NULL, 0);
}

// --- drift

static long score(const int *x, size_t n)
{
	long s = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			s += x[k] > x[i] ? 1 : -1;
	return s;
}

// How many of the orders of x[from..n) after x[0..from) have each |score|.
static void count_orders(int *x, size_t n, size_t from, size_t *orders)
{
	if (from == n)
		orders[labs(score(x, n))]++;
	for (size_t i = from; i < n; i++) {
		int t = x[from];

		x[from] = x[i];
		x[i] = t;
		count_orders(x, n, from + 1, orders);
		x[i] = x[from];
		x[from] = t;
	}
}

// 0, 1, .. with the first values swapped until the score is s.
static struct drift drift_of_score(size_t n, long s)
{
	double x[50];
	long off = (long)(n * (n - 1) / 2) - s;

	for (size_t i = 0; i < n; i++)
		x[i] = (double)i;
	for (size_t end = n; off > 0; end--)
		for (size_t i = end - 1; i > n - end && off > 0; i--, off -= 2) {
			double t = x[i];

			x[i] = x[i - 1];
			x[i - 1] = t;
		}
	return stability_drift(x, n);
}

static void drift_is_that_of_all_orders(void **state)
{
	(void)state;
	for (size_t n = 5; n <= 8; n++) {
		int x[] = {0, 1, 2, 3, 4, 5, 6, 7};
		size_t orders[29] = {}, all = 0, as_far = 0;
		long pairs = (long)(n * (n - 1) / 2);

		count_orders(x, n, 0, orders);
		for (long s = 0; s <= pairs; s++)
			all += orders[s];
		for (long s = pairs; s >= 0; s -= 2) {
			as_far += orders[s];
			assert_near(drift_of_score(n, s).tau, (double)s / (double)pairs, 1e-12);
			assert_near(drift_of_score(n, s).p, fmin(1, (double)as_far / (double)all), 1e-12);
		}
	}
}

// Kendall's table for n = 10 to the digits printed, and a hand-made case of ties.
static void drift_of_tables(void **state)
{
	static const double tied[] = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5}, same[] = {2, 2, 2, 2, 2};
	struct drift drift = stability_drift(tied, 10);

	(void)state;
	assert_near(drift_of_score(10, 19).p / 2, 0.054, 0.0005);
	assert_near(drift_of_score(10, 23).p / 2, 0.023, 0.0005);
	assert_near(drift_of_score(10, 27).p / 2, 0.0083, 0.00005);
	assert_near(drift_of_score(40, 220).p, normal_two_sided(219 / sqrt(40 * 39 * 85 / 18.)), 0.001);
	assert_near(drift_of_score(41, 220).p, normal_two_sided(219 / sqrt(41 * 40 * 87 / 18.)), 1e-12);
	assert_near(drift.tau, 40 / sqrt(45 * 40), 1e-12);
	assert_near(drift.p, normal_two_sided(39 / sqrt((10 * 9 * 25 - 5 * 2 * 9) / 18.)), 1e-12);
	drift = stability_drift(same, 5);
	assert_true(drift.tau == 0 && drift.p == 1);
	assert_true(isnan(stability_drift(same, 4).p));
}

static void steady_drift_is_found(void **state)
{
	double x[12];

	(void)state;
	for (int down = 0; down < 2; down++)
		for (int round = 0; round < 50; round++) {
			struct drift drift;

			for (size_t i = 0; i < 12; i++)
				x[i] = 10 + (down ? -0.1 : 0.1) * (double)i + gsl_ran_gaussian(rng, 0.1);
			drift = stability_drift(x, 12);
			assert_true(drift.p < STABILITY_ALPHA && drift.tau * (down ? -1 : 1) > 0.5);
		}
}

// --- modes

static void assert_dip(const double *x, size_t n, double dip)
{
	double y[MOST];

	assert_near(stability_modes(x, n, 1).dip, dip, 1e-9);
	for (size_t i = 0; i < n; i++)
		y[i] = 0.123 - 7 * x[i];
	assert_near(stability_modes(y, n, 1).dip, dip, 1e-9);
}

// By hand, and the example of Hartigan and Hartigan's paper with the value that R's diptest prints, 7.5 /
// 126.
static void dips_known(void **state)
{
	static const int faculty[] = {30, 33, 35, 36, 37, 37, 39, 39, 39, 39, 39, 40, 40, 40, 40, 41,
				      42, 43, 43, 43, 44, 44, 45, 45, 46, 46, 47, 47, 48, 48, 48, 49,
				      50, 50, 51, 52, 52, 53, 53, 53, 53, 53, 54, 54, 57, 57, 59, 60,
				      60, 60, 61, 61, 61, 61, 62, 62, 62, 62, 63, 66, 70, 72, 72};
	static const double two[] = {1.5, 1.5, 1.5, 1.5, 2.5, 2.5, 2.5, 2.5};
	static const double all_but_one[] = {1.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5};
	static const double same[] = {1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5};
	double x[MOST];

	(void)state;
	for (size_t i = 0; i < 20; i++)
		x[i] = 0.3 * (double)i;
	for (size_t n = 8; n <= 20; n++)
		assert_dip(x, n, 0.5 / (double)n);
	assert_dip(two, 8, 0.25);
	assert_dip(all_but_one, 10, 0.05);
	assert_dip(same, 8, 0.0625);
	assert_true(stability_modes(same, 8, 1).p == 1);
	assert_true(stability_modes(same, 8, 1).split == 1.5);
	for (size_t i = 0; i < LENGTH(faculty); i++)
		x[i] = faculty[i] + 0.25;
	assert_dip(x, LENGTH(faculty), 7.5 / 126);
	assert_true(isnan(stability_modes(x, 7, 1).p));
}

// The quantiles of the dip of uniform samples that R's diptest tabulates.
static void dips_of_uniform(void **state)
{
	static const struct {
		size_t n;
		double q50, q95, q99;
	} table[] = {{10, 0.0977817630, 0.1396113951, 0.1596841589},
		     {20, 0.0733437741, 0.1051302183, 0.1206240433},
		     {50, 0.0488511553, 0.0702737877, 0.0811998415}};
	double x[50];

	(void)state;
	for (size_t i = 0; i < LENGTH(table); i++) {
		size_t above[3] = {}, alarms = 0;

		for (uint64_t seed = 0; seed < 1000; seed++) {
			struct modes modes;

			draw(UNIFORM, x, table[i].n);
			modes = stability_modes(x, table[i].n, seed);
			above[0] += modes.dip > table[i].q50;
			above[1] += modes.dip > table[i].q95;
			above[2] += modes.dip > table[i].q99;
			alarms += modes.p < STABILITY_ALPHA;
		}
		assert_near((double)above[0] / 1000, 0.5, 0.05);
		assert_near((double)above[1] / 1000, 0.05, 0.021);
		assert_near((double)above[2] / 1000, 0.01, 0.0095);
		assert_rare(alarms, 1000, STABILITY_ALPHA, "dip of uniform", table[i].n);
	}
}

// n values of which the part w is at 12, the others at 10.
static void two_modes(double *x, size_t n, double w)
{
	for (size_t i = 0; i < n; i++)
		x[i] = gsl_ran_gaussian(rng, 0.1) + ((double)i < w * (double)n ? 12 : 10);
}

static void assert_two(const double *x, size_t n, double low, double high)
{
	struct modes modes = stability_modes(x, n, 1);

	assert_true(modes.p < STABILITY_ALPHA);
	assert_true(modes.split > low && modes.split < high);
}

static void two_modes_are_found(void **state)
{
	static const size_t sizes[] = {12, 20, 30, 100, 500};
	double x[MOST];

	(void)state;
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		two_modes(x, sizes[i], 0.5);
		assert_two(x, sizes[i], 10.4, 11.6);
	}
	two_modes(x, 30, 0.3);
	assert_two(x, 30, 10.4, 11.6);
	two_modes(x, 20, 0.5);
	x[7] = 100; // an outlier is no mode
	assert_two(x, 20, 10.4, 11.6);
	for (size_t i = 0; i < 20; i++)
		x[i] = i % 2 ? 0 : 512;
	assert_two(x, 20, 255, 257);
}

// --- outliers

static void planted_outliers_are_found(void **state)
{
	static const bool planted[12] = {[3] = true, [6] = true, [11] = true};
	double x[12];
	bool out[12];

	(void)state;
	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < 12; i++)
			x[i] = (10 + gsl_ran_gaussian(rng, 0.1)) * (planted[i] ? 2 : 1);
		assert_int_equal(stability_outliers(x, 12, out), 3);
		assert_memory_equal(out, planted, sizeof(planted));
	}
	assert_int_equal(stability_outliers((double[]){1, 1, 1, 100}, 4, out), 0);
	assert_false(out[3]);
}

// Most values equal, so that the median absolute deviation is 0.
static void outliers_among_equals(void **state)
{
	double x[] = {100, 100, 100, 100, 100, 100, 100, 100, 100, 101};
	bool out[10];

	(void)state;
	assert_int_equal(stability_outliers(x, 10, out), 0);
	x[9] = 200;
	assert_int_equal(stability_outliers(x, 10, out), 1);
	assert_true(out[9]);
	for (size_t i = 0; i < 10; i++)
		x[i] = 0.25;
	assert_int_equal(stability_outliers(x, 10, out), 0);
	x[4] = 0.252;
	assert_int_equal(stability_outliers(x, 10, out), 0);
	x[4] = 0.26;
	assert_int_equal(stability_outliers(x, 10, out), 1);
	assert_true(out[4]);
	memset(x, 0, sizeof(x));
	x[2] = 1; // one page more or less
	assert_int_equal(stability_outliers(x, 10, out), 0);
	x[2] = 50;
	assert_int_equal(stability_outliers(x, 10, out), 1);
}

// --- a steady series is called so

static void steady_series_have_no_drift_nor_modes(void **state)
{
	static const size_t sizes[] = {5, 8, 10, 20, 50};
	double x[50];

	(void)state;
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		size_t drifts = 0, modes = 0, modes_of_counts = 0;

		for (uint64_t seed = 0; seed < 1000; seed++) {
			draw(NORMAL, x, sizes[i]);
			drifts += stability_drift(x, sizes[i]).p < STABILITY_ALPHA;
			modes += stability_modes(x, sizes[i], seed).p < STABILITY_ALPHA;
			draw(POISSON, x, sizes[i]);
			modes_of_counts += stability_modes(x, sizes[i], seed).p < STABILITY_ALPHA;
		}
		assert_rare(drifts, 1000, STABILITY_ALPHA, "drift", sizes[i]);
		assert_rare(modes, 1000, STABILITY_ALPHA, "modes", sizes[i]);
		assert_rare(modes_of_counts, 1000, STABILITY_ALPHA, "modes of counts", sizes[i]);
	}
}

static void steady_series_have_no_outliers(void **state)
{
	size_t all = 0, series = 0;
	double x[50];
	bool out[50];

	(void)state;
	for (size_t n = 5; n <= 50; n++) {
		size_t marked = 0;

		for (int i = 0; i < 3000; i++) {
			draw(NORMAL, x, n);
			marked += stability_outliers(x, n, out) > 0;
		}
		assert_rare(marked, 3000, STABILITY_ALPHA, "outliers", n);
		all += marked;
		series += 3000;
	}
	assert_rare(all, series, STABILITY_ALPHA, "outliers, all", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(median_is_the_middle, reseed),
	    cmocka_unit_test_setup(median_interval_covers, reseed),
	    cmocka_unit_test_setup(change_interval_covers, reseed),
	    cmocka_unit_test_setup(same_seed_same_interval, reseed),
	    cmocka_unit_test_setup(intervals_of_ties, reseed),
	    cmocka_unit_test_setup(intervals_of_many, reseed),
	    cmocka_unit_test_setup(no_interval_where_none_deserves_its_name, reseed),
	    cmocka_unit_test_setup(rank_test_is_that_of_all_divisions, reseed),
	    cmocka_unit_test_setup(rank_test_of_permeability, reseed),
	    cmocka_unit_test_setup(rank_test_has_the_critical_values_of_the_tables, reseed),
	    cmocka_unit_test_setup(rank_test_of_many_is_normal, reseed),
	    cmocka_unit_test_setup(rank_test_of_nothing, reseed),
	    cmocka_unit_test_setup(rank_test_of_equals_is_rarely_significant, reseed),
	    cmocka_unit_test_setup(corrections, reseed),
	    cmocka_unit_test_setup(drift_is_that_of_all_orders, reseed),
	    cmocka_unit_test_setup(drift_of_tables, reseed),
	    cmocka_unit_test_setup(steady_drift_is_found, reseed),
	    cmocka_unit_test_setup(dips_known, reseed),
	    cmocka_unit_test_setup(dips_of_uniform, reseed),
	    cmocka_unit_test_setup(two_modes_are_found, reseed),
	    cmocka_unit_test_setup(planted_outliers_are_found, reseed),
	    cmocka_unit_test_setup(outliers_among_equals, reseed),
	    cmocka_unit_test_setup(steady_series_have_no_drift_nor_modes, reseed),
	    cmocka_unit_test_setup(steady_series_have_no_outliers, reseed),
	};

	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
