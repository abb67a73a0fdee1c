// The source "parts": several metrics of a workload and system on top of each other, each the mean over the
// runs, so that the parts of a stack add up; and the median of each, where they don't.
#include "plot/frame.h"

#include "metric/metric.h"
#include "plot/parts.h"

enum { MOST_PARTS = 8 };

struct part {
	char *label;
	double *mean, *median; // [workload * systems + system]
	double most;
	bool any, starred;
};

static void part_free(void *data)
{
	struct part *part = data;

	g_free(part->label);
	g_free(part->mean);
	g_free(part->median);
	g_free(part);
}

// --- "*" stands for a piece of the name

// What the star of `pattern` stands for in `name`; NULL: no match.
char *parts_star(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');
	size_t head = star - pattern, tail = strlen(star + 1), len = strlen(name);

	if (len < head + tail || strncmp(name, pattern, head) || strcmp(name + len - tail, star + 1))
		return NULL;
	return g_strndup(name + head, len - head - tail);
}

char *parts_fill_star(const char *text, const char *piece)
{
	g_auto(GStrv) sides = g_strsplit(text, "*", 2);

	return sides[0] && sides[1] ? g_strconcat(sides[0], piece, sides[1], NULL) : g_strdup(text);
}

// A metric's listed name has no class: "tlb_flush_count=*@all.count" is found as "tlb_flush_count=*.count".
static int matches(struct plot *p, const char *term, GPtrArray *pieces)
{
	const char *class = strchr(term, '@'), *rest = class ? class + strcspn(class, ".") : NULL;
	g_autofree char *head = class ? g_strndup(term, class - term) : NULL;
	g_autofree char *pattern = class ? g_strconcat(head, rest, NULL) : g_strdup(term);
	g_autoptr(GPtrArray) metrics = NULL;
	int rc = metric_list(p->store, NULL, &metrics);

	for (guint i = 0; !rc && i < metrics->len; i++) {
		char *piece = parts_star(pattern, ((struct metric *)metrics->pdata[i])->name);

		if (piece)
			g_ptr_array_add(pieces, piece);
	}
	return rc;
}

// --- values

// Adds the term's value of each run to `sum`, which is NAN until the first.
static int add_term(struct plot *p, const char *term, const char *suffix, double *sum, struct metric *kind)
{
	g_autofree char *name = g_strconcat(term, suffix, NULL);
	g_autofree double *values = g_new(double, p->selection->runs->len + 1);
	struct metric *m = NULL;
	int rc = metric_find(p->store, name, &m);

	if (rc == -ENOENT) // this database has none
		return 0;
	if (!rc)
		rc = metric_values(p->store, m, p->selection->runs, values, NULL);
	for (guint i = 0; !rc && i < p->selection->runs->len; i++)
		if (!isnan(values[i]))
			sum[i] = (isnan(sum[i]) ? 0 : sum[i]) + values[i];
	if (!rc)
		*kind = *m;
	metric_free(m);
	return rc;
}

// The runs are sorted by workload and system: each cell's stand together.
static void cell_means(struct plot *p, const double *values, struct part *part)
{
	const struct selection *s = p->selection;
	g_autofree double *of_cell = g_new(double, s->runs->len + 1);

	for (guint i = 0; i < s->runs->len;) {
		const struct selection_place *at = &g_array_index(s->places, struct selection_place, i),
					     *next = at;
		guint cell = at->workload * s->systems->len + at->system;
		size_t n = 0;
		double sum = 0;

		for (; i < s->runs->len && next->workload == at->workload && next->system == at->system;
		     i++, next++) {
			if (isnan(values[i]))
				continue;
			of_cell[n++] = values[i];
			sum += values[i];
		}
		if (!n)
			continue;
		part->mean[cell] = sum / (double)n;
		part->median[cell] = stats_median(of_cell, n);
		part->most = fmax(part->most, part->mean[cell]);
		part->any = true;
	}
}

static int add_part(struct plot *p, char *label, GStrv terms, const char *piece, const char *suffix,
		    GPtrArray *parts, struct metric *kind)
{
	guint n_cells = p->selection->systems->len * p->selection->workloads->len;
	g_autofree double *values = g_new(double, p->selection->runs->len + 1);
	struct part *part = g_new0(struct part, 1);
	int rc = 0;

	part->label = label;
	part->starred = piece != NULL;
	part->mean = g_new(double, n_cells + 1);
	part->median = g_new(double, n_cells + 1);
	for (guint i = 0; i < n_cells; i++)
		part->mean[i] = part->median[i] = NAN;
	for (guint i = 0; i < p->selection->runs->len; i++)
		values[i] = NAN;
	for (char **term = terms; *term && !rc; term++) {
		g_autofree char *name = piece ? parts_fill_star(*term, piece) : g_strdup(*term);

		rc = add_term(p, name, suffix, values, kind);
	}
	cell_means(p, values, part);
	g_ptr_array_add(parts, part);
	return rc;
}

static int read_parts(struct plot *p, const char *suffix, GPtrArray *parts, struct metric *kind)
{
	int rc = 0;

	for (guint i = 0; i < p->template->parts->len && !rc; i++) {
		const struct template_part *tp = &g_array_index(p->template->parts, struct template_part, i);
		g_autoptr(GPtrArray) pieces = g_ptr_array_new_with_free_func(g_free);

		if (!strchr(tp->label, '*')) {
			rc = add_part(p, g_strdup(tp->label), tp->terms, NULL, suffix, parts, kind);
			continue;
		}
		rc = matches(p, tp->terms[0], pieces);
		for (guint k = 0; k < pieces->len && !rc; k++)
			rc = add_part(p, parts_fill_star(tp->label, pieces->pdata[k]), tp->terms,
				      pieces->pdata[k], suffix, parts, kind);
	}
	return rc;
}

// --- few enough to be told apart: of those that a star found, what is nothing goes, and the least become one

static int by_size(const void *a, const void *b)
{
	const struct part *x = *(struct part *const *)a, *y = *(struct part *const *)b;

	return (x->most < y->most) - (x->most > y->most);
}

static void merge(struct part *to, const struct part *from, guint n_cells)
{
	for (guint i = 0; i < n_cells; i++)
		if (!isnan(from->mean[i]))
			to->mean[i] = (isnan(to->mean[i]) ? 0 : to->mean[i]) + from->mean[i];
	to->most = fmax(to->most, from->most);
}

static void thin_out(GPtrArray *parts, guint n_cells)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	struct part *other = NULL;
	bool merged = false;
	double enough;

	for (guint i = parts->len; i-- > 0;) {
		const struct part *part = parts->pdata[i];

		if (!part->any || (part->starred && part->most <= 0))
			g_ptr_array_remove_index(parts, i);
	}
	for (guint i = 0; i < parts->len; i++)
		g_ptr_array_add(sorted, parts->pdata[i]);
	g_ptr_array_sort(sorted, by_size);
	enough = sorted->len ? 0.005 * ((struct part *)sorted->pdata[0])->most : 0;
	if (sorted->len > MOST_PARTS)
		enough = fmax(enough, ((struct part *)sorted->pdata[MOST_PARTS - 2])->most);
	for (guint i = parts->len; i-- > 0;) {
		struct part *part = parts->pdata[i];

		if (!part->starred || part->most >= enough)
			continue;
		if (!other) { // keeps its place, the last
			other = part;
			continue;
		}
		g_free(other->label);
		other->label = g_strdup("other");
		merge(other, part, n_cells);
		g_ptr_array_remove_index(parts, i);
		merged = true;
	}
	for (guint i = 0; merged && i < parts->len; i++) // to the end
		if (parts->pdata[i] == other) {
			g_ptr_array_add(parts, g_ptr_array_steal_index(parts, i));
			break;
		}
}

// --- rows

static double total(const GPtrArray *parts, guint cell)
{
	double sum = NAN;

	for (guint i = 0; i < parts->len; i++) {
		double mean = ((struct part *)parts->pdata[i])->mean[cell];

		if (!isnan(mean))
			sum = (isnan(sum) ? 0 : sum) + mean;
	}
	return sum;
}

static void write_rows(struct plot *p, struct table *t, const GPtrArray *parts, double scale, bool relative)
{
	guint n_systems = p->selection->systems->len;

	for (guint w = 0; w < p->selection->workloads->len; w++) {
		double unit = relative ? 1 / total(parts, w * n_systems) : scale;

		for (guint s = 0; s < n_systems; s++) {
			guint cell = w * n_systems + s;
			double at = 0;

			for (guint i = 0; i < parts->len; i++) {
				const struct part *part = parts->pdata[i];
				double mean = part->mean[cell], height = isnan(mean) ? 0 : mean * unit;

				table_int(t, i + 1);
				table_real(t, frame_x(p, w, s));
				table_real(t, isnan(total(parts, cell)) ? NAN : at);
				table_real(t, isnan(total(parts, cell)) ? NAN : at + height);
				table_real(t, part->median[cell] * unit);
				table_real(t, mean);
				table_real(t, part->median[cell]);
				table_text(t, part->label);
				table_text(t, plot_workload(p, w));
				table_text(t, plot_system(p, s));
				table_end(t);
				at += height;
			}
		}
	}
}

static void name_lines(struct plot *p, const GPtrArray *parts)
{
	if (p->lines->len)
		return;
	for (guint i = 0; i < parts->len; i++)
		g_ptr_array_add(p->lines, (void *)g_intern_string(((struct part *)parts->pdata[i])->label));
}

static void set_axis(struct plot *p, const GPtrArray *parts, const struct metric *kind, bool relative,
		     struct unit *unit)
{
	guint n_cells = p->selection->systems->len * p->selection->workloads->len;
	double most = 0;

	for (guint i = 0; i < n_cells; i++)
		most = fmax(most, total(parts, i));
	*unit = unit_for(kind->unit, kind->unit_name, most);
	plot_text(p, "unit", unit->name);
	frame_y_title(p, p->template->y ?: "", unit, relative, "as a share of the whole");
	frame_groups(p, NULL);
	frame_systems_under_bars(p);
	name_lines(p, parts);
	plot_number(p, "slot", frame_slot(p));
}

// "parts [common] [.SUFFIX]": the suffix is put behind each metric's name.
int source_parts(struct plot *p, const struct template_data *d, struct table **table)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(part_free);
	bool common = g_str_has_prefix(d->args, "common"),
	     relative = frame_relative(p, common ? "common" : "");
	struct metric kind = {.unit_name = ""};
	const char *suffix = strchr(d->args, '.');
	struct unit unit;
	int rc = read_parts(p, suffix ? suffix : "", parts, &kind);

	if (rc)
		return rc;
	thin_out(parts, p->selection->systems->len * p->selection->workloads->len);
	if (!parts->len)
		return plot_no_data(p, NULL);
	set_axis(p, parts, &kind, relative, &unit);
	*table = table_new("part x y_low y_high y_median mean median part_name workload_name system_name");
	write_rows(p, *table, parts, unit.scale, relative);
	return 0;
}
