// Nodes and tiers; see numa.h.
#include "system/numa.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "base/err.h"
#include "host/read.h"
#include "system/settings.h"

#define TIER_DIR "/sys/devices/virtual/memory_tiering"

// Of a list "0-1,4": whether it names more than one.
static bool several(const char *list)
{
	return list && strpbrk(list, "-,");
}

int numa_check_nodes(const struct system_spec *spec G_GNUC_UNUSED)
{
	g_autofree char *nodes = host_read_below(settings_root, "/sys/devices/system/node/has_memory");

	if (several(nodes))
		return 0;
	return err_set(-ENOENT,
		       "this machine has one NUMA node with memory (%s): there is nothing to move between",
		       nodes ? nodes : "/sys/devices/system/node/has_memory can't be read");
}

int numa_check_tiers(const struct system_spec *spec G_GNUC_UNUSED)
{
	g_autofree char *dir = g_strconcat(settings_root, TIER_DIR, NULL);
	g_auto(GStrv) names = host_entries(dir);
	int tiers = 0;

	for (char **n = names; *n; n++)
		tiers += g_str_has_prefix(*n, "memory_tier") && g_ascii_isdigit((*n)[strlen("memory_tier")]);
	if (!*names)
		return err_set(-ENOENT,
			       "this kernel has no memory tiers (no " TIER_DIR ": 6.1 and newer have it)");
	if (tiers < 2)
		return err_set(-ENOENT,
			       "this machine has %d memory tier, so there is no lower one to demote to "
			       "(" TIER_DIR "; scripts/lab has two)",
			       tiers);
	return 0;
}
