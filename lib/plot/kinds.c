// Systems of which there is more than one kind: in the picture, where room is short, a kind is a mark behind
// the name; the caption says what it means.
#include "plot/internal.h"

// The kinds of the selected runs' systems, in order of appearance.
static GPtrArray *kinds(const struct plot *p)
{
	GPtrArray *out = g_ptr_array_new();

	for (guint i = 0; i < p->selection->runs->len; i++) {
		const char *kind = g_array_index(p->selection->runs, struct store_run_row, i).system_kind;

		if (kind && !g_ptr_array_find_with_equal_func(out, kind, g_str_equal, NULL))
			g_ptr_array_add(out, (void *)kind);
	}
	return out;
}

static const char *mark(guint i)
{
	static const char stars[] = "********";

	return stars + sizeof(stars) - 1 - MIN(i + 1, sizeof(stars) - 1);
}

const char *kinds_marked(const struct plot *p, const char *text)
{
	g_autoptr(GPtrArray) all = kinds(p);

	for (guint i = 0; i < all->len; i++) {
		g_autofree char *kind = g_strdup_printf(" (%s)", (char *)all->pdata[i]), *out = NULL;

		if (!g_str_has_suffix(text, kind))
			continue;
		out = g_strdup_printf("%.*s%s", (int)(strlen(text) - strlen(kind)), text, mark(i));
		return g_intern_string(out);
	}
	return text;
}

static void mark_each(struct plot *p, GPtrArray *names)
{
	for (guint i = 0; i < names->len; i++)
		names->pdata[i] = (void *)kinds_marked(p, names->pdata[i]);
}

void kinds_mark(struct plot *p)
{
	g_autoptr(GPtrArray) all = kinds(p);

	for (guint i = 0; i < all->len; i++) {
		g_autofree char *kind = text_clean(all->pdata[i]);

		plot_remark(p, "%s %s", mark(i), kind);
	}
	mark_each(p, p->lines);
	mark_each(p, p->groups);
	mark_each(p, p->slots);
	mark_each(p, p->panels);
}
