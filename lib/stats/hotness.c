// See hotness.h. Where scores are tied at the edge of "as many as are hot", the pages' order decides, which
// says nothing of their heat.
#include "stats/hotness.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>

struct entry {
	const struct hotness_page *page;
	double value, rank[2];
	size_t place;
	gboolean hot;
};

static int greatest_first(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	if ((*x)->value != (*y)->value)
		return (*x)->value < (*y)->value ? 1 : -1;
	return ((*x)->place > (*y)->place) - ((*x)->place < (*y)->place);
}

// Sorts by value and gives ranks, those that are tied the mean of theirs.
static void rank(struct entry **sorted, size_t n, int which)
{
	qsort(sorted, n, sizeof(*sorted), greatest_first);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && sorted[end]->value == sorted[i]->value;)
			end++;
		for (size_t k = i; k < end; k++)
			sorted[k]->rank[which] = (double)(i + end - 1) / 2;
	}
}

static double correlation(const struct entry *e, size_t n)
{
	double mean = ((double)n - 1) / 2, xy = 0, xx = 0, yy = 0;

	for (size_t i = 0; i < n; i++) {
		double x = e[i].rank[0] - mean, y = e[i].rank[1] - mean;

		xy += x * y;
		xx += x * x;
		yy += y * y;
	}
	return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

static double bias(const struct hotness_page *p, size_t n)
{
	double scores = 0, fast_scores = 0, heat = 0, fast_heat = 0;

	for (size_t i = 0; i < n; i++) {
		scores += p[i].score;
		fast_scores += p[i].heat > 0 ? p[i].score * p[i].fast_heat / p[i].heat : 0;
		// a score without heat is of neither tier
		scores -= p[i].heat > 0 ? 0 : p[i].score;
		heat += p[i].heat;
		fast_heat += p[i].fast_heat;
	}
	return scores > 0 && heat > 0 ? fast_scores / scores - fast_heat / heat : NAN;
}

struct hotness stats_hotness(const struct hotness_page *pages, size_t n, size_t hot)
{
	struct entry *e = g_new0(struct entry, n + 1), **sorted = g_new(struct entry *, n + 1);
	size_t said = 0, right = 0;
	struct hotness h = {0};

	hot = MIN(hot, n);
	for (size_t i = 0; i < n; i++) {
		e[i] = (struct entry){.page = &pages[i], .value = pages[i].heat, .place = i};
		sorted[i] = &e[i];
	}
	rank(sorted, n, 0);
	for (size_t i = 0; i < hot; i++)
		sorted[i]->hot = TRUE;
	for (size_t i = 0; i < n; i++)
		e[i].value = pages[i].score;
	rank(sorted, n, 1);
	for (size_t i = 0; i < hot && sorted[i]->value > 0; i++, said++)
		right += sorted[i]->hot;
	h.precision = said ? (double)right / (double)said : NAN;
	h.recall = hot ? (double)right / (double)hot : NAN;
	h.rank = correlation(e, n);
	h.bias = bias(pages, n);
	g_free(sorted);
	g_free(e);
	return h;
}
