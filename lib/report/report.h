// Reports: documents made from the database alone, for `mmprof report` and `mmprof list`. Knows nothing of
// the machine that it runs on.
#ifndef MMPROF_REPORT_REPORT_H
#define MMPROF_REPORT_REPORT_H

#include <stdbool.h>

struct doc;
struct store;
struct store_run_row;

// Everything about one run. `all`: also what did not move, every level, every fact of the machine.
// 0 and a document for doc_free(), or -errno with an err chain.
int report_run(struct store *store, const struct store_run_row *run, bool all, struct doc **doc);

// Only what a benchmark gave back: its figures and what it timed.
int report_results(struct store *store, const struct store_run_row *run, struct doc **doc);

// Adds a section with one row a run, oldest first; or one a system under test.
int report_list_runs(struct store *store, struct doc *doc);
int report_list_systems(struct store *store, struct doc *doc);

#endif
