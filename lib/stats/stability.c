// Drift, modes and outliers of a series; see stability.h. Kendall and Gibbons, Rank Correlation Methods,
// 1990; Hartigan and Hartigan's dip in the steps of Applied Statistics algorithm AS 217 (1985), its p by
// Besag and Clifford's sequential Monte Carlo (Biometrika 78, 1991); Iglewicz and Hoaglin's modified z-score
// (How to Detect and Handle Outliers, 1993) with thresholds of our own.
#include "stats/stability.h"

#include <glib.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>

#include "stats/interval.h"

static double *sorted(const double *x, size_t n)
{
	double *s = g_memdup2(x, n * sizeof(*x));

	gsl_sort(s, 1, n);
	return s;
}

static bool all_whole(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (x[i] != floor(x[i]))
			return false;
	return true;
}

// --- drift

#define DRIFT_LEAST 5
#define DRIFT_EXACT 40 // values without ties for the exact distribution

struct ties {
	double pairs;    // pairs of equal values
	double variance; // taken off 18 times the variance of the score
};

static struct ties count_ties(const double *x, size_t n)
{
	g_autofree double *s = sorted(x, n);
	struct ties ties = {};

	for (size_t i = 0, end; i < n; i = end) {
		double t;

		for (end = i + 1; end < n && s[end] == s[i]; end++)
			;
		t = (double)(end - i);
		ties.pairs += t * (t - 1) / 2;
		ties.variance += t * (t - 1) * (2 * t + 5);
	}
	return ties;
}

// Pairs of runs of which the later is the greater, less those of which it is the smaller.
static double kendall_score(const double *x, size_t n)
{
	long score = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			score += (x[k] > x[i]) - (x[k] < x[i]);
	return (double)score;
}

// The chance of at most so many inversions in a random permutation of n. Adding an i-th element adds 0 to
// i - 1 inversions, each as likely.
static double inversions_at_most(size_t n, size_t most)
{
	g_autofree double *chance = g_new0(double, most + 1), *sum = g_new(double, most + 1);

	chance[0] = 1;
	for (size_t i = 2; i <= n; i++) {
		for (size_t k = 0; k <= most; k++)
			sum[k] = chance[k] + (k ? sum[k - 1] : 0);
		for (size_t k = 0; k <= most; k++)
			chance[k] = (sum[k] - (k >= i ? sum[k - i] : 0)) / (double)i;
	}
	for (size_t k = 1; k <= most; k++)
		chance[0] += chance[k];
	return chance[0];
}

static double drift_normal_p(double score, size_t n, double ties)
{
	double m = (double)n, variance = (m * (m - 1) * (2 * m + 5) - ties) / 18;

	return variance > 0 ? 2 * gsl_cdf_ugaussian_Q(fmax(fabs(score) - 1, 0) / sqrt(variance)) : 1;
}

struct drift stability_drift(const double *x, size_t n)
{
	double pairs = (double)n * ((double)n - 1) / 2, score;
	struct ties ties;

	if (n < DRIFT_LEAST)
		return (struct drift){NAN, NAN};
	score = kendall_score(x, n);
	ties = count_ties(x, n);
	return (struct drift){
	    .tau = ties.pairs < pairs ? score / sqrt(pairs * (pairs - ties.pairs)) : 0,
	    .p = !ties.pairs && n <= DRIFT_EXACT
		     ? fmin(1, 2 * inversions_at_most(n, (size_t)((pairs - fabs(score)) / 2)))
		     : drift_normal_p(score, n, ties.variance),
	};
}

// --- modes

#define MODES_LEAST 8
#define DIP_DRAWS 2000
#define DIP_ENOUGH 20 // after so many with as large a dip no more are drawn: p is not below STABILITY_ALPHA
#define DIP_FEW 400   // nor after so many of which none has: p is well below
#define DIP_SIZE 200  // values of a draw at most; beyond, dip * sqrt(n) hardly changes with n

// A distribution function as steps at m different values: n times its height is below[i] before the i-th and
// -minus_above[i] after it. The rest is room for dip_above().
struct steps {
	size_t n, m, *knots;
	double *x, *below, *minus_above, *lower, *minus_upper;
};

static struct steps *steps_new(size_t n)
{
	struct steps *s = g_new0(struct steps, 1);

	s->n = n;
	s->knots = g_new(size_t, n);
	s->x = g_new(double, 5 * n);
	s->below = s->x + n;
	s->minus_above = s->x + 2 * n;
	s->lower = s->x + 3 * n;
	s->minus_upper = s->x + 4 * n;
	return s;
}

static void steps_free(struct steps *s)
{
	g_free(s->knots);
	g_free(s->x);
	g_free(s);
}

static void steps_fill(struct steps *s, const double *sorted)
{
	s->m = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (!i || sorted[i] > sorted[i - 1]) {
			s->x[s->m] = sorted[i];
			s->below[s->m++] = (double)i;
		}
		s->minus_above[s->m - 1] = -(double)(i + 1);
	}
}

// Whether the line from point a to b is at least as steep as from b to c.
static bool as_steep(const double *x, const double *y, size_t a, size_t b, size_t c)
{
	return (y[b] - y[a]) * (x[c] - x[b]) >= (y[c] - y[b]) * (x[b] - x[a]);
}

// The greatest convex function not above the points from low to high, at each of them. Where it touches one
// it is equal to it, not but for rounding.
static void convex_minorant(const struct steps *s, const double *y, size_t low, size_t high, double *curve)
{
	const double *x = s->x;
	size_t *knots = s->knots, n = 0;

	for (size_t i = low; i <= high; i++) {
		while (n > 1 && as_steep(x, y, knots[n - 2], knots[n - 1], i))
			n--;
		knots[n++] = i;
	}
	curve[low] = y[low];
	for (size_t k = 1; k < n; k++) {
		size_t from = knots[k - 1], to = knots[k];
		double slope = (y[to] - y[from]) / (x[to] - x[from]);

		for (size_t i = from + 1; i < to; i++)
			curve[i] = y[from] + slope * (x[i] - x[from]);
		curve[to] = y[to];
	}
}

// Where the concave majorant is highest over the convex minorant.
static size_t widest(const struct steps *s, size_t low, size_t high)
{
	size_t at = low;

	for (size_t i = low + 1; i <= high; i++)
		if (s->minus_upper[i] + s->lower[i] < s->minus_upper[at] + s->lower[at])
			at = i;
	return at;
}

// 2 n times the dip, or `off` if that is greater. Closes in on the modal interval: left of it the
// distribution function should be convex, right of it concave; the dip is half the farthest that it is off
// there.
static double dip_above(struct steps *s, double off)
{
	size_t low = 0, high = s->m - 1;

	for (;;) {
		size_t at, left, right;

		convex_minorant(s, s->below, low, high, s->lower);
		convex_minorant(s, s->minus_above, low, high, s->minus_upper);
		at = left = right = widest(s, low, high);
		if (-s->minus_upper[at] - s->lower[at] <= off)
			return off;
		while (s->lower[left] != s->below[left])
			left--;
		while (s->minus_upper[right] != s->minus_above[right])
			right++;
		for (size_t i = low; i < left; i++)
			off = fmax(off, -s->minus_above[i] - s->lower[i]);
		for (size_t i = right + 1; i <= high; i++)
			off = fmax(off, -s->minus_upper[i] - s->below[i]);
		if (left == low && right == high)
			return off;
		low = left;
		high = right;
	}
}

static double dip(const double *sorted, size_t n)
{
	struct steps *s = steps_new(n);
	double off;

	steps_fill(s, sorted);
	off = dip_above(s, 1);
	steps_free(s);
	return off / (2 * (double)n);
}

// The dip doesn't change with place and scale, so sums of exponential steps serve as sorted uniform values.
static void draw_uniform(gsl_rng *rng, double *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		x[i] = sum += gsl_ran_exponential(rng, 1);
}

static double dip_p(double observed, size_t n, uint64_t seed)
{
	size_t size = MIN(n, DIP_SIZE), draws = 0, as_large = 0;
	double less = 2 * observed * sqrt((double)n * (double)size) * (1 - 1e-12);
	g_autofree double *x = g_new(double, size);
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct steps *s = steps_new(size);

	gsl_rng_set(rng, (uint32_t)(seed ^ seed >> 32));
	while (draws < DIP_DRAWS && as_large < DIP_ENOUGH && (draws < DIP_FEW || as_large)) {
		draw_uniform(rng, x, size);
		steps_fill(s, x);
		as_large += dip_above(s, less) > less;
		draws++;
	}
	steps_free(s);
	gsl_rng_free(rng);
	return as_large < DIP_ENOUGH ? (double)(as_large + 1) / (double)(draws + 1)
				     : DIP_ENOUGH / (double)draws;
}

// Equal whole numbers are evenly spread over where they were rounded from: few different counts are no modes.
static void spread_whole(double *sorted, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		double value = sorted[i];

		for (end = i + 1; end < n && sorted[end] == value; end++)
			;
		for (size_t k = i; k < end; k++)
			sorted[k] = value - 0.5 + ((double)(k - i) + 0.5) / (double)(end - i);
	}
}

// The sum of distances of the values from first up to end to their median; sums[i] is that of the first i.
static double spread(const double *sums, size_t first, size_t end)
{
	size_t half = (end - first) / 2;

	return sums[end] - sums[end - half] - (sums[first + half] - sums[first]);
}

// The best cut in two by distances to the medians of both, with `least` or more values on each side so that
// an outlier is no mode.
static double best_split(const double *sorted, size_t n, size_t least)
{
	g_autofree double *sums = g_new(double, n + 1);
	double best = INFINITY, split = NAN;

	sums[0] = 0;
	for (size_t i = 0; i < n; i++)
		sums[i + 1] = sums[i] + (sorted[i] - sorted[0]);
	for (size_t i = least; i <= n - least; i++) {
		double sum = spread(sums, 0, i) + spread(sums, i, n);

		if (sum < best) {
			best = sum;
			split = (sorted[i - 1] + sorted[i]) / 2;
		}
	}
	return split;
}

// A mode that holds the part w of the values makes a dip of w / 2 at most.
struct modes stability_modes(const double *x, size_t n, uint64_t seed)
{
	struct modes modes = {NAN, NAN, NAN};
	g_autofree double *s = NULL;

	if (n < MODES_LEAST)
		return modes;
	s = sorted(x, n);
	if (all_whole(x, n))
		spread_whole(s, n);
	modes.dip = dip(s, n);
	modes.p = dip_p(modes.dip, n, seed);
	modes.split = best_split(s, n, MAX((size_t)(modes.dip * (double)n), 1));
	return modes;
}

// --- outliers

#define OUTLIERS_LEAST 5
#define OUTLIERS_EQUAL 1e-9    // of the median: values no farther off than that are equal
#define OUTLIERS_RELATIVE 0.01 // of the median: what a value may be off at least when most are equal
#define OUTLIERS_WHOLE 0.25    // median absolute deviation of equal whole numbers, from their rounding

// The threshold that the farthest of n normally distributed values is above in 1 % of cases, in units of the
// standard deviation as guessed from the median absolute deviation: by 4 million simulated series for each n
// up to 20, where odd and even n differ, above that a fit from above (within 2 % of simulated ones up to
// 500).
static double outlier_threshold(size_t n)
{
	static const double few[] = {18.6, 10.1, 10.7, 7.98, 8.25, 6.92, 7.08, 6.32,
				     6.42, 5.91, 5.98, 5.62, 5.67, 5.41, 5.45, 5.25};

	if (n - OUTLIERS_LEAST < G_N_ELEMENTS(few))
		return few[n - OUTLIERS_LEAST];
	return gsl_cdf_ugaussian_Qinv(STABILITY_ALPHA / 2 / (double)n) * (1.005 + 10.8 / (double)n);
}

static double distance_allowed(const double *x, const double *distance, double median, size_t n)
{
	double deviation = stats_median(distance, n);
	double least = deviation > OUTLIERS_EQUAL * fabs(median) ? 0 : OUTLIERS_RELATIVE * fabs(median);

	if (all_whole(x, n))
		deviation = fmax(deviation, OUTLIERS_WHOLE);
	return fmax(least, outlier_threshold(n) * deviation / gsl_cdf_ugaussian_Pinv(0.75));
}

size_t stability_outliers(const double *x, size_t n, bool *out)
{
	g_autofree double *distance = g_new(double, n);
	double median, allowed;
	size_t outliers = 0;

	for (size_t i = 0; i < n; i++)
		out[i] = false;
	if (n < OUTLIERS_LEAST)
		return 0;
	median = stats_median(x, n);
	for (size_t i = 0; i < n; i++)
		distance[i] = fabs(x[i] - median);
	allowed = distance_allowed(x, distance, median, n);
	for (size_t i = 0; i < n; i++)
		outliers += out[i] = distance[i] > allowed;
	return outliers;
}
