// Documents for people: aligned text and Markdown. Widths are in terminal columns, not bytes.
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/doc_internal.h"

#define INDENT 2
#define GAP 2
#define UNLIMITED (INT_MAX / 2)
#define NOTE_WIDTH 110
#define LEAST_WRAP 24 // no column of text is made narrower than this

struct style {
	int width;
	const char *bold, *plain; // escape sequences or ""
};

static int char_width(gunichar c)
{
	return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

static int text_width(const char *text)
{
	int width = 0;

	for (const char *p = text; *p; p = g_utf8_next_char(p))
		width += char_width(g_utf8_get_char(p));
	return width;
}

// A terminal's width holds; what goes to a file or a pipe keeps each row on one line, unless COLUMNS says
// otherwise.
static struct style style_of(FILE *out)
{
	struct style style = {UNLIMITED, "", ""};
	const char *term = getenv("TERM"), *columns = getenv("COLUMNS");
	struct winsize size;
	guint64 n;

	if (columns && g_ascii_string_to_unsigned(columns, 10, 40, 10000, &n, NULL))
		style.width = (int)n;
	if (!isatty(fileno(out)))
		return style;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		style.width = size.ws_col;
	if (!getenv("NO_COLOR") && term && strcmp(term, "dumb"))
		style.bold = "\033[1m", style.plain = "\033[0m";
	return style;
}

static void spaces(FILE *out, int n)
{
	for (int i = 0; i < n; i++)
		fputc(' ', out);
}

// The length in bytes of what fits into `width`, cut at a blank if there is one; without one, a word that is
// too long is left whole, or cut if `hard`.
static size_t fitting(const char *text, int width, bool hard)
{
	const char *blank = NULL;
	int used = 0;

	for (const char *p = text; *p; p = g_utf8_next_char(p)) {
		used += char_width(g_utf8_get_char(p));
		if (*p == ' ' && (used <= width || !blank))
			blank = p;
		if (used > width && blank)
			return (size_t)(blank - text);
		if (used > width && hard && p > text)
			return (size_t)(p - text);
	}
	return strlen(text);
}

// The lines of a text, none wider than `width`.
static GPtrArray *lines_of(const char *text, int width, bool hard)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	do {
		size_t n = fitting(text, width, hard);

		g_ptr_array_add(lines, g_strndup(text, n));
		text += n;
		text += strspn(text, " ");
	} while (*text);
	return lines;
}

// Prints text that starts in column `indent`, its further lines below its beginning.
static void wrapped(FILE *out, const char *text, int indent, int width)
{
	g_autoptr(GPtrArray) lines = lines_of(text, MAX(width - indent, LEAST_WRAP), false);

	for (guint i = 0; i < lines->len; i++) {
		if (i)
			spaces(out, indent);
		fprintf(out, "%s\n", (char *)lines->pdata[i]);
	}
}

static bool is_right(const struct doc_section *sec, guint column)
{
	return doc_column_at(sec, column)->unit != DOC_PLAIN;
}

// --- tables

struct grid {
	guint rows, columns;    // without the heading
	char **heading, **text; // text[row * columns + column]
	int *width;
};

static void grid_fill(struct grid *g, const struct doc_section *sec)
{
	g->rows = sec->rows->len;
	g->columns = sec->columns->len;
	g->heading = g_new0(char *, g->columns + 1);
	g->text = g_new0(char *, (gsize)g->rows * g->columns + 1);
	g->width = g_new0(int, g->columns + 1);
	for (guint c = 0; c < g->columns; c++) {
		g->heading[c] = doc_harmless(doc_column_at(sec, c)->title);
		g->width[c] = text_width(g->heading[c]);
		for (guint r = 0; r < g->rows; r++) {
			char *text = doc_cell_text(doc_cell_at(sec, r, c), doc_column_at(sec, c)->unit);

			g->text[r * g->columns + c] = text;
			g->width[c] = MAX(g->width[c], text_width(text));
		}
	}
}

static void grid_clear(struct grid *g)
{
	for (guint c = 0; c < g->columns; c++)
		g_free(g->heading[c]);
	for (gsize i = 0; i < (gsize)g->rows * g->columns; i++)
		g_free(g->text[i]);
	g_free(g->heading);
	g_free(g->text);
	g_free(g->width);
}

// Narrows the widest columns of text until the table fits; numbers are never cut.
static void grid_fit(struct grid *g, const struct doc_section *sec, int width)
{
	int total = INDENT - GAP;

	for (guint c = 0; c < g->columns; c++)
		total += g->width[c] + GAP;
	for (; total > width; total--) {
		guint widest = g->columns;

		for (guint c = 0; c < g->columns; c++)
			if (!is_right(sec, c) && g->width[c] > LEAST_WRAP &&
			    (widest == g->columns || g->width[c] > g->width[widest]))
				widest = c;
		if (widest == g->columns)
			return;
		g->width[widest]--;
	}
}

// One line of a row; `lines` holds those of each cell.
static void print_line(FILE *out, const struct doc_section *sec, const struct grid *g, GPtrArray **lines,
		       guint at)
{
	int pending = INDENT;

	for (guint c = 0; c < g->columns; c++) {
		const char *text = at < lines[c]->len ? lines[c]->pdata[at] : "";
		int pad = MAX(g->width[c] - text_width(text), 0);

		if (is_right(sec, c))
			pending += pad;
		if (*text) {
			spaces(out, pending);
			fputs(text, out);
			pending = 0;
		}
		if (!is_right(sec, c))
			pending += pad;
		pending += GAP;
	}
	fputc('\n', out);
}

static void print_row(FILE *out, const struct doc_section *sec, const struct grid *g, char **cells)
{
	g_autofree GPtrArray **lines = g_new0(GPtrArray *, g->columns + 1);
	guint height = 1;

	for (guint c = 0; c < g->columns; c++) {
		lines[c] = lines_of(cells[c], g->width[c], c + 1 < g->columns);
		height = MAX(height, lines[c]->len);
	}
	for (guint at = 0; at < height; at++)
		print_line(out, sec, g, lines, at);
	for (guint c = 0; c < g->columns; c++)
		g_ptr_array_unref(lines[c]);
}

// A long text that repeats the one above it, where space is short.
static bool is_same(const struct grid *g, guint row, guint column, const struct style *style)
{
	const char *text = g->text[(gsize)row * g->columns + column];

	return row > 0 && style->width < UNLIMITED && text_width(text) > 2 * LEAST_WRAP &&
	       !strcmp(text, g->text[(gsize)(row - 1) * g->columns + column]);
}

static void print_table(FILE *out, const struct doc_section *sec, struct grid *g, const struct style *style)
{
	g_autofree char **cells = g_new0(char *, g->columns + 1);

	grid_fit(g, sec, style->width);
	print_row(out, sec, g, g->heading);
	for (guint r = 0; r < g->rows; r++) {
		for (guint c = 0; c < g->columns; c++)
			cells[c] =
			    is_same(g, r, c, style) ? "(the same)" : g->text[(gsize)r * g->columns + c];
		print_row(out, sec, g, cells);
	}
}

static void print_vertical(FILE *out, const struct grid *g, const struct style *style)
{
	int width = 0;

	for (guint c = 0; c < g->columns; c++)
		width = MAX(width, text_width(g->heading[c]));
	for (guint r = 0; r < g->rows; r++) {
		for (guint c = 0; c < g->columns; c++) {
			const char *text = g->text[(gsize)r * g->columns + c];

			if (!*text)
				continue;
			spaces(out, INDENT);
			fputs(g->heading[c], out);
			spaces(out, width - text_width(g->heading[c]) + GAP);
			wrapped(out, text, INDENT + width + GAP, style->width);
		}
		if (r + 1 < g->rows)
			fputc('\n', out);
	}
}

static void print_section(FILE *out, const struct doc_section *sec, const struct style *style)
{
	g_autofree char *title = doc_harmless(sec->title);
	struct grid grid = {};

	fprintf(out, "%s%s%s\n", style->bold, title, style->plain);
	grid_fill(&grid, sec);
	if (sec->vertical)
		print_vertical(out, &grid, style);
	else if (grid.rows)
		print_table(out, sec, &grid, style);
	grid_clear(&grid);
	for (guint i = 0; i < sec->notes->len; i++) {
		g_autofree char *note = doc_harmless(sec->notes->pdata[i]);

		spaces(out, INDENT);
		wrapped(out, note, INDENT, MIN(style->width, NOTE_WIDTH));
	}
}

int doc_print_text(const struct doc *doc, FILE *out)
{
	struct style style = style_of(out);

	for (guint i = 0; i < doc->sections->len; i++) {
		if (i)
			fputc('\n', out);
		print_section(out, doc_section_at(doc, i), &style);
	}
	return 0;
}

// --- Markdown (GitHub's tables)

static char *markdown(const char *text)
{
	g_autofree char *harmless = doc_harmless(text);
	GString *s = g_string_new(NULL);

	for (const char *p = harmless; *p; p++) {
		if (strchr("\\|`*<>[]", *p))
			g_string_append_c(s, '\\');
		g_string_append_c(s, *p);
	}
	return g_string_free(s, FALSE);
}

static void markdown_row(FILE *out, char **cells, guint n)
{
	fputc('|', out);
	for (guint c = 0; c < n; c++) {
		g_autofree char *text = markdown(cells[c]);

		fprintf(out, " %s |", text);
	}
	fputc('\n', out);
}

static void markdown_table(FILE *out, const struct doc_section *sec, const struct grid *g)
{
	markdown_row(out, g->heading, g->columns);
	fputc('|', out);
	for (guint c = 0; c < g->columns; c++)
		fputs(is_right(sec, c) ? "---:|" : "---|", out);
	fputc('\n', out);
	for (guint r = 0; r < g->rows; r++)
		markdown_row(out, g->text + (gsize)r * g->columns, g->columns);
}

static void markdown_vertical(FILE *out, const struct grid *g)
{
	fputs("| | |\n|---|---|\n", out);
	for (guint r = 0; r < g->rows; r++)
		for (guint c = 0; c < g->columns; c++) {
			char *pair[] = {g->heading[c], g->text[(gsize)r * g->columns + c]};

			if (*pair[1])
				markdown_row(out, pair, 2);
		}
}

static void markdown_section(FILE *out, const struct doc_section *sec)
{
	g_autofree char *title = markdown(sec->title);
	struct grid grid = {};

	fprintf(out, "## %s\n", title);
	grid_fill(&grid, sec);
	if (grid.rows)
		fputc('\n', out);
	if (grid.rows && sec->vertical)
		markdown_vertical(out, &grid);
	else if (grid.rows)
		markdown_table(out, sec, &grid);
	grid_clear(&grid);
	for (guint i = 0; i < sec->notes->len; i++) {
		g_autofree char *note = markdown(sec->notes->pdata[i]);

		fprintf(out, "\n%s\n", note);
	}
}

int doc_print_markdown(const struct doc *doc, FILE *out)
{
	for (guint i = 0; i < doc->sections->len; i++) {
		if (i)
			fputc('\n', out);
		markdown_section(out, doc_section_at(doc, i));
	}
	return 0;
}
