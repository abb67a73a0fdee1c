// What merge.c and merge_rows.c share: a merge under way. Not for anything else.
#ifndef MMPROF_STORE_MERGE_INTERNAL_H
#define MMPROF_STORE_MERGE_INTERNAL_H

#include "store/internal.h"
#include "store/merge.h"

struct merge {
	struct store *into, *from;
	struct merge_outcome *outcome;
	GArray *plans;           // the source's
	GHashTable *experiments; // name in the source → name in the target
	GHashTable *envs;        // id in the source → id in the target
	GHashTable *probes;      // the same, of the run that is being copied
};

void merge_map_id(GHashTable *map, int64_t old, int64_t new);
int64_t merge_mapped_id(GHashTable *map, int64_t old); // 0: not there

// -EBADMSG: a row of the source that is none of mmprof's.
int merge_bad_row(const struct merge *m, const char *table, const char *why);

// Looks through all tables that are copied for damage that opening does not see: a page that is read again
// and again would never end.
int merge_check_source(struct store *from);

// Copies the run's own row, with this experiment and these facts (`env`; 0: none). *run is its id in the
// target.
int merge_run_row(const struct merge *m, int64_t old, const char *experiment, int64_t env, int64_t *run);

// Copies all that belongs to the run `old` of the source to be of the run `run`.
int merge_rows_of_run(struct merge *m, int64_t old, int64_t run);

#endif
