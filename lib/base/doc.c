// Documents: building them, and values as people read them. The formats are in doc_text.c and doc_data.c.
#include "base/doc.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/doc_internal.h"
#include "base/err.h"

// --- building

static void free_cell(void *p)
{
	struct cell *c = p;

	g_free(c->text);
	g_free(c->why);
}

static void free_column(void *p)
{
	struct doc_column *c = p;

	g_free((char *)c->key);
	g_free((char *)c->title);
}

static void free_row(void *row)
{
	g_array_unref(row);
}

static void free_section(void *p)
{
	struct doc_section *sec = p;

	g_free(sec->key);
	g_free(sec->title);
	g_array_unref(sec->columns);
	g_ptr_array_unref(sec->rows);
	g_ptr_array_unref(sec->notes);
	g_free(sec);
}

struct doc *doc_new(const char *name)
{
	struct doc *doc = g_new0(struct doc, 1);

	doc->name = g_strdup(name);
	doc->sections = g_ptr_array_new_with_free_func(free_section);
	return doc;
}

void doc_free(struct doc *doc)
{
	if (!doc)
		return;
	g_ptr_array_unref(doc->sections);
	g_free(doc->name);
	g_free(doc);
}

struct doc_section *doc_section(struct doc *doc, const char *key, const char *title,
				const struct doc_column *columns, int n_columns)
{
	struct doc_section *sec = g_new0(struct doc_section, 1);

	sec->key = g_strdup(key);
	sec->title = g_strdup(title);
	sec->columns = g_array_new(FALSE, TRUE, sizeof(struct doc_column));
	g_array_set_clear_func(sec->columns, free_column);
	sec->rows = g_ptr_array_new_with_free_func(free_row);
	sec->notes = g_ptr_array_new_with_free_func(g_free);
	for (int i = 0; i < n_columns; i++) {
		struct doc_column c = {g_strdup(columns[i].key), g_strdup(columns[i].title), columns[i].unit};

		g_array_append_val(sec->columns, c);
	}
	g_ptr_array_add(doc->sections, sec);
	return sec;
}

void doc_vertical(struct doc_section *sec)
{
	sec->vertical = true;
}

void doc_row(struct doc_section *sec)
{
	GArray *row = g_array_sized_new(FALSE, TRUE, sizeof(struct cell), sec->columns->len);

	g_array_set_clear_func(row, free_cell);
	g_array_set_size(row, sec->columns->len);
	g_ptr_array_add(sec->rows, row);
	sec->filled = 0;
}

// A cell too many is a programming error: it is dropped, with a warning.
static void put(struct doc_section *sec, struct cell cell)
{
	GArray *row = sec->rows->len ? sec->rows->pdata[sec->rows->len - 1] : NULL;

	if (!row || sec->filled >= row->len) {
		g_warn_if_reached();
		free_cell(&cell);
		return;
	}
	g_array_index(row, struct cell, sec->filled++) = cell;
}

void doc_text(struct doc_section *sec, const char *fmt, ...)
{
	struct cell cell = {.kind = CELL_TEXT};
	va_list ap;

	va_start(ap, fmt);
	cell.text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	put(sec, cell);
}

void doc_int(struct doc_section *sec, int64_t value)
{
	put(sec, (struct cell){.kind = CELL_INT, .i = value});
}

void doc_real(struct doc_section *sec, double value)
{
	put(sec, (struct cell){.kind = CELL_REAL, .r = value});
}

void doc_none(struct doc_section *sec, const char *why)
{
	doc_none_as(sec, "not measured", why ? why : "no reason was given");
}

void doc_none_as(struct doc_section *sec, const char *word, const char *why)
{
	put(sec, (struct cell){.kind = CELL_NONE, .text = g_strdup(word), .why = g_strdup(why)});
}

void doc_note(struct doc_section *sec, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g_ptr_array_add(sec->notes, g_strdup_vprintf(fmt, ap));
	va_end(ap);
}

// --- text made harmless

// Characters that change how what follows is shown, or show nothing at all.
static bool is_harmful(gunichar c)
{
	GUnicodeType type = g_unichar_type(c);

	return type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR ||
	       type == G_UNICODE_PARAGRAPH_SEPARATOR || type == G_UNICODE_PRIVATE_USE ||
	       type == G_UNICODE_SURROGATE;
}

char *doc_harmless(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
	GString *s = g_string_sized_new(strlen(valid));

	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (!is_harmful(c))
			g_string_append_unichar(s, c);
		else if (c == '\n' || c == '\t')
			g_string_append(s, c == '\n' ? "\\n" : "\\t");
		else
			g_string_append_printf(s, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
	}
	return g_string_free(s, FALSE);
}

// --- numbers for people

// 1234567 → "1,234,567".
static char *grouped(double value)
{
	char digits[400];
	GString *s = g_string_new(NULL);
	size_t n;

	g_snprintf(digits, sizeof(digits), "%.0f", fabs(value));
	n = strlen(digits);
	if (value < 0 && strcmp(digits, "0"))
		g_string_append_c(s, '-');
	for (size_t i = 0; i < n; i++) {
		g_string_append_c(s, digits[i]);
		if (i + 1 < n && (n - i - 1) % 3 == 0)
			g_string_append_c(s, ',');
	}
	return g_string_free(s, FALSE);
}

// Three significant digits, never an exponent: 0.0123, 1.23, 12.3, 123, 1,235.
static char *three_digits(double value)
{
	double a = fabs(value);
	int decimals;
	char *text;

	if (a == 0)
		return g_strdup("0");
	if (a >= 999.5)
		return grouped(value);
	decimals = a >= 99.95 ? 0 : a >= 9.995 ? 1 : a >= 0.9995 ? 2 : 2 - (int)floor(log10(a * 1.0005));
	if (decimals > 12)
		return g_strdup_printf("%.2e", value);
	text = g_strdup_printf("%.*f", decimals, value);
	return text;
}

struct scale {
	double factor;
	const char *unit;
};

// The largest unit in which the rounded value is at least 1.
static char *scaled(double value, const struct scale *scales, int n)
{
	int i = n - 1;

	while (i > 0 && fabs(value) < scales[i].factor * 0.9995)
		i--;
	if (scales[i].factor == 1 && value == rint(value)) {
		g_autofree char *whole = grouped(value);

		return g_strdup_printf("%s %s", whole, scales[i].unit);
	}
	g_autofree char *digits = three_digits(value / scales[i].factor);
	return g_strdup_printf("%s %s", digits, scales[i].unit);
}

static char *ratio(double value)
{
	g_autofree char *digits = three_digits(value * 100);

	return g_strdup_printf("%s %%", digits);
}

// Signed, so that nobody has to guess what it is a change from.
static char *change(double value)
{
	g_autofree char *digits = three_digits(value * 100);

	return g_strdup_printf("%s%s %%", value > 0 && strcmp(digits, "0") ? "+" : "", digits);
}

static char *rate(double value)
{
	g_autofree char *digits = three_digits(value);

	return g_strdup_printf("%s/s", digits);
}

char *doc_number(double value, enum doc_unit unit)
{
	static const struct scale ns[] = {{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "s"}};
	static const struct scale bytes[] = {{1, "B"},        {0x1p10, "KiB"}, {0x1p20, "MiB"},
					     {0x1p30, "GiB"}, {0x1p40, "TiB"}, {0x1p50, "PiB"}};
	static const struct scale hz[] = {{1, "Hz"}, {1e3, "kHz"}, {1e6, "MHz"}, {1e9, "GHz"}};

	if (!isfinite(value))
		return g_strdup(isnan(value) ? "not a number" : value < 0 ? "-infinite" : "infinite");
	switch (unit) {
	case DOC_COUNT:
		return grouped(value);
	case DOC_NS:
		return scaled(value, ns, G_N_ELEMENTS(ns));
	case DOC_BYTES:
		return scaled(value, bytes, G_N_ELEMENTS(bytes));
	case DOC_HZ:
		return scaled(value, hz, G_N_ELEMENTS(hz));
	case DOC_RATIO:
		return ratio(value);
	case DOC_CHANGE:
		return change(value);
	case DOC_RATE:
		return rate(value);
	default:
		return three_digits(value);
	}
}

// Every digit of an integer: a double holds 53 bits of it.
static char *grouped_int(int64_t value)
{
	g_autofree char *digits = g_strdup_printf("%" G_GINT64_FORMAT, value);
	GString *s = g_string_new(NULL);
	size_t n = strlen(digits);

	for (size_t i = 0; i < n; i++) {
		g_string_append_c(s, digits[i]);
		if (digits[i] != '-' && i + 1 < n && (n - i - 1) % 3 == 0)
			g_string_append_c(s, ',');
	}
	return g_string_free(s, FALSE);
}

char *doc_cell_text(const struct cell *c, enum doc_unit unit)
{
	switch (c->kind) {
	case CELL_TEXT:
	case CELL_NONE:
		return doc_harmless(c->text);
	case CELL_INT:
		if (unit == DOC_PLAIN)
			return g_strdup_printf("%" G_GINT64_FORMAT, c->i);
		return unit == DOC_COUNT ? grouped_int(c->i) : doc_number((double)c->i, unit);
	case CELL_REAL:
		return doc_number(c->r, unit);
	default:
		return g_strdup("");
	}
}

// --- formats

int doc_format_parse(const char *name, enum doc_format *format)
{
	static const char *const names[] = {[DOC_TEXT] = "text", [DOC_MARKDOWN] = "md", [DOC_CSV] = "csv",
					    [DOC_JSON] = "json", [DOC_LATEX] = "latex", [DOC_HTML] = "html"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(name, names[i])) {
			*format = (enum doc_format)i;
			return 0;
		}
	return err_set(-EINVAL, "unknown format \"%s\": text, md, csv, json, latex or html", name);
}

int doc_print(const struct doc *doc, enum doc_format format, FILE *out)
{
	static int (*const print[])(const struct doc *, FILE *) = {
	    [DOC_TEXT] = doc_print_text, [DOC_MARKDOWN] = doc_print_markdown, [DOC_CSV] = doc_print_csv,
	    [DOC_JSON] = doc_print_json, [DOC_LATEX] = doc_print_latex,       [DOC_HTML] = doc_print_html,
	};
	int rc;

	errno = 0;
	rc = print[format](doc, out);
	if (!rc && (fflush(out) || ferror(out)))
		rc = err_set(-(errno ? errno : EIO), "can't write the output: %s",
			     g_strerror(errno ? errno : EIO));
	return rc;
}
