// What the files of lib/host share: mounts, and the kernel's configuration, below any root. Private
// to lib/host.
#ifndef MMPROF_HOST_INTERNAL_H
#define MMPROF_HOST_INTERNAL_H

#include <glib.h>

#include "host/host.h"
#include "host/read.h"

enum { HOST_LINE_BYTES = 1024, HOST_FILE_BYTES = 4 << 20 };

// `text` as one line of valid UTF-8: runs of blanks and control characters become one space, at most a KiB.
// g_free.
char *host_line(const char *text);

// Where a file system of this type is mounted ("debugfs", "bpf"), NULL: nowhere. Static.
const char *host_mount(const char *type);

// "v2", "hybrid (v1 with v2 at PATH)", "v1", "none". g_free.
char *host_cgroup_layout(const char *root);

// The text of the kernel's configuration, NULL when there is none; its source. g_free both.
char *host_config_text(const char *root, char **source);

// Is this a flag of the first CPU in /proc/cpuinfo?
bool host_cpu_flag(const char *flag);

#endif
