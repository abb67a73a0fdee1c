// Bringing the runs of one database into another. Runs are known by their UUID, so that merging twice adds
// nothing and databases of several machines never conflict.
#ifndef MMPROF_STORE_MERGE_H
#define MMPROF_STORE_MERGE_H

#include <stdint.h>

struct store;

struct merge_outcome {
	int64_t added, there, running; // runs copied; already there; left out because they have not ended
	int64_t renamed;               // experiments whose name was taken by another plan
};

// Copies into `into` (opened for writing) every ended run of `from` (opened for reading) that it does not
// have, with all that belongs to it, oldest first, in one transaction: all or nothing. Each row passes the
// constraints of schema.sql again. -errno with an err chain.
int store_merge(struct store *into, struct store *from, struct merge_outcome *outcome);

#endif
