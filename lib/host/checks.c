// `mmprof doctor`'s list: groups of checks, the CONFIG options that matter, the tracepoint families.
#include "host/checks.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

struct outcome outcome_of(enum host_state state, const char *remedy, const char *fmt, ...)
{
	struct outcome o = {.state = state, .remedy = g_strdup(remedy)};
	va_list ap;

	va_start(ap, fmt);
	o.detail = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	return o;
}

static const struct {
	const char *name, *events, *config;
} families[] = {
    {"tlb", "tlb/tlb_flush", "always there on x86"},
    {"mmap_lock", "mmap_lock/mmap_lock_acquire_returned", "kernel 5.11 or later"},
    {"migrate", "migrate/mm_migrate_pages", "CONFIG_MIGRATION"},
    {"vmscan", "vmscan/mm_vmscan_kswapd_wake", "always there"},
    {"compaction", "compaction/mm_compaction_begin", "CONFIG_COMPACTION"},
    {"kmem", "kmem/mm_page_alloc", "always there"},
    {"huge_memory", "huge_memory/mm_collapse_huge_page", "CONFIG_TRANSPARENT_HUGEPAGE"},
    {"exceptions", "exceptions/page_fault_user", "always there on x86"},
    {"sched numa", "sched/sched_move_numa", "CONFIG_NUMA_BALANCING"},
    {"lock contention", "lock/contention_begin", "kernel 5.19 or later"},
    {"ksm", "ksm/ksm_start_scan", "CONFIG_KSM and kernel 6.2 or later"},
    {"damon", "damon/damon_aggregated", "CONFIG_DAMON"},
    {"oom", "oom/mark_victim", "always there"},
    {"writeback", "writeback/writeback_start", "always there"},
    {"filemap", "filemap/mm_filemap_add_to_page_cache", "always there"},
    {"iommu", "iommu/map", "CONFIG_IOMMU_API"},
};

static void check_families(host_check_fn check, void *ctx)
{
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
		g_autofree char *path =
		    host_tracefs() ? g_build_filename(host_tracefs(), "events", families[i].events, NULL)
				   : NULL;
		g_autofree char *detail = NULL;

		if (!path) {
			check(ctx, "tracepoints", families[i].name, HOST_UNKNOWN, "tracefs is not mounted",
			      "mount -t tracefs tracefs /sys/kernel/tracing");
		} else if (access(path, F_OK) == 0) {
			check(ctx, "tracepoints", families[i].name, HOST_YES, families[i].events, NULL);
		} else if (errno == EACCES) {
			check(ctx, "tracepoints", families[i].name, HOST_UNKNOWN,
			      "tracefs can be read by root only", "sudo");
		} else {
			detail = g_strdup_printf("this kernel has no %s (needs: %s)", families[i].events,
						 families[i].config);
			check(ctx, "tracepoints", families[i].name, HOST_NO, detail, "another kernel");
		}
	}
}

static const struct {
	const char *name, *what_for;
} options[] = {
    {"DEBUG_INFO_BTF", "fentry, and finding tracepoint arguments"},
    {"BPF_SYSCALL", "everything BPF"},
    {"FUNCTION_TRACER", "fentry"},
    {"DYNAMIC_FTRACE", "fentry and fast kprobes"},
    {"FUNCTION_GRAPH_TRACER", "the ftrace backend"},
    {"KPROBES", "the kprobe backend"},
    {"FPROBE", "many kprobes at once"},
    {"IKHEADERS", "tools that compile against kernel headers (bcc); mmprof needs none"},
    {"NUMA_BALANCING", "hint faults, promotion"},
    {"MIGRATION", "moving pages"},
    {"MEMCG", "per-workload memory counters"},
    {"TRANSPARENT_HUGEPAGE", "huge pages"},
    {"LRU_GEN", "the multi-generational LRU"},
    {"KSM", "same-page merging"},
    {"ZSWAP", "compressed swap cache"},
    {"DAMON", "access monitoring"},
    {"PER_VMA_LOCK", "faults without mmap_lock"},
    {"PER_VMA_LOCK_STATS", "vma_lock_* in vmstat"},
    {"DEBUG_TLBFLUSH", "nr_tlb_* in vmstat"},
    {"IDLE_PAGE_TRACKING", "idle-page bitmap"},
    {"PSI", "pressure stall information"},
    {"MODULES", "pgcache and tiering"},
    {"MODULE_SIG_FORCE", "(when set, unsigned modules are refused)"},
    {"LIVEPATCH", "modules that replace functions"},
};

static void check_options(host_check_fn check, void *ctx)
{
	for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
		g_autofree char *name = g_strdup_printf("CONFIG_%s", options[i].name), *detail = NULL;
		const char *value = host_config(options[i].name);

		if (!value) {
			check(ctx, "kernel config", name, HOST_UNKNOWN,
			      "no /proc/config.gz and no /boot/config-RELEASE",
			      "install the kernel's package, or boot one with CONFIG_IKCONFIG_PROC");
			continue;
		}
		detail = g_strdup_printf("%s: for %s", strcmp(value, "n") ? value : "not set",
					 options[i].what_for);
		check(ctx, "kernel config", name, strcmp(value, "n") ? HOST_YES : HOST_NO, detail,
		      strcmp(value, "n") ? NULL : "another kernel, if it is wanted");
	}
}

static void run_group(const char *group, const struct check *checks, host_check_fn check, void *ctx)
{
	for (; checks->name; checks++) {
		struct outcome o = checks->run();

		check(ctx, group, checks->name, o.state, o.detail, o.remedy);
		g_free(o.detail);
		g_free(o.remedy);
	}
}

void host_check_all(host_check_fn check, void *ctx)
{
	run_group("function probes", checks_bpf, check, ctx);
	run_group("tracing", checks_tracing, check, ctx);
	check_families(check, ctx);
	run_group("rights", checks_rights, check, ctx);
	run_group("hardware", checks_hardware, check, ctx);
	run_group("memory", checks_memory, check, ctx);
	check_options(check, ctx);
}
