// How long functions took, by whom they were called, and what the measuring itself adds to the figures.
#include <math.h>

#include "report/internal.h"

#define FLOOR_FACTOR 2   // a mean below this many times the backend's own cost says little
#define LOSS_LIMIT 0.001 // a probe that lost a greater part is flagged

// --- losses of a probe

static int64_t seen_by(const struct report *r, int64_t probe)
{
	double sum = 0;

	for (guint i = 0; i < r->hists->len; i++)
		if (ROW(r->hists, store_hist_row, i)->probe == probe &&
		    ROW(r->hists, store_hist_row, i)->count != STORE_NULL)
			sum += (double)ROW(r->hists, store_hist_row, i)->count;
	for (guint i = 0; i < r->counts->len; i++)
		if (ROW(r->counts, store_count_row, i)->probe == probe &&
		    ROW(r->counts, store_count_row, i)->count != STORE_NULL)
			sum += (double)ROW(r->counts, store_count_row, i)->count;
	return (int64_t)MIN(sum, 9e18);
}

static bool concerns(const struct store_loss_row *loss, const struct store_probe_row *p)
{
	if (loss->probe != STORE_NULL)
		return loss->probe == p->id;
	return p->backend && !strcmp(p->backend, "ftrace") && g_str_has_prefix(loss->kind, "ftrace");
}

char *report_incomplete(const struct report *r, const struct store_probe_row *p)
{
	double lost = 0, seen = (double)seen_by(r, p->id);

	for (guint i = 0; i < r->losses->len; i++) {
		const struct store_loss_row *loss = ROW(r->losses, store_loss_row, i);

		if (concerns(loss, p) && loss->count == STORE_NULL)
			return g_strdup("INCOMPLETE: see losses");
		if (concerns(loss, p) && !g_str_has_prefix(loss->kind, "above_2^63"))
			lost += (double)loss->count;
	}
	if (lost <= 0 || lost / (lost + seen) <= LOSS_LIMIT)
		return NULL;
	return g_strdup_printf("INCOMPLETE: %.3g %% lost", 100 * lost / (lost + seen));
}

// --- the table

static const struct store_calibration_row *calibration_of(const struct report *r, const char *backend)
{
	for (guint i = 0; backend && i < r->calibrations->len; i++)
		if (!strcmp(ROW(r->calibrations, store_calibration_row, i)->backend, backend))
			return ROW(r->calibrations, store_calibration_row, i);
	return NULL;
}

static void corrected(struct doc_section *sec, const struct report *r, const struct store_probe_row *p,
		      const struct store_hist_row *h)
{
	const struct store_calibration_row *c = calibration_of(r, p->backend);
	double mean;

	if (h->count == STORE_NULL || h->sum_ns == STORE_NULL || !h->count) {
		doc_none_as(sec, "", "no mean");
		return;
	}
	if (!c || isnan(c->inside_mean_ns)) {
		doc_none_as(sec, "not calibrated", "the backend's own cost was not measured");
		return;
	}
	mean = (double)h->sum_ns / (double)h->count;
	if (mean <= FLOOR_FACTOR * c->inside_mean_ns)
		doc_none_as(sec, "below floor", "the mean is at most twice what the backend itself costs");
	else
		doc_real(sec, mean - c->inside_mean_ns);
}

static void row_start(struct doc_section *sec, const struct store_probe_row *p, const char *class,
		      const char *part)
{
	doc_row(sec);
	doc_text(sec, "%s", p->name);
	if (part && *part)
		doc_text(sec, "%s, %s", class, part);
	else
		report_text(sec, class);
	report_text(sec, p->backend);
}

static int by_weight(const void *a, const void *b)
{
	const struct store_hist_row *x = *(const struct store_hist_row *const *)a,
				    *y = *(const struct store_hist_row *const *)b;
	bool x_own = !strcmp(x->class, "workload"), y_own = !strcmp(y->class, "workload");

	if (x_own != y_own)
		return x_own ? -1 : 1;
	return x->sum_ns > y->sum_ns ? -1 : x->sum_ns < y->sum_ns;
}

// A probe's histograms: the workload's first, then by total time.
static GPtrArray *hists_of(const struct report *r, int64_t probe)
{
	GPtrArray *hists = g_ptr_array_new();

	for (guint i = 0; i < r->hists->len; i++)
		if (ROW(r->hists, store_hist_row, i)->probe == probe)
			g_ptr_array_add(hists, ROW(r->hists, store_hist_row, i));
	g_ptr_array_sort(hists, by_weight);
	return hists;
}

static void probe_rows(struct doc_section *sec, const struct report *r, const struct store_probe_row *p)
{
	g_autoptr(GPtrArray) hists = hists_of(r, p->id);
	g_autofree char *incomplete = report_incomplete(r, p);

	if (!hists->len) {
		row_start(sec, p, NULL, NULL);
		doc_int(sec, 0);
		report_rate(sec, r, 0);
		doc_int(sec, 0);
		for (int i = 0; i < 7; i++)
			doc_none_as(sec, "", NULL);
		report_text(sec, incomplete ? incomplete : "never called");
		return;
	}
	for (guint i = 0; i < hists->len; i++) {
		const struct store_hist_row *h = hists->pdata[i];

		row_start(sec, p, h->class, h->part);
		report_hist(sec, r, h);
		corrected(sec, r, p, h);
		report_text(sec, incomplete);
	}
}

void report_latency(struct report *r)
{
	static const struct doc_column columns[] = {
	    {"probe", "function", DOC_PLAIN},           {"class", "class", DOC_PLAIN},
	    {"backend", "backend", DOC_PLAIN},          REPORT_HIST_COLUMNS,
	    {"corrected_mean_ns", "corrected", DOC_NS}, {"remark", "", DOC_PLAIN}};
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->probes->len; i++) {
		const struct store_probe_row *p = ROW(r->probes, store_probe_row, i);

		if (strcmp(p->kind, "func") || strcmp(p->status, "attached"))
			continue;
		if (!sec)
			sec = doc_section(r->doc, "latency", "Function latency", columns,
					  G_N_ELEMENTS(columns));
		probe_rows(sec, r, p);
	}
	if (!sec)
		return;
	doc_note(sec,
		 "From entry to return, callees and sleep included. Percentiles are within %.4g %%; count, "
		 "total, mean and max are "
		 "exact. \"corrected\" is the mean less the backend's own cost (see calibration); \"below "
		 "floor\": the mean is at most "
		 "%d times that cost.",
		 HIST_ERROR * 100, FLOOR_FACTOR);
}
