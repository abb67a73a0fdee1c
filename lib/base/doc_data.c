// Documents for programs: CSV (RFC 4180) and JSON. Numbers are raw; the unit is part of the column's key.
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc_internal.h"
#include "base/err.h"

// --- CSV: each section is a comment with its key, a line of column keys, the rows; an empty line between
// sections

static void csv_text(FILE *out, const char *text)
{
	g_autofree char *harmless = doc_harmless(text);

	if (!strpbrk(harmless, ",\"") && *harmless != ' ' && *harmless != '#') {
		fputs(harmless, out);
		return;
	}
	fputc('"', out);
	for (const char *p = harmless; *p; p++) {
		if (*p == '"')
			fputc('"', out);
		fputc(*p, out);
	}
	fputc('"', out);
}

// The shortest text that reads back as the same number, whatever the locale.
static void real_text(char *buf, size_t n, double value)
{
	for (int digits = 15; digits <= 17; digits++) {
		char format[8];

		g_snprintf(format, sizeof(format), "%%.%dg", digits);
		g_ascii_formatd(buf, (int)n, format, value);
		if (g_ascii_strtod(buf, NULL) == value)
			return;
	}
}

static void csv_cell(FILE *out, const struct cell *c)
{
	char buf[64];

	switch (c->kind) {
	case CELL_TEXT:
		csv_text(out, c->text);
		break;
	case CELL_INT:
		fprintf(out, "%" G_GINT64_FORMAT, c->i);
		break;
	case CELL_REAL:
		if (isfinite(c->r)) {
			real_text(buf, sizeof(buf), c->r);
			fputs(buf, out);
		}
		break;
	default:
		break; // not measured: an empty field
	}
}

int doc_print_csv(const struct doc *doc, FILE *out)
{
	for (guint i = 0; i < doc->sections->len; i++) {
		const struct doc_section *sec = doc_section_at(doc, i);

		fprintf(out, "%s# %s\r\n", i ? "\r\n" : "", sec->key);
		for (guint c = 0; c < sec->columns->len; c++) {
			fputs(c ? "," : "", out);
			csv_text(out, doc_column_at(sec, c)->key);
		}
		if (sec->columns->len)
			fputs("\r\n", out);
		for (guint r = 0; r < sec->rows->len; r++) {
			for (guint c = 0; c < sec->columns->len; c++) {
				fputs(c ? "," : "", out);
				csv_cell(out, doc_cell_at(sec, r, c));
			}
			fputs("\r\n", out);
		}
	}
	return 0;
}

// --- JSON

static json_t *json_valid(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);

	return json_string(valid);
}

static void set_cell(json_t *row, const char *key, const struct cell *c)
{
	g_autofree char *why_key = NULL;

	switch (c->kind) {
	case CELL_TEXT:
		json_object_set_new(row, key, json_valid(c->text));
		break;
	case CELL_INT:
		json_object_set_new(row, key, json_integer(c->i));
		break;
	case CELL_REAL:
		json_object_set_new(row, key, isfinite(c->r) ? json_real(c->r) : json_null());
		break;
	default:
		json_object_set_new(row, key, json_null());
		if (!c->why)
			break;
		why_key = g_strconcat(key, "_not_measured", NULL);
		json_object_set_new(row, why_key, json_valid(c->why));
	}
}

static json_t *json_section(const struct doc_section *sec)
{
	json_t *rows = json_array(), *notes = json_array();

	for (guint r = 0; r < sec->rows->len; r++) {
		json_t *row = json_object();

		for (guint c = 0; c < sec->columns->len; c++)
			set_cell(row, doc_column_at(sec, c)->key, doc_cell_at(sec, r, c));
		json_array_append_new(rows, row);
	}
	for (guint i = 0; i < sec->notes->len; i++)
		json_array_append_new(notes, json_valid(sec->notes->pdata[i]));
	return json_pack("{s:o, s:o}", "rows", rows, "notes", notes);
}

char *doc_json(const struct doc *doc, size_t indent)
{
	json_t *sections = json_object(), *root = json_object();
	char *text;

	for (guint i = 0; i < doc->sections->len; i++) {
		const struct doc_section *sec = doc_section_at(doc, i);

		json_object_set_new(sections, sec->key, json_section(sec));
	}
	json_object_set_new(root, "name", json_valid(doc->name));
	json_object_set_new(root, "sections", sections);
	text = json_dumps(root, (indent ? JSON_INDENT(indent) : JSON_COMPACT) | JSON_ENSURE_ASCII |
				    JSON_REAL_PRECISION(17));
	json_decref(root);
	return text;
}

int doc_print_json(const struct doc *doc, FILE *out)
{
	char *text = doc_json(doc, 2);

	if (!text)
		return err_set(-ENOMEM, "can't make JSON of the output");
	fputs(text, out);
	fputc('\n', out);
	free(text);
	return 0;
}
