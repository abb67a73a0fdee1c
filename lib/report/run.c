// The report of one run: reads everything of it, then each section adds itself. The helpers that sections
// share are here too.
#include "report/report.h"

#include "report/internal.h"
#include "store/store.h"

static int read_all(struct store *store, struct report *r)
{
	int64_t id = r->run.id;
	int rc = store_read_siblings(store, &r->run, &r->siblings);

	if (!rc)
		rc = store_read_tags(store, id, &r->tags);
	if (!rc)
		rc = store_read_facts(store, id, &r->facts);
	if (!rc)
		rc = store_read_probes(store, id, &r->probes);
	if (!rc)
		rc = store_read_hists(store, id, &r->hists);
	if (!rc)
		rc = store_read_counts(store, id, &r->counts);
	if (!rc)
		rc = store_read_losses(store, id, &r->losses);
	if (!rc)
		rc = store_read_calibrations(store, id, &r->calibrations);
	if (!rc)
		rc = store_read_not_measured(store, id, &r->not_measured);
	if (!rc)
		rc = store_read_kernel_log(store, id, &r->log);
	if (!rc)
		rc = store_read_notes(store, id, &r->notes);
	if (!rc)
		rc = store_read_metrics(store, id, &r->metrics);
	if (!rc)
		rc = store_read_marks(store, id, &r->marks);
	return rc ? rc : store_read_series(store, id, &r->series);
}

static void free_all(struct report *r)
{
	GArray **lists[] = {&r->siblings, &r->tags,   &r->facts,        &r->probes,       &r->hists,
			    &r->counts,   &r->losses, &r->calibrations, &r->not_measured, &r->log,
			    &r->series,   &r->notes,  &r->metrics,      &r->marks};

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		g_clear_pointer(lists[i], g_array_unref);
}

static int make(struct store *store, const struct store_run_row *run, bool all,
		void (*const *sections)(struct report *), struct doc **doc)
{
	struct report r = {.all = all, .run = *run};
	g_autofree char *name = g_strdup_printf("run %" PRId64, run->id);
	int rc = store_begin(store);

	if (!rc)
		rc = read_all(store, &r);
	store_commit(store);
	if (!rc) {
		*doc = r.doc = doc_new(name);
		for (; *sections; sections++)
			(*sections)(&r);
	}
	free_all(&r);
	return rc;
}

int report_run(struct store *store, const struct store_run_row *run, bool all, struct doc **doc)
{
	static void (*const sections[])(struct report *) = {
	    report_head,       report_pinned,       report_time,        report_metrics,
	    report_timed,      report_marks,        report_cpu,         report_latency,
	    report_tlb,        report_locks,        report_acquires,    report_events,
	    report_counters,   report_pressure,     report_levels,      report_samplers,
	    report_kernel_log, report_losses,       report_calibration, report_self,
	    report_probes,     report_not_measured, report_provenance,  NULL,
	};

	return make(store, run, all, sections, doc);
}

int report_results(struct store *store, const struct store_run_row *run, struct doc **doc)
{
	static void (*const sections[])(struct report *) = {report_metrics, report_timed, NULL};

	return make(store, run, false, sections, doc);
}

// --- helpers

const struct store_probe_row *report_probe(const struct report *r, int64_t id)
{
	for (guint i = 0; i < r->probes->len; i++)
		if (ROW(r->probes, store_probe_row, i)->id == id)
			return ROW(r->probes, store_probe_row, i);
	return NULL;
}

const char *report_fact(const struct report *r, const char *key)
{
	for (guint i = 0; i < r->facts->len; i++)
		if (!strcmp(ROW(r->facts, store_pair, i)->key, key))
			return ROW(r->facts, store_pair, i)->value;
	return NULL;
}

const struct store_series_row *report_series(const struct report *r, const char *name)
{
	for (guint i = 0; i < r->series->len; i++)
		if (!strcmp(ROW(r->series, store_series_row, i)->name, name))
			return ROW(r->series, store_series_row, i);
	return NULL;
}

bool report_was_measured(const struct report *r, const char *what)
{
	for (guint i = 0; i < r->not_measured->len; i++)
		if (!strcmp(ROW(r->not_measured, store_pair, i)->key, what))
			return false;
	return true;
}

int64_t report_delta(const struct store_series_row *s)
{
	int64_t d;

	if (s->first == STORE_NULL || s->last == STORE_NULL || __builtin_sub_overflow(s->last, s->first, &d))
		return STORE_NULL;
	return d;
}

int64_t report_sum(int64_t a, int64_t b)
{
	int64_t sum;

	return a == STORE_NULL || b == STORE_NULL || __builtin_add_overflow(a, b, &sum) ? STORE_NULL : sum;
}

void report_int(struct doc_section *sec, int64_t value, const char *why)
{
	if (value == STORE_NULL)
		doc_none(sec, why);
	else
		doc_int(sec, value);
}

void report_text(struct doc_section *sec, const char *text)
{
	if (text)
		doc_text(sec, "%s", text);
	else
		doc_none_as(sec, "", NULL);
}

void report_rate(struct doc_section *sec, const struct report *r, int64_t count)
{
	if (count == STORE_NULL || r->run.elapsed_ns == STORE_NULL || r->run.elapsed_ns <= 0)
		doc_none(sec, "the run's length is not known");
	else
		doc_real(sec, (double)count * 1e9 / (double)r->run.elapsed_ns);
}

void report_share(struct doc_section *sec, const struct report *r, int64_t ns)
{
	if (ns == STORE_NULL || r->run.elapsed_ns == STORE_NULL || r->run.elapsed_ns <= 0)
		doc_none(sec, "the run's length is not known");
	else
		doc_real(sec, (double)ns / (double)r->run.elapsed_ns);
}

// What the database could not hold as a number is in the ledger; see schema.sql.
static const char too_big[] = "above 2^63 - 1; the losses have the exact value";

static void percentiles(struct doc_section *sec, const struct store_hist_row *row)
{
	static const double ps[] = {50, 90, 99, 99.9};
	struct hist h = {.count = (uint64_t)row->count,
			 .min = row->min_ns == STORE_NULL ? 0 : (uint64_t)row->min_ns,
			 .max = row->max_ns == STORE_NULL ? UINT64_MAX : (uint64_t)row->max_ns};

	memcpy(h.buckets, row->buckets, sizeof(h.buckets));
	for (size_t i = 0; i < G_N_ELEMENTS(ps); i++)
		doc_int(sec, (int64_t)MIN(hist_percentile(&h, ps[i]), (uint64_t)INT64_MAX));
}

void report_hist(struct doc_section *sec, const struct report *r, const struct store_hist_row *h)
{
	report_int(sec, h->count, too_big);
	report_rate(sec, r, h->count);
	report_int(sec, h->sum_ns, too_big);
	if (h->sum_ns == STORE_NULL || h->count == STORE_NULL || h->count == 0)
		doc_none(sec, h->count == 0 ? "no call" : too_big);
	else
		doc_real(sec, (double)h->sum_ns / (double)h->count);
	percentiles(sec, h);
	report_int(sec, h->max_ns, too_big);
}
