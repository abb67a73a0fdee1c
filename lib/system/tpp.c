// TPP, transparent page placement (Maruf et al., ASPLOS 2023), as it went into the kernel: promotion on NUMA
// hint faults (kernel/sched/fair.c, should_numa_migrate_memory()), demotion instead of reclaim (mm/vmscan.c,
// demote_folio_list()). Documentation/admin-guide/sysctl/kernel.rst, numa_balancing.
#include <stddef.h>

#include "system/numa.h"
#include "system/system.h"

static const struct system_key keys[] = {
    {"mode", "sysctl.kernel.numa_balancing", "2"},
    {"demotion", "/sys/kernel/mm/numa/demotion_enabled", "1"},
    {"watermark_scale", "sysctl.vm.watermark_scale_factor", NULL},
    {"promote_rate", "sysctl.kernel.numa_balancing_promote_rate_limit_MBps", NULL},
    {"hot_threshold_ms", "/sys/kernel/debug/sched/numa_balancing/hot_threshold_ms", NULL},
    {"scan_size_mb", "/sys/kernel/debug/sched/numa_balancing/scan_size_mb", NULL},
    {"scan_period_min_ms", "/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms", NULL},
    {"scan_period_max_ms", "/sys/kernel/debug/sched/numa_balancing/scan_period_max_ms", NULL},
    {"scan_delay_ms", "/sys/kernel/debug/sched/numa_balancing/scan_delay_ms", NULL},
    {NULL, NULL, NULL},
};

const struct system system_tpp = {
    .name = "tpp",
    .what =
	"the kernel's own tiering: hot pages of slow memory are promoted, cold ones of fast memory demoted",
    .keys = keys,
    .check = numa_check_tiers,
};
