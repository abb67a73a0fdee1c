// The source "marks": the moments that workloads named as they ran (`record --mark`), by panel of a figure
// over time: the median over the runs of each mark's first, second... occurrence.
#include "plot/internal.h"

#include "stats/interval.h"

enum { MOST_MARKS = 12 };

struct mark {
	const char *name;
	int occurrence;
	GArray *times; // double, ns
};

static void free_mark(void *p)
{
	struct mark *mark = p;

	g_array_unref(mark->times);
	g_free(mark);
}

static void add_mark(GPtrArray *marks, const char *name, int occurrence, double t)
{
	struct mark *mark = NULL;

	for (guint i = 0; i < marks->len && !mark; i++) {
		struct mark *m = marks->pdata[i];

		mark = m->occurrence == occurrence && !strcmp(m->name, name) ? m : NULL;
	}
	if (!mark) {
		mark = g_new0(struct mark, 1);
		*mark = (struct mark){name, occurrence, g_array_new(FALSE, FALSE, sizeof(double))};
		g_ptr_array_add(marks, mark);
	}
	g_array_append_val(mark->times, t);
}

static int marks_of_cell(struct plot *p, guint w, guint s, GPtrArray *marks)
{
	const struct selection *sel = p->selection;
	int rc = 0;

	for (guint i = 0; i < sel->runs->len && !rc; i++) {
		const struct selection_place *place = &g_array_index(sel->places, struct selection_place, i);
		g_autoptr(GArray) rows = NULL;

		if (place->workload != w || place->system != s)
			continue;
		rc = store_read_marks(p->store, g_array_index(sel->runs, struct store_run_row, i).id, &rows);
		for (guint k = 0; !rc && k < rows->len; k++) {
			const struct store_mark_row *row = &g_array_index(rows, struct store_mark_row, k);
			int occurrence = 0;

			for (guint j = 0; j < k; j++)
				occurrence +=
				    !strcmp(g_array_index(rows, struct store_mark_row, j).name, row->name);
			add_mark(marks, row->name, occurrence, (double)row->t_ns);
		}
	}
	return rc;
}

struct mark_vars {
	GPtrArray *names;
	GString *x, *panel;
};

static void write_marks(struct plot *p, const GPtrArray *marks, guint panel, struct table *t,
			struct mark_vars *v)
{
	for (guint i = 0; i < marks->len && i < MOST_MARKS; i++) {
		const struct mark *m = marks->pdata[i];
		double x = stats_median((double *)m->times->data, m->times->len) * 1e-9;

		table_real(t, x);
		table_int(t, panel + 1);
		table_text(t, m->name);
		table_end(t);
		g_ptr_array_add(v->names, g_string_chunk_insert(p->strings, m->name));
		g_string_append_printf(v->x, "%s%.9g", v->x->len ? ", " : "", x);
		g_string_append_printf(v->panel, "%s%u", v->panel->len ? ", " : "", panel + 1);
	}
	if (marks->len > MOST_MARKS)
		plot_remark(p, "Only the first %d marks are drawn.", MOST_MARKS);
}

// In a panel of several systems, the marks are those of the first that has any.
static int write_all_marks(struct plot *p, struct table *t, struct mark_vars *v)
{
	guint n_systems = p->selection->systems->len;
	int rc = 0;

	for (guint w = 0; w < p->selection->workloads->len; w++) {
		bool any = false;

		for (guint s = 0; s < n_systems && !rc; s++) {
			g_autoptr(GPtrArray) marks = g_ptr_array_new_with_free_func(free_mark);

			rc = marks_of_cell(p, w, s, marks);
			if (rc || (any && !p->panels_are_cells))
				break;
			write_marks(p, marks, p->panels_are_cells ? w * n_systems + s : w, t, v);
			any |= marks->len > 0;
		}
	}
	if (v->names->len && !p->panels_are_cells && n_systems > 1)
		plot_remark(p, "Dotted lines: where the first of the systems passed the workload's marks.");
	else if (v->names->len)
		plot_remark(p, "Dotted lines: the workload's marks, median over the runs.");
	return rc;
}

int source_marks(struct plot *p, const struct template_data *d, struct table **table)
{
	struct mark_vars v = {g_ptr_array_new(), g_string_new(NULL), g_string_new(NULL)};
	int rc;

	(void)d;
	*table = table_new("time_s panel mark");
	rc = write_all_marks(p, *table, &v);
	plot_number(p, "marks", v.names->len);
	plot_array(p, "mark_name", v.names, 12);
	g_string_append_printf(p->vars, "array mark_x[%u] = [%s]\n", MAX(v.names->len, 1),
			       v.names->len ? v.x->str : "0");
	g_string_append_printf(p->vars, "array mark_panel[%u] = [%s]\n", MAX(v.names->len, 1),
			       v.names->len ? v.panel->str : "0");
	g_ptr_array_unref(v.names);
	g_string_free(v.x, TRUE);
	g_string_free(v.panel, TRUE);
	return rc;
}
