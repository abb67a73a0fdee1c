// What the sections of a run's report share: the run's rows, read once, and small helpers. Each section is a
// function that adds itself to the document, or nothing when the run has nothing of it.
#ifndef MMPROF_REPORT_INTERNAL_H
#define MMPROF_REPORT_INTERNAL_H

#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/doc.h"
#include "stats/hist.h"
#include "store/store_read.h"

struct report {
	struct doc *doc;
	bool all;
	struct store_run_row run;
	GArray *siblings, *tags, *facts, *probes, *hists, *counts, *losses, *calibrations, *not_measured,
	    *log, *series, *notes, *metrics, *marks;
};

// Rows of a list by index.
#define ROW(list, type, i) (&g_array_index(list, struct type, i))

// A probe by id, NULL if there is none (a damaged database).
const struct store_probe_row *report_probe(const struct report *r, int64_t id);

// A fact of the machine, NULL if it was not kept.
const char *report_fact(const struct report *r, const char *key);

// A series by name, NULL if there is none.
const struct store_series_row *report_series(const struct report *r, const char *name);

bool report_was_measured(const struct report *r, const char *what);

// last - first of a series; a + b. STORE_NULL when either is not there or the result is out of range.
int64_t report_delta(const struct store_series_row *s);
int64_t report_sum(int64_t a, int64_t b);

// An integer or, for STORE_NULL, "not measured" with `why`.
void report_int(struct doc_section *sec, int64_t value, const char *why);
void report_text(struct doc_section *sec, const char *text); // NULL: a blank cell

// Events a second over the run; a share of the run's time. Not measured when the run has no length.
void report_rate(struct doc_section *sec, const struct report *r, int64_t count);
void report_share(struct doc_section *sec, const struct report *r, int64_t ns);

// Count, rate, total, mean, percentiles of a histogram: these columns, in this order.
#define REPORT_HIST_COLUMNS                                                                                  \
	{"count", "count", DOC_COUNT}, {"rate_per_s", "rate", DOC_RATE}, {"total_ns", "total", DOC_NS},      \
	    {"mean_ns", "mean", DOC_NS}, {"p50_ns", "p50", DOC_NS}, {"p90_ns", "p90", DOC_NS},               \
	    {"p99_ns", "p99", DOC_NS}, {"p999_ns", "p99.9", DOC_NS},                                         \
	{                                                                                                    \
		"max_ns", "max", DOC_NS                                                                      \
	}
void report_hist(struct doc_section *sec, const struct report *r, const struct store_hist_row *h);

// Whether a probe lost more than 0.1 % of what it should have seen: "INCOMPLETE: 2.1 % lost", else NULL.
// g_free it.
char *report_incomplete(const struct report *r, const struct store_probe_row *p);

// The sections, in the order in which they are shown.
void report_head(struct report *r);
void report_pinned(struct report *r);
void report_time(struct report *r);
void report_metrics(struct report *r);
void report_timed(struct report *r);
void report_marks(struct report *r);
void report_cpu(struct report *r);
void report_latency(struct report *r);
void report_tlb(struct report *r);
void report_locks(struct report *r);
void report_acquires(struct report *r);
void report_events(struct report *r);
void report_counters(struct report *r);
void report_pressure(struct report *r);
void report_levels(struct report *r);
void report_kernel_log(struct report *r);
void report_losses(struct report *r);
void report_calibration(struct report *r);
void report_self(struct report *r);
void report_samplers(struct report *r);
void report_probes(struct report *r);
void report_not_measured(struct report *r);
void report_provenance(struct report *r);

#endif
