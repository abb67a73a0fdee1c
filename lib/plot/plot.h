// Figures: a template of plots/ (or the user's own), data from the database beside it as TSV, and gnuplot,
// which draws it. Knows only the database; needs gnuplot where a picture is wanted.
#ifndef MMPROF_PLOT_PLOT_H
#define MMPROF_PLOT_PLOT_H

#include <glib.h>

#include "metric/compare.h"

struct store;

enum plot_format { PLOT_PDF, PLOT_SVG, PLOT_PNG, PLOT_TIKZ, PLOT_TERM };
enum plot_style { PLOT_PAPER, PLOT_SLIDE, PLOT_DARK };
enum plot_width { PLOT_AUTO, PLOT_SINGLE, PLOT_DOUBLE }; // auto: single unless it would be too narrow

// Zeroed memory is a PDF for paper of all that there is.
struct plot_options {
	struct selection_options selection;
	struct compare_options compare;
	const char *metric, *probe, *class, *series; // NULL: what the figure's header says
	const char *run;                             // only this run; NULL: all
	enum plot_format format;
	enum plot_style style;
	enum plot_width width;
	const char *out;   // directory for the files; NULL: the current one
	int columns, rows; // of the terminal, for PLOT_TERM
};

// A word of the command line → its value. -EINVAL with an err chain that names those there are.
int plot_format_parse(const char *word, enum plot_format *format);
int plot_style_parse(const char *word, enum plot_style *style);
int plot_width_parse(const char *word, enum plot_width *width);

// What figures there are: the header of each embedded template. The list is NULL-terminated and lives on.
struct plot_figure {
	const char *name, *what, *needs;
};
const struct plot_figure *plot_figures(void);

// Draws `figure`, a name or the path of a template (what has a '/' or ends in ".gp"), into files of
// options->out; PLOT_TERM prints it. *made is the picture's path, NULL for PLOT_TERM; g_free it. -ENODATA
// with an err chain that says why when the database has not what the figure needs.
int plot_draw(struct store *store, const struct plot_options *options, const char *figure, char **made);

// The same as SVG in memory, to be put into an HTML page; g_free *svg. No file is left behind.
int plot_svg(struct store *store, const struct plot_options *options, const char *figure, char **svg);

#endif
