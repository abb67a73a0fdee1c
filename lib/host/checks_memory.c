// NUMA nodes, memory tiers, and which of the kernel's memory systems are there and on.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/checks.h"

static void nodes(const struct checks *c)
{
	static const char base[] = "/sys/devices/system/node";
	g_auto(GStrv) names = host_entries(base);
	g_autoptr(GString) text = g_string_new(NULL);
	int n = 0;

	for (char **i = names; *i; i++) {
		g_autofree char *cpus_path = g_build_filename(base, *i, "cpulist", NULL),
				*cpus = host_read(cpus_path);
		g_autofree char *path = g_build_filename(base, *i, "meminfo", NULL), *info = host_read(path),
				*size = NULL;
		const char *total = info ? strstr(info, "MemTotal:") : NULL;

		if (!total)
			continue;
		size = g_format_size_full(strtoull(total + strlen("MemTotal:"), NULL, 10) * 1024,
					  G_FORMAT_SIZE_IEC_UNITS);
		g_string_append_printf(text, "%s%s: %s, %s%s", n++ ? "; " : "", *i, size,
				       cpus && *cpus ? "CPUs " : "no CPU", cpus ? cpus : "");
	}
	if (!n)
		check_say(c, "NUMA nodes", HOST_NO, "a kernel with CONFIG_NUMA", "this kernel shows none");
	else
		check_say(c, "NUMA nodes", n > 1 ? HOST_YES : HOST_PARTLY,
			  n > 1 ? NULL : "for two nodes: scripts/lab, or numa=fake=2", "%s", text->str);
}

static void tiers(const struct checks *c)
{
	static const char base[] = "/sys/devices/virtual/memory_tiering";
	g_auto(GStrv) names = host_entries(base);
	g_autoptr(GString) text = g_string_new(NULL);
	int n = 0;

	for (char **i = names; *i; i++) {
		g_autofree char *path = g_build_filename(base, *i, "nodelist", NULL), *list = host_read(path);

		if (list)
			g_string_append_printf(text, "%s%s: node %s", n++ ? "; " : "", *i, list);
	}
	if (access(base, F_OK))
		check_say(c, "memory tiers", HOST_NO, "kernel 6.1 or later",
			  "this kernel does not know memory tiers");
	else
		check_say(c, "memory tiers", n > 1 ? HOST_YES : HOST_NO,
			  n > 1 ? NULL
				: "slow memory as a node of its own (CXL, persistent memory), or scripts/lab",
			  "%s", n ? text->str : "none shown");
}

static void balancing(const struct checks *c)
{
	g_autofree char *mode = host_read("/proc/sys/kernel/numa_balancing");
	bool tiering = access("/proc/sys/kernel/numa_balancing_promote_rate_limit_MBps", F_OK) == 0;

	if (!mode)
		check_say(c, "NUMA balancing", HOST_NO, "a kernel with CONFIG_NUMA_BALANCING",
			  "this kernel has none");
	else
		check_say(c, "NUMA balancing", tiering ? HOST_YES : HOST_PARTLY,
			  tiering ? NULL
				  : "kernel 5.18 for mode 2 (tiering), 6.1 for its promotion rate limit",
			  "modes 0 off, 1 locality%s; now %s",
			  tiering ? ", 2 tiering" : ", 2 tiering not known to be there", mode);
}

// What is there when one file is, with what it says now.
static const struct {
	const char *name, *path, *needs;
} knobs[] = {
    {"demotion", "/sys/kernel/mm/numa/demotion_enabled", "kernel 5.15 with CONFIG_MIGRATION and CONFIG_NUMA"},
    {"multi-generational LRU", "/sys/kernel/mm/lru_gen/enabled", "kernel 6.1 with CONFIG_LRU_GEN"},
    {"huge pages (THP)", "/sys/kernel/mm/transparent_hugepage/enabled", "CONFIG_TRANSPARENT_HUGEPAGE"},
    {"KSM", "/sys/kernel/mm/ksm/run", "CONFIG_KSM"},
    {"zswap", "/sys/module/zswap/parameters/enabled", "CONFIG_ZSWAP"},
    {"DAMON", "/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds", "kernel 5.18 with CONFIG_DAMON_SYSFS"},
    {"memtis", "/sys/kernel/mm/htmm/htmm_mode", "memtis' kernel"},
};

static void swap(const struct checks *c)
{
	g_autofree char *text = host_read("/proc/swaps");
	const char *devices = text ? strchr(text, '\n') : NULL;

	if (devices)
		check_say(c, "swap", HOST_YES, NULL, "%s", devices);
	else
		check_say(c, "swap", HOST_NO, "swapon, or zram, if the workload is to swap", "%s",
			  text ? "no device" : "not in this kernel");
}

static void per_vma_lock(const struct checks *c)
{
	const char *config = host_config("PER_VMA_LOCK");

	if (!config)
		check_say(c, "per-VMA locks", HOST_UNKNOWN, NULL, "no kernel config to read");
	else if (!strcmp(config, "n"))
		check_say(c, "per-VMA locks", HOST_NO, NULL, "every fault takes mmap_lock");
	else
		check_say(c, "per-VMA locks", HOST_YES, NULL,
			  "most faults never touch mmap_lock: see lock_vma_under_rcu beside it");
}

void checks_memory(const struct checks *c)
{
	nodes(c);
	tiers(c);
	balancing(c);
	for (size_t i = 0; i < G_N_ELEMENTS(knobs); i++) {
		g_autofree char *value = host_read(knobs[i].path);
		g_autofree char *remedy =
		    value ? NULL : g_strdup_printf("%s, if it is wanted", knobs[i].needs);

		check_say(c, knobs[i].name, value ? HOST_YES : HOST_NO, remedy, "%s%s",
			  value ? "there; now " : "not in this kernel", value ? value : "");
	}
	swap(c);
	per_vma_lock(c);
}
