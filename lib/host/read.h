// Reading small files of /proc and /sys.
#ifndef MMPROF_HOST_READ_H
#define MMPROF_HOST_READ_H

// A regular file's text without the final newline, at most 4 MiB of it. NULL with errno when it can't be
// read or holds no text. g_free.
char *host_read(const char *path);
char *host_read_below(const char *root, const char *path);

// The names in a directory, sorted, NULL-terminated; empty when there is no such directory. g_strfreev.
char **host_entries(const char *path);

// Our cgroup of version 2, "/user.slice/x.scope" of "0::/user.slice/x.scope". NULL when there is none.
// g_free.
char *host_own_cgroup(void);

#endif
