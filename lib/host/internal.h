// What the files of lib/host share. Private to lib/host.
#ifndef MMPROF_HOST_INTERNAL_H
#define MMPROF_HOST_INTERNAL_H

#include "host/host.h"

// A file's text without the final newline, NULL when it can't be read; g_free.
char *host_read(const char *path);

// Where a file system of this type is mounted ("debugfs", "bpf"), NULL: nowhere. Static.
const char *host_mount(const char *type);

#endif
