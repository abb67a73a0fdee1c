// Reads the embedded catalogue once; see catalog.h for its form.
#include "probe/catalog.h"

#include <string.h>

extern const char embed_catalog[];

static char **split_targets(const char *kind, const char *text)
{
	char **t = g_strsplit(text, strcmp(kind, "func") && strcmp(kind, "tp") ? "," : "|", -1);

	for (char **p = t; *p; p++)
		g_strstrip(*p);
	return t;
}

static struct catalog_entry *parse_line(const char *group, const char *line)
{
	char **field = g_strsplit(line, ";", 6);
	struct catalog_entry *e;

	if (g_strv_length(field) != 6)
		g_error("probes/catalog/%s: not six fields: %s", group, line);
	for (char **p = field; *p; p++)
		g_strstrip(*p);
	e = g_new0(struct catalog_entry, 1);
	*e = (struct catalog_entry){.group = group,
				    .name = field[0],
				    .kind = field[1],
				    .targets = split_targets(field[1], field[2]),
				    .kernels = field[3],
				    .flags = field[4],
				    .what = field[5]};
	g_free(field[2]);
	g_free(field); // the strings are the entry's now
	return e;
}

static GPtrArray *parse(void)
{
	GPtrArray *entries = g_ptr_array_new();
	g_auto(GStrv) line = g_strsplit(embed_catalog, "\n", -1);
	const char *group = "";

	for (char **p = line; *p; p++) {
		if (g_str_has_prefix(*p, "@ "))
			group = g_intern_string(*p + 2);
		else if (**p && **p != '#')
			g_ptr_array_add(entries, parse_line(group, *p));
	}
	return entries;
}

const GPtrArray *catalog(void)
{
	static GPtrArray *entries;

	if (!entries)
		entries = parse();
	return entries;
}

const struct catalog_entry *catalog_find(const char *name)
{
	const GPtrArray *all = catalog();

	for (guint i = 0; i < all->len; i++) {
		const struct catalog_entry *e = all->pdata[i];

		if (!strcmp(e->name, name))
			return e;
	}
	return NULL;
}

bool catalog_has_group(const char *group)
{
	const GPtrArray *all = catalog();

	for (guint i = 0; i < all->len; i++)
		if (!strcmp(((const struct catalog_entry *)all->pdata[i])->group, group))
			return true;
	return false;
}

char *catalog_flag_value(const struct catalog_entry *entry, const char *key)
{
	g_auto(GStrv) flag = g_strsplit(entry->flags, ",", -1);
	size_t n = strlen(key);

	for (char **p = flag; *p; p++) {
		g_strstrip(*p);
		if (!strncmp(*p, key, n) && ((*p)[n] == '=' || !(*p)[n]))
			return g_strdup((*p)[n] ? *p + n + 1 : "");
	}
	return NULL;
}

bool catalog_flag(const struct catalog_entry *entry, const char *flag)
{
	g_autofree char *value = catalog_flag_value(entry, flag);

	return value != NULL;
}
