// See resample.h.
#include "plot/resample.h"

#include <math.h>

#include "store/store_read.h"

// Adds amount, spread evenly over [from, to), to the cells.
static void spread(const struct grid *g, double from, double to, double amount, double *cells)
{
	double first = fmax(from, 0);

	if (!(to > from))
		return;
	for (guint i = (guint)fmin(first / g->cell_ns, g->cells); i < g->cells && (double)i * g->cell_ns < to;
	     i++) {
		double low = fmax(first, (double)i * g->cell_ns),
		       high = fmin(to, (double)(i + 1) * g->cell_ns);

		if (high > low)
			cells[i] += amount * (high - low) / (to - from);
	}
}

static const struct store_sample_row *at(const GArray *samples, guint i)
{
	return &g_array_index(samples, struct store_sample_row, i);
}

// A level's integral over each cell.
static void add_level(const GArray *samples, double end_ns, const struct grid *g, double *cells)
{
	for (guint i = 0; i < samples->len; i++) {
		double from = i ? (double)at(samples, i)->t_ns : fmin(0, (double)at(samples, i)->t_ns);
		double to = i + 1 < samples->len ? (double)at(samples, i + 1)->t_ns : end_ns;

		from = fmax(from, 0);
		spread(g, from, to, (double)at(samples, i)->value * (to - from), cells);
	}
}

// A counter's growth in each cell: not before the reading that last showed the old value.
static void add_counter(const GArray *samples, double interval_ns, const struct grid *g, double *cells)
{
	for (guint i = 1; i < samples->len; i++) {
		const struct store_sample_row *a = at(samples, i - 1), *b = at(samples, i);
		double from = fmax((double)a->t_ns, (double)b->t_ns - interval_ns);

		spread(g, from, (double)b->t_ns, (double)b->value - (double)a->value, cells);
	}
}

// Readings are as far apart as the two nearest of those that were stored, but no less than the interval.
static double gap_of(const GArray *samples, double interval_ns)
{
	double gap = INFINITY;

	for (guint i = 2; i < samples->len; i++)
		gap = fmin(gap, (double)(at(samples, i)->t_ns - at(samples, i - 1)->t_ns));
	return isfinite(gap) ? fmax(gap, interval_ns) : interval_ns;
}

// A level is not known before its first reading, but that one comes a moment after the run's begin at best.
static double known_from(const GArray *samples, double interval_ns)
{
	double first = samples->len ? (double)at(samples, 0)->t_ns : 0;

	return first > 2 * interval_ns ? first : 0;
}

void resample(const GArray *samples, bool counter, double interval_ns, double end_ns, const struct grid *g,
	      double *sum)
{
	g_autofree double *cells = g_new0(double, g->cells + 1);
	double known = counter ? 0 : known_from(samples, interval_ns);

	if (counter)
		add_counter(samples, 1.5 * gap_of(samples, interval_ns), g, cells);
	else
		add_level(samples, end_ns, g, cells);
	for (guint i = 0; i < g->cells; i++) {
		double from = (double)i * g->cell_ns, length = fmin(g->cell_ns, end_ns - from);

		// a sliver of a cell at the end would say more than it knows
		if (!samples->len || length < 0.5 * g->cell_ns || from < known)
			sum[i] = NAN;
		else
			sum[i] += cells[i] / length * (counter ? 1e9 : 1);
	}
}
