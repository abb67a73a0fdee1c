// Mann and Whitney's test (Annals of Mathematical Statistics 18, 1947). The exact distribution is that of the
// sum of the midranks in a sample over all ways to divide the values at hand, ties and all, counted by
// dynamic programming (Streitberg and Röhmel, Statistical Software Newsletter 12, 1986).
#include "stats/rank.h"

#include <glib.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>

#define EXACT_MOST 60 // values in both samples together, for the exact distribution

struct item {
	double value;
	unsigned long rank; // doubled, so that midranks are whole: 2, 4, .. without ties
	bool in_b;
};

struct pool {
	size_t n_a, n_b, n;
	struct item *items;
	unsigned long sum_b; // of b's ranks
	double ties;         // sum of t^3 - t over groups of t equal values
};

static int by_value(const void *a, const void *b)
{
	double x = ((const struct item *)a)->value, y = ((const struct item *)b)->value;

	return x < y ? -1 : x > y;
}

static void rank_items(struct pool *p)
{
	for (size_t i = 0, end; i < p->n; i = end) {
		double t;

		for (end = i + 1; end < p->n && p->items[end].value == p->items[i].value; end++)
			;
		for (size_t k = i; k < end; k++) {
			p->items[k].rank = i + 1 + end;
			p->sum_b += p->items[k].in_b ? p->items[k].rank : 0;
		}
		t = (double)(end - i);
		p->ties += t * t * t - t;
	}
}

static void pool_fill(struct pool *p, const double *a, const double *b)
{
	p->items = g_new(struct item, p->n);
	for (size_t i = 0; i < p->n; i++)
		p->items[i] = i < p->n_a ? (struct item){.value = a[i]}
					 : (struct item){.value = b[i - p->n_a], .in_b = true};
	qsort(p->items, p->n, sizeof(*p->items), by_value);
	rank_items(p);
}

// ways[s]: in how many ways k of the ranks add up to s, for all s up to most. The ranks are in rising order,
// which bounds the sums that matter when `taken` are taken of those up to ranks[i]: no less than the first so
// many give, and no more than leaves room for k - taken further ones.
static double *count_ways(const unsigned long *ranks, size_t n, size_t k, size_t most)
{
	size_t width = most + 1, least[EXACT_MOST] = {};
	g_autofree double *ways = g_new0(double, (k + 1) * width);

	for (size_t i = 1; i < k; i++)
		least[i] = least[i - 1] + ranks[i - 1];
	ways[0] = 1;
	for (size_t i = 0; i < n; i++)
		for (size_t taken = MIN(i + 1, k); taken > 0 && (k - taken) * ranks[i] <= most; taken--) {
			double *to = ways + taken * width;
			const double *from = to - width;

			for (size_t s = least[taken - 1] + ranks[i]; s <= most - (k - taken) * ranks[i]; s++)
				to[s] += from[s - ranks[i]];
		}
	return g_memdup2(ways + k * width, width * sizeof(*ways));
}

// The chance of a sum of k of the ranks as far from its mean as this one, which is not above it.
static double two_sided(const unsigned long *ranks, size_t n, size_t k, size_t sum)
{
	g_autofree double *ways = count_ways(ranks, n, k, sum);
	double all = gsl_sf_choose((unsigned int)n, (unsigned int)k), below = 0;

	for (size_t s = 0; s < sum; s++)
		below += ways[s];
	return fmin(1, 2 * fmin((below + ways[sum]) / all, 1 - below / all));
}

// Takes the smaller sample, and the end of the ranks from which its sum is below the mean.
static double exact_p(const struct pool *p)
{
	unsigned long ranks[EXACT_MOST], turn = 2 * (p->n + 1), sum = p->sum_b, odd = 0;
	size_t k = MIN(p->n_a, p->n_b);
	bool turned;

	if (p->n_b > p->n_a)
		sum = p->n * (p->n + 1) - sum;
	turned = 2 * sum > k * turn;
	if (turned)
		sum = k * turn - sum;
	for (size_t i = 0; i < p->n; i++) {
		ranks[i] = turned ? turn - p->items[p->n - 1 - i].rank : p->items[i].rank;
		odd |= ranks[i] & 1;
	}
	for (size_t i = 0; i < p->n && !odd; i++)
		ranks[i] /= 2;
	return two_sided(ranks, p->n, k, odd ? sum : sum / 2);
}

static double normal_p(const struct pool *p, double u)
{
	double n = (double)p->n, pairs = (double)p->n_a * (double)p->n_b;
	double sd = sqrt(pairs / 12 * (n + 1 - p->ties / (n * (n - 1))));
	double off = fmax(fabs(u - pairs / 2) - 0.5, 0);

	return sd > 0 ? 2 * gsl_cdf_ugaussian_Q(off / sd) : 1;
}

struct rank_test rank_compare(const double *a, size_t n_a, const double *b, size_t n_b)
{
	struct pool p = {.n_a = n_a, .n_b = n_b, .n = n_a + n_b};
	struct rank_test test = {.p = NAN, .delta = NAN};

	if (!n_a || !n_b)
		return test;
	pool_fill(&p, a, b);
	test.u = (double)p.sum_b / 2 - (double)n_b * ((double)n_b + 1) / 2;
	test.delta = 2 * test.u / ((double)n_a * (double)n_b) - 1;
	test.exact = p.n <= EXACT_MOST;
	test.p = test.exact ? exact_p(&p) : normal_p(&p, test.u);
	g_free(p.items);
	return test;
}

double rank_least_p(size_t n_a, size_t n_b)
{
	return fmin(1, 2 * exp(-gsl_sf_lnchoose((unsigned int)(n_a + n_b), (unsigned int)n_a)));
}

// --- many tests

static int by_p(const void *a, const void *b)
{
	double x = **(double *const *)a, y = **(double *const *)b;

	return x < y ? -1 : x > y;
}

// The p values that are numbers, in rising order.
static double **order(double *p, size_t n, size_t *n_tests)
{
	double **ordered = g_new(double *, n + 1);

	*n_tests = 0;
	for (size_t i = 0; i < n; i++)
		if (!isnan(p[i]))
			ordered[(*n_tests)++] = &p[i];
	qsort(ordered, *n_tests, sizeof(*ordered), by_p);
	return ordered;
}

void rank_holm(double *p, size_t n)
{
	size_t tests;
	g_autofree double **ordered = order(p, n, &tests);
	double least = 0;

	for (size_t i = 0; i < tests; i++)
		*ordered[i] = least = fmax(least, fmin(1, (double)(tests - i) * *ordered[i]));
}

void rank_benjamini_hochberg(double *p, size_t n)
{
	size_t tests;
	g_autofree double **ordered = order(p, n, &tests);
	double most = 1;

	for (size_t i = tests; i > 0; i--)
		*ordered[i - 1] = most = fmin(most, (double)tests / (double)i * *ordered[i - 1]);
}
