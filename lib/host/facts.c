// Provenance: what a run's figures depend on besides the workload. Two tables say which files are facts; what
// needs a look into a file is in facts_cpu.c and facts_memory.c. Settings are facts, counters are not: those
// of a file system of knobs (sysctl, sysfs) are told apart by whether the file can be written.
#include "host/facts.h"
#include "host/lab.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define TREE_DEPTH 12   // DAMON's is the deepest
#define TREE_FILES 2000 // in all
#define KNOB_BYTES 4096 // what sysfs shows at most; anything larger is no setting

// --- giving

static char *clean_key(const char *format, va_list ap)
{
	char *key = g_strdup_vprintf(format, ap);

	for (char *p = key; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("._-", *p))
			*p = '_';
	return key;
}

void facts_give(const struct facts *f, const char *value, const char *format, ...)
{
	g_autofree char *line = value ? host_line(value) : NULL, *key = NULL;
	va_list ap;

	if (!line || !*line)
		return;
	va_start(ap, format);
	key = clean_key(format, ap);
	va_end(ap);
	f->fact(f->ctx, key, line);
}

void facts_file(const struct facts *f, const char *path, const char *format, ...)
{
	g_autofree char *value = host_read_below(f->root, path), *key = NULL;
	va_list ap;

	va_start(ap, format);
	key = clean_key(format, ap);
	va_end(ap);
	facts_give(f, value, "%s", key);
}

// --- files, by name: a star stands for any part of one name, and its text goes to the key's star

struct file {
	const char *key, *path;
	bool knob; // only where it can be written
};

static const struct file files[] = {
    {"kernel.release", "/proc/sys/kernel/osrelease", false},
    {"kernel.version", "/proc/sys/kernel/version", false},
    {"kernel.cmdline", "/proc/cmdline", false},
    {"kernel.tainted", "/proc/sys/kernel/tainted", false},
    {"kernel.lockdown", "/sys/kernel/security/lockdown", false},
    {"sysctl.vm.*", "/proc/sys/vm/*", true},
    {"sysctl.kernel.numa_balancing*", "/proc/sys/kernel/numa_balancing*", true},
    {"sysctl.kernel.sched_*", "/proc/sys/kernel/sched_*", true},
    {"sysctl.kernel.perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid", false},
    {"sysctl.kernel.randomize_va_space", "/proc/sys/kernel/randomize_va_space", false},
    {"sysctl.kernel.nmi_watchdog", "/proc/sys/kernel/nmi_watchdog", false},
    {"sysctl.kernel.timer_migration", "/proc/sys/kernel/timer_migration", false},
    {"sysctl.net.core.bpf_jit_*", "/proc/sys/net/core/bpf_jit_*", true},
    // before 5.13 these were sysctls
    {"sched.numa_balancing.*", "/sys/kernel/debug/sched/numa_balancing/*", true},
    {"sched.preempt", "/sys/kernel/debug/sched/preempt", false},
    {"mm.fault_around_bytes", "/sys/kernel/debug/fault_around_bytes", false},
    {"x86.tlb_single_page_flush_ceiling", "/sys/kernel/debug/x86/tlb_single_page_flush_ceiling", false},
    {"zswap.*", "/sys/module/zswap/parameters/*", false},
    {"damon_reclaim.*", "/sys/module/damon_reclaim/parameters/*", true},
    {"damon_lru_sort.*", "/sys/module/damon_lru_sort/parameters/*", true},
    {"damon_stat.*", "/sys/module/damon_stat/parameters/*", true},
    {"memory_hotplug.*", "/sys/module/memory_hotplug/parameters/*", false},
    {"page_reporting.*", "/sys/module/page_reporting/parameters/*", true},
    {"pgcache.*", "/sys/module/pgcache/parameters/*", true},
    {"tiering.*", "/sys/module/tiering/parameters/*", true},
    {"zram*.disksize", "/sys/block/zram*/disksize", false},
    {"zram*.algorithm", "/sys/block/zram*/comp_algorithm", false},
    {"memory_tier*.nodes", "/sys/devices/virtual/memory_tiering/memory_tier*/nodelist", false},
    {"numa.nodes", "/sys/devices/system/node/online", false},
    {"numa.has_cpu", "/sys/devices/system/node/has_cpu", false},
    {"numa.has_memory", "/sys/devices/system/node/has_memory", false},
    {"numa.distance.*", "/sys/devices/system/node/node*/distance", false},
    {"numa.node*.cpus", "/sys/devices/system/node/node*/cpulist", false},
    // the firmware's HMAT: from the nearest CPUs
    {"numa.node*.read_latency_ns", "/sys/devices/system/node/node*/access0/initiators/read_latency", false},
    {"numa.node*.write_latency_ns", "/sys/devices/system/node/node*/access0/initiators/write_latency", false},
    {"numa.node*.read_bandwidth_mib_s", "/sys/devices/system/node/node*/access0/initiators/read_bandwidth",
     false},
    {"numa.node*.write_bandwidth_mib_s", "/sys/devices/system/node/node*/access0/initiators/write_bandwidth",
     false},
    {"iommu.group*.type", "/sys/kernel/iommu_groups/*/type", false}, // DMA: strict, DMA-FQ: lazy
    {"iommu.*.cap", "/sys/class/iommu/*/intel-iommu/cap", false},
    {"iommu.*.ecap", "/sys/class/iommu/*/intel-iommu/ecap", false},
    {"cpu.online", "/sys/devices/system/cpu/online", false},
    {"cpu.isolated", "/sys/devices/system/cpu/isolated", false},
    {"cpu.nohz_full", "/sys/devices/system/cpu/nohz_full", false},
    {"cpu.smt", "/sys/devices/system/cpu/smt/control", false},
    {"cpuidle.driver", "/sys/devices/system/cpu/cpuidle/current_driver", false},
    {"cpuidle.governor", "/sys/devices/system/cpu/cpuidle/current_governor", false},
    {"cpufreq.boost", "/sys/devices/system/cpu/cpufreq/boost", false},
    {"cpufreq.no_turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo", false},
    {"cpufreq.intel_pstate", "/sys/devices/system/cpu/intel_pstate/status", false},
    {"cpufreq.amd_pstate", "/sys/devices/system/cpu/amd_pstate/status", false},
    {"mitigation.*", "/sys/devices/system/cpu/vulnerabilities/*", false},
    {"clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource", false},
    {"machine.vendor", "/sys/class/dmi/id/sys_vendor", false},
    {"machine.product", "/sys/class/dmi/id/product_name", false},
    {"machine.bios", "/sys/class/dmi/id/bios_version", false},
    {"machine.hypervisor", "/sys/hypervisor/type", false},
};

// Files that may be written but hold no setting, or that do something when read.
static bool is_no_setting(const char *name)
{
	static const char *const names[] = {
	    "stat_refresh", // adds all CPUs' counters up
	    "drop_caches",
	    "compact_memory",         // triggers; readable before 5.x
	    "pid_target",             // DAMON's: the workload's pid
	    "nr_hugepages_mempolicy", // nr_hugepages again
	    "page_idle",              // a bitmap of all memory
	    "uevent",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

// Can be read, and written where that is asked for. Goes by the mode: root may do anything.
static bool is_fact(const char *path, bool knob)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0444) &&
	       (!knob || (st.st_mode & 0222)) && st.st_size <= HOST_FILE_BYTES;
}

// `path` is below `dir`, which has no star any more.
static void give_files(const struct facts *f, const struct file *file, const char *dir, const char *path,
		       const char *key)
{
	const char *star = strchr(path, '*'), *key_star = strchr(key, '*'), *slash, *rest;
	g_autofree char *parent = NULL, *before = NULL, *after = NULL;
	g_auto(GStrv) names = NULL;

	if (!star) {
		parent = g_strconcat(dir, path, NULL);
		if (is_fact(parent, file->knob))
			facts_file(f, parent + strlen(f->root), "%s", key);
		return;
	}
	slash = g_strrstr_len(path, star - path, "/");
	rest = star + strcspn(star, "/");
	before = g_strndup(slash + 1, (gsize)(star - slash - 1));
	after = g_strndup(star + 1, (gsize)(rest - star - 1));
	parent = g_strdup_printf("%s%.*s", dir, (int)(slash - path), path);
	names = host_entries(parent);
	for (char **n = names; *n; n++) {
		g_autofree char *below = g_build_filename(parent, *n, NULL), *full_key = NULL;
		size_t length = strlen(*n), fixed = strlen(before) + strlen(after);

		if (length < fixed || !g_str_has_prefix(*n, before) || !g_str_has_suffix(*n, after) ||
		    is_no_setting(*n))
			continue;
		full_key = g_strdup_printf("%.*s%.*s%s", (int)(key_star - key), key, (int)(length - fixed),
					   *n + strlen(before), key_star + 1);
		give_files(f, file, below, rest, full_key);
	}
}

// --- /sys/kernel/mm as a whole: THP, KSM, LRU, DAMON, and what memory-management systems under test add to
// it

static void give_tree(const struct facts *f, const char *key, const char *dir, int depth, int *left)
{
	g_auto(GStrv) names = depth ? host_entries(dir) : NULL;

	for (char **n = names; n && *n && *left > 0; n++) {
		g_autofree char *path = g_build_filename(dir, *n, NULL), *value = NULL;
		const char *name = strcmp(*n, "transparent_hugepage") ? *n : "thp";
		g_autofree char *below = *key ? g_strdup_printf("%s.%s", key, name) : g_strdup(name);
		struct stat st;

		if (lstat(path, &st) || is_no_setting(*n))
			continue;
		if (S_ISDIR(st.st_mode)) {
			give_tree(f, below, path, depth - 1, left);
			continue;
		}
		(*left)--;
		value = S_ISREG(st.st_mode) && is_fact(path, true) ? host_read(path) : NULL;
		if (value && strlen(value) < KNOB_BYTES && g_utf8_validate(value, -1, NULL))
			facts_give(f, value, "%s", below);
	}
}

static void give_config(const struct facts *f)
{
	g_autofree char *source = NULL, *text = host_config_text(f->root, &source), *sum = NULL;

	if (!text)
		return;
	sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	facts_give(f, source, "kernel.config_source");
	facts_give(f, sum, "kernel.config_sha256");
}

static void facts_give_int(const struct facts *f, uint64_t value, const char *key)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

	facts_give(f, text, "%s", key);
}

// What the lab's emulator does beyond emulating.
static void give_lab_plugin(const struct facts *f)
{
	static const char *const tier[] = {"fast", "slow"};
	struct labcall hello;
	const uint64_t *latency = hello.out.hello.latency_ns, *bandwidth = hello.out.hello.bytes_per_s;

	if (!host_lab_plugin(&hello))
		return;
	if (hello.out.hello.features & LABCALL_HELD)
		facts_give(f, "held", "lab.clock");
	facts_give_int(f, hello.out.hello.cache_bytes, "lab.cache.bytes");
	facts_give_int(f, hello.out.hello.cache_ways, "lab.cache.ways");
	facts_give_int(f, hello.out.hello.cache_line, "lab.cache.line");
	facts_give_int(f, hello.out.hello.interval_ns, "lab.truth.interval_ns");
	for (int i = 0; i < LABCALL_TIERS; i++) {
		g_autofree char *ns = g_strdup_printf("lab.tier.%s.latency_ns", tier[i]);
		g_autofree char *rate = g_strdup_printf("lab.tier.%s.bytes_per_s", tier[i]);

		facts_give_int(f, latency[i], ns);
		facts_give_int(f, bandwidth[i], rate);
	}
}

// What only the running machine can be asked.
static void give_live(const struct facts *f)
{
	static const struct {
		const char *variable, *key;
	} lab[] = {{"MMPROF_LAB_KERNEL", "lab.kernel"},
		   {"MMPROF_LAB_ACCEL", "lab.accel"},
		   {"MMPROF_LAB_SMP", "lab.smp"}};
	g_autofree char *hz = g_strdup_printf("%" G_GUINT64_FORMAT, host_tsc_hz());

	if (host_tsc_hz())
		facts_give(f, hz, "tsc_hz");
	for (size_t i = 0; i < G_N_ELEMENTS(lab); i++)
		facts_give(f, g_getenv(lab[i].variable), "%s", lab[i].key);
	if (host_emulated() && !g_getenv("MMPROF_LAB_ACCEL")) // sudo and env -i lose it
		facts_give(f, "tcg", "lab.accel");
	give_lab_plugin(f);
}

void host_facts(const char *root, host_fact_fn fact, void *ctx)
{
	const struct facts f = {root, fact, ctx};
	g_autofree char *mm = g_strconcat(root, "/sys/kernel/mm", NULL);
	int left = TREE_FILES;

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		give_files(&f, &files[i], root, files[i].path, files[i].key);
	give_tree(&f, "", mm, TREE_DEPTH, &left);
	facts_cpu(&f);
	facts_memory(&f);
	give_config(&f);
	if (!*root)
		give_live(&f);
}
