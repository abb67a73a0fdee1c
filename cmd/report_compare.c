// `mmprof report --compare`; see report_compare.h.
#include "cmd/report_compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/err.h"
#include "base/outfile.h"
#include "metric/bound.h"
#include "plot/plot.h"
#include "report/compare.h"

static int parse_correction(const char *word, enum correction *correction)
{
	static const char *const words[] = {
	    [CORRECT_NONE] = "none", [CORRECT_HOLM] = "holm", [CORRECT_BH] = "bh"};

	*correction = CORRECT_HOLM;
	for (size_t i = 0; word && i < G_N_ELEMENTS(words); i++) {
		if (strcmp(word, words[i]))
			continue;
		*correction = (enum correction)i;
		return 0;
	}
	return word ? -1 : 0;
}

int compare_command_check(const struct command *cmd, struct compare_command *c)
{
	enum correction correction;

	if (!c->compare && (c->metrics || c->latencies || c->workloads || c->excluded || c->bounds ||
			    c->baseline || c->experiment || c->correct || c->html || c->seed || c->any_exit))
		return command_fail(cmd,
				    "this option needs --compare: mmprof report --compare SYSTEM SYSTEM...");
	if (parse_correction(c->correct, &correction))
		return command_fail(cmd, "--correct \"%s\": holm, bh or none", c->correct);
	if (c->seed < 0)
		return command_fail(cmd, "--seed can't be negative");
	for (char **b = c->bounds; b && *b; b++) {
		struct bound bound;
		int rc = bound_parse(*b, &bound);

		bound_clear(&bound);
		if (rc)
			return command_fail(cmd, "%s", err_text());
	}
	return 0;
}

// --- bounds

static int check_bound(const struct command *cmd, struct store *store, const char *text,
		       const struct selection_options *selection)
{
	enum bound_state state = BOUND_KEPT;
	struct bound bound;
	g_autofree char *why = NULL;
	int rc = bound_parse(text, &bound);

	if (!rc)
		rc = bound_check(store, &bound, selection, &state, &why);
	bound_clear(&bound);
	if (rc)
		return command_fail(cmd, "--fail-if '%s': %s", text, err_text());
	if (state == BOUND_NO_DATA)
		return command_fail(cmd, "--fail-if '%s' can't be judged: %s", text, why);
	if (state != BOUND_KEPT) {
		g_autofree char *harmless = doc_harmless(why);

		fprintf(stderr, "mmprof report: --fail-if '%s': %s\n", text, harmless);
	}
	return state == BOUND_BROKEN ? 1 : 0;
}

static int check_bounds(const struct command *cmd, struct store *store, char **bounds,
			const struct selection_options *selection)
{
	int worst = 0;

	for (char **b = bounds; b && *b; b++) {
		int rc = check_bound(cmd, store, *b, selection);

		worst = MAX(worst, rc);
	}
	return worst;
}

// --- one page for a browser

// What the database has no data for is left out of the page: the tables say why.
static int draw_figures(struct store *store, const struct report_compare_options *o, GArray *figures)
{
	static const char *const names[] = {"bars",  "runs",  "cpu",       "cdf",      "tlb",
					    "locks", "nodes", "residency", "migration"};
	const struct plot_options plot = {.selection = o->selection,
					  .compare = o->compare,
					  .metric = o->metrics ? o->metrics[0] : NULL,
					  .width = PLOT_DOUBLE};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		struct doc_figure figure = {names[i], NULL};
		char *svg = NULL;
		int rc = plot_svg(store, &plot, names[i], &svg);

		if (rc == -ENODATA)
			continue;
		if (rc)
			return rc;
		for (const struct plot_figure *f = plot_figures(); f->name; f++)
			if (!strcmp(f->name, names[i]))
				figure.title = f->what;
		figure.svg = svg;
		g_array_append_val(figures, figure);
	}
	return 0;
}

static int write_page(struct store *store, const struct report_compare_options *o, const struct doc *doc,
		      const char *path)
{
	g_autoptr(GArray) figures = g_array_new(FALSE, FALSE, sizeof(struct doc_figure));
	char *page = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&page, &len);
	int rc = out ? draw_figures(store, o, figures) : err_set(-ENOMEM, "no memory for the page");

	if (!rc)
		rc = doc_print_page(doc, (const struct doc_figure *)figures->data, (int)figures->len, out);
	if (out)
		fclose(out);
	if (!rc)
		rc = outfile_write(path, page, len);
	for (guint i = 0; i < figures->len; i++)
		g_free((char *)g_array_index(figures, struct doc_figure, i).svg);
	free(page);
	return rc;
}

int compare_command_run(const struct command *cmd, struct store *store, const struct query *q,
			const struct compare_command *c, bool all)
{
	struct report_compare_options o = {
	    .selection = {.systems = (const char *const *)q->args->pdata,
			  .workloads = (const char *const *)c->workloads,
			  .experiment = c->experiment,
			  .excluded = (const char *const *)c->excluded,
			  .baseline = c->baseline,
			  .any_exit = c->any_exit},
	    .metrics = (const char *const *)c->metrics,
	    .latencies = (const char *const *)c->latencies,
	    .compare = {.seed = c->seed ? (uint64_t)c->seed : 1},
	    .all = all,
	};
	struct doc *doc = NULL;
	int rc;

	parse_correction(c->correct, &o.compare.correction);
	if (report_compare(store, &o, &doc))
		return command_fail(cmd, "%s", err_text());
	rc = query_print(cmd, q, doc);
	if (!rc && c->html && write_page(store, &o, doc, c->html))
		rc = command_fail(cmd, "%s", err_text());
	doc_free(doc);
	return rc ? rc : check_bounds(cmd, store, c->bounds, &o.selection);
}
