// One system against another: both axes show the metric itself, over the same range, and workloads are named
// beside their points where there is room.
#include "plot/cells.h"

struct square {
	double least, most;
	bool wide; // logarithmic
};

static struct square square(struct plot *p, const struct comparison *c, const struct axis *axis)
{
	struct square q = {INFINITY, -INFINITY, false};
	double room;

	for (guint w = 0; w < p->selection->workloads->len; w++)
		for (guint s = 0; s < p->selection->systems->len; s++) {
			struct interval y = cells_interval(c, axis, w, s);

			q.least = fmin(q.least, fmin(y.value, y.low)); // fmin and fmax leave NANs out
			q.most = fmax(q.most, fmax(y.value, y.high));
		}
	if (!(q.most > q.least)) { // all alike
		room = q.least ? 0.1 * fabs(q.least) : 1;
		q.least -= room;
		q.most += room;
	}
	q.wide = q.least > 0 && q.most > 20 * q.least;
	room = q.wide ? 1.3 : 0.06 * (q.most - q.least);
	q.most = q.wide ? q.most * room : q.most + room;
	q.least = q.wide ? q.least / room : q.least > 0 && q.least < 0.5 * q.most ? 0 : q.least - room;
	plot_number(p, "wide_range", q.wide);
	plot_number(p, "least", q.least);
	plot_number(p, "most", q.most);
	return q;
}

// Names stand beside the highest of a workload's points where they cover nothing; the others get none. In
// points, in an area about as large as the figure's.
enum { AREA = 190, NAME_EM = 10, NAME_HEIGHT = 7, NAME_FONT = 6 };

struct box {
	double x, y, width, height;
};

static bool overlap(const struct box *a, const struct box *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

static double in_area(const struct square *q, double value)
{
	return AREA * (q->wide ? log(value / q->least) / log(q->most / q->least)
			       : (value - q->least) / (q->most - q->least));
}

static bool is_free(const GArray *boxes, const struct box *box)
{
	for (guint i = 0; i < boxes->len; i++)
		if (overlap(&g_array_index(boxes, struct box, i), box))
			return false;
	return box->x + box->width <= AREA;
}

static void place_names(struct plot *p, const struct comparison *c, struct axis *axis, const struct square *q)
{
	guint n_systems = p->selection->systems->len, n_workloads = p->selection->workloads->len;
	g_autoptr(GArray) boxes = g_array_new(FALSE, FALSE, sizeof(struct box));

	axis->named = g_new0(guint, n_workloads + 1);
	for (guint w = 0; w < n_workloads; w++)
		for (guint s = 1; s < n_systems; s++) {
			struct box point = {
			    in_area(q, cells_on_axis(c, axis, w, comparison_cell(c, w, 0)->median.value)) - 2,
			    in_area(q, cells_interval(c, axis, w, s).value) - 2, 4, 4};

			g_array_append_val(boxes, point);
		}
	for (guint w = 0; w < n_workloads; w++) {
		g_autofree char *name = text_shorten(plot_workload(p, w), NAME_EM);
		const struct box *points = &g_array_index(boxes, struct box, w * (n_systems - 1));
		guint best = 0;
		struct box label;

		for (guint i = 1; i < n_systems - 1; i++)
			if (isnan(points[best].y) || points[i].y > points[best].y)
				best = i;
		label = (struct box){points[best].x + 6, points[best].y + 2 - NAME_HEIGHT / 2.0,
				     text_width(name) * NAME_FONT, NAME_HEIGHT};
		if (isnan(label.y) || !is_free(boxes, &label))
			continue;
		axis->named[w] = best + 1;
		g_array_append_val(boxes, label);
	}
}

int cells_against(struct plot *p, const struct comparison *c, struct axis *axis)
{
	struct square q;

	g_autofree char *base = text_shorten(kinds_marked(p, plot_system(p, 0)), 16), *title = NULL;

	if (p->selection->systems->len < 2)
		return err_set(-ENODATA, "it needs two systems");
	for (guint s = 1; s < p->selection->systems->len; s++)
		g_ptr_array_add(p->lines, p->selection->systems->pdata[s]);
	title = g_strdup_printf("%s under %s%s%s%s", p->metric, base, *axis->unit.name ? " (" : "",
				axis->unit.name, *axis->unit.name ? ")" : "");
	plot_text(p, "x_title", title);
	g_free(p->y_title);
	p->y_title = p->lines->len == 1 ? g_strdup_printf("under %s", kinds_marked(p, plot_system(p, 1)))
					: g_strdup("under the others");
	plot_number(p, "line_offset", 1);
	q = square(p, c, axis);
	place_names(p, c, axis, &q);
	plot_remark(p,
		    "A point is a workload's median; lines through it are the medians' intervals. Below the "
		    "diagonal: less than the baseline.");
	return 0;
}
