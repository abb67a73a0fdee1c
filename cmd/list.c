// `mmprof list`: runs and systems of a database; probes and samplers that this mmprof knows.
#include <string.h>

#include "base/err.h"
#include "cmd/query.h"
#include "plot/plot.h"
#include "probe/available.h"
#include "report/compare.h"
#include "report/report.h"
#include "sampler/sampler.h"

static int list(int argc, const char **argv);
const struct command cmd_list = {"list", "show runs, probes, systems, samplers, metrics or figures", list};

static int from_store(const struct query *q, struct doc *doc, int (*fill)(struct store *, struct doc *))
{
	struct store *store = NULL;
	int rc = store_open(command_db_path(q->db), STORE_READ, &store);

	if (!rc)
		rc = fill(store, doc);
	store_close(store);
	return rc;
}

static int runs(const struct query *q, struct doc *doc)
{
	return from_store(q, doc, report_list_runs);
}

static int systems(const struct query *q, struct doc *doc)
{
	return from_store(q, doc, report_list_systems);
}

static int probes(const struct query *q, struct doc *doc)
{
	return catalog_list(doc, q->args->len > 1 ? q->args->pdata[1] : NULL);
}

static int metrics(const struct query *q, struct doc *doc)
{
	struct store *store = NULL;
	int rc = store_open(command_db_path(q->db), STORE_READ, &store);

	if (!rc)
		rc = report_list_metrics(store, q->args->len > 1 ? q->args->pdata[1] : NULL, doc);
	store_close(store);
	return rc;
}

static int figures(const struct query *q, struct doc *doc)
{
	static const struct doc_column columns[] = {{"name", "figure", DOC_PLAIN},
						    {"what", "what it shows", DOC_PLAIN},
						    {"needs", "what it needs", DOC_PLAIN}};
	struct doc_section *sec = doc_section(doc, "figures", "Figures", columns, G_N_ELEMENTS(columns));

	(void)q;
	for (const struct plot_figure *f = plot_figures(); f->name; f++) {
		doc_row(sec);
		doc_text(sec, "%s", f->name);
		doc_text(sec, "%s", f->what);
		doc_text(sec, "%s", f->needs);
	}
	doc_note(sec,
		 "`mmprof plot FIGURE` draws one, `mmprof plot all` each that the database has data for.");
	return 0;
}

static int samplers(const struct query *q, struct doc *doc)
{
	static const struct doc_column columns[] = {{"name", "sampler", DOC_PLAIN},
						    {"least_interval_ms", "least interval, ms", DOC_COUNT},
						    {"what", "what it reads", DOC_PLAIN}};
	struct doc_section *sec = doc_section(doc, "samplers", "Samplers", columns, G_N_ELEMENTS(columns));

	(void)q;
	for (const struct sampler *s = sampler_table; s->name; s++) {
		doc_row(sec);
		doc_text(sec, "%s", s->name);
		doc_int(sec, s->min_interval_ms);
		doc_text(sec, "%s", s->what);
	}
	doc_note(sec,
		 "Each is read every `record --interval` ms, but no more often than its own least interval.");
	return 0;
}

static const struct {
	const char *name;
	guint max_args;
	int (*fill)(const struct query *q, struct doc *doc);
} lists[] = {{"runs", 1, runs},         {"probes", 2, probes},   {"systems", 1, systems},
	     {"samplers", 1, samplers}, {"metrics", 2, metrics}, {"figures", 1, figures}};

static int print(const struct query *q)
{
	const char *name = q->args->len ? q->args->pdata[0] : NULL;
	struct doc *doc;
	int rc = 0;

	for (size_t i = 0; name && i < G_N_ELEMENTS(lists); i++) {
		if (strcmp(lists[i].name, name))
			continue;
		if (q->args->len > lists[i].max_args)
			return command_fail(&cmd_list, "too many arguments after \"%s\"", name);
		doc = doc_new(name);
		rc = lists[i].fill(q, doc) ? command_fail(&cmd_list, "%s", err_text())
					   : query_print(&cmd_list, q, doc);
		doc_free(doc);
		return rc;
	}
	return name ? command_fail(&cmd_list,
				   "\"%s\" is no list: runs, probes, systems, samplers, metrics or figures",
				   name)
		    : command_fail(&cmd_list,
				   "list what? runs, probes, systems, samplers, metrics or figures");
}

static int list(int argc, const char **argv)
{
	struct query q = {};
	const struct poptOption table[] = {QUERY_OPTIONS(q), POPT_AUTOHELP POPT_TABLEEND};
	int rc = query_options(
	    &cmd_list, argc, argv, table,
	    "[OPTIONS] runs | probes [GROUP] | systems | samplers | metrics [TEXT] | figures", &q);

	if (!rc)
		rc = print(&q);
	query_clear(&q);
	return rc;
}
