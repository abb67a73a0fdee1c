// Documents for papers: a booktabs table for each section, its numbers in siunitx S columns. All numbers of
// one unit in a table have the same scale, which stands in the column's head, so that they can be compared.
#include <math.h>
#include <string.h>

#include "base/doc_internal.h"

static const struct scale {
	enum doc_unit unit;
	double factor;
	const char *name;
} scales[] = {
    {DOC_NS, 1, "\\nano\\second"},
    {DOC_NS, 1e3, "\\micro\\second"},
    {DOC_NS, 1e6, "\\milli\\second"},
    {DOC_NS, 1e9, "\\second"},
    {DOC_BYTES, 1, "\\byte"},
    {DOC_BYTES, 0x1p10, "\\kibi\\byte"},
    {DOC_BYTES, 0x1p20, "\\mebi\\byte"},
    {DOC_BYTES, 0x1p30, "\\gibi\\byte"},
    {DOC_HZ, 1, "\\hertz"},
    {DOC_HZ, 1e6, "\\mega\\hertz"},
    {DOC_HZ, 1e9, "\\giga\\hertz"},
    {DOC_RATIO, 0.01, "\\percent"},
    {DOC_CHANGE, 0.01, "\\percent"},
    {DOC_RATE, 1, "\\per\\second"},
    {DOC_COUNT, 1, ""},
    {DOC_NUMBER, 1, ""},
};

static void escaped(FILE *out, const char *text)
{
	g_autofree char *harmless = doc_harmless(text);

	for (const char *p = harmless; *p; p++) {
		if (strchr("&%$#_{}", *p))
			fprintf(out, "\\%c", *p);
		else if (*p == '\\')
			fputs("\\textbackslash{}", out);
		else if (*p == '~' || *p == '^')
			fprintf(out, "\\%c{}", *p);
		else
			fputc(*p, out);
	}
}

static bool number_of(const struct cell *c, double *value)
{
	if (c->kind != CELL_INT && c->kind != CELL_REAL)
		return false;
	*value = c->kind == CELL_INT ? (double)c->i : c->r;
	return isfinite(*value);
}

// The smallest number but 0 of all columns of a unit: NAN if there is none.
static double smallest(const struct doc_section *sec, enum doc_unit unit)
{
	double least = NAN, value;

	for (guint c = 0; c < sec->columns->len; c++)
		for (guint r = 0; doc_column_at(sec, c)->unit == unit && r < sec->rows->len; r++)
			if (number_of(doc_cell_at(sec, r, c), &value) && value != 0)
				least = fmin(fabs(value), isnan(least) ? INFINITY : least);
	return least;
}

// The largest scale that leaves the smallest number at 0.1 or more.
static const struct scale *scale_of(const struct doc_section *sec, enum doc_unit unit)
{
	double least = smallest(sec, unit);
	const struct scale *best = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(scales); i++)
		if (scales[i].unit == unit && (!best || scales[i].factor <= least * 10))
			best = &scales[i];
	return best;
}

static int decimals_of(const struct doc_section *sec, const struct scale *scale)
{
	double least = smallest(sec, scale->unit) / scale->factor;

	if (isnan(least))
		return 0;
	return CLAMP(2 - (int)floor(log10(least)), 0, 3);
}

static void head(FILE *out, const struct doc_section *sec)
{
	fputs("  \\begin{tabular}{", out);
	for (guint c = 0; c < sec->columns->len; c++)
		fputs(doc_column_at(sec, c)->unit == DOC_PLAIN ? "l" : "S", out);
	fputs("}\n    \\toprule\n    ", out);
	for (guint c = 0; c < sec->columns->len; c++) {
		const struct doc_column *column = doc_column_at(sec, c);
		const struct scale *scale = scale_of(sec, column->unit);

		fputs(c ? " & {" : "{", out);
		escaped(out, column->title);
		if (scale && *scale->name)
			fprintf(out, " (\\unit{%s})", scale->name);
		fputs("}", out);
	}
	fputs(" \\\\\n    \\midrule\n", out);
}

static void cell(FILE *out, const struct doc_section *sec, const struct cell *c, enum doc_unit unit)
{
	const struct scale *scale = scale_of(sec, unit);
	double value;

	if (scale && number_of(c, &value)) {
		bool whole = unit == DOC_COUNT && value == floor(value);

		value /= scale->factor;
		if (value != 0 && fabs(value) < 0.01) // siunitx reads this too
			fprintf(out, "%.2e", value);
		else
			fprintf(out, "%.*f", whole ? 0 : decimals_of(sec, scale), value);
		return;
	}
	g_autofree char *text = doc_cell_text(c, unit);

	fputs("{", out);
	escaped(out, text);
	fputs("}", out);
}

static void table(FILE *out, const struct doc_section *sec)
{
	fputs("\\begin{table}\n  \\centering\n  \\caption{", out);
	escaped(out, sec->title);
	fputs("}\n", out);
	head(out, sec);
	for (guint r = 0; r < sec->rows->len; r++) {
		fputs("    ", out);
		for (guint c = 0; c < sec->columns->len; c++) {
			fputs(c ? " & " : "", out);
			cell(out, sec, doc_cell_at(sec, r, c), doc_column_at(sec, c)->unit);
		}
		fputs(" \\\\\n", out);
	}
	fputs("    \\bottomrule\n  \\end{tabular}\n", out);
	if (sec->notes->len)
		fputs("  \\par\\smallskip\\footnotesize\n", out);
	for (guint i = 0; i < sec->notes->len; i++) {
		fputs("  ", out);
		escaped(out, sec->notes->pdata[i]);
		fputs("\n", out);
	}
	fputs("\\end{table}\n\n", out);
}

static void only_notes(FILE *out, const struct doc_section *sec)
{
	for (guint i = 0; i < sec->notes->len; i++) {
		g_autofree char *text = doc_harmless(sec->notes->pdata[i]);

		fprintf(out, "%% %s: %s\n", sec->key, text);
	}
}

int doc_print_latex(const struct doc *doc, FILE *out)
{
	fputs("% needs \\usepackage{booktabs,siunitx} (siunitx 3)\n", out);
	for (guint i = 0; i < doc->sections->len; i++) {
		const struct doc_section *sec = doc_section_at(doc, i);

		if (sec->rows->len)
			table(out, sec);
		else
			only_notes(out, sec);
	}
	return 0;
}
