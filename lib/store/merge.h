// Bringing the runs of one database into another. Runs are known by their UUID, so that merging twice adds
// nothing and databases of several machines never conflict.
#ifndef MMPROF_STORE_MERGE_H
#define MMPROF_STORE_MERGE_H

#include <glib.h>
#include <stdint.h>

struct store;

struct merge_outcome {
	int64_t added, there, running; // runs copied; already there; left out because they have not ended
	GPtrArray
	    *renamed; // experiments whose name was taken by another plan: each its name, then its new name
};

// Copies into `into` (opened for writing) every ended run of `from` (opened for reading) that it does not
// have, with all that belongs to it, oldest first, in one transaction: all or nothing. `from` is checked for
// damage, and each row passes the constraints of schema.sql again. -errno with an err chain.
// merge_outcome_clear() in either case.
int store_merge(struct store *into, struct store *from, struct merge_outcome *outcome);
void merge_outcome_clear(struct merge_outcome *outcome);

#endif
