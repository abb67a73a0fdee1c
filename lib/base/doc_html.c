// Documents for browsers: one page that needs nothing else. All text is escaped; a figure is an image of its
// own, so that nothing in it can run.
#include <string.h>

#include "base/doc_internal.h"

static const char style[] =
    "body{font:15px/1.45 system-ui,sans-serif;color:#222;max-width:75em;margin:2em auto;padding:0 1em}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin:2em 0 .5em}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9em}"
    "th,td{padding:.2em .8em .2em 0;text-align:left;vertical-align:top}"
    "th{border-bottom:1.5px solid #222;font-weight:600}td{border-bottom:1px solid #e4e4e4}"
    ".n{text-align:right}.none{color:#888;font-style:italic}p.note{color:#555;margin:.4em 0;max-width:60em}"
    ".scroll{overflow-x:auto}figure{margin:1.5em "
    "0}figcaption{color:#555;font-size:.9em}img{width:100%;max-width:70em}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}th{border-color:#ddd}"
    "td{border-color:#333}p.note,figcaption{color:#aaa}img{background:#fff}}";

static void escaped(FILE *out, const char *text)
{
	g_autofree char *harmless = doc_harmless(text), *markup = g_markup_escape_text(harmless, -1);

	fputs(markup, out);
}

static void cell(FILE *out, const struct cell *c, enum doc_unit unit, bool in_column)
{
	bool number = in_column && (c->kind == CELL_INT || c->kind == CELL_REAL);
	g_autofree char *text = doc_cell_text(c, unit);

	fprintf(out, "<td class=\"%s\"", number ? "n" : c->kind == CELL_NONE ? "none" : "");
	if (c->why) {
		fputs(" title=\"", out);
		escaped(out, c->why);
		fputs("\"", out);
	}
	fputs(">", out);
	escaped(out, text);
	fputs("</td>", out);
}

static void across(FILE *out, const struct doc_section *sec)
{
	fputs("<div class=\"scroll\"><table><thead><tr>", out);
	for (guint c = 0; c < sec->columns->len; c++) {
		fprintf(out, "<th%s>", doc_column_at(sec, c)->unit == DOC_PLAIN ? "" : " class=\"n\"");
		escaped(out, doc_column_at(sec, c)->title);
		fputs("</th>", out);
	}
	fputs("</tr></thead><tbody>\n", out);
	for (guint r = 0; r < sec->rows->len; r++) {
		fputs("<tr>", out);
		for (guint c = 0; c < sec->columns->len; c++)
			cell(out, doc_cell_at(sec, r, c), doc_column_at(sec, c)->unit, true);
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
}

static void down(FILE *out, const struct doc_section *sec)
{
	fputs("<table><tbody>\n", out);
	for (guint r = 0; r < sec->rows->len; r++)
		for (guint c = 0; c < sec->columns->len; c++) {
			const struct cell *one = doc_cell_at(sec, r, c);

			if (one->kind == CELL_BLANK || (one->kind == CELL_NONE && !*one->text))
				continue;
			fputs("<tr><td>", out);
			escaped(out, doc_column_at(sec, c)->title);
			fputs("</td>", out);
			cell(out, doc_cell_at(sec, r, c), doc_column_at(sec, c)->unit, false);
			fputs("</tr>\n", out);
		}
	fputs("</tbody></table>\n", out);
}

static void section(FILE *out, const struct doc_section *sec)
{
	fputs("<h2>", out);
	escaped(out, sec->title);
	fputs("</h2>\n", out);
	if (sec->rows->len)
		(sec->vertical ? down : across)(out, sec);
	for (guint i = 0; i < sec->notes->len; i++) {
		fputs("<p class=\"note\">", out);
		escaped(out, sec->notes->pdata[i]);
		fputs("</p>\n", out);
	}
}

static void picture(FILE *out, const struct doc_figure *f)
{
	g_autofree char *data = g_base64_encode((const guchar *)f->svg, strlen(f->svg));

	fputs("<figure><img alt=\"", out);
	escaped(out, f->title);
	fprintf(out, "\" src=\"data:image/svg+xml;base64,%s\"><figcaption>", data);
	escaped(out, f->title);
	fputs("</figcaption></figure>\n", out);
}

int doc_print_page(const struct doc *doc, const struct doc_figure *figures, int n_figures, FILE *out)
{
	fprintf(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		     "<meta name=\"viewport\" content=\"width=device-width\"><title>mmprof: ");
	escaped(out, doc->name);
	fprintf(out, "</title><style>%s</style></head><body>\n<h1>mmprof: ", style);
	escaped(out, doc->name);
	fputs("</h1>\n", out);
	for (guint i = 0; i < doc->sections->len; i++) {
		section(out, doc_section_at(doc, i));
		for (int f = 0; i == 0 && f < n_figures; f++)
			picture(out, &figures[f]);
	}
	fputs("</body></html>\n", out);
	return 0;
}

int doc_print_html(const struct doc *doc, FILE *out)
{
	return doc_print_page(doc, NULL, 0, out);
}
