// Provenance: what a run's figures depend on besides the workload. A table says which files are facts; every
// other fact has a function. Values are one clean line of at most a KiB.
#include <dirent.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/internal.h"

#define VALUE_MAX_BYTES 1024
#define TREE_DEPTH 4

struct collector {
	const char *root;
	host_fact_fn fact;
	void *ctx;
};

static void give(const struct collector *c, const char *key, const char *value)
{
	g_autofree char *clean = g_utf8_make_valid(value, -1);

	for (char *p = clean; *p; p++)
		if ((unsigned char)*p < 32 || *p == 127)
			*p = ' ';
	if (strlen(clean) > VALUE_MAX_BYTES)
		clean[VALUE_MAX_BYTES] = 0;
	g_strstrip(clean);
	if (*clean)
		c->fact(c->ctx, key, clean);
}

static char *read_below(const struct collector *c, const char *path)
{
	g_autofree char *whole = g_strconcat(c->root, path, NULL);

	return host_read(whole);
}

static void give_file(const struct collector *c, const char *key, const char *path)
{
	g_autofree char *value = read_below(c, path);

	if (value)
		give(c, key, value);
}

// --- single files

static const struct {
	const char *key, *path;
} files[] = {
    {"kernel.release", "/proc/sys/kernel/osrelease"},
    {"kernel.version", "/proc/sys/kernel/version"},
    {"kernel.cmdline", "/proc/cmdline"},
    {"kernel.tainted", "/proc/sys/kernel/tainted"},
    {"sysctl.kernel.numa_balancing", "/proc/sys/kernel/numa_balancing"},
    {"sysctl.kernel.numa_balancing_promote_rate_limit_MBps",
     "/proc/sys/kernel/numa_balancing_promote_rate_limit_MBps"},
    {"sysctl.kernel.perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid"},
    {"sysctl.kernel.randomize_va_space", "/proc/sys/kernel/randomize_va_space"},
    {"numa.balancing.scan_period_min_ms", "/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms"},
    {"numa.balancing.scan_period_max_ms", "/sys/kernel/debug/sched/numa_balancing/scan_period_max_ms"},
    {"numa.balancing.scan_size_mb", "/sys/kernel/debug/sched/numa_balancing/scan_size_mb"},
    {"numa.balancing.hot_threshold_ms", "/sys/kernel/debug/sched/numa_balancing/hot_threshold_ms"},
    {"numa.online", "/sys/devices/system/node/online"},
    {"numa.has_cpu", "/sys/devices/system/node/has_cpu"},
    {"numa.has_memory", "/sys/devices/system/node/has_memory"},
    {"cpu.online", "/sys/devices/system/cpu/online"},
    {"cpu.smt", "/sys/devices/system/cpu/smt/control"},
    {"clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource"},
    {"cpufreq.no_turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo"},
    {"cpufreq.boost", "/sys/devices/system/cpu/cpufreq/boost"},
    {"machine.product", "/sys/class/dmi/id/product_name"},
    {"swap.devices", "/proc/swaps"},
    {"lockdown", "/sys/kernel/security/lockdown"},
};

// --- whole trees of knobs; what only counts is no fact

static const struct {
	const char *prefix, *path;
} trees[] = {
    {"sysctl.vm", "/proc/sys/vm"},
    {"mm", "/sys/kernel/mm"},
    {"zswap", "/sys/module/zswap/parameters"},
    {"tier", "/sys/devices/virtual/memory_tiering"},
    {"mitigation", "/sys/devices/system/cpu/vulnerabilities"},
};

static bool is_counter(const char *path)
{
	static const char *const parts[] = {
	    "/stats/",           "/uevent",           "/power/",        "stat_refresh",
	    "drop_caches",       "compact_memory",    "pages_shared",   "pages_sharing",
	    "pages_unshared",    "pages_volatile",    "pages_skipped",  "full_scans",
	    "stable_node",       "general_profit",    "ksm_zero_pages", "pages_scanned",
	    "pages_collapsed",   "max_page_sharing_", "nr_hugepages_",  "free_hugepages",
	    "resv_hugepages",    "surplus_hugepages", "/cma/",          "/swap/vma_ra_hit",
	    "pages_to_scan_now",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
		if (strstr(path, parts[i]))
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **entries(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	GPtrArray *names = g_ptr_array_new();
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	if (names->len)
		qsort(names->pdata, names->len, sizeof(char *), by_name);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

static void give_tree(const struct collector *c, const char *prefix, const char *path, int depth)
{
	g_auto(GStrv) names = entries(path);

	for (char **n = names; *n && depth; n++) {
		g_autofree char *key = g_strdup_printf("%s.%s", prefix, *n),
				*below = g_build_filename(path, *n, NULL);
		g_autofree char *value = NULL;
		struct stat st;

		if (lstat(below, &st) || S_ISLNK(st.st_mode) || is_counter(below))
			continue;
		if (S_ISDIR(st.st_mode)) {
			give_tree(c, key, below, depth - 1);
			continue;
		}
		value = st.st_mode & 0444 ? host_read(below) : NULL; // write-only files are triggers
		if (value && strlen(value) <= VALUE_MAX_BYTES)
			give(c, key, value);
	}
}

// --- what needs a look into a file

static void give_cpuinfo(const struct collector *c)
{
	static const struct {
		const char *field, *key;
	} wanted[] = {
	    {"model name", "cpu.model"}, {"microcode", "cpu.microcode"}, {"flags", "cpu.flags_digest"}};
	g_autofree char *text = read_below(c, "/proc/cpuinfo");
	g_auto(GStrv) line = text ? g_strsplit(text, "\n", 64) : NULL;
	bool seen[G_N_ELEMENTS(wanted)] = {};

	for (char **l = line; l && *l; l++) {
		for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
			char *colon = strchr(*l, ':');

			if (seen[i] || !colon || !g_str_has_prefix(*l, wanted[i].field))
				continue;
			seen[i] = true;
			if (strcmp(wanted[i].field, "flags")) {
				give(c, wanted[i].key, colon + 1);
			} else {
				g_autofree char *sum =
				    g_compute_checksum_for_string(G_CHECKSUM_SHA256, colon + 1, -1);

				give(c, wanted[i].key, sum);
				give(c, "machine.hypervisor", strstr(colon, " hypervisor") ? "yes" : "no");
			}
		}
	}
}

static void give_meminfo(const struct collector *c)
{
	static const char *const wanted[] = {"MemTotal", "SwapTotal", "HugePages_Total", "Hugepagesize"};
	g_autofree char *text = read_below(c, "/proc/meminfo");
	g_auto(GStrv) line = text ? g_strsplit(text, "\n", -1) : NULL;

	for (char **l = line; l && *l; l++)
		for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
			size_t n = strlen(wanted[i]);

			if (!strncmp(*l, wanted[i], n) && (*l)[n] == ':') {
				g_autofree char *key = g_strdup_printf("memory.%s", wanted[i]);

				give(c, key, *l + n + 1);
			}
		}
}

static void give_nodes(const struct collector *c)
{
	g_autofree char *base = g_strconcat(c->root, "/sys/devices/system/node", NULL);
	g_auto(GStrv) names = entries(base);

	for (char **n = names; *n; n++) {
		g_autofree char *distance = NULL, *key = NULL, *access = NULL, *prefix = NULL;

		if (!g_str_has_prefix(*n, "node") || !g_ascii_isdigit((*n)[4]))
			continue;
		distance = g_strdup_printf("/sys/devices/system/node/%s/distance", *n);
		key = g_strdup_printf("numa.distance.%s", *n + 4);
		give_file(c, key, distance);
		access = g_build_filename(base, *n, "access0", "initiators", NULL); // HMAT: ns and MB/s
		prefix = g_strdup_printf("numa.hmat.%s", *n + 4);
		give_tree(c, prefix, access, 1);
	}
}

// One fact when all policies agree, one each when they don't.
static void give_cpufreq(const struct collector *c)
{
	static const char *const knobs[] = {"scaling_driver", "scaling_governor", "scaling_min_freq",
					    "scaling_max_freq"};
	g_autofree char *base = g_strconcat(c->root, "/sys/devices/system/cpu/cpufreq", NULL);
	g_auto(GStrv) names = entries(base);

	for (size_t k = 0; k < G_N_ELEMENTS(knobs); k++) {
		g_autoptr(GString) all = g_string_new(NULL);
		g_autofree char *first = NULL, *key = g_strdup_printf("cpufreq.%s", knobs[k]);
		bool same = true;

		for (char **n = names; *n; n++) {
			g_autofree char *path = g_build_filename(base, *n, knobs[k], NULL),
					*v = host_read(path);

			if (!v)
				continue;
			if (!first)
				first = g_strdup(v);
			same &= !strcmp(v, first);
			g_string_append_printf(all, "%s=%s ", *n, v);
		}
		if (first)
			give(c, key, same ? first : all->str);
	}
}

static void give_config(const struct collector *c)
{
	g_autofree char *text = NULL, *sum = NULL;
	const char *source = host_config_source();
	gsize len;

	if (!source)
		return;
	give(c, "kernel.config_source", source);
	if (!g_file_get_contents(source, &text, &len, NULL))
		return;
	sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, len);
	give(c, "kernel.config_sha256", sum);
}

// What the machine itself can't be asked below another root: the clock, the cgroups, the lab.
static void give_live(const struct collector *c)
{
	static const struct {
		const char *variable, *key;
	} lab[] = {{"MMPROF_LAB_KERNEL", "lab.kernel"},
		   {"MMPROF_LAB_ACCEL", "lab.accel"},
		   {"MMPROF_LAB_SMP", "lab.smp"}};
	g_autofree char *hz = g_strdup_printf("%" G_GUINT64_FORMAT, host_tsc_hz());

	give(c, "tsc_hz", hz);
	give(c, "cgroup.v2", host_cgroup2() ? host_cgroup2() : "not mounted");
	give_config(c);
	for (size_t i = 0; i < G_N_ELEMENTS(lab); i++)
		if (getenv(lab[i].variable))
			give(c, lab[i].key, getenv(lab[i].variable));
}

void host_facts(const char *root, host_fact_fn fact, void *ctx)
{
	const struct collector c = {root, fact, ctx};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		give_file(&c, files[i].key, files[i].path);
	for (size_t i = 0; i < G_N_ELEMENTS(trees); i++) {
		g_autofree char *path = g_strconcat(root, trees[i].path, NULL);

		give_tree(&c, trees[i].prefix, path, TREE_DEPTH);
	}
	give_cpuinfo(&c);
	give_meminfo(&c);
	give_nodes(&c);
	give_cpufreq(&c);
	if (!*root)
		give_live(&c);
}
