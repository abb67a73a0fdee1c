// What the files of lib/plot share. A figure is made in this order: its template is parsed (template.c), the
// runs are selected, each `# data` line of the template is filled by a source (sources.c) into a table, names
// and numbers that the template asks for become gnuplot variables, and all is laid out (layout.c), written
// (script.c, caption.c) and drawn (gnuplot.c).
#ifndef MMPROF_PLOT_INTERNAL_H
#define MMPROF_PLOT_INTERNAL_H

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "plot/plot.h"
#include "store/store_read.h"

// --- template.c

struct template_data {
	char *name, *source, *args; // args "" when there are none
};

// A named sum of metrics or series: "demoted = vmstat.pgdemote_kswapd + vmstat.pgdemote_direct".
struct template_part {
	char *label;
	GStrv terms;
};

struct template
{
	char *name, *what, *needs;
	char *panels;  // their titles, ";" between them; NULL: the data say what they are
	char *y;       // what the y axis shows
	guint columns; // of panels; 0: as many as fit
	char *legend;  // "boxes", "lines", "points" or "none"
	char *metric, *probe, *class, *series; // defaults for the options; NULL: none
	double height, panel_height;           // inches at single width: of one plot; of each row of several
	double y_room;                         // ems for the numbers on the y axis
	GArray *data;                          // struct template_data
	GArray *parts;                         // struct template_part
	char *body;
};

extern const char embed_plots[];

int template_find(const char *figure, struct template **t); // -ENOENT: no such figure
int template_parse(const char *name, const char *text, struct template **t);
void template_free(struct template *t);
const char *template_embedded(const char *name); // the text of plots/NAME.gp; NULL: none

// --- text.c: names from the database are data and may be hostile

double text_width(const char *text);                   // in em, as in Arial
char *text_clean(const char *name);                    // without control characters, valid UTF-8, one line
char *text_shorten(const char *name, double em);       // clean, and with … in the middle if it is wider
char *text_latex(const char *text);                    // so that TeX prints it and does nothing else
void text_quote(GString *out, const char *text);       // as a gnuplot string: '...'
void text_quote_label(GString *out, const char *text); // the same where gnuplot formats numbers: % doubled

// --- table.c: tab-separated values, one header line

struct table {
	GString *text;
	int column;
	guint rows;
};

struct table *table_new(const char *columns); // names with a blank between them
void table_free(struct table *t);
void table_int(struct table *t, int64_t value);
void table_real(struct table *t, double value);      // NAN is written NaN
void table_text(struct table *t, const char *value); // cleaned; quoted as in CSV if need be. Put texts last
void table_end(struct table *t);                     // of the row
void table_gap(struct table *t, int lines);          // 1: a line is broken here; 2: gnuplot's next index

// --- unit.c: what an axis is scaled by, chosen by the greatest value on it

struct unit {
	double scale; // value * scale is what the axis shows
	char name[48];
};
struct unit unit_for(enum metric_unit unit, const char *unit_name, double most);

// --- the figure that is being made

enum { MOST_PANELS = 24 };
#define TOO_MANY_PANELS "it would have %u panels: choose some with --workload and --compare"

struct plot_file {
	char *name;
	GString *text;
};

struct layout {
	double width, height;            // of the picture, in points
	double left, right, bottom, top; // margins in points
	double gap_x, gap_y;             // between panels
	double font, char_height;        // points
	guint rows, columns;             // of panels
	guint legend_columns, legend_rows;
	double legend_em;              // width of an entry's text
	double legend_pitch;           // from one entry to the next, in points
	int rotate;                    // the names on the x axis, in degrees
	double label_em;               // their room
	double slots_em, slots_height; // room of the names under bars (0: there is none), and points
	bool slots_upright;
};

struct plot {
	struct store *store;
	const struct plot_options *options;
	struct template *template;
	struct selection *selection;
	const char *metric, *probe, *class, *series;
	GString *vars;          // gnuplot assignments
	GPtrArray *files;       // struct plot_file
	GPtrArray *remarks;     // for the caption: what is special about this figure's data
	GPtrArray *lines;       // texts of the legend
	GPtrArray *groups;      // names on the x axis; empty: it has numbers
	GPtrArray *slots;       // names under the bars of each group; empty: the legend names them
	GPtrArray *panels;      // titles; empty: one plot
	GArray *absent;         // guint; see frame_absent()
	GStringChunk *strings;  // texts that were made, until the end
	bool panels_are_cells;  // one for each workload and system, not for each workload
	bool x_unmarked;        // no tics and numbers on the x axis
	char *y_title, *y_base; // title of the y axis: "elapsed (s)"; NULL, or what follows it
	guint most_runs;        // of a cell, where each is a point
	double bars;            // beside each other on the x axis of one panel
	struct layout layout;
};

struct plot_source {
	const char *name, *what;
	int (*fill)(struct plot *p, const struct template_data *d, struct table **table);
};
extern const struct plot_source plot_sources[]; // ends with name NULL

int source_cells(struct plot *p, const struct template_data *d, struct table **table);
int source_runs(struct plot *p, const struct template_data *d, struct table **table);
int source_parts(struct plot *p, const struct template_data *d, struct table **table);
int source_bins(struct plot *p, const struct template_data *d, struct table **table);
int source_cdf(struct plot *p, const struct template_data *d, struct table **table);
int source_run_bins(struct plot *p, const struct template_data *d, struct table **table);
int source_time(struct plot *p, const struct template_data *d, struct table **table);
int source_marks(struct plot *p, const struct template_data *d, struct table **table);
int source_sql(struct plot *p, const struct template_data *d, struct table **table);

// A variable of the template.
void plot_number(struct plot *p, const char *name, double value);
void plot_text(struct plot *p, const char *name, const char *text); // shown as it is: cleaned and quoted
void plot_array(struct plot *p, const char *name, const GPtrArray *texts, double em); // shortened to em
// -ENODATA: the selected runs have no `what`, or, if that is NULL, not what the template says that it needs.
int plot_no_data(const struct plot *p, const char *what);
void plot_remark(struct plot *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline const char *plot_system(const struct plot *p, guint i)
{
	return p->selection->systems->pdata[i];
}

static inline const char *plot_workload(const struct plot *p, guint i)
{
	return p->selection->workloads->pdata[i];
}

const char *kinds_marked(const struct plot *p, const char *text); // interned, or the name as it is
void kinds_mark(struct plot *p); // all names in the picture, and says so in the caption
void layout_make(struct plot *p);
void script_write(struct plot *p, GString *script, const char *picture); // NULL: no `set output`
GString *caption_make(struct plot *p);
const char *format_ending(enum plot_format format);

// Runs gnuplot on SCRIPT (a file's name in `dir`). What it prints goes to *printed (may be NULL).
int gnuplot_run(const char *dir, const char *script, char **printed);

// --- scratch.c: a private directory

int scratch_make(char **path);
int scratch_write(const char *path, const char *name, const GString *text);
void scratch_remove(char *path);

#endif
