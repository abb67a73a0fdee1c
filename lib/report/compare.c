// The comparison as a document: what is compared, why the systems differ, each metric, where the time went.
// The helpers that sections share are here too.
#include "report/compare_internal.h"

static int compare_one(struct compare_report *r, const char *name)
{
	struct comparison *c = NULL;
	struct metric *m = NULL;
	int rc = metric_find(r->store, name, &m);

	if (!rc)
		rc = compare(r->store, r->selection, m, &r->options->compare, &c);
	if (!rc)
		g_ptr_array_add(r->comparisons, c);
	return rc;
}

static int compare_all(struct compare_report *r)
{
	static const char *const fallback[] = {"elapsed", NULL};
	const char *const *names = r->options->metrics;
	int rc = 0;

	for (names = names && *names ? names : fallback; *names && !rc; names++)
		rc = compare_one(r, *names);
	return rc;
}

static int sections(struct compare_report *r)
{
	static int (*const all[])(struct compare_report *) = {
	    compare_head, compare_differences, compare_metrics, compare_latencies,
	    compare_time, compare_cost,        compare_samples};
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(all) && !rc; i++)
		rc = all[i](r);
	return rc;
}

int report_compare(struct store *store, const struct report_compare_options *options, struct doc **doc)
{
	struct compare_report r = {.store = store, .options = options};
	int rc = store_begin(store);

	r.comparisons = g_ptr_array_new_with_free_func((GDestroyNotify)comparison_free);
	r.doc = doc_new("comparison");
	if (!rc)
		rc = selection_make(store, &options->selection, &r.selection);
	if (!rc)
		rc = compare_all(&r);
	if (!rc)
		rc = sections(&r);
	store_commit(store);
	g_ptr_array_unref(r.comparisons);
	selection_free(r.selection);
	if (rc)
		doc_free(r.doc);
	else
		*doc = r.doc;
	return rc;
}

// --- helpers

enum doc_unit compare_unit(const struct metric *metric)
{
	switch (metric->unit) {
	case METRIC_NS:
		return DOC_NS;
	case METRIC_BYTES:
		return DOC_BYTES;
	case METRIC_COUNT:
	case METRIC_PAGES:
		return DOC_COUNT;
	case METRIC_HZ:
		return DOC_HZ;
	case METRIC_RATIO:
		return DOC_RATIO;
	case METRIC_RATE:
		return DOC_RATE;
	case METRIC_NUMBER:
		break;
	}
	return DOC_NUMBER;
}

const char *compare_suffix(const struct metric *metric)
{
	switch (metric->unit) {
	case METRIC_NS:
		return "_ns";
	case METRIC_BYTES:
		return "_bytes";
	case METRIC_HZ:
		return "_hz";
	case METRIC_PAGES:
		return "_pages";
	case METRIC_RATIO:
		return "_ratio";
	default:
		return "";
	}
}

void compare_real(struct doc_section *sec, double value, const char *why)
{
	if (isnan(value))
		doc_none(sec, why);
	else
		doc_real(sec, value);
}

struct columns columns_new(void)
{
	return (struct columns){g_array_new(FALSE, TRUE, sizeof(struct doc_column)),
				g_ptr_array_new_with_free_func(g_free)};
}

void columns_add(struct columns *c, enum doc_unit unit, const char *key, const char *title)
{
	struct doc_column column = {g_strdup(key), g_strdup(title), unit};

	g_ptr_array_add(c->texts, (char *)column.key);
	g_ptr_array_add(c->texts, (char *)column.title);
	g_array_append_val(c->list, column);
}

void columns_add_of(struct columns *c, enum doc_unit unit, const char *system, const char *what,
		    const char *title)
{
	g_autofree char *key = g_strdup_printf("%s.%s", system, what);
	g_autofree char *full = g_strdup_printf("%s%s%s", system, *title ? " " : "", title);

	columns_add(c, unit, key, full);
}

void columns_free(struct columns *c)
{
	g_array_unref(c->list);
	g_ptr_array_unref(c->texts);
}

struct doc_section *columns_section(struct columns *c, struct doc *doc, const char *key, const char *title)
{
	return doc_section(doc, key, title, (const struct doc_column *)c->list->data, (int)c->list->len);
}

static void medians_of(const struct selection *s, const double *values, const char **reasons, double *medians,
		       const char **why)
{
	g_autofree double *cell = g_new(double, s->runs->len + 1);
	size_t n = 0;

	for (guint i = 0; i < s->runs->len; i++) {
		const struct selection_place *p = &g_array_index(s->places, struct selection_place, i),
					     *next = p + 1;
		size_t at = (size_t)p->workload * s->systems->len + p->system;

		if (!isnan(values[i]))
			cell[n++] = values[i];
		else if (why)
			why[at] = reasons[i];
		if (i + 1 < s->runs->len && next->workload == p->workload && next->system == p->system)
			continue;
		medians[at] = stats_median(cell, n);
		n = 0;
	}
}

int compare_medians(struct compare_report *r, const char *name, double *medians, const char **why)
{
	const struct selection *s = r->selection;
	g_autofree double *values = g_new(double, s->runs->len + 1);
	g_autofree const char **reasons = g_new0(const char *, s->runs->len + 1);
	struct metric *m = NULL;
	int rc = metric_find(r->store, name, &m);

	for (size_t i = 0; i < (size_t)s->systems->len * s->workloads->len; i++) {
		medians[i] = NAN;
		if (why)
			why[i] = "no run of this database has it";
	}
	if (!rc)
		rc = metric_values(r->store, m, s->runs, values, reasons);
	metric_free(m);
	if (!rc)
		medians_of(s, values, reasons, medians, why);
	return rc;
}

int compare_lossy_note(struct compare_report *r, struct doc_section *sec, const char *metric)
{
	g_autoptr(GArray) losses = NULL;
	g_autoptr(GHashTable) ours = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_autoptr(GString) runs = g_string_new(NULL);
	g_autofree char *probe = g_strndup(metric, strcspn(metric, "/=@."));
	int rc = store_read_lossy(r->store, probe, &losses);

	for (guint i = 0; i < r->selection->runs->len; i++)
		g_hash_table_add(ours, &ROW(r->selection->runs, store_run_row, i)->id);
	for (guint i = 0; !rc && i < losses->len; i++) {
		const struct store_lossy_row *l = ROW(losses, store_lossy_row, i);

		if (g_hash_table_contains(ours, &l->run) && (double)l->lost > 0.001 * (double)l->seen)
			g_string_append_printf(runs, "%s%" PRId64, runs->len ? ", " : "", l->run);
	}
	if (runs->len)
		doc_note(
		    sec,
		    "INCOMPLETE: %s lost more than 0.1 %% of its calls in run %s: `mmprof report RUN` tells "
		    "how.",
		    probe, runs->str);
	return rc;
}

int report_list_metrics(struct store *store, const char *filter, struct doc *doc)
{
	static const struct doc_column columns[] = {{"metric", "metric", DOC_PLAIN},
						    {"unit", "unit", DOC_PLAIN},
						    {"better", "better", DOC_PLAIN},
						    {"what", "what it is", DOC_PLAIN}};
	static const char *const better[] = {"less", "more", "-"};
	struct doc_section *sec = doc_section(doc, "metrics", "Metrics", columns, G_N_ELEMENTS(columns));
	g_autoptr(GPtrArray) metrics = NULL;
	int rc = metric_list(store, filter, &metrics);

	for (guint i = 0; !rc && i < metrics->len; i++) {
		const struct metric *m = metrics->pdata[i];

		doc_row(sec);
		doc_text(sec, "%s", m->name);
		doc_text(sec, "%s", m->unit_name);
		doc_text(sec, "%s", better[m->better]);
		doc_text(sec, "%s", m->what);
	}
	if (!rc)
		doc_note(
		    sec,
		    "A probe also has .total .min .max and any percentile (.p99.9); @CLASS or @all behind "
		    "its "
		    "name for others than the workload; a series has .rate, or .mean .min .max .first .end "
		    ".last. "
		    "`man mmprof-report` tells more.");
	return rc;
}
