// Templates: the comment lines "# key: value" at the head of a .gp file say what the figure shows and which
// data it is drawn from; the rest is gnuplot. docs/mmprof-plot.1.scd describes them.
#include "plot/internal.h"

// The embedded templates: each begins with a line "@ NAME.gp".
static const char *next_embedded(const char *p, char **name, char **text)
{
	const char *end, *line;

	if (!*p)
		return NULL;
	line = strchr(p, '\n');
	*name = g_strndup(p + 2, line - p - 2 - strlen(".gp"));
	end = strstr(line, "\n@ ");
	end = end ? end + 1 : line + strlen(line);
	*text = g_strndup(line + 1, end - line - 1);
	return end;
}

const char *template_embedded(const char *name)
{
	static GHashTable *all;

	if (!all) {
		char *key, *text;

		all = g_hash_table_new(g_str_hash, g_str_equal);
		for (const char *p = embed_plots; (p = next_embedded(p, &key, &text));)
			g_hash_table_insert(all, key, text);
	}
	return g_hash_table_lookup(all, name);
}

const struct plot_figure *plot_figures(void)
{
	static GArray *list;
	char *name, *text;

	if (list)
		return (const struct plot_figure *)list->data;
	list = g_array_new(TRUE, TRUE, sizeof(struct plot_figure));
	for (const char *p = embed_plots; (p = next_embedded(p, &name, &text)); g_free(name), g_free(text)) {
		struct template *t = NULL;
		struct plot_figure f;

		if (!strstr(text, "# what:") || template_parse(name, text, &t))
			continue;
		f = (struct plot_figure){g_strdup(t->name), g_strdup(t->what), g_strdup(t->needs)};
		g_array_append_val(list, f);
		template_free(t);
	}
	return (const struct plot_figure *)list->data;
}

// --- one header line

static int parse_data(struct template *t, const char *name, const char *value)
{
	struct template_data d = {};
	const char *end = value + strcspn(value, " \t");

	for (const struct plot_source *s = plot_sources; s->name; s++)
		if (strlen(s->name) == (size_t)(end - value) && !strncmp(s->name, value, end - value))
			d.source = g_strdup(s->name);
	if (!d.source)
		return err_set(-EINVAL, "\"%.*s\" is no source of data", (int)(end - value), value);
	for (const char *p = name; *p; p++)
		if (!g_ascii_isalpha(*p) && *p != '_') {
			g_free(d.source);
			return err_set(-EINVAL, "data \"%s\": a name is made of letters and _", name);
		}
	d.name = g_strdup(name);
	d.args = g_strstrip(g_strdup(end));
	g_array_append_val(t->data, d);
	return 0;
}

static int parse_part(struct template *t, const char *value)
{
	g_auto(GStrv) sides = g_strsplit(value, "=", 2);
	struct template_part part = {};

	if (!sides[0] || !sides[1] || !*g_strstrip(sides[0]) || !*g_strstrip(sides[1]))
		return err_set(-EINVAL, "part: LABEL = NAME [+ NAME...]");
	part.label = g_strdup(sides[0]);
	part.terms = g_strsplit(sides[1], " + ", -1);
	for (char **term = part.terms; *term; term++)
		g_strstrip(*term);
	g_array_append_val(t->parts, part);
	return 0;
}

static int parse_number(const char *value, double *number)
{
	char *end;

	*number = g_ascii_strtod(value, &end);
	return *end || !(*number >= 0.3 && *number <= 20) ? err_set(-EINVAL, "\"%s\": from 0.3 to 20", value)
							  : 0;
}

static int parse_columns(const char *value, guint *columns)
{
	guint64 n;

	if (!g_ascii_string_to_unsigned(value, 10, 1, 8, &n, NULL))
		return err_set(-EINVAL, "columns: 1 to 8");
	*columns = (guint)n;
	return 0;
}

static int parse_line(struct template *t, const char *key, const char *value)
{
	struct {
		const char *key;
		char **field;
	} texts[] = {{"what", &t->what},     {"needs", &t->needs}, {"metric", &t->metric},
		     {"probe", &t->probe},   {"class", &t->class}, {"series", &t->series},
		     {"legend", &t->legend}, {"y", &t->y},         {"panels", &t->panels}};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (strcmp(key, texts[i].key))
			continue;
		g_free(*texts[i].field);
		*texts[i].field = g_strdup(value);
		return 0;
	}
	if (!strcmp(key, "height"))
		return parse_number(value, &t->height);
	if (!strcmp(key, "panel height"))
		return parse_number(value, &t->panel_height);
	if (!strcmp(key, "y room"))
		return parse_number(value, &t->y_room);
	if (!strcmp(key, "columns"))
		return parse_columns(value, &t->columns);
	if (!strcmp(key, "part"))
		return parse_part(t, value);
	if (g_str_has_prefix(key, "data "))
		return parse_data(t, key + strlen("data "), value);
	return err_set(-EINVAL, "unknown key \"%s\"", key);
}

// --- a template

static void clear_data(void *p)
{
	struct template_data *d = p;

	g_free(d->name);
	g_free(d->source);
	g_free(d->args);
}

static void clear_part(void *p)
{
	struct template_part *part = p;

	g_free(part->label);
	g_strfreev(part->terms);
}

void template_free(struct template *t)
{
	char **fields[] = {&t->name,   &t->what,   &t->needs, &t->metric, &t->probe, &t->class,
			   &t->series, &t->legend, &t->y,     &t->panels, &t->body};

	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		g_free(*fields[i]);
	g_array_unref(t->data);
	g_array_unref(t->parts);
	g_free(t);
}

// A line "# key: value" with the lines "#  more" below it. Others are remarks: they begin with a capital
// letter.
static int parse_header_line(struct template *t, char **line)
{
	g_autoptr(GString) text = g_string_new(*line + 2);
	char *colon;

	for (char **more = line + 1; *more && g_str_has_prefix(*more, "#  "); more++)
		g_string_append_printf(text, " %s", g_strstrip(*more + 3));
	colon = strstr(text->str, ": ");
	if (!colon || strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ( ", *text->str))
		return 0;
	*colon = 0;
	return parse_line(t, text->str, g_strstrip(colon + 2));
}

static int check(const struct template *t)
{
	static const char *const legends[] = {"boxes",   "lines", "points", "linespoints",
					      "colours", "none",  NULL};

	if (!t->what || !t->data->len)
		return err_set(-EINVAL,
			       "%s.gp: its first lines must have \"# what: ...\" and \"# data NAME: SOURCE\"",
			       t->name);
	if (!g_strv_contains(legends, t->legend))
		return err_set(-EINVAL,
			       "%s.gp: legend \"%s\": boxes, lines, points, linespoints, colours or none",
			       t->name, t->legend);
	return 0;
}

// The header ends at the first line that is not a comment.
int template_parse(const char *name, const char *text, struct template **out)
{
	struct template *t = g_new0(struct template, 1);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	int rc = 0;

	*t = (struct template){.name = g_strdup(name), .height = 2, .panel_height = 1.5, .y_room = 2.6};
	t->data = g_array_new(FALSE, FALSE, sizeof(struct template_data));
	t->parts = g_array_new(FALSE, FALSE, sizeof(struct template_part));
	g_array_set_clear_func(t->data, clear_data);
	g_array_set_clear_func(t->parts, clear_part);
	for (char **line = lines; !rc && *line && **line == '#'; line++) {
		rc = g_str_has_prefix(*line, "# ") ? parse_header_line(t, line) : 0;
		if (rc)
			rc = err_add(rc, "%s.gp, line %d", name, (int)(line - lines) + 1);
	}
	t->body = g_strdup(text);
	t->needs = t->needs ?: g_strdup("");
	t->legend = t->legend ?: g_strdup("lines");
	if (!rc)
		rc = check(t);
	if (rc)
		template_free(t);
	else
		*out = t;
	return rc;
}

// --- finding one

static int from_file(const char *path, struct template **t)
{
	g_autofree char *text = NULL, *name = g_path_get_basename(path), *clean = NULL;
	g_autoptr(GError) error = NULL;

	if (g_str_has_suffix(name, ".gp"))
		name[strlen(name) - strlen(".gp")] = 0;
	clean = text_clean(name);
	if (strcmp(clean, name))
		return err_set(-EINVAL, "\"%s\" is no name for a figure", clean);
	if (!g_file_get_contents(path, &text, NULL, &error))
		return err_set(-ENOENT, "%s", error->message);
	if (!g_utf8_validate(text, -1, NULL))
		return err_set(-EINVAL, "%s: no UTF-8 text", path);
	return template_parse(name, text, t);
}

int template_find(const char *figure, struct template **t)
{
	const char *text;

	if (strchr(figure, '/') || g_str_has_suffix(figure, ".gp"))
		return from_file(figure, t);
	text = template_embedded(figure);
	if (!text || !strstr(text, "# what:"))
		return err_set(-ENOENT, "no figure \"%s\": `mmprof list figures` names them", figure);
	return template_parse(figure, text, t);
}
