// The tables of a metric: at a glance (rows are workloads, columns are systems), in full (one row a cell),
// and what is unsteady about the runs.
#include "report/compare_internal.h"

static const char *const corrections[] = {
    [CORRECT_NONE] = "by no", [CORRECT_HOLM] = "Holm's", [CORRECT_BH] = "Benjamini and Hochberg's"};

static const char *why_none(const struct cell *cell)
{
	return cell->why_missing ? cell->why_missing : "no run of this workload under this system";
}

// --- at a glance

static struct doc_section *glance_section(struct compare_report *r, const struct comparison *c)
{
	const struct selection *s = r->selection;
	g_autofree char *key = g_strdup_printf("metric.%s", c->metric->name);
	static const char *const better[] = {"less is better", "more is better", "neither is better"};
	g_autofree char *title =
	    g_strdup_printf("%s: %s (%s)", c->metric->name, c->metric->what, better[c->metric->better]);
	g_autofree char *median = g_strdup_printf("median%s", compare_suffix(c->metric));
	struct columns columns = columns_new();
	struct doc_section *sec;

	columns_add(&columns, DOC_PLAIN, "workload", "workload");
	for (guint i = 0; i < s->systems->len; i++) {
		columns_add_of(&columns, compare_unit(c->metric), system_name(s, i), median, "");
		if (!i)
			continue;
		columns_add_of(&columns, DOC_CHANGE, system_name(s, i), "change", "change");
		columns_add_of(&columns, DOC_PLAIN, system_name(s, i), "verdict", "");
	}
	sec = columns_section(&columns, r->doc, key, title);
	columns_free(&columns);
	return sec;
}

static void glance_row(struct doc_section *sec, const struct comparison *c, guint w)
{
	doc_row(sec);
	doc_text(sec, "%s", workload_name(c->selection, w));
	for (guint i = 0; i < c->selection->systems->len; i++) {
		const struct cell *cell = comparison_cell(c, w, i);

		compare_real(sec, cell->median.value, why_none(cell));
		if (!i)
			continue;
		if (isnan(cell->change.value))
			doc_none_as(sec, "", "no medians whose ratio says anything");
		else
			doc_real(sec, cell->change.value);
		doc_text(sec, "%s", verdict_word(c->metric, cell->verdict));
	}
}

static void geomean_row(struct doc_section *sec, const struct comparison *c)
{
	if (c->geomean_n < 2)
		return;
	doc_row(sec);
	doc_text(sec, "geometric mean");
	for (guint i = 0; i < c->selection->systems->len; i++) {
		doc_none_as(sec, "", "of ratios only");
		if (!i)
			continue;
		doc_real(sec, c->geomean[i] - 1);
		doc_none_as(sec, "", "not tested");
	}
}

static void geomean_note(struct doc_section *sec, const struct comparison *c)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < c->unmatched->len; i++)
		g_string_append_printf(names, "%s%s", i ? ", " : "", (char *)c->unmatched->pdata[i]);
	if (c->selection->workloads->len > 1 && c->unmatched->len)
		doc_note(sec,
			 "The geometric mean is over the %u workload%s that all systems have; left out: %s.",
			 c->geomean_n, c->geomean_n == 1 ? "" : "s", names->str);
}

// --- in full

static struct doc_section *full_section(struct compare_report *r, const struct comparison *c)
{
	g_autofree char *key = g_strdup_printf("cells.%s", c->metric->name);
	g_autofree char *title = g_strdup_printf("%s in full", c->metric->name);
	const char *suffix = compare_suffix(c->metric);
	enum doc_unit unit = compare_unit(c->metric);
	const struct {
		const char *key, *title;
		enum doc_unit unit;
	} numbers[] = {
	    {"median", "median", unit}, {"median_low", "95 % from", unit}, {"median_high", "to", unit}};
	struct columns columns = columns_new();
	struct doc_section *sec;

	columns_add(&columns, DOC_PLAIN, "workload", "workload");
	columns_add(&columns, DOC_PLAIN, "system", "system");
	columns_add(&columns, DOC_COUNT, "n", "n");
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		g_autofree char *full = g_strdup_printf("%s%s", numbers[i].key, suffix);

		columns_add(&columns, numbers[i].unit, full, numbers[i].title);
	}
	columns_add(&columns, DOC_CHANGE, "change", "change");
	columns_add(&columns, DOC_CHANGE, "change_low", "95 % from");
	columns_add(&columns, DOC_CHANGE, "change_high", "to");
	columns_add(&columns, DOC_NUMBER, "p", "p");
	columns_add(&columns, DOC_NUMBER, "p_adjusted", "p corrected");
	columns_add(&columns, DOC_NUMBER, "delta", "Cliff's d");
	columns_add(&columns, DOC_PLAIN, "verdict", "");
	columns_add(&columns, DOC_PLAIN, "unsteady", "unsteady");
	sec = columns_section(&columns, r->doc, key, title);
	columns_free(&columns);
	return sec;
}

#define UNREAD_MOST 0.2 // fewer than about five readings in a run

// "outlying: runs 3, 6, 11; drifts up (tau 0.8); two modes, split at 12.1 s; up to 86 % of a run without a
// reading"
static char *unsteady(const struct comparison *c, const struct cell *cell)
{
	GString *s = g_string_new(NULL);
	const char *separator = "";

	for (size_t i = 0; cell->n_outliers && i < cell->n; i++) {
		if (!cell->outlier[i])
			continue;
		g_string_append_printf(s, "%s%" PRId64, *separator ? separator : "outlying: run ",
				       cell->runs[i]);
		separator = ", ";
	}
	separator = s->len ? "; " : "";
	if (cell->modes.p < STABILITY_ALPHA) {
		g_string_append_printf(
		    s, "%stwo modes (dip %.3f, split at %.4g%s)", separator, cell->modes.dip,
		    c->metric->unit == METRIC_NS ? cell->modes.split / 1e9 : cell->modes.split,
		    c->metric->unit == METRIC_NS ? " s" : "");
		separator = "; ";
	}
	if (cell->drift.p < STABILITY_ALPHA)
		g_string_append_printf(s, "%sdrifts %s with run order (tau %.2f)", separator,
				       cell->drift.tau > 0 ? "up" : "down", cell->drift.tau);
	separator = s->len ? "; " : "";
	if (cell->unread > UNREAD_MOST)
		g_string_append_printf(s, "%sup to %.0f %% of a run without a reading", separator,
				       100 * cell->unread);
	return g_string_free(s, FALSE);
}

static void interval_cells(struct doc_section *sec, const struct interval *i, bool value, const char *why)
{
	if (value)
		compare_real(sec, i->value, why);
	if (isnan(i->low)) {
		doc_none_as(sec, "", "too few runs for an interval");
		doc_none_as(sec, "", "too few runs for an interval");
		return;
	}
	doc_real(sec, i->low);
	doc_real(sec, i->high);
}

static void blanks(struct doc_section *sec, int n, const char *why)
{
	while (n--)
		doc_none_as(sec, "", why);
}

static void full_row(struct doc_section *sec, const struct comparison *c, guint w, guint s)
{
	const struct cell *cell = comparison_cell(c, w, s);
	g_autofree char *text = unsteady(c, cell);

	doc_row(sec);
	doc_text(sec, "%s", workload_name(c->selection, w));
	doc_text(sec, "%s", system_name(c->selection, s));
	doc_int(sec, (int64_t)cell->n);
	interval_cells(sec, &cell->median, true, why_none(cell));
	if (isnan(cell->change.value))
		blanks(sec, 3, s ? "no medians whose ratio says anything" : "the baseline itself");
	else
		interval_cells(sec, &cell->change, true, NULL);
	if (isnan(cell->p_adjusted)) {
		blanks(sec, 3, s ? "not tested: no data" : "the baseline itself");
	} else {
		doc_real(sec, cell->test.p);
		doc_real(sec, cell->p_adjusted);
		doc_real(sec, cell->test.delta);
	}
	doc_text(sec, "%s", verdict_word(c->metric, cell->verdict));
	report_text(sec, *text ? text : NULL);
}

static void method_notes(struct doc_section *sec, const struct comparison *c)
{
	doc_note(sec,
		 "95 %% intervals: bootstrap (seed %" PRIu64
		 "), none for fewer than %d runs. p: Mann and Whitney's U test, "
		 "two-sided, exact for small n. Evidence is a corrected p below %g whose direction the "
		 "interval of the "
		 "change doesn't contradict. Cliff's d: -1 all runs below the baseline's, 1 all above.",
		 c->options.seed, STATS_LEAST_N, COMPARE_ALPHA);
	doc_note(sec,
		 "Unsteady: outliers by distance from the median, drift by Mann and Kendall's test over run "
		 "order, modes "
		 "by Hartigan's dip; each falsely calls at most %g %% of steady series so. All runs count, "
		 "these too: "
		 "--exclude RUN leaves one out. A mean over time takes what was read "
		 "to last until the next reading: it is told where more than %g %% of a run was without one.",
		 100 * STABILITY_ALPHA, 100 * UNREAD_MOST);
}

// One note for each workload and reason, however many systems it is missing under.
static void missing_notes(struct doc_section *sec, const struct comparison *c)
{
	for (guint w = 0; w < c->selection->workloads->len; w++)
		for (guint s = 0; s < c->selection->systems->len; s++) {
			const struct cell *cell = comparison_cell(c, w, s);
			g_autoptr(GString) systems = g_string_new(NULL);
			bool told = false;

			for (guint k = 0; cell->missing && k < c->selection->systems->len; k++) {
				const struct cell *other = comparison_cell(c, w, k);

				if (!other->missing || strcmp(why_none(other), why_none(cell)))
					continue;
				told |= k < s;
				g_string_append_printf(systems, "%s%s (%zu run%s)", systems->len ? ", " : "",
						       system_name(c->selection, k), other->missing,
						       other->missing == 1 ? "" : "s");
			}
			if (cell->missing && !told)
				doc_note(sec, "Not measured: %s under %s: %s.",
					 workload_name(c->selection, w), systems->str, why_none(cell));
		}
}

static bool has_data(const struct comparison *c, guint w)
{
	for (guint s = 0; s < c->selection->systems->len; s++)
		if (comparison_cell(c, w, s)->n)
			return true;
	return false;
}

// A benchmark's figures are of its own workload only: the others have no row, unless none has any.
static bool any_data(const struct comparison *c)
{
	for (guint w = 0; w < c->selection->workloads->len; w++)
		if (has_data(c, w))
			return true;
	return false;
}

static int one(struct compare_report *r, const struct comparison *c)
{
	struct doc_section *glance = glance_section(r, c), *full = full_section(r, c);
	bool any = any_data(c);

	for (guint w = 0; w < r->selection->workloads->len; w++) {
		if (any && !has_data(c, w))
			continue;
		glance_row(glance, c, w);
		for (guint s = 0; s < r->selection->systems->len; s++)
			full_row(full, c, w, s);
	}
	geomean_row(glance, c);
	geomean_note(glance, c);
	missing_notes(full, c);
	doc_note(full, "p is corrected for %zu test%s: %s method.", c->n_tests, c->n_tests == 1 ? "" : "s",
		 corrections[c->options.correction]);
	if (c == r->comparisons->pdata[r->comparisons->len - 1])
		method_notes(full, c);
	return compare_lossy_note(r, glance, c->metric->name);
}

int compare_metrics(struct compare_report *r)
{
	int rc = 0;

	for (guint i = 0; i < r->comparisons->len && !rc; i++)
		rc = one(r, r->comparisons->pdata[i]);
	return rc;
}
