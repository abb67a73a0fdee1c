// `mmprof plot`: draw the figures of a paper.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "cmd/query.h"
#include "plot/plot.h"

static int plot(int argc, const char **argv);
const struct command cmd_plot = {"plot", "draw the figures of a paper", plot};

struct words { // options; popt allocates them
	char **systems, **workloads, **excluded;
	char *experiment, *baseline, *metric, *probe, *class, *series, *run, *out, *format, *style, *width;
	int any_exit;
};

// The terminal's size, less a line for the prompt; 100 by 30 where there is none.
static void terminal_size(struct plot_options *o)
{
	struct winsize size;

	o->columns = 100;
	o->rows = 30;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 40 || size.ws_row < 12)
		return;
	o->columns = size.ws_col;
	o->rows = size.ws_row - 1;
}

static int parse(const struct words *w, struct plot_options *o)
{
	int rc = 0;

	if (w->format)
		rc = plot_format_parse(w->format, &o->format);
	if (!rc && w->style)
		rc = plot_style_parse(w->style, &o->style);
	if (!rc && w->width)
		rc = plot_width_parse(w->width, &o->width);
	return rc ? command_fail(&cmd_plot, "%s", err_text()) : 0;
}

// --- drawing

static int draw_one(struct store *store, const struct plot_options *o, const char *figure)
{
	g_autofree char *made = NULL;

	if (plot_draw(store, o, figure, &made))
		return command_fail(&cmd_plot, "%s", err_text());
	if (made)
		printf("%s\n", made);
	return 0;
}

// The chain begins with the figure's name.
static const char *why_not(const char *figure)
{
	const char *text = err_text();
	size_t len = strlen(figure);

	return !strncmp(text, figure, len) && !strncmp(text + len, ": ", 2) ? text + len + 2 : text;
}

// Every figure that the database has data for. What it has not is no error, unless it has nothing at all.
static int draw_all(struct store *store, const struct plot_options *o)
{
	guint drawn = 0;

	for (const struct plot_figure *f = plot_figures(); f->name; f++) {
		g_autofree char *made = NULL;
		int rc = plot_draw(store, o, f->name, &made);

		if (rc && rc != -ENODATA)
			return command_fail(&cmd_plot, "%s", err_text());
		drawn += !rc;
		if (made)
			printf("%-12s %s\n", f->name, made);
		else if (rc)
			printf("%-12s not drawn: %s\n", f->name, why_not(f->name));
	}
	return drawn ? 0 : command_fail(&cmd_plot, "the database has no data for any figure");
}

static int run(const struct query *q, const struct plot_options *o)
{
	struct store *store = NULL;
	int rc = 0;

	if (!q->args->len)
		return command_fail(&cmd_plot, "plot what? `mmprof list figures` names the figures; \"all\"");
	rc = query_open(&cmd_plot, q, &store);
	for (guint i = 0; i < q->args->len && !rc; i++)
		rc = strcmp(q->args->pdata[i], "all") ? draw_one(store, o, q->args->pdata[i])
						      : draw_all(store, o);
	store_close(store);
	return rc;
}

static int plot(int argc, const char **argv)
{
	struct query q = {};
	struct words w = {};
	const struct poptOption table[] = {
	    {"compare", 0, POPT_ARG_ARGV, &w.systems, 0, "only these systems, the first is the baseline",
	     "SYSTEM"},
	    {"workload", 'w', POPT_ARG_ARGV, &w.workloads, 0, "only this workload (repeat it)", "NAME"},
	    {"experiment", 'e', POPT_ARG_STRING, &w.experiment, 0, "only runs of this experiment", "NAME"},
	    {"baseline", 0, POPT_ARG_STRING, &w.baseline, 0, "another baseline than the first system",
	     "SYSTEM"},
	    {"exclude", 0, POPT_ARG_ARGV, &w.excluded, 0, "leave a run out, which is said (repeat it)",
	     "RUN"},
	    {"any-exit", 0, POPT_ARG_NONE, &w.any_exit, 0, "runs whose workload failed count too", NULL},
	    {"run", 0, POPT_ARG_STRING, &w.run, 0, "only this run", "RUN"},
	    {"metric", 'm', POPT_ARG_STRING, &w.metric, 0, "of bars, runs and scatter (default elapsed)",
	     "METRIC"},
	    {"probe", 'p', POPT_ARG_STRING, &w.probe, 0, "of the latency figures", "PROBE[/PART]"},
	    {"class", 0, POPT_ARG_STRING, &w.class, 0, "whose calls: workload (default), kswapd..., all",
	     "CLASS"},
	    {"series", 0, POPT_ARG_STRING, &w.series, 0, "of the figure series", "SERIES"},
	    {"out", 'o', POPT_ARG_STRING, &w.out, 0, "directory for the files (default: the current one)",
	     "DIR"},
	    {"format", 'f', POPT_ARG_STRING, &w.format, 0, "pdf (default), svg, png, tikz or term", "FORMAT"},
	    {"style", 0, POPT_ARG_STRING, &w.style, 0, "paper (default), slide or dark", "STYLE"},
	    {"width", 0, POPT_ARG_STRING, &w.width, 0, "single (85 mm), double (178 mm) or auto (default)",
	     "WIDTH"},
	    {"db", 0, POPT_ARG_STRING, &q.db, 0, "database (default: $MMPROF_DB, else ./mmprof.db)", "FILE"},
	    POPT_AUTOHELP POPT_TABLEEND};
	struct plot_options o = {.compare = {.correction = CORRECT_HOLM, .seed = 1}};
	int rc =
	    query_options(&cmd_plot, argc, argv, table, "[OPTIONS] FIGURE... | all | TEMPLATE.gp...", &q);

	o.selection = (struct selection_options){.systems = (const char *const *)w.systems,
						 .workloads = (const char *const *)w.workloads,
						 .experiment = w.experiment,
						 .excluded = (const char *const *)w.excluded,
						 .baseline = w.baseline,
						 .any_exit = w.any_exit};
	o.metric = w.metric, o.probe = w.probe, o.class = w.class, o.series = w.series;
	o.run = w.run, o.out = w.out;
	terminal_size(&o);
	if (!rc)
		rc = parse(&w, &o);
	if (!rc)
		rc = run(&q, &o);
	command_free_options(table);
	query_clear(&q);
	return rc;
}
