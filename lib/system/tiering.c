// The policies of our module that manages tiered memory (kmod/tiering, docs/tiering.md). `memtis` and `nomad`
// are re-implementations of published policies, and say so in each run; on a kernel that the authors made,
// the same names drive that (memtis.c, nomad.c).
#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "system/numa.h"
#include "system/settings.h"
#include "system/spec.h"
#include "system/system.h"

// What else in the kernel would move the same pages or clear their accessed bits is off.
static const struct system_key keys[] = {
    {"numa_balancing", "sysctl.kernel.numa_balancing", "0"},
    {"demotion", "/sys/kernel/mm/numa/demotion_enabled", "0"},
    {"lru_gen", "/sys/kernel/mm/lru_gen/enabled", "0"},
    {NULL, NULL, NULL},
};

// Who says which nodes are fast or slow needs no tiers of the kernel's.
static int check(const struct system_spec *spec)
{
	for (guint i = 0; i < spec->parameters->len; i++) {
		const char *given = spec->parameters->pdata[i];

		if (g_str_has_prefix(given, "fast_node=") || g_str_has_prefix(given, "slow_nodes="))
			return numa_check_nodes(spec);
	}
	return numa_check_tiers(spec);
}

// The module finds the workload by its cgroup's name below the hierarchy's root. A run that it would not find
// is none of this system.
static int begin(pid_t pid G_GNUC_UNUSED, const char *cgroup)
{
	g_autofree char *path = g_strconcat(settings_root, "/proc/self/ns/cgroup", NULL),
			*ns = g_file_read_link(path, NULL);

	if (!cgroup)
		return err_set(-ENOENT, "the module tiering finds a workload by its cgroup of version 2, and "
					"this one has none of its own");
	if (ns && strcmp(ns, "cgroup:[4026531835]") != 0) // PROC_CGROUP_INIT_INO
		return err_set(-ENOENT, "mmprof is in a cgroup namespace (a container?): its workload's "
					"cgroup has another name for the module tiering, which would not "
					"find it");
	return 0;
}

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
	    .check = check,                                                                                  \
	    .begin = begin,                                                                                  \
	}

SYSTEM(ours, NULL,
       "our tiering: a frequency sketch and two heaps, the hottest slow page for the coldest fast one");
SYSTEM(memtis, REWRITTEN,
       "MEMTIS' policy, re-implemented in our module: access histogram, threshold, warm set, cooling");
SYSTEM(nomad, REWRITTEN,
       "Nomad's policy, re-implemented in our module: copies in transactions, shadows of clean pages");
