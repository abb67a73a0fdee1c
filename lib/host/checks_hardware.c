// The processor's counters and clocks, NUMA nodes and memory tiers.
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/checks.h"

static int open_event(struct perf_event_attr *attr)
{
	attr->size = sizeof(*attr);
	attr->exclude_kernel = attr->exclude_hv = 1;
	attr->disabled = 1;
	return (int)syscall(SYS_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static struct outcome pmu(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE, .config = PERF_COUNT_HW_CPU_CYCLES};
	int fd = open_event(&attr);

	if (fd < 0)
		return outcome_of(HOST_NO, "real hardware, or a virtual machine that passes the PMU through",
				  "cycles: %s", g_strerror(errno));
	close(fd);
	return outcome_of(HOST_YES, NULL, "the cycle counter opens");
}

static struct outcome pebs(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
				       .config = PERF_COUNT_HW_CPU_CYCLES,
				       .precise_ip = 2,
				       .sample_period = 100003};
	int fd = open_event(&attr);
	bool loads = access("/sys/bus/event_source/devices/cpu/events/mem-loads", F_OK) == 0;

	if (fd < 0)
		return outcome_of(HOST_NO, "Intel hardware with PEBS (or AMD IBS)", "precise sampling: %s",
				  g_strerror(errno));
	close(fd);
	return outcome_of(loads ? HOST_YES : HOST_PARTLY, NULL, "precise cycles%s",
			  loads ? ", load latency (mem-loads)" : "; no mem-loads event");
}

static struct outcome cpufreq(void)
{
	g_autofree char *driver = host_read("/sys/devices/system/cpu/cpufreq/policy0/scaling_driver");

	if (!driver)
		return outcome_of(HOST_NO, "real hardware; in a virtual machine pin the host's",
				  "no cpufreq driver: the frequency can't be seen or pinned");
	return outcome_of(HOST_YES, NULL, "%s: scaling_min_freq and scaling_max_freq can be pinned", driver);
}

static struct outcome tsc(void)
{
	g_autofree char *info = host_read("/proc/cpuinfo");
	g_autofree char *clock =
	    host_read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
	bool constant = info && strstr(info, " constant_tsc"), nonstop = info && strstr(info, " nonstop_tsc");
	double ghz = (double)host_tsc_hz() / 1e9;

	return outcome_of(constant && nonstop ? HOST_YES : HOST_PARTLY,
			  constant && nonstop ? NULL : "don't convert times to cycles on this machine",
			  "%.3f GHz, %s%s, clocksource %s", ghz, constant ? "constant" : "not constant",
			  nonstop ? ", nonstop" : "", clock ? clock : "unknown");
}

static struct outcome kvm(void)
{
	if (access("/dev/kvm", R_OK | W_OK) == 0)
		return outcome_of(HOST_YES, NULL,
				  "/dev/kvm opens; scripts/lab tries it and falls back to emulation");
	return outcome_of(HOST_NO, "not needed: scripts/lab emulates", "/dev/kvm: %s", g_strerror(errno));
}

static struct outcome iommu(void)
{
	g_autoptr(GDir) dir = g_dir_open("/sys/class/iommu", 0, NULL);
	const char *first = dir ? g_dir_read_name(dir) : NULL;

	if (first)
		return outcome_of(HOST_YES, NULL, "%s", first);
	return outcome_of(HOST_NO, "intel_iommu=on or amd_iommu=on, where there is one", "none in use");
}

const struct check checks_hardware[] = {
    {"PMU", pmu}, {"PEBS", pebs},   {"cpufreq", cpufreq}, {"TSC", tsc},
    {"KVM", kvm}, {"IOMMU", iommu}, {NULL, NULL},
};

static struct outcome nodes(void)
{
	g_autofree char *online = host_read("/sys/devices/system/node/online");
	g_autofree char *cpu = host_read("/sys/devices/system/node/has_cpu");
	g_autofree char *memory = host_read("/sys/devices/system/node/has_memory");

	if (!online)
		return outcome_of(HOST_NO, "a kernel with CONFIG_NUMA", "no NUMA");
	return outcome_of(strpbrk(online, "-,") ? HOST_YES : HOST_PARTLY,
			  strpbrk(online, "-,") ? NULL : "one node only: try scripts/lab for two",
			  "online %s, with CPUs %s, with memory %s", online, cpu ? cpu : "?",
			  memory ? memory : "?");
}

static struct outcome tiers(void)
{
	g_autoptr(GDir) dir = g_dir_open("/sys/devices/virtual/memory_tiering", 0, NULL);
	g_autoptr(GString) found = g_string_new(NULL);
	const char *name;
	int n = 0;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path =
		    g_build_filename("/sys/devices/virtual/memory_tiering", name, "nodelist", NULL);
		g_autofree char *nodes_of = host_read(path);

		if (nodes_of && ++n)
			g_string_append_printf(found, "%s: node %s; ", name, nodes_of);
	}
	if (!dir)
		return outcome_of(HOST_NO, "kernel 6.1 or later", "this kernel has no memory tiers");
	return outcome_of(n > 1 ? HOST_YES : HOST_NO,
			  n > 1 ? NULL : "slow memory as a NUMA node (CXL, NVDIMM), or scripts/lab", "%s",
			  found->len ? found->str : "no tier");
}

static struct outcome balancing(void)
{
	g_autofree char *mode = host_read("/proc/sys/kernel/numa_balancing");
	g_autofree char *demotion = host_read("/sys/kernel/mm/numa/demotion_enabled");

	if (!mode)
		return outcome_of(HOST_NO, "a kernel with CONFIG_NUMA_BALANCING", "no numa_balancing sysctl");
	return outcome_of(HOST_YES, NULL, "numa_balancing=%s (1 locality, 2 tiering), demotion_enabled=%s",
			  mode, demotion ? demotion : "absent");
}

static struct outcome swap(void)
{
	g_autofree char *swaps = host_read("/proc/swaps");
	const char *device = swaps ? strchr(swaps, '\n') : NULL;

	return device ? outcome_of(HOST_YES, NULL, "%.60s", device + 1)
		      : outcome_of(HOST_NO, "swapon, if the workload is to swap", "no swap device");
}

static struct outcome per_vma_lock(void)
{
	const char *config = host_config("PER_VMA_LOCK");

	if (!config)
		return outcome_of(HOST_UNKNOWN, NULL, "no kernel config to read");
	return strcmp(config, "n")
		   ? outcome_of(HOST_YES, NULL,
				"most faults never touch mmap_lock: see lock_vma_under_rcu beside it")
		   : outcome_of(HOST_NO, NULL, "every fault takes mmap_lock");
}

const struct check checks_memory[] = {
    {"NUMA nodes", nodes}, {"memory tiers", tiers},         {"NUMA balancing", balancing},
    {"swap", swap},        {"per-VMA locks", per_vma_lock}, {NULL, NULL},
};
