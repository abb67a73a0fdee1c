// The policies of our module that manages tiered memory (kmod/tiering, docs/tiering.md). `memtis` and `nomad`
// are re-implementations of published policies, and say so; on a kernel that the authors of MEMTIS made they
// are refused, so that nobody takes the one for the other.
#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <unistd.h>

#include "base/err.h"
#include "system/numa.h"
#include "system/settings.h"
#include "system/system.h"

// What else in the kernel would move the same pages or clear their accessed bits is off.
static const struct system_key keys[] = {
    {"numa_balancing", "sysctl.kernel.numa_balancing", "0"},
    {"demotion", "/sys/kernel/mm/numa/demotion_enabled", "0"},
    {"lru_gen", "/sys/kernel/mm/lru_gen/enabled", "0"},
    {NULL, NULL, NULL},
};

static int check(void)
{
	g_autofree char *htmm = g_strconcat(settings_root, "/sys/kernel/mm/htmm", NULL);

	if (access(htmm, F_OK) == 0)
		return err_set(-ENOENT,
			       "this is the kernel of MEMTIS' authors (/sys/kernel/mm/htmm), which mmprof "
			       "does not drive: our re-implementation must not be taken for it");
	return numa_check_tiers();
}

#define SYSTEM(NAME, WHAT)                                                                                   \
	const struct system system_##NAME = {                                                                \
	    .name = #NAME,                                                                                   \
	    .what = WHAT,                                                                                    \
	    .keys = keys,                                                                                    \
	    .module = "tiering",                                                                             \
	    .parameters = "policy=" #NAME " target_cgroup=/mmprof-*",                                        \
	    .state = "/sys/kernel/mm/tiering",                                                               \
	    .check = check,                                                                                  \
	}

SYSTEM(ours, "our tiering: a frequency sketch and two heaps, the hottest slow page for the coldest fast one");
SYSTEM(memtis,
       "MEMTIS' policy, re-implemented in our module: access histogram, threshold, warm set, cooling");
SYSTEM(nomad, "Nomad's policy, re-implemented in our module: copies in transactions, shadows of clean pages");
