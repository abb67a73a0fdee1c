// The CONFIG options that decide what can be measured, and what each is for.
#include <string.h>

#include "host/checks.h"

enum want {
	NEEDED,   // something can't be measured without it
	OPTIONAL, // more is seen, or more systems can be tested
	UNWANTED, // better off
};

static const struct {
	const char *name;
	enum want want;
	const char *what_for;
} options[] = {
    {"BPF_SYSCALL", NEEDED, "everything BPF"},
    {"BPF_JIT", NEEDED, "cheap probes"},
    {"BPF_EVENTS", NEEDED, "BPF programs on probes and tracepoints"},
    {"DEBUG_INFO_BTF", NEEDED, "fentry, and finding tracepoints' arguments"},
    {"FUNCTION_TRACER", NEEDED, "fentry and the ftrace backend"},
    {"DYNAMIC_FTRACE", NEEDED, "fentry, cheap kprobes"},
    {"FUNCTION_GRAPH_TRACER", NEEDED, "the ftrace backend"},
    {"KPROBES", NEEDED, "the kprobe backend"},
    {"KPROBE_EVENTS", NEEDED, "the kprobe backend"},
    {"FPROBE", OPTIONAL, "kprobe.multi"},
    {"IKHEADERS", OPTIONAL, "tools that compile against kernel headers (bcc); mmprof needs none"},
    {"PERF_EVENTS", NEEDED, "kprobes, tracepoints, counters"},
    {"CGROUPS", NEEDED, "telling the workload from the rest"},
    {"MEMCG", OPTIONAL, "a workload's memory counters and limits"},
    {"PSI", OPTIONAL, "pressure stall information"},
    {"NUMA_BALANCING", OPTIONAL, "hint faults, promotion"},
    {"MIGRATION", OPTIONAL, "moving pages between nodes"},
    {"TRANSPARENT_HUGEPAGE", OPTIONAL, "huge pages"},
    {"LRU_GEN", OPTIONAL, "the multi-generational LRU"},
    {"KSM", OPTIONAL, "same-page merging"},
    {"ZSWAP", OPTIONAL, "the compressed swap cache"},
    {"DAMON", OPTIONAL, "access monitoring"},
    {"IDLE_PAGE_TRACKING", OPTIONAL, "which pages are idle"},
    {"PER_VMA_LOCK", OPTIONAL, "faults without mmap_lock"},
    {"PER_VMA_LOCK_STATS", OPTIONAL, "vma_lock_* in vmstat; the probe lock_vma_under_rcu does without"},
    {"DEBUG_TLBFLUSH", OPTIONAL, "nr_tlb_* in vmstat; the tracepoint tlb:tlb_flush does without"},
    {"MODULES", OPTIONAL, "the kernel modules pgcache and tiering"},
    {"LIVEPATCH", OPTIONAL, "modules that replace functions"},
    {"MODULE_SIG_FORCE", UNWANTED, "refuses modules that are not signed"},
    {"DEBUG_VM", UNWANTED, "slows memory management down"},
    {"PROVE_LOCKING", UNWANTED, "slows every lock down"},
    {"KASAN", UNWANTED, "slows everything down"},
};

static void option(const struct checks *c, size_t at)
{
	g_autofree char *name = g_strdup_printf("CONFIG_%s", options[at].name);
	const char *value = host_config(options[at].name);
	bool set = value && strcmp(value, "n");

	if (!value)
		check_say(c, name, HOST_UNKNOWN, NULL, "%s", options[at].what_for);
	else if (options[at].want == UNWANTED)
		check_say(c, name, set ? HOST_PARTLY : HOST_YES, set ? "a kernel without it" : NULL,
			  "%s%s: it %s", set ? value : "not set", set ? "" : ", and that is well",
			  options[at].what_for);
	else
		check_say(c, name, set ? HOST_YES : HOST_NO,
			  set                          ? NULL
			  : options[at].want == NEEDED ? "a kernel with it (Debian's), or scripts/lab"
						       : "a kernel with it, if it is wanted",
			  "%s: for %s", set ? value : "not set", options[at].what_for);
}

void checks_config(const struct checks *c)
{
	if (host_config_source())
		check_say(c, "source", HOST_YES, NULL, "%s", host_config_source());
	else
		check_say(c, "source", HOST_UNKNOWN,
			  "install the kernel's package, or boot a kernel with CONFIG_IKCONFIG_PROC",
			  "neither /proc/config.gz, nor /boot/config-RELEASE, nor one beside the modules can "
			  "be read");
	for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
		option(c, i);
}
