// What a command shows: a document of sections, each a table of typed cells and some notes, printed as
// text, Markdown, LaTeX, HTML, CSV or JSON from the same data. Text is for people (units scaled, columns
// aligned); CSV and JSON carry raw numbers, the unit being part of the column's key (`elapsed_ns`).
#ifndef MMPROF_BASE_DOC_H
#define MMPROF_BASE_DOC_H

#include <stdint.h>
#include <stdio.h>

enum doc_format { DOC_TEXT, DOC_MARKDOWN, DOC_CSV, DOC_JSON, DOC_LATEX, DOC_HTML };

// How a column's numbers are shown to people; raw in CSV and JSON.
enum doc_unit {
	DOC_PLAIN,  // text, left-aligned
	DOC_COUNT,  // integer with thousands separators
	DOC_NS,     // duration in nanoseconds: 312 ns, 1.42 us, 3.10 ms, 12.4 s
	DOC_BYTES,  // 4.00 KiB, 1.25 GiB
	DOC_HZ,     // 2.40 GHz
	DOC_RATIO,  // 0.1234 shown as 12.3 %
	DOC_CHANGE, // -0.051 shown as -5.1 %, 0.2 as +20.0 %
	DOC_RATE,   // per second
	DOC_NUMBER, // real, three significant digits
};

struct doc_column {
	const char *key;   // machine name with unit suffix: snake_case
	const char *title; // heading for people
	enum doc_unit unit;
};

struct doc;
struct doc_section;

// A new document; `name` is what it is about. Free with doc_free(). Strings are always copied.
struct doc *doc_new(const char *name);
void doc_free(struct doc *doc);

// Adds a section (a table; no columns means notes only). The document owns it.
struct doc_section *doc_section(struct doc *doc, const char *key, const char *title,
				const struct doc_column *columns, int n_columns);

// In text and Markdown each row of this section is shown as a list of "title value" lines: for one row with
// many columns.
void doc_vertical(struct doc_section *sec);

// Starts a row; cells are then filled from left to right. A row with fewer cells is padded with blanks.
void doc_row(struct doc_section *sec);
void doc_text(struct doc_section *sec, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doc_int(struct doc_section *sec, int64_t value);
void doc_real(struct doc_section *sec, double value);
// A cell whose value was not measured: shown as "not measured" (JSON null, with `why` beside it).
void doc_none(struct doc_section *sec, const char *why);
// The same with another word for people: "below floor". An empty word leaves the cell blank, and if `why` is
// NULL, JSON has a plain null.
void doc_none_as(struct doc_section *sec, const char *word, const char *why);

// A remark under the section's table, one sentence or two.
void doc_note(struct doc_section *sec, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// A picture of an HTML page.
struct doc_figure {
	const char *title, *svg;
};

// The document as one HTML page that needs nothing else, its figures after the first section.
int doc_print_page(const struct doc *doc, const struct doc_figure *figures, int n_figures, FILE *out);

// "text", "md", "csv", "json", "latex", "html" → format; -EINVAL with an err chain for anything else.
int doc_format_parse(const char *name, enum doc_format *format);

// The document as JSON, on one line if `indent` is 0: ASCII, and each number reads back as it was. free() it;
// NULL: no memory.
char *doc_json(const struct doc *doc, size_t indent);

// Text of any origin made harmless and visible: "\x1b[2J" for an escape sequence. g_free it.
char *doc_harmless(const char *text);

// Prints the whole document. Returns 0 or a negative errno (a full disk, a closed pipe).
int doc_print(const struct doc *doc, enum doc_format format, FILE *out);

#endif
