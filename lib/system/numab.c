// The kernel's NUMA balancing between nodes of equal speed: kernel/sched/fair.c, task_numa_work().
#include <stddef.h>

#include "system/numa.h"
#include "system/system.h"

static const struct system_key keys[] = {
    {"mode", "sysctl.kernel.numa_balancing", "1"},
    {"scan_size_mb", "/sys/kernel/debug/sched/numa_balancing/scan_size_mb", NULL},
    {"scan_period_min_ms", "/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms", NULL},
    {"scan_period_max_ms", "/sys/kernel/debug/sched/numa_balancing/scan_period_max_ms", NULL},
    {"scan_delay_ms", "/sys/kernel/debug/sched/numa_balancing/scan_delay_ms", NULL},
    {NULL, NULL, NULL},
};

const struct system system_numab = {
    .name = "numab",
    .what = "the kernel's NUMA balancing: tasks and their pages are moved to each other",
    .keys = keys,
    .check = numa_check_nodes,
};
