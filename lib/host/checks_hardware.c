// The processor's counters, clocks and frequency; virtualisation.
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/checks.h"

#define REAL_HARDWARE "real hardware, or a virtual machine that passes the PMU through"

// --- PMU

// 0, or the errno: for this process, user mode, never started.
static int try_event(struct perf_event_attr attr)
{
	int fd;

	attr.size = sizeof(attr);
	attr.disabled = attr.exclude_kernel = attr.exclude_hv = 1;
	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void counters(const struct checks *c)
{
	static const struct {
		const char *name;
		uint64_t config;
	} events[] = {{"PMU cycles", PERF_COUNT_HW_CPU_CYCLES},
		      {"PMU instructions", PERF_COUNT_HW_INSTRUCTIONS}};

	for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
		int error = try_event(
		    (struct perf_event_attr){.type = PERF_TYPE_HARDWARE, .config = events[i].config});
		g_autofree char *why = error ? check_why(error) : NULL;

		if (error)
			check_say(c, events[i].name, HOST_NO,
				  error == EACCES ? check_remedy(REAL_HARDWARE) : REAL_HARDWARE, "%s", why);
		else
			check_say(c, events[i].name, HOST_YES, NULL, "the counter opens");
	}
}

// "cpu", or "cpu_core" where there are cores of two kinds.
static const char *core_pmu(void)
{
	return check_pmu("cpu") >= 0 ? "cpu" : check_pmu("cpu_core") >= 0 ? "cpu_core" : NULL;
}

static void precise(const struct checks *c)
{
	int error = try_event((struct perf_event_attr){.type = PERF_TYPE_HARDWARE,
						       .config = PERF_COUNT_HW_CPU_CYCLES,
						       .precise_ip = 2,
						       .sample_period = 100003});
	g_autofree char *why = error ? check_why(error) : NULL;

	if (!error)
		check_say(c, "precise sampling", HOST_YES, NULL, "cycles:pp opens%s",
			  check_pmu("ibs_op") >= 0 ? " (IBS)"
			  : core_pmu()             ? " (PEBS)"
						   : "");
	else
		check_say(c, "precise sampling", HOST_NO, "hardware with PEBS (Intel) or IBS (AMD)",
			  "cycles:pp: %s", why);
}

// "event=0xcd,umask=0x1,ldlat=3" as the kernel writes it, with Intel's fields.
static struct perf_event_attr parse_event(const char *text, int type)
{
	struct perf_event_attr attr = {.type = (uint32_t)type, .precise_ip = 2, .sample_period = 100003};
	g_auto(GStrv) terms = g_strsplit(text, ",", -1);

	for (char **t = terms; *t; t++) {
		const char *eq = strchr(*t, '=');
		uint64_t value = eq ? strtoull(eq + 1, NULL, 0) : 1;

		if (g_str_has_prefix(*t, "event="))
			attr.config |= value;
		else if (g_str_has_prefix(*t, "umask="))
			attr.config |= value << 8;
		else if (g_str_has_prefix(*t, "ldlat="))
			attr.config1 |= value;
	}
	return attr;
}

static void load_latency(const struct checks *c)
{
	const char *pmu = core_pmu(), *remedy = "Intel hardware with PEBS load latency; on AMD ibs_op";
	g_autofree char *path =
	    g_strdup_printf("/sys/bus/event_source/devices/%s/events/mem-loads", pmu ? pmu : "cpu");
	g_autofree char *event = host_read(path), *why = NULL;
	int error;

	if (!event && check_pmu("ibs_op") >= 0) {
		check_say(c, "load latency", HOST_YES, NULL, "through AMD's IBS (ibs_op)");
	} else if (!event) {
		check_say(c, "load latency", HOST_NO, remedy, "no mem-loads event");
	} else {
		error = try_event(parse_event(event, check_pmu(pmu)));
		why = error ? check_why(error) : NULL;
		check_say(c, "load latency", error ? HOST_NO : HOST_YES, error ? check_remedy(remedy) : NULL,
			  "mem-loads (%s)%s%s", event, error ? ": " : " opens", error ? why : "");
	}
}

// The raw events that memtis samples; they exist on Intel's server cores from Skylake on.
static void memtis_events(const struct checks *c)
{
	static const struct {
		uint64_t config;
		const char *what;
	} events[] = {{0x1d3, "loads that missed the last cache, local memory"},
		      {0x80d1, "loads from persistent memory"},
		      {0x82d0, "stores"}};
	g_autofree char *info = host_read("/proc/cpuinfo");
	g_autoptr(GString) refused = g_string_new(NULL);
	const char *pmu = core_pmu();

	if (!info || !strstr(info, "GenuineIntel") || !pmu) {
		check_say(c, "memtis' events", HOST_NO, "an Intel server with its PMU", "%s",
			  pmu ? "not an Intel processor" : "no PMU of the cores");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
		if (try_event((struct perf_event_attr){.type = (uint32_t)check_pmu(pmu),
						       .config = events[i].config,
						       .precise_ip = 1,
						       .sample_period = 10007}))
			g_string_append_printf(refused, "%s%#llx (%s)", refused->len ? ", " : "",
					       (unsigned long long)events[i].config, events[i].what);
	check_say(c, "memtis' events", refused->len ? HOST_PARTLY : HOST_YES, NULL, "%s%s",
		  refused->len ? "refused: " : "all open", refused->str);
}

// --- frequency and clocks

static void cpufreq(const struct checks *c)
{
	static const char dir[] = "/sys/devices/system/cpu/cpufreq/policy0";
	g_autofree char *driver = host_read_below(dir, "/scaling_driver"),
			*governor = host_read_below(dir, "/scaling_governor");
	g_autofree char *min = host_read_below(dir, "/scaling_min_freq"),
			*max = host_read_below(dir, "/scaling_max_freq");
	bool writable = access("/sys/devices/system/cpu/cpufreq/policy0/scaling_min_freq", W_OK) == 0;

	if (!driver) {
		check_say(c, "cpufreq", HOST_NO,
			  "real hardware; for a virtual machine, pin the frequency of its host",
			  "no driver: the frequency can neither be seen nor pinned");
		return;
	}
	check_say(c, "cpufreq", writable ? HOST_YES : HOST_PARTLY,
		  writable ? g_strcmp0(min, max) ? "pin it: cpupower frequency-set -g performance; set "
						   "scaling_min_freq to scaling_max_freq"
						 : NULL
			   : check_remedy("the driver does not let it be pinned"),
		  "%s, governor %s, %s to %s kHz: %s", driver, governor ? governor : "?", min ? min : "?",
		  max ? max : "?",
		  !g_strcmp0(min, max) ? "pinned"
		  : writable           ? "can be pinned"
				       : "can't be pinned by us");
}

static void tsc(const struct checks *c)
{
	bool constant = host_cpu_flag("constant_tsc"), nonstop = host_cpu_flag("nonstop_tsc");

	if (!host_tsc_hz())
		check_say(c, "TSC", HOST_UNKNOWN, NULL, "this processor has none");
	else
		check_say(c, "TSC", constant && nonstop ? HOST_YES : HOST_PARTLY,
			  constant && nonstop ? NULL : "don't turn its cycles into time", "%.6f GHz, %s, %s",
			  (double)host_tsc_hz() / 1e9, constant ? "constant" : "not constant",
			  nonstop ? "nonstop" : "not nonstop");
}

static void clocksource(const struct checks *c)
{
	static const char dir[] = "/sys/devices/system/clocksource/clocksource0";
	g_autofree char *now = host_read_below(dir, "/current_clocksource"),
			*all = host_read_below(dir, "/available_clocksource");
	bool fast =
	    now && (!strcmp(now, "tsc") || !strcmp(now, "arch_sys_counter") || !strcmp(now, "kvm-clock"));

	if (!now)
		check_say(c, "clocksource", HOST_UNKNOWN, NULL, "can't be read");
	else
		check_say(c, "clocksource", fast ? HOST_YES : HOST_PARTLY,
			  fast ? NULL
			       : "boot with clocksource=tsc tsc=reliable where the TSC is sound: this one is "
				 "slow to read",
			  "%s (of: %s)", now, all ? all : "?");
}

// --- virtualisation and devices

static void kvm(const struct checks *c)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC),
	    version = fd < 0 ? -1 : ioctl(fd, KVM_GET_API_VERSION, 0);
	g_autofree char *why = fd < 0 ? check_errno(errno) : NULL;

	if (fd >= 0)
		close(fd);
	if (version == KVM_API_VERSION)
		check_say(
		    c, "KVM", HOST_PARTLY, NULL,
		    "/dev/kvm answers; only trying tells whether a stock kernel boots: scripts/lab does");
	else
		check_say(c, "KVM", HOST_NO, "not needed: scripts/lab emulates", "/dev/kvm: %s",
			  why ? why : "does not answer");
}

static void iommu(const struct checks *c)
{
	g_auto(GStrv) names = host_entries("/sys/class/iommu");
	g_autofree char *all = g_strjoinv(" ", names);

	if (*names)
		check_say(c, "IOMMU", HOST_YES, NULL, "%s", all);
	else
		check_say(c, "IOMMU", HOST_NO,
			  "where there is one: intel_iommu=on, or its switch in the firmware", "none in use");
}

static void virtual(const struct checks *c)
{
	g_autofree char *product = host_read("/sys/class/dmi/id/product_name"),
			*type = host_read("/sys/hypervisor/type");

	if (host_cpu_flag("hypervisor"))
		check_say(c, "bare metal", HOST_NO, "for absolute figures, real hardware",
			  "a virtual machine%s%s", product || type ? ": " : "",
			  product ? product
			  : type  ? type
				  : "");
	else
		check_say(c, "bare metal", HOST_YES, NULL, "%s", product ? product : "no hypervisor");
}

void checks_hardware(const struct checks *c)
{
	counters(c);
	precise(c);
	load_latency(c);
	memtis_events(c);
	cpufreq(c);
	tsc(c);
	clocksource(c);
	kvm(c);
	iommu(c);
	virtual(c);
}
