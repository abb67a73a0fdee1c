// The formats of `mmprof export`.
#ifndef MMPROF_CMD_EXPORT_H
#define MMPROF_CMD_EXPORT_H

#include <glib.h>
#include <stdio.h>

struct store;

// 0, or -errno with an err chain, also when `out` can't be written. `runs`: of struct store_run_row.
int export_openmetrics(struct store *store, const GArray *runs, FILE *out);

// 0 if `out` has taken all so far: asked often, so that a full disk ends the export and errno is still that
// of the write.
int export_written(FILE *out);

#endif
