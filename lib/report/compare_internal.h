// What the sections of a comparison share.
#ifndef MMPROF_REPORT_COMPARE_INTERNAL_H
#define MMPROF_REPORT_COMPARE_INTERNAL_H

#include <glib.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/doc.h"
#include "base/err.h"
#include "metric/tiers.h"
#include "report/compare.h"
#include "report/internal.h"
#include "store/store.h"
#include "store/values.h"

struct compare_report {
	struct doc *doc;
	struct store *store;
	const struct report_compare_options *options;
	struct selection *selection;
	GPtrArray *comparisons; // struct comparison, in the order of the metrics
};

// Sections. Each adds itself, or nothing when it has nothing to say; 0 or the store's errors.
int compare_head(struct compare_report *r);
int compare_differences(struct compare_report *r);
int compare_metrics(struct compare_report *r);
int compare_latencies(struct compare_report *r);
int compare_time(struct compare_report *r);
int compare_cost(struct compare_report *r);
int compare_samples(struct compare_report *r);

// Names of systems and workloads by index.
static inline const char *system_name(const struct selection *s, guint i)
{
	return s->systems->pdata[i];
}
static inline const char *workload_name(const struct selection *s, guint i)
{
	return s->workloads->pdata[i];
}

enum doc_unit compare_unit(const struct metric *metric);

// A number, or "not measured" with `why` for NAN.
void compare_real(struct doc_section *sec, double value, const char *why);

// A table's columns that are made as it goes: title and key are copied until columns_free().
struct columns {
	GArray *list;
	GPtrArray *texts;
};
struct columns columns_new(void);
void columns_add(struct columns *c, enum doc_unit unit, const char *key, const char *title);
// A column of one system: key "SYSTEM.what", title "SYSTEM title".
void columns_add_of(struct columns *c, enum doc_unit unit, const char *system, const char *what,
		    const char *title);
void columns_free(struct columns *c);
struct doc_section *columns_section(struct columns *c, struct doc *doc, const char *key, const char *title);

// The suffix of a key for a metric's unit: "_ns", "_bytes", "".
const char *compare_suffix(const struct metric *metric);

// The median of a metric over the runs of each cell, [workload * systems + system], NAN where there is none;
// `why`, one reason a cell, may be NULL. -ENOENT (no err chain kept) when the database has no such metric.
int compare_medians(struct compare_report *r, const char *metric, double *medians, const char **why);

// A note under the table if the metric's probe (or the probe itself) lost calls in some of the runs.
int compare_lossy_note(struct compare_report *r, struct doc_section *sec, const char *metric);

#endif
