// Intervals of the median and of the relative change of medians by the smoothed bootstrap (Efron, Annals of
// Statistics 7, 1979): values are resampled not from the n values alone but from the distribution function
// that joins them by straight lines. The median of n draws from any distribution lies at its p-th quantile
// with p from Beta((n + 1) / 2, (n + 1) / 2) (Hutson, Journal of Applied Statistics 26, 1999), so a
// resample's median costs one draw, whatever n is.
#include "stats/interval.h"

#include <glib.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>

#define RESAMPLES 2000 // a multiple of 4
#define TAIL 0.025
#define BETA_MOST 1000 // values beyond which Beta is normal to 1e-5; GSL's inverse aborts beyond 4000

// The i-th of n sorted values is taken for the quantile i / (n + 1), and resamples are pulled towards the
// middle by this / sqrt(n) of their distance, since they spread more than medians do. Found by simulation:
// the header says how near to 95 % that brings the coverage. Without, it is up to 97 % for the median, 99 %
// for the change.
#define PULL_MEDIAN 0.11
#define PULL_CHANGE 0.45

static double *sorted(const double *x, size_t n)
{
	double *s = g_memdup2(x, n * sizeof(*x));

	gsl_sort(s, 1, n);
	return s;
}

double stats_median(const double *x, size_t n)
{
	g_autofree double *s = NULL;

	if (!n)
		return NAN;
	s = sorted(x, n);
	return gsl_stats_median_from_sorted_data(s, 1, n);
}

static double quantile(const double *s, size_t n, double pull, double p)
{
	double place = ((double)n + 1) * (0.5 + (p - 0.5) * (1 - pull / sqrt((double)n))) - 1;
	size_t i;

	if (place <= 0)
		return s[0];
	i = (size_t)place;
	return i >= n - 1 ? s[n - 1] : s[i] + (place - (double)i) * (s[i + 1] - s[i]);
}

// The TAIL quantile of Beta((n + 1) / 2, (n + 1) / 2).
static double beta_tail(size_t n)
{
	double half = ((double)n + 1) / 2;

	if (n > BETA_MOST)
		return 0.5 + gsl_cdf_ugaussian_Pinv(TAIL) / (2 * sqrt((double)n + 2));
	return gsl_cdf_beta_Pinv(TAIL, half, half);
}

// Nothing is left to chance here: the quantiles of the resamples' medians are those of the distribution.
struct interval stats_median_interval(const double *x, size_t n)
{
	struct interval median = {stats_median(x, n), NAN, NAN};
	g_autofree double *s = NULL;
	double p;

	if (n < STATS_LEAST_N)
		return median;
	s = sorted(x, n);
	p = beta_tail(n);
	median.low = quantile(s, n, PULL_MEDIAN, p);
	median.high = quantile(s, n, PULL_MEDIAN, 1 - p);
	return median;
}

// Without bounds when the base may be 0.
static double relative(double base, double x, double sign)
{
	return base * sign > 0 ? x / base - 1 : INFINITY;
}

// Every pair of draws serves four times, each side's also mirrored.
static void resample(const double *base, size_t n_base, const double *x, size_t n, gsl_rng *rng,
		     double changes[RESAMPLES])
{
	double half_base = ((double)n_base + 1) / 2, half = ((double)n + 1) / 2;
	double sign = copysign(1, gsl_stats_median_from_sorted_data(base, 1, n_base));

	for (size_t i = 0; i < RESAMPLES; i += 4) {
		double p = gsl_ran_beta(rng, half_base, half_base), q = gsl_ran_beta(rng, half, half);

		for (size_t k = 0; k < 4; k++)
			changes[i + k] = relative(quantile(base, n_base, PULL_CHANGE, k & 1 ? 1 - p : p),
						  quantile(x, n, PULL_CHANGE, k & 2 ? 1 - q : q), sign);
	}
}

static void bootstrap_change(const double *base, size_t n_base, const double *x, size_t n, uint64_t seed,
			     struct interval *change)
{
	g_autofree double *sorted_base = sorted(base, n_base), *sorted_x = sorted(x, n);
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double changes[RESAMPLES], high;

	gsl_rng_set(rng, (uint32_t)(seed ^ seed >> 32));
	resample(sorted_base, n_base, sorted_x, n, rng, changes);
	gsl_rng_free(rng);
	high = gsl_stats_select(changes, 1, RESAMPLES, RESAMPLES - (size_t)(TAIL * RESAMPLES));
	if (isinf(high))
		return;
	change->low = gsl_stats_select(changes, 1, RESAMPLES, (size_t)(TAIL * RESAMPLES) - 1);
	change->high = high;
}

struct interval stats_change_interval(const double *base, size_t n_base, const double *x, size_t n,
				      uint64_t seed)
{
	double of_base = stats_median(base, n_base), of_x = stats_median(x, n);
	struct interval change = {NAN, NAN, NAN};

	if (of_base == 0 || of_base * of_x < 0)
		return change;
	change.value = of_x / of_base - 1;
	if (n_base >= STATS_LEAST_N && n >= STATS_LEAST_N)
		bootstrap_change(base, n_base, x, n, seed, &change);
	return change;
}
