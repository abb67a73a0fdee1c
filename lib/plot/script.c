// The .gp file: terminal, palette and style, the figure's names and numbers, then the template as it is. It
// stands alone: gnuplot and the data files beside it draw the same picture again.
#include "plot/internal.h"

static const struct {
	const char *ink, *paper, *faint;
	double line; // width of a data line, points
} looks[] = {[PLOT_PAPER] = {"#000000", "#ffffff", "#d9d9d9", 0.9},
	     [PLOT_SLIDE] = {"#000000", "#ffffff", "#d0d0d0", 1.8},
	     [PLOT_DARK] = {"#f0f0f0", "#16191d", "#454a50", 1.8}};

// --- variables

void plot_number(struct plot *p, const char *name, double value)
{
	char buf[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append_printf(p->vars, "%s = %s\n", name,
			       isfinite(value) ? g_ascii_formatd(buf, sizeof(buf), "%.9g", value) : "NaN");
}

// As text for the terminal.
static char *shown(const struct plot *p, const char *text)
{
	return p->options->format == PLOT_TIKZ ? text_latex(text) : g_strdup(text);
}

void plot_text(struct plot *p, const char *name, const char *text)
{
	g_autofree char *clean = *text ? text_clean(text) : g_strdup(""), *out = shown(p, clean);

	g_string_append_printf(p->vars, "%s = ", name);
	text_quote(p->vars, out);
	g_string_append_c(p->vars, '\n');
}

// Different names that became the same by shortening are told apart by a number.
static char *distinct(GHashTable *seen, const char *name, char *text)
{
	g_autofree char *base = g_strdup(text);
	const char *other;

	for (int n = 2; (other = g_hash_table_lookup(seen, text)) && strcmp(other, name); n++) {
		g_free(text);
		text = g_strdup_printf("%s (%d)", base, n);
	}
	g_hash_table_insert(seen, g_strdup(text), (void *)name);
	return text;
}

static void array(struct plot *p, const char *name, const GPtrArray *texts, double em,
		  void (*quote)(GString *, const char *))
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	g_string_append_printf(p->vars, "array %s[%u] = [", name, MAX(texts->len, 1));
	for (guint i = 0; i < texts->len; i++) {
		g_autofree char *text = distinct(seen, texts->pdata[i], text_shorten(texts->pdata[i], em));
		g_autofree char *out = shown(p, text);

		g_string_append(p->vars, i ? ", " : "");
		quote(p->vars, out);
	}
	g_string_append(p->vars, texts->len ? "]\n" : "'']\n");
}

void plot_array(struct plot *p, const char *name, const GPtrArray *texts, double em)
{
	array(p, name, texts, em, text_quote);
}

// As long as the axis, or a little longer.
static void y_title(struct plot *p)
{
	const struct layout *l = &p->layout;
	double room = 1.1 * (l->height - l->top - l->bottom) / l->font, rest;
	g_autofree char *base = NULL, *title = NULL;

	if (!p->y_title)
		return;
	rest = room - text_width(p->y_title);
	base = p->y_base ? text_shorten(p->y_base, fmax(rest, 4)) : g_strdup("");
	title = g_strconcat(p->y_title, base, NULL);
	plot_text(p, "y_title", title);
}

static void legend_vars(struct plot *p)
{
	const struct layout *l = &p->layout;
	double width = l->legend_columns * l->legend_pitch - l->font;
	double middle = (l->left + l->width - l->right) / 2;
	double x = fmax(fmin(middle - width / 2, l->width - l->font - width), l->font);
	bool box = !strcmp(p->template->legend, "boxes");

	plot_text(p, "legend", l->legend_rows ? p->template->legend : "none");
	plot_number(p, "legend_columns", l->legend_columns);
	plot_number(p, "legend_x", x / l->width);
	plot_number(p, "legend_y", 1 - 0.75 * l->char_height / l->height);
	plot_number(p, "legend_pitch", l->legend_pitch / l->width);
	plot_number(p, "legend_sample", (box ? 1.4 : 2) * l->font / l->width);
}

// Smaller where bars are narrow or many runs stand beside each other; a size of 1 is about a font's height.
static double point_size(const struct plot *p, double panel)
{
	double slot = p->bars > 0 ? 0.8 * panel / p->bars / p->layout.font : 10;
	double size = slot < 1 ? 0.2 : 0.35;

	if (p->most_runs)
		size = CLAMP(2.5 * slot / p->most_runs, 0.1, size);
	return size * (p->options->style == PLOT_PAPER ? 1 : 1.8) *
	       (p->options->format == PLOT_SVG ? 1.4 : 1);
}

static void layout_vars(struct plot *p)
{
	const struct layout *l = &p->layout;
	double panel = (l->width - l->left - l->right - (l->columns - 1) * l->gap_x) / l->columns;

	plot_number(p, "systems", p->selection->systems->len);
	plot_number(p, "workloads", p->selection->workloads->len);
	plot_number(p, "lines", p->lines->len);
	plot_number(p, "groups", p->groups->len);
	plot_number(p, "panels", MAX(p->panels->len, 1));
	plot_array(p, "line", p->lines, l->legend_em > 0 ? l->legend_em : 18);
	plot_array(p, "workload_name", p->selection->workloads, 10);
	array(p, "group", p->groups, fmax(l->label_em, 3), text_quote_label);
	plot_array(p, "slot_name", p->slots, fmax(l->slots_em, 3));
	plot_number(p, "slot_names", l->slots_em > 0 ? p->slots->len : 0);
	plot_number(p, "slot_upright", l->slots_upright);
	plot_number(p, "slot_drop", l->slots_height / l->font);
	plot_number(p, "bars_per_group", p->groups->len ? p->bars / p->groups->len : 0);
	plot_number(p, "panel_em", panel / l->font);
	plot_array(p, "panel", p->panels, panel / l->font);
	plot_number(p, "panel_rows", l->rows);
	plot_number(p, "panel_columns", l->columns);
	plot_number(p, "label_angle", l->rotate);
	legend_vars(p);
	y_title(p);
	plot_number(p, "left", l->left / l->width);
	plot_number(p, "right", 1 - l->right / l->width);
	plot_number(p, "bottom", l->bottom / l->height);
	plot_number(p, "top", 1 - l->top / l->height);
	plot_number(p, "gap_x", l->gap_x / l->width);
	plot_number(p, "gap_y", l->gap_y / l->height);
	plot_number(p, "char_x", l->font / l->width);
	plot_number(p, "char_y", l->char_height / l->height);
	// how wide a slot of the x axis is, in ems: is there room for a text?
	plot_number(p, "point_size", point_size(p, panel));
	plot_number(p, "slot_em", p->bars > 0 ? 0.8 * panel / p->bars / l->font : 0);
}

// --- the terminal

const char *format_ending(enum plot_format format)
{
	static const char *const endings[] = {[PLOT_PDF] = "pdf",
					      [PLOT_SVG] = "svg",
					      [PLOT_PNG] = "png",
					      [PLOT_TIKZ] = "tex",
					      [PLOT_TERM] = "txt"};

	return endings[format];
}

// Terminals differ in what a font size of 1 is: Cairo's are of 96 dots an inch, whatever is drawn on.
static void terminal(const struct plot *p, GString *out)
{
	const struct layout *l = &p->layout;
	const char *paper = looks[p->options->style].paper;
	double w = l->width / 72, h = l->height / 72;

	switch (p->options->format) {
	case PLOT_PDF:
		g_string_append_printf(
		    out,
		    "set terminal pdfcairo noenhanced size %.4gin,%.4gin font 'Liberation Sans,%g' "
		    "fontscale 0.75 linewidth 1.7 pointscale 1.1 background rgb '%s'\n",
		    w, h, l->font, paper);
		break;
	case PLOT_PNG: // 300 dpi
		g_string_append_printf(
		    out,
		    "set terminal pngcairo noenhanced size %.0f,%.0f font 'Liberation Sans,%g' "
		    "fontscale 3.125 linewidth 4.1667 pointscale 4.1667 background rgb '%s'\n",
		    w * 300, h * 300, l->font, paper);
		break;
	case PLOT_SVG: // 96 pixels to the inch, as browsers have it
		g_string_append_printf(
		    out,
		    "set terminal svg noenhanced size %.0f,%.0f font 'Arial,%g' linewidth 1.3333 "
		    "background rgb '%s'\n",
		    w * 96, h * 96, l->font * 96 / 72, paper);
		break;
	case PLOT_TIKZ:
		g_string_append_printf(out,
				       "set terminal tikz size %.4gin,%.4gin font '\\fontsize{%g}{%g}"
				       "\\selectfont\\sffamily' linewidth 1\n",
				       w, h, l->font, l->char_height);
		break;
	case PLOT_TERM:
		g_string_append_printf(out, "set terminal dumb noenhanced size %d,%d\n", p->options->columns,
				       p->options->rows);
		break;
	}
}

static void look(const struct plot *p, GString *out)
{
	enum plot_style style = p->options->style;
	bool tikz = p->options->format == PLOT_TIKZ;

	g_string_append_printf(out, "ink = '%s'; paper = '%s'; faint = '%s'\n", looks[style].ink,
			       looks[style].paper, looks[style].faint);
	g_string_append_printf(out, "data_width = %g; dark = %d; plain = %d; font_size = %g\n",
			       looks[style].line, style == PLOT_DARK, p->options->format == PLOT_TERM,
			       p->layout.font * (p->options->format == PLOT_SVG ? 96.0 / 72 : 1));
	g_string_append_printf(out, "percent = '%s'; format = '%s'\n", tikz ? "\\%" : "%",
			       format_ending(p->options->format));
}

void script_write(struct plot *p, GString *out, const char *picture)
{
	g_autofree char *what = text_clean(p->template->what);

	layout_vars(p);
	g_string_append_printf(out,
			       "# %s: %s\n# Made by mmprof " MMPROF_VERSION
			       ". `gnuplot` on this file, where it lies, draws it again.\n\n",
			       p->template->name, what);
	terminal(p, out);
	if (picture) {
		g_string_append(out, "set output ");
		text_quote(out, picture);
		g_string_append_c(out, '\n');
	}
	look(p, out);
	g_string_append_printf(
	    out, "\n# --- what is drawn\n%s\n# --- palette\n%s\n# --- style\n%s\n# --- the figure\n",
	    p->vars->str, template_embedded("palette"), template_embedded("style"));
	g_string_append(out, p->template->body);
}
