// What the files of lib/host share: reading, mounts, and the kernel's configuration, below any root. Private
// to lib/host.
#ifndef MMPROF_HOST_INTERNAL_H
#define MMPROF_HOST_INTERNAL_H

#include <glib.h>

#include "host/host.h"

enum { HOST_LINE_BYTES = 1024, HOST_FILE_BYTES = 4 << 20 };

// A regular file's text without the final newline, at most 4 MiB of it. NULL with errno when it can't be
// read or holds no text. g_free.
char *host_read(const char *path);
char *host_read_below(const char *root, const char *path);

// `text` as one line of valid UTF-8: runs of blanks and control characters become one space, at most a KiB.
// g_free.
char *host_line(const char *text);

// The names in a directory, sorted, NULL-terminated; empty when there is no such directory. g_strfreev.
char **host_entries(const char *path);

// Where a file system of this type is mounted ("debugfs", "bpf"), NULL: nowhere. Static.
const char *host_mount(const char *type);

// "v2", "hybrid (v1 with v2 at PATH)", "v1", "none". g_free.
char *host_cgroup_layout(const char *root);

// The text of the kernel's configuration, NULL when there is none; its source. g_free both.
char *host_config_text(const char *root, char **source);

// Is this a flag of the first CPU in /proc/cpuinfo?
bool host_cpu_flag(const char *flag);

#endif
