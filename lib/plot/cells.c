// The sources "cells" and "runs": the comparison of a metric, a row for each workload and system, and the
// same with a row for each run.
#include "plot/cells.h"

double cells_on_axis(const struct comparison *c, const struct axis *axis, guint w, double value)
{
	return axis->relative ? value / comparison_cell(c, w, 0)->median.value : value * axis->unit.scale;
}

static double greatest(const struct comparison *c)
{
	size_t n = (size_t)c->selection->systems->len * c->selection->workloads->len;
	double most = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c->cells[i].n; k++)
			most = fmax(most, fabs(c->cells[i].values[k]));
	return most;
}

static bool is_empty(const struct comparison *c)
{
	size_t n = (size_t)c->selection->systems->len * c->selection->workloads->len;

	for (size_t i = 0; i < n; i++)
		if (c->cells[i].n)
			return false;
	return true;
}

static int make(struct plot *p, const char *args, struct comparison **c, struct axis *axis)
{
	struct metric *metric = NULL;
	int rc = metric_find(p->store, p->metric, &metric);

	if (rc == -ENOENT && !p->options->metric)
		return err_set(-ENODATA, "no run has the metric %s", p->metric);
	if (!rc)
		rc = compare(p->store, p->selection, metric, &p->options->compare, c);
	if (rc)
		return rc;
	if (is_empty(*c)) {
		rc = err_set(-ENODATA, "no run has a value of %s", p->metric);
		comparison_free(*c);
		return rc;
	}
	axis->panels = !strcmp(args, "panels");
	axis->relative = frame_relative(p, args);
	axis->unit = unit_for(metric->unit, metric->unit_name, greatest(*c));
	frame_y_title(p, p->metric, &axis->unit, axis->relative, "relative to its median");
	frame_hint(p, metric->better);
	plot_text(p, "metric", p->metric);
	plot_text(p, "unit", axis->unit.name);
	plot_number(p, "scale", axis->unit.scale);
	return 0;
}

static double x_of(const struct plot *p, const struct axis *axis, guint w, guint s)
{
	return axis->panels ? s + 1 : frame_x(p, w, s);
}

static double slot_of(const struct plot *p, const struct axis *axis)
{
	return axis->panels ? 0.8 : frame_slot(p);
}

// --- cells

struct interval cells_interval(const struct comparison *c, const struct axis *axis, guint w, guint s)
{
	const struct cell *cell = comparison_cell(c, w, s);

	if (axis->relative && s)
		return (struct interval){1 + cell->change.value, 1 + cell->change.low, 1 + cell->change.high};
	return (struct interval){cells_on_axis(c, axis, w, cell->median.value),
				 axis->relative ? NAN : cells_on_axis(c, axis, w, cell->median.low),
				 axis->relative ? NAN : cells_on_axis(c, axis, w, cell->median.high)};
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

// Linear between the two values around it; what boxes are commonly drawn with.
static double quantile(const struct cell *cell, double q)
{
	g_autofree double *sorted = g_memdup2(cell->values, (cell->n + 1) * sizeof(double));
	double at = q * ((double)cell->n - 1);
	size_t i = (size_t)at;

	if (!cell->n)
		return NAN;
	qsort(sorted, cell->n, sizeof(double), by_value);
	return i + 1 < cell->n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

// What the baseline has on an axis of the same kind.
static void base_columns(struct table *t, const struct comparison *c, const struct axis *axis, guint w)
{
	const struct cell *base = comparison_cell(c, w, 0);

	table_real(t, cells_on_axis(c, axis, w, base->median.value));
	table_real(t, cells_on_axis(c, axis, w, base->median.low));
	table_real(t, cells_on_axis(c, axis, w, base->median.high));
}

static void cell_row(struct plot *p, struct table *t, const struct comparison *c, const struct axis *axis,
		     guint w, guint s)
{
	const struct cell *cell = comparison_cell(c, w, s);
	struct interval y = cells_interval(c, axis, w, s);

	table_int(t, w + 1);
	table_int(t, s + 1);
	table_real(t, x_of(p, axis, w, s));
	table_real(t, y.value);
	table_real(t, y.low);
	table_real(t, y.high);
	table_real(t, cells_on_axis(c, axis, w, quantile(cell, 0.25)));
	table_real(t, cells_on_axis(c, axis, w, quantile(cell, 0.75)));
	base_columns(t, c, axis, w);
	table_int(t, s && axis->named && axis->named[w] == s);
	table_int(t, (int64_t)cell->n);
	table_real(t, cell->median.value);
	table_real(t, cell->median.low);
	table_real(t, cell->median.high);
	table_real(t, cell->p_adjusted);
	table_text(t, verdict_word(c->metric, cell->verdict));
	table_text(t, plot_workload(p, w));
	table_text(t, plot_system(p, s));
	table_end(t);
}

static void geomean_row(struct plot *p, struct table *t, const struct comparison *c, guint s)
{
	guint w = p->selection->workloads->len;

	table_int(t, w + 1);
	table_int(t, s + 1);
	table_real(t, frame_x(p, w, s));
	table_real(t, c->geomean[s]);
	for (int i = 0; i < 8; i++)
		table_real(t, NAN);
	table_int(t, c->geomean_n);
	for (int i = 0; i < 4; i++)
		table_real(t, NAN);
	table_text(t, "geometric mean");
	table_text(t, "geometric mean");
	table_text(t, plot_system(p, s));
	table_end(t);
}

static void remark_intervals(struct plot *p, const struct comparison *c, const struct axis *axis)
{
	guint few = 0;

	for (guint w = 0; w < p->selection->workloads->len; w++)
		for (guint s = 0; s < p->selection->systems->len; s++) {
			struct interval y = cells_interval(c, axis, w, s);

			few += (s || !axis->relative) && !isnan(y.value) && isnan(y.low);
		}
	plot_remark(p, "Error bars: 95 %% intervals by bootstrap (seed %" PRIu64 ") of the %s.",
		    c->options.seed, axis->relative ? "change of the median against the baseline" : "median");
	if (few)
		plot_remark(p, "No error bar where there are fewer than %d runs (%u of the values).",
			    STATS_LEAST_N, few);
}

static void remark_geomean(struct plot *p, const struct comparison *c)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < c->unmatched->len; i++) {
		g_autofree char *name = text_clean(c->unmatched->pdata[i]);

		g_string_append_printf(names, "%s%s", i ? ", " : "", name);
	}
	plot_remark(p, "Geometric mean over the %u workload%s that every system has%s%s.", c->geomean_n,
		    c->geomean_n == 1 ? "" : "s", names->len ? "; left out of it: " : "", names->str);
}

// --- axes

// 1, 2 or 5 times a power of ten, about a sixth of the range.
static double step_of(double range)
{
	double power = pow(10, floor(log10(range / 6))), times = range / 6 / power;

	return power * (times > 5 ? 10 : times > 2 ? 5 : times > 1 ? 2 : 1);
}

// Each panel's own range, so that its spread is seen.
static void panel_ranges(struct plot *p, const struct comparison *c, const struct axis *axis)
{
	g_autoptr(GString) least = g_string_new(NULL), most = g_string_new(NULL), step = g_string_new(NULL);
	guint n = p->selection->workloads->len;

	for (guint w = 0; w < n; w++) {
		double low = INFINITY, high = -INFINITY, room;

		for (guint s = 0; s < p->selection->systems->len; s++) {
			const struct cell *cell = comparison_cell(c, w, s);

			for (size_t i = 0; i < cell->n; i++) {
				low = fmin(low, cells_on_axis(c, axis, w, cell->values[i]));
				high = fmax(high, cells_on_axis(c, axis, w, cell->values[i]));
			}
		}
		if (!(low <= high))
			low = high = 0;
		room = high > low ? 0.08 * (high - low) : low ? 0.1 * fabs(low) : 1;
		g_string_append_printf(least, "%s%.9g", w ? ", " : "", low - room);
		g_string_append_printf(most, "%s%.9g", w ? ", " : "", high + room);
		g_string_append_printf(step, "%s%.9g", w ? ", " : "", step_of(high - low + 2 * room));
	}
	g_string_append_printf(
	    p->vars,
	    "array panel_least[%u] = [%s]\narray panel_most[%u] = [%s]\narray panel_step[%u] = [%s]\n", n,
	    least->str, n, most->str, n, step->str);
}

static void panels_axis(struct plot *p, const struct comparison *c, const struct axis *axis)
{
	panel_ranges(p, c, axis);
	frame_workloads_are_panels(p);
	frame_systems_are_lines(p);
	p->bars = p->selection->systems->len;
	p->x_unmarked = true;
	plot_number(p, "slot", slot_of(p, axis));
	plot_text(p, "x_title",
		  p->selection->systems->len > 1 ? "by system, in the order in which they ran"
						 : "runs in the order in which they ran");
	plot_remark(
	    p, "Line: median; box: from the first to the third quartile; cross: an outlier by its distance "
	       "from the median in median absolute deviations, kept in all figures.");
}

// Bars stand on zero; where there are negative values, it is not the lowest.
static void floor_of(struct plot *p, const struct comparison *c, const struct axis *axis)
{
	double least = 0;

	for (guint w = 0; w < p->selection->workloads->len; w++)
		for (guint s = 0; s < p->selection->systems->len; s++) {
			struct interval y = cells_interval(c, axis, w, s);

			least = fmin(least, fmin(y.value, y.low));
		}
	plot_number(p, "y_floor", 1.05 * least);
}

static void slots_axis(struct plot *p, struct table *t, const struct comparison *c, const struct axis *axis,
		       bool mean)
{
	floor_of(p, c, axis);
	frame_groups(p, mean ? "geomean" : NULL);
	frame_systems_are_lines(p);
	plot_number(p, "slot", frame_slot(p));
	for (guint s = 0; mean && s < p->selection->systems->len; s++)
		geomean_row(p, t, c, s);
	if (mean)
		remark_geomean(p, c);
}

static void write_cells(struct plot *p, struct table *t, const struct comparison *c, const struct axis *axis)
{
	for (guint w = 0; w < p->selection->workloads->len; w++)
		for (guint s = 0; s < p->selection->systems->len; s++)
			cell_row(p, t, c, axis, w, s);
}

int source_cells(struct plot *p, const struct template_data *d, struct table **table)
{
	struct comparison *c = NULL;
	struct axis axis = {};
	int rc = make(p, d->args, &c, &axis);

	if (rc)
		return rc;
	*table =
	    table_new("workload system x y y_low y_high y_q1 y_q3 base base_low base_high named n median "
		      "median_low median_high p verdict workload_name system_name");
	if (!strcmp(d->args, "against"))
		rc = cells_against(p, c, &axis);
	else if (axis.panels)
		panels_axis(p, c, &axis);
	if (!rc)
		write_cells(p, *table, c, &axis);
	if (!rc && !axis.panels && !axis.named)
		slots_axis(p, *table, c, &axis,
			   !strcmp(d->args, "relative") && axis.relative && c->geomean_n > 1);
	if (!rc && !axis.panels)
		remark_intervals(p, c, &axis);
	g_free(axis.named);
	comparison_free(c);
	return rc;
}

// --- runs

static void cell_runs(struct plot *p, struct table *t, const struct comparison *c, const struct axis *axis,
		      guint w, guint s)
{
	const struct cell *cell = comparison_cell(c, w, s);

	p->most_runs = MAX(p->most_runs, (guint)cell->n);
	for (size_t i = 0; i < cell->n; i++) {
		double place = ((double)i + 0.5) / (double)cell->n - 0.5;

		table_int(t, w + 1);
		table_int(t, s + 1);
		table_real(t, x_of(p, axis, w, s) + place * 0.7 * slot_of(p, axis));
		table_real(t, cells_on_axis(c, axis, w, cell->values[i]));
		table_int(t, cell->outlier[i]);
		table_real(t, cell->values[i]);
		table_int(t, cell->runs[i]);
		table_text(t, plot_workload(p, w));
		table_text(t, plot_system(p, s));
		table_end(t);
	}
}

int source_runs(struct plot *p, const struct template_data *d, struct table **table)
{
	struct comparison *c = NULL;
	struct axis axis = {};
	int rc = make(p, d->args, &c, &axis);

	if (rc)
		return rc;
	if (!axis.panels) {
		frame_groups(p, NULL);
		frame_systems_are_lines(p);
	}
	*table = table_new("workload system x y outlier value run workload_name system_name");
	for (guint w = 0; w < p->selection->workloads->len; w++)
		for (guint s = 0; s < p->selection->systems->len; s++)
			cell_runs(p, *table, c, &axis, w, s);
	comparison_free(c);
	return 0;
}
