// Where things stand: picture size, margins, rows of the legend and the panels, all in points, from the
// widths of the texts. Every figure of a style has the same margins for the same contents, so that figures
// align.
#include "plot/internal.h"

enum { POINTS = 72 };

static const struct {
	double font, single, dual; // points, inches
	double stretch;            // of heights
} styles[] = {
    [PLOT_PAPER] = {7.5, 3.35, 7.0, 1}, [PLOT_SLIDE] = {14, 5, 10, 1.7}, [PLOT_DARK] = {14, 5, 10, 1.7}};

// A terminal's character cell stands for 6 by 12 points.
enum { CELL_WIDTH = 6, CELL_HEIGHT = 12 };

static double widest(const GPtrArray *names)
{
	double em = 0;

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *text = text_clean(names->pdata[i]);

		em = fmax(em, text_width(text));
	}
	return em;
}

static bool is_wide(const struct plot *p)
{
	if (p->options->width != PLOT_AUTO)
		return p->options->width == PLOT_DOUBLE;
	return p->panels->len > 2 || p->bars * MAX(p->panels->len, 1) > 24 || p->groups->len > 8;
}

// --- the legend: as many columns as its longest text allows

static void lay_legend(struct plot *p)
{
	struct layout *l = &p->layout;
	double room = (l->width - 2 * l->font) / l->font, sample = 3.2, most = 24;
	guint n = p->lines->len;

	l->legend_columns = l->legend_rows = 0;
	if (!strcmp(p->template->legend, "colours"))
		l->legend_rows = 2;
	// the only part is told too: it might have been another
	if (n < 2 && (!n || !p->template->parts->len))
		return;
	for (;; most -= 2) {
		l->legend_em = fmin(widest(p->lines), most);
		l->legend_columns = (guint)CLAMP(room / (l->legend_em + sample), 1, n);
		l->legend_rows = (n + l->legend_columns - 1) / l->legend_columns;
		if (l->legend_rows <= 3 || most <= 8)
			break;
	}
	l->legend_columns = (n + l->legend_rows - 1) / l->legend_rows; // rows of equal length
	l->legend_em = fmin(widest(p->lines), room / l->legend_columns - sample);
	l->legend_pitch = (l->legend_em + sample) * l->font;
}

// --- the names on the x axis: side by side, slanted if they don't fit, shortened if that doesn't help

static double lay_groups(struct plot *p)
{
	struct layout *l = &p->layout;
	double pitch = (l->width - l->left - l->right) / l->columns / fmax(p->groups->len, 1) / l->font;
	double wanted = widest(p->groups), slant = 0.64, room;
	double title = p->panels->len ? 2.2 * l->font : 0; // the y axis' stands as low as the names

	if (wanted <= 0.93 * pitch || pitch >= 12 || p->options->format == PLOT_TERM) {
		l->rotate = 0;
		l->label_em = fmin(wanted, 0.93 * pitch);
		return 1.5 * l->char_height;
	}
	l->rotate = pitch > 1.5 ? 40 : 90;
	if (l->rotate == 90)
		slant = 1;
	room = l->rotate == 90 ? 12 : fmin(14, ((l->left - title) / l->font + pitch / 2) / 0.77);
	l->label_em = fmin(wanted, room);
	return (l->label_em * slant + 1) * l->font + 0.3 * l->char_height;
}

// The names under the bars of each group: side by side or upright; none if a bar is thinner than a letter.
static void lay_slots(struct plot *p)
{
	struct layout *l = &p->layout;
	double font = 0.85 * l->font;
	double pitch = 0.8 * (l->width - l->left - l->right) / l->columns / fmax(p->bars, 1) / font;
	double wanted = widest(p->slots);

	l->slots_em = l->slots_height = 0;
	if (p->slots->len < 2 || pitch < 0.9)
		return;
	l->slots_upright = wanted > 0.95 * pitch;
	l->slots_em = l->slots_upright ? fmin(wanted, 8) : wanted;
	l->slots_height = l->slots_upright ? (l->slots_em + 1.2) * font : 1.2 * l->char_height;
}

// --- the panels

static void lay_panels(struct plot *p, bool wide)
{
	struct layout *l = &p->layout;
	guint n = MAX(p->panels->len, 1);

	l->columns = p->template->columns         ? p->template->columns
		     : !wide                      ? MIN(n, 2)
		     : n == 5 || n == 6 || n == 9 ? 3
						  : MIN(n, 4);
	l->rows = (n + l->columns - 1) / l->columns;
}

void layout_make(struct plot *p)
{
	struct layout *l = &p->layout;
	const struct plot_options *o = p->options;
	bool term = o->format == PLOT_TERM, wide = is_wide(p);
	double k = styles[o->style].stretch, area, title;

	l->font = term ? CELL_HEIGHT : styles[o->style].font;
	l->char_height = term ? CELL_HEIGHT : 1.2 * l->font;
	l->width = term ? o->columns * CELL_WIDTH
			: (wide ? styles[o->style].dual : styles[o->style].single) * POINTS;
	lay_panels(p, wide);
	lay_legend(p);
	title = p->panels->len ? 1.3 * l->char_height : 0;
	l->left = (2.4 + p->template->y_room) * l->font;
	l->right = (p->groups->len || p->x_unmarked ? 0.9 : 1.8) * l->font;
	l->top = l->legend_rows * 1.2 * l->char_height + title + 0.7 * l->char_height;
	lay_slots(p);
	l->bottom =
	    l->slots_height + (p->groups->len ? lay_groups(p) : (p->x_unmarked ? 1.7 : 2.9) * l->char_height);
	l->gap_x = (1.2 + p->template->y_room) * l->font;
	l->gap_y = (p->x_unmarked ? 0.7 : 1.6) * l->char_height + title +
		   (p->groups->len ? l->bottom - 1.1 * l->char_height : 0);
	if (term) { // the y axis' title stands on top, the x axis' in a line of its own
		l->top += l->char_height;
		l->bottom = fmax(l->bottom, 3.2 * l->char_height);
	}
	area = p->panels->len ? p->template->panel_height * l->rows : p->template->height;
	l->height =
	    term ? o->rows * CELL_HEIGHT : l->top + l->bottom + (l->rows - 1) * l->gap_y + area * POINTS * k;
}
