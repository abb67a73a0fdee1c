// Kernel log lines of warning level and above that appear during a run (/dev/kmsg).
#ifndef MMPROF_RUN_KLOG_H
#define MMPROF_RUN_KLOG_H

#include <stdint.h>

struct store;

int klog_open(void); // a descriptor at the log's end; -errno with an err chain
int klog_read(int fd, struct store *store, int64_t run, int64_t t_ns);

#endif
