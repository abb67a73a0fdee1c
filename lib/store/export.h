// Long tables for other programs: one row a thing, each with its run's id, UUID, workload and system. Rows
// come one by one, so that a database of any size can be given out.
#ifndef MMPROF_STORE_EXPORT_H
#define MMPROF_STORE_EXPORT_H

#include "store/store_read.h"

// The tables there are, ends with NULL: "runs", "latency", "counts", "series", "samples", "facts", "metrics".
extern const char *const store_export_tables[];

// `runs`: ids (int64_t); NULL: all. "latency" calls percentile(buckets, min_ns, max_ns, p), which the caller
// adds (store_add_function). -EINVAL with an err chain for another table.
int store_export(struct store *store, const char *table, const GArray *runs,
		 const struct store_query_sink *sink);

#endif
