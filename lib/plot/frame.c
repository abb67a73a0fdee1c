// The x axis of figures with a place for each workload and system, and what their y axis is relative to.
#include "plot/frame.h"

#include "metric/metric.h"

double frame_slot(const struct plot *p)
{
	return 0.8 / p->selection->systems->len;
}

double frame_x(const struct plot *p, guint group, guint system)
{
	return group + 1 + (system - (p->selection->systems->len - 1) / 2.0) * frame_slot(p);
}

void frame_groups(struct plot *p, const char *extra)
{
	const struct selection *s = p->selection;

	if (p->groups->len)
		return;
	for (guint w = 0; w < s->workloads->len; w++)
		g_ptr_array_add(p->groups, s->workloads->pdata[w]);
	if (extra)
		g_ptr_array_add(p->groups, (void *)extra);
	p->bars = (double)p->groups->len * s->systems->len;
}

void frame_systems_are_lines(struct plot *p)
{
	if (p->lines->len)
		return;
	for (guint s = 0; s < p->selection->systems->len; s++)
		g_ptr_array_add(p->lines, p->selection->systems->pdata[s]);
}

void frame_systems_under_bars(struct plot *p)
{
	if (p->slots->len)
		return;
	for (guint s = 0; s < p->selection->systems->len; s++)
		g_ptr_array_add(p->slots, p->selection->systems->pdata[s]);
}

void frame_workloads_are_panels(struct plot *p)
{
	if (p->panels->len || p->selection->workloads->len < 2)
		return;
	for (guint w = 0; w < p->selection->workloads->len; w++)
		g_ptr_array_add(p->panels, p->selection->workloads->pdata[w]);
}

// --- the y axis

bool frame_relative(const struct plot *p, const char *args)
{
	if (!strcmp(args, "relative"))
		return p->selection->systems->len > 1;
	return !strcmp(args, "common") && p->selection->workloads->len > 1;
}

void frame_y_title(struct plot *p, const char *what, const struct unit *unit, bool relative,
		   const char *alone)
{
	g_free(p->y_title);
	g_free(p->y_base);
	p->y_base = NULL;
	if (relative && p->selection->systems->len > 1) {
		p->y_title = g_strdup_printf("%s relative to ", what);
		p->y_base = text_clean(kinds_marked(p, plot_system(p, 0)));
	} else if (relative) {
		p->y_title = g_strdup_printf("%s %s", what, alone);
	} else {
		p->y_title = *unit->name ? g_strdup_printf("%s (%s)", what, unit->name) : g_strdup(what);
	}
	plot_number(p, "relative", relative);
}

void frame_hint(struct plot *p, enum metric_better better)
{
	if (better != METRIC_NEITHER)
		plot_remark(p, "%s is better.", better == METRIC_LESS ? "Less" : "More");
}

void frame_absent(struct plot *p, guint panel, guint line)
{
	guint place = panel << 8 | line;

	g_array_append_val(p->absent, place);
}

// "redis (no data: tpp, memtis)"
static char *panel_title(const struct plot *p, guint panel)
{
	GString *text = g_string_new(p->panels->pdata[panel]);
	guint n = 0;

	for (guint i = 0; i < p->absent->len; i++) {
		guint place = g_array_index(p->absent, guint, i);

		if (place >> 8 == panel)
			g_string_append_printf(
			    text, "%s%s", n++ ? ", " : " (no data: ", (char *)p->lines->pdata[place & 255]);
	}
	if (n == p->lines->len)
		g_string_printf(text, "%s (no data", (char *)p->panels->pdata[panel]);
	g_string_append(text, n ? ")" : "");
	return g_string_free(text, FALSE);
}

// Where there are no panels, the legend says so.
void frame_say_absent(struct plot *p)
{
	for (guint i = 0; i < p->panels->len && p->absent->len; i++) {
		g_autofree char *text = panel_title(p, i);

		p->panels->pdata[i] = g_string_chunk_insert(p->strings, text);
	}
	for (guint i = 0; i < p->absent->len && !p->panels->len; i++) {
		gpointer *line = &p->lines->pdata[g_array_index(p->absent, guint, i) & 255];
		g_autofree char *text = g_strdup_printf("%s (no data)", (char *)*line);

		*line = g_string_chunk_insert(p->strings, text);
	}
}
