// Files of the kernel's that take commands and values: sysfs, procfs, tracefs, cgroups.
#ifndef MMPROF_BASE_KFILE_H
#define MMPROF_BASE_KFILE_H

// Writes `text` as it is, in the one write(2) that such a file takes for one value
// (Documentation/filesystems/sysfs.rst); never through a link at the path's end. `flags`: 0, or O_TRUNC or
// O_APPEND, which tracefs' lists tell apart. Returns 0 or -errno without an err chain: only the caller knows
// what it was for.
int kfile_write(const char *path, int flags, const char *text);

// The same for a single value, with an err chain: "PATH = VALUE: Permission denied".
int kfile_set(const char *path, const char *value);

#endif
