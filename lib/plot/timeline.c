// Which series a figure over time shows; see timeline.h.
#include "plot/timeline.h"

#include "metric/tiers.h"
#include "plot/parts.h"
#include "store/values.h"

enum { MOST_LINES = 8 };

static void clear_line(void *p)
{
	struct line *line = p;

	g_free(line->label);
	g_ptr_array_unref(line->above);
	g_ptr_array_unref(line->below);
}

static struct line *add_line(struct timeline *t, char *label)
{
	struct line line = {label, g_ptr_array_new_with_free_func(g_free),
			    g_ptr_array_new_with_free_func(g_free)};

	g_array_append_val(t->lines, line);
	return &g_array_index(t->lines, struct line, t->lines->len - 1);
}

// --- which series

static int read_series(struct plot *p, struct timeline *t, const char *name, GArray **ends)
{
	int rc = 0;

	*ends = g_hash_table_lookup(t->ends, name);
	if (*ends)
		return 0;
	rc = store_read_ends(p->store, name, ends);
	if (!rc)
		g_hash_table_insert(t->ends, g_strdup(name), *ends);
	return rc;
}

// The series that a term names, its star filled in every way that the database has.
static void expand(const GArray *all, const char *term, GPtrArray *names, GPtrArray *pieces)
{
	for (guint i = 0; i < all->len; i++) {
		const char *name = g_array_index(all, struct store_name_row, i).name;
		char *piece = strchr(term, '*') ? parts_star(term, name) : NULL;

		if (!piece && strcmp(term, name))
			continue;
		g_ptr_array_add(names, g_strdup(name));
		g_ptr_array_add(pieces, piece ? piece : g_strdup(""));
	}
}

// "A + B / C": what follows the slash divides.
static void sum_line(const GArray *all, struct timeline *t, const struct template_part *part)
{
	struct line *line = add_line(t, g_strdup(part->label));
	g_autoptr(GPtrArray) pieces = g_ptr_array_new_with_free_func(g_free);

	for (char **term = part->terms; *term; term++) {
		g_auto(GStrv) sides = g_strsplit(*term, " / ", 2);
		const char *above = sides[0];

		t->fast |= g_str_has_prefix(above, "fast ");
		expand(all, above + (g_str_has_prefix(above, "fast ") ? strlen("fast ") : 0), line->above,
		       pieces);
		if (sides[1])
			expand(all, sides[1], line->below, pieces);
		t->ratio |= sides[1] != NULL;
	}
}

static void star_lines(const GArray *all, struct timeline *t, const struct template_part *part)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) pieces = g_ptr_array_new_with_free_func(g_free);

	expand(all, part->terms[0], names, pieces);
	for (guint i = 0; i < names->len && t->lines->len < MOST_LINES; i++) {
		struct line *line = add_line(t, parts_fill_star(part->label, pieces->pdata[i]));

		g_ptr_array_add(line->above, g_strdup(names->pdata[i]));
	}
}

// Drops lines of which the database has nothing; the first series' kind and unit are those of all.
static int settle(struct plot *p, struct timeline *t)
{
	GArray *ends;
	int rc = 0;

	for (guint i = t->lines->len; i-- > 0;)
		if (!g_array_index(t->lines, struct line, i).above->len)
			g_array_remove_index(t->lines, i);
	if (!t->lines->len)
		return plot_no_data(p, p->template->parts->len ? NULL : p->series);
	rc = read_series(p, t, g_array_index(t->lines, struct line, 0).above->pdata[0], &ends);
	if (!rc && !ends->len)
		rc = plot_no_data(p, p->template->parts->len ? NULL : p->series);
	if (rc)
		return rc;
	t->counter = g_array_index(ends, struct store_ends_row, 0).counter;
	return 0;
}

int timeline_find(struct plot *p, struct timeline *t)
{
	g_autoptr(GArray) all = NULL;
	GArray *parts = p->template->parts;
	int rc = store_read_names(p->store, STORE_SERIES, &all);

	t->lines = g_array_new(FALSE, FALSE, sizeof(struct line));
	g_array_set_clear_func(t->lines, clear_line);
	t->ends = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
	if (rc)
		return rc;
	t->by_system = parts->len == 0;
	if (!parts->len && !p->series)
		return err_set(-EINVAL, "which series? --series names it");
	if (!parts->len) {
		struct template_part own = {(char *)p->series, (char *[]){(char *)p->series, NULL}};

		sum_line(all, t, &own);
		return settle(p, t);
	}
	for (guint i = 0; i < parts->len; i++) {
		const struct template_part *part = &g_array_index(parts, struct template_part, i);

		if (strchr(part->label, '*'))
			star_lines(all, t, part);
		else
			sum_line(all, t, part);
	}
	t->by_system = parts->len == 1 && !strchr(g_array_index(parts, struct template_part, 0).label, '*');
	return settle(p, t);
}

void timeline_clear(struct timeline *t)
{
	if (t->lines)
		g_array_unref(t->lines);
	if (t->ends)
		g_hash_table_unref(t->ends);
}

// --- one run's line

static bool is_fast(uint64_t fast, const char *series)
{
	const char *digits = series + strcspn(series, "0123456789");
	guint64 node = g_ascii_strtoull(digits, NULL, 10);

	return node < 64 && fast >> node & 1;
}

// Adds up the series that the run has; *any tells whether it has one.
static int add_up(struct plot *p, struct timeline *t, const GPtrArray *names, uint64_t only,
		  const struct store_run_row *run, const struct grid *grid, double *sum, bool *any)
{
	int rc = 0;

	for (guint n = 0; n < names->len && !rc; n++) {
		GArray *ends = NULL;

		if (only && !is_fast(only, names->pdata[n]))
			continue;
		rc = read_series(p, t, names->pdata[n], &ends);
		for (guint i = 0; !rc && i < ends->len; i++) {
			const struct store_ends_row *e = &g_array_index(ends, struct store_ends_row, i);
			g_autoptr(GArray) samples = NULL;

			if (e->run != run->id)
				continue;
			rc = store_read_samples(p->store, e->series, &samples);
			if (!rc)
				resample(samples, e->counter != 0, 1e6 * (double)run->interval_ms,
					 (double)run->elapsed_ns, grid, sum);
			*any = true;
		}
	}
	return rc;
}

int timeline_run(struct plot *p, struct timeline *t, const struct line *line, const struct store_run_row *run,
		 const struct grid *grid, double *y, bool *any)
{
	g_autofree double *below = g_new0(double, grid->cells + 1);
	uint64_t fast = 0;
	const char *why;
	bool also = false;
	int rc = t->fast ? tiers_fast_nodes(p->store, run->id, &fast, &why) : 0;

	*any = false;
	if (rc || (t->fast && !fast)) {
		if (!rc)
			plot_remark(p, "Not in it: runs on a machine where %s.", why);
		return rc;
	}
	memset(y, 0, grid->cells * sizeof(*y));
	rc = add_up(p, t, line->above, fast, run, grid, y, any);
	if (!rc && line->below->len)
		rc = add_up(p, t, line->below, 0, run, grid, below, &also);
	for (guint i = 0; i < grid->cells; i++) {
		if (line->below->len)
			y[i] = below[i] > 0 ? y[i] / below[i] : NAN;
		t->most = fmax(t->most, y[i]); // fmax and fmin leave NANs out
		t->least = fmin(t->least, y[i]);
	}
	return rc;
}
