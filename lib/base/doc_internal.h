// What the files doc*.c share: the document in memory and how a value is written for people.
#ifndef MMPROF_BASE_DOC_INTERNAL_H
#define MMPROF_BASE_DOC_INTERNAL_H

#include <glib.h>
#include <stdbool.h>

#include "base/doc.h"

enum cell_kind { CELL_BLANK, CELL_TEXT, CELL_INT, CELL_REAL, CELL_NONE };

struct cell {
	enum cell_kind kind;
	int64_t i;
	double r;
	char *text; // CELL_TEXT: the text; CELL_NONE: the word for people
	char *why;  // CELL_NONE; may be NULL
};

struct doc_section {
	char *key, *title;
	GArray *columns; // struct doc_column, strings of its own
	GPtrArray *rows; // GArray of struct cell, each as long as columns
	GPtrArray *notes;
	guint filled; // cells of the last row
	bool vertical;
};

struct doc {
	char *name;
	GPtrArray *sections;
};

static inline const struct doc_section *doc_section_at(const struct doc *doc, guint i)
{
	return doc->sections->pdata[i];
}

static inline const struct doc_column *doc_column_at(const struct doc_section *sec, guint i)
{
	return &g_array_index(sec->columns, struct doc_column, i);
}

static inline const struct cell *doc_cell_at(const struct doc_section *sec, guint row, guint column)
{
	return &g_array_index((GArray *)sec->rows->pdata[row], struct cell, column);
}

// A cell for people, without control characters or anything else that a terminal would obey. g_free it.
char *doc_cell_text(const struct cell *cell, enum doc_unit unit);

// A number for people: value and unit. g_free it.
char *doc_number(double value, enum doc_unit unit);

int doc_print_text(const struct doc *doc, FILE *out);
int doc_print_markdown(const struct doc *doc, FILE *out);
int doc_print_csv(const struct doc *doc, FILE *out);
int doc_print_json(const struct doc *doc, FILE *out);
int doc_print_latex(const struct doc *doc, FILE *out);
int doc_print_html(const struct doc *doc, FILE *out);

#endif
