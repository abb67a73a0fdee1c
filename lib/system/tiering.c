// The policies of our module that manages tiered memory (kmod/tiering, docs/tiering.md). `memtis` and `nomad`
// are re-implementations of published policies, and say so in each run; on a kernel that the authors made,
// the same names drive that (memtis.c, nomad.c).
#include <stddef.h>

#include "system/numa.h"
#include "system/system.h"

// What else in the kernel would move the same pages or clear their accessed bits is off.
static const struct system_key keys[] = {
    {"numa_balancing", "sysctl.kernel.numa_balancing", "0"},
    {"demotion", "/sys/kernel/mm/numa/demotion_enabled", "0"},
    {"lru_gen", "/sys/kernel/mm/lru_gen/enabled", "0"},
    {NULL, NULL, NULL},
};

#define REWRITTEN "policy re-implementation"

#define SYSTEM(NAME, KIND, WHAT)                                                                             \
	const struct system system_##NAME = {                                                                \
	    .name = #NAME,                                                                                   \
	    .kind = KIND,                                                                                    \
	    .what = WHAT,                                                                                    \
	    .keys = keys,                                                                                    \
	    .module = "tiering",                                                                             \
	    .parameters = "policy=" #NAME " target_cgroup=/mmprof-*",                                        \
	    .state = "/sys/kernel/mm/tiering",                                                               \
	    .check = numa_check_tiers,                                                                       \
	}

SYSTEM(ours, NULL,
       "our tiering: a frequency sketch and two heaps, the hottest slow page for the coldest fast one");
SYSTEM(memtis, REWRITTEN,
       "MEMTIS' policy, re-implemented in our module: access histogram, threshold, warm set, cooling");
SYSTEM(nomad, REWRITTEN,
       "Nomad's policy, re-implemented in our module: copies in transactions, shadows of clean pages");
