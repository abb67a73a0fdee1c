// Nomad (Xiang et al., OSDI 2024) on the kernel that its authors made, 5.13-rc6: the patched kernel queues
// and demotes, their module async_promote copies. Our re-implementation of the policy is tiering.c.
#include <stddef.h>

#include "system/system.h"

// As their artifact sets them; demote_scale_factor is the patch's own.
static const struct system_key keys[] = {
    {"numa_balancing", "sysctl.kernel.numa_balancing", "2"},
    {"demotion", "/sys/kernel/mm/numa/demotion_enabled", "1"},
    {"demote_scale", "sysctl.vm.demote_scale_factor", "1000"},
    {NULL, NULL, NULL},
};

const struct system system_nomad_authors = {
    .name = "nomad",
    .kind = "authors' kernel",
    .there = "/proc/sys/vm/demote_scale_factor",
    .what = "Nomad on its authors' kernel, with their module async_promote",
    .keys = keys,
    .module = "async_promote",
    .state = "/sys/module/async_promote/parameters",
};
