// The source "time": series over time. Where the template's parts make several lines, a panel for each
// workload and system, in it a line for each part; else a panel for each workload, in it a line for each
// system. Each line has two blocks: its runs, and their median. The source "marks": the phases that workloads
// named.
#include "plot/frame.h"
#include "plot/timeline.h"

#include "metric/metric.h"

enum { CELLS = 200 };

// --- the data: for each line of a panel, two blocks

struct block {
	struct plot *plot;
	struct timeline *t;
	struct table *table;
	struct grid grid;
	const char *panel, *line;
	GArray *values; // double, grid.cells for each run
	GArray *ids;
	bool any;
	GString *ends, *mosts; // the panels' last times and greatest values, for gnuplot
};

static void row(struct block *b, guint cell, double y, int64_t run)
{
	table_real(b->table, ((double)cell + 0.5) * b->grid.cell_ns * 1e-9);
	table_real(b->table, y);
	if (run)
		table_int(b->table, run);
	else
		table_text(b->table, "median");
	table_text(b->table, b->panel);
	table_text(b->table, b->line);
	table_end(b->table);
}

static void write_runs(struct block *b)
{
	for (guint r = 0; r < b->ids->len; r++) {
		for (guint i = 0; i < b->grid.cells; i++) {
			double y = g_array_index(b->values, double, r * b->grid.cells + i);

			if (!isnan(y))
				row(b, i, y, g_array_index(b->ids, int64_t, r));
		}
		table_gap(b->table, 1);
	}
	if (!b->ids->len)
		row(b, 0, NAN, 0);
	table_gap(b->table, b->ids->len ? 1 : 2);
}

// Where at least half of the runs still run.
static void write_median(struct block *b)
{
	g_autofree double *y = g_new(double, b->ids->len + 1);

	for (guint i = 0; i < b->grid.cells; i++) {
		guint n = 0;

		for (guint r = 0; r < b->ids->len; r++) {
			y[n] = g_array_index(b->values, double, r * b->grid.cells + i);
			n += !isnan(y[n]);
		}
		if (n && 2 * n >= b->ids->len)
			row(b, i, stats_median(y, n), 0);
	}
	if (!b->ids->len)
		row(b, 0, NAN, 0);
	table_gap(b->table, 2);
}

static int write_line(struct block *b, const struct line *line, guint w, guint s)
{
	const struct selection *sel = b->plot->selection;
	g_autofree double *y = g_new(double, b->grid.cells + 1);
	int rc = 0;

	g_array_set_size(b->values, 0);
	g_array_set_size(b->ids, 0);
	for (guint i = 0; i < sel->runs->len && !rc; i++) {
		const struct selection_place *place = &g_array_index(sel->places, struct selection_place, i);
		const struct store_run_row *run = &g_array_index(sel->runs, struct store_run_row, i);
		bool any;

		if (place->workload != w || place->system != s || run->elapsed_ns <= 0)
			continue;
		rc = timeline_run(b->plot, b->t, line, run, &b->grid, y, &any);
		if (rc || !any)
			continue;
		g_array_append_vals(b->values, y, b->grid.cells);
		g_array_append_val(b->ids, run->id);
	}
	write_runs(b);
	write_median(b);
	return rc;
}

// The grid of a panel: about 200 cells over its longest run, none shorter than two readings are apart.
static struct grid grid_of(struct plot *p, struct timeline *t, guint w, int s)
{
	double longest = 0, interval = 0;
	struct grid grid;

	for (guint i = 0; i < p->selection->runs->len; i++) {
		const struct selection_place *place =
		    &g_array_index(p->selection->places, struct selection_place, i);
		const struct store_run_row *run = &g_array_index(p->selection->runs, struct store_run_row, i);

		if (place->workload != w || (s >= 0 && place->system != (guint)s))
			continue;
		longest = fmax(longest, (double)run->elapsed_ns);
		interval = fmax(interval, 1e6 * (double)run->interval_ms);
	}
	t->end_ns = fmax(t->end_ns, longest);
	grid.cell_ns = fmax(fmax(longest / CELLS, interval), 1);
	grid.cells = (guint)CLAMP(ceil(longest / grid.cell_ns), 1, 2 * CELLS);
	return grid;
}

// --- panels and axes

static const char *what_of(const struct plot *p, const char *series)
{
	return p->template->y ? p->template->y : series;
}

static void axes(struct plot *p, struct timeline *t)
{
	const char *series = g_array_index(t->lines, struct line, 0).above->pdata[0];
	g_autofree char *name = g_strconcat(series, t->counter ? ".rate" : "", NULL);
	struct unit time = unit_for(METRIC_NS, "ns", t->end_ns), unit;
	g_autofree char *x_title = g_strdup_printf("time (%s)", time.name);
	g_autofree char *what = NULL;
	struct metric *m = NULL;

	if (t->ratio)
		unit = unit_for(METRIC_RATIO, "", 1);
	else if (!metric_find(p->store, name, &m))
		unit = unit_for(m->unit, m->unit_name, t->most);
	else
		unit = unit_for(METRIC_NUMBER, "", t->most);
	metric_free(m);
	if (!t->by_system && t->lines->len == 1) // there is no legend to say it
		what = g_strdup_printf("%s, %s", what_of(p, series),
				       g_array_index(t->lines, struct line, 0).label);
	frame_y_title(p, what ? what : what_of(p, series), &unit, false, "");
	plot_text(p, "x_title", x_title);
	plot_number(p, "x_scale", time.scale * 1e9);
	plot_number(p, "y_scale", unit.scale);
	plot_number(p, "y_least", fmin(t->least, 0) * unit.scale);
}

static void name_lines(struct plot *p, const struct timeline *t)
{
	if (t->by_system)
		frame_systems_are_lines(p);
	for (guint i = 0; !t->by_system && i < t->lines->len; i++)
		g_ptr_array_add(p->lines, g_string_chunk_insert(
					      p->strings, g_array_index(t->lines, struct line, i).label));
}

// A panel for each cell that has runs is named by what there is more than one of.
static void name_panels(struct plot *p, const struct timeline *t)
{
	guint n_systems = p->selection->systems->len, n_workloads = p->selection->workloads->len;

	p->panels_are_cells = !t->by_system;
	if (t->by_system) {
		frame_workloads_are_panels(p);
		return;
	}
	for (guint w = 0; n_systems * n_workloads > 1 && w < n_workloads; w++)
		for (guint s = 0; s < n_systems; s++) {
			g_autofree char *both =
			    n_workloads == 1 ? g_strdup(plot_system(p, s))
			    : n_systems == 1
				? g_strdup(plot_workload(p, w))
				: g_strdup_printf("%s, %s", plot_workload(p, w), plot_system(p, s));

			g_ptr_array_add(p->panels, g_string_chunk_insert(p->strings, both));
		}
}

static int write_panel(struct block *b, guint w, int s, guint panel)
{
	struct plot *p = b->plot;
	int rc = 0;

	b->grid = grid_of(p, b->t, w, s);
	g_string_append_printf(b->ends, "%s%.9g", b->ends->len ? ", " : "",
			       b->grid.cells > 1 ? b->grid.cells * b->grid.cell_ns * 1e-9 : 1);
	b->panel = p->panels->len ? p->panels->pdata[panel] : "";
	for (guint i = 0; i < p->lines->len && !rc; i++) {
		const struct line *line = &g_array_index(b->t->lines, struct line, s < 0 ? 0 : i);

		b->line = p->lines->pdata[i];
		rc = write_line(b, line, w, s < 0 ? i : (guint)s);
		b->any |= b->ids->len > 0;
		if (!b->ids->len)
			frame_absent(p, panel, i);
	}
	return rc;
}

// Panels of one workload have the same y axis.
static int write_workload(struct block *b, guint w, guint *panel)
{
	const struct timeline *t = b->t;
	guint n = t->by_system ? 1 : b->plot->selection->systems->len;
	int rc = 0;

	b->t->most = b->t->least = 0;
	for (guint s = 0; s < n && !rc; s++)
		rc = write_panel(b, w, t->by_system ? -1 : (int)s, (*panel)++);
	for (guint s = 0; s < n; s++)
		g_string_append_printf(b->mosts, "%s%.9g", b->mosts->len ? ", " : "",
				       t->most > 0 ? 1.05 * t->most : 1);
	return rc;
}

static int write_panels(struct plot *p, struct timeline *t, struct table *table)
{
	struct block b = {.plot = p, .t = t, .table = table};
	double most = 0, least = 0;
	guint panel = 0;
	int rc = 0;

	b.ends = g_string_new(NULL);
	b.mosts = g_string_new(NULL);
	b.values = g_array_new(FALSE, FALSE, sizeof(double));
	b.ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	for (guint w = 0; w < p->selection->workloads->len && !rc; w++) {
		rc = write_workload(&b, w, &panel);
		most = fmax(most, t->most);
		least = fmin(least, t->least);
	}
	t->most = most;
	t->least = least;
	g_string_append_printf(p->vars, "array panel_end[%u] = [%s]\narray panel_most[%u] = [%s]\n", panel,
			       b.ends->str, panel, b.mosts->str);
	g_string_free(b.ends, TRUE);
	g_string_free(b.mosts, TRUE);
	g_array_unref(b.values);
	g_array_unref(b.ids);
	if (!rc && !b.any)
		rc = plot_no_data(p, p->template->parts->len ? NULL : p->series);
	return rc;
}

int source_time(struct plot *p, const struct template_data *d, struct table **table)
{
	struct timeline t = {};
	int rc = timeline_find(p, &t);

	(void)d;
	if (!rc) {
		name_lines(p, &t);
		name_panels(p, &t);
		if (p->panels->len > MOST_PANELS)
			rc = err_set(-ENODATA, TOO_MANY_PANELS, p->panels->len);
	}
	if (!rc) {
		*table = table_new("time_s value run panel_name line_name");
		rc = write_panels(p, &t, *table);
		axes(p, &t);
		plot_remark(
		    p,
		    "Thin lines: runs; thick: their median where at least half still run. Each point is %s "
		    "over a 200th of the longest run, or over the sampling interval if that is longer.",
		    t.counter ? "the rate" : "the mean");
	}
	timeline_clear(&t);
	return rc;
}
