// The comparison of systems, for `mmprof report --compare`: a document made from the database alone.
#ifndef MMPROF_REPORT_COMPARE_H
#define MMPROF_REPORT_COMPARE_H

#include "metric/compare.h"

struct doc;
struct store;

struct report_compare_options {
	struct selection_options selection;
	const char *const *metrics;   // NULL or empty: elapsed
	const char *const *latencies; // probes whose distributions are compared; NULL: all, if they are few
	struct compare_options compare;
	bool all; // also facts and components that don't differ or weren't measured
};

// 0 and a document for doc_free(), or -errno with an err chain.
int report_compare(struct store *store, const struct report_compare_options *options, struct doc **doc);

// Adds a section with one row a metric that this database can answer.
int report_list_metrics(struct store *store, const char *filter, struct doc *doc);

#endif
