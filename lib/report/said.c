// What the workload itself said: its figures and the phases that it went through.
#include "report/internal.h"

void report_metrics(struct report *r)
{
	static const struct doc_column columns[] = {{"metric", "metric", DOC_PLAIN},
						    {"value", "value", DOC_NUMBER},
						    {"unit", "unit", DOC_PLAIN},
						    {"better", "better", DOC_PLAIN},
						    {"source", "from", DOC_PLAIN}};
	struct doc_section *sec;

	if (!r->metrics->len)
		return;
	sec = doc_section(r->doc, "metrics", "What the workload gave", columns, G_N_ELEMENTS(columns));
	for (guint i = 0; i < r->metrics->len; i++) {
		const struct store_metric_row *m = ROW(r->metrics, store_metric_row, i);

		doc_row(sec);
		doc_text(sec, "%s", m->name);
		doc_real(sec, m->value);
		report_text(sec, m->unit);
		report_text(sec, strcmp(m->better, "neither") ? m->better : NULL);
		doc_text(sec, "%s", m->source);
	}
}

// What a benchmark timed by itself; its metrics have the medians to a fraction of a nanosecond.
void report_timed(struct report *r)
{
	static const struct doc_column columns[] = {{"operation", "operation", DOC_PLAIN},
						    REPORT_HIST_COLUMNS};
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->hists->len; i++) {
		const struct store_hist_row *h = ROW(r->hists, store_hist_row, i);
		const struct store_probe_row *p = report_probe(r, h->probe);

		if (!p || strcmp(p->kind, "bench"))
			continue;
		if (!sec)
			sec = doc_section(r->doc, "timed", "Timed by the benchmark", columns,
					  G_N_ELEMENTS(columns));
		doc_row(sec);
		doc_text(sec, "%s", p->name);
		report_hist(sec, r, h);
	}
	if (sec)
		doc_note(sec,
			 "Percentiles are within %.4g %%; count, total, mean and max are exact to the "
			 "nanosecond. Samples "
			 "of the warm-up, and those that a context switch or a migration fell into, are left "
			 "out (see "
			 "losses).",
			 HIST_ERROR * 100);
}

void report_marks(struct report *r)
{
	static const struct doc_column columns[] = {
	    {"t_ns", "from", DOC_NS}, {"length_ns", "for", DOC_NS}, {"phase", "phase", DOC_PLAIN}};
	struct doc_section *sec;

	if (!r->marks->len)
		return;
	sec = doc_section(r->doc, "phases", "Phases, as the workload named them", columns,
			  G_N_ELEMENTS(columns));
	for (guint i = 0; i < r->marks->len; i++) {
		const struct store_mark_row *m = ROW(r->marks, store_mark_row, i);
		int64_t end = i + 1 < r->marks->len ? m[1].t_ns : r->run.elapsed_ns;

		doc_row(sec);
		doc_int(sec, m->t_ns);
		if (end != STORE_NULL)
			doc_int(sec, end - m->t_ns);
		else
			doc_none_as(sec, "", "the run did not reach its end");
		doc_text(sec, "%s", m->name);
	}
	doc_note(sec, "Times are when mmprof saw the line: a workload that buffers its output marks late.");
}
