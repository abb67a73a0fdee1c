// A file that a command writes for its user: whole or not at all, 0644, never through a symbolic link.
#ifndef MMPROF_BASE_OUTFILE_H
#define MMPROF_BASE_OUTFILE_H

#include <stddef.h>
#include <stdio.h>

// Replaces `path` by a file with this content. -EEXIST with an err chain when something that is no regular
// file is there, -errno with an err chain otherwise.
int outfile_write(const char *path, const char *data, size_t len);

// The same for content that is too large for memory: `fill` writes it. What `fill` returns, if not 0, is the
// result, and `path` is as it was.
int outfile_fill(const char *path, int (*fill)(void *ctx, FILE *out), void *ctx);

#endif
