// Data files: tab-separated values with one header line, for gnuplot and for whoever wants the numbers. Texts
// stand last, so that whatever they contain no number is moved to another column.
#include "plot/internal.h"

struct table *table_new(const char *columns)
{
	struct table *t = g_new0(struct table, 1);

	t->text = g_string_new(columns);
	g_strdelimit(t->text->str, " ", '\t');
	g_string_append_c(t->text, '\n');
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	g_string_free(t->text, TRUE);
	g_free(t);
}

static void next(struct table *t)
{
	if (t->column++)
		g_string_append_c(t->text, '\t');
}

void table_int(struct table *t, int64_t value)
{
	next(t);
	g_string_append_printf(t->text, "%" PRId64, value);
}

void table_real(struct table *t, double value)
{
	char buf[G_ASCII_DTOSTR_BUF_SIZE];

	next(t);
	g_string_append(t->text, isfinite(value) ? g_ascii_formatd(buf, sizeof(buf), "%.9g", value) : "NaN");
}

void table_text(struct table *t, const char *value)
{
	g_autofree char *clean = text_clean(value);

	next(t);
	if (!strchr(clean, '"')) {
		g_string_append(t->text, clean);
		return;
	}
	g_string_append_c(t->text, '"');
	for (const char *p = clean; *p; p++)
		g_string_append(t->text, *p == '"' ? "\"\"" : (char[]){*p, 0});
	g_string_append_c(t->text, '"');
}

void table_end(struct table *t)
{
	g_string_append_c(t->text, '\n');
	t->column = 0;
	t->rows++;
}

void table_gap(struct table *t, int lines)
{
	while (lines-- > 0)
		g_string_append_c(t->text, '\n');
}
