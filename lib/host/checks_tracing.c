// Tracepoints, the files that samplers read, and the file systems behind both.
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/checks.h"

#define MOUNT_TRACEFS "mount -t tracefs tracefs /sys/kernel/tracing"

// --- tracepoints

// A tracepoint that is passed only when somebody writes an oom_score_adj.
static void attach(const struct checks *c)
{
	static const char event[] = "events/oom/oom_score_adj_update/id";
	g_autofree char *path = host_tracefs() ? g_build_filename(host_tracefs(), event, NULL) : NULL;
	g_autofree char *id = path ? host_read(path) : NULL, *why = NULL;
	int prog = id ? check_load(BPF_PROG_TYPE_TRACEPOINT, 0, 0, &why) : -1;

	if (!id)
		why = path ? check_errno(errno) : g_strdup("tracefs is not mounted");
	if (prog < 0 ||
	    !check_attached(check_attach_perf(PERF_TYPE_TRACEPOINT, strtoull(id, NULL, 10), 0, prog), prog,
			    &why))
		check_say(c, "BPF on a tracepoint", HOST_NO,
			  check_remedy(path ? "a kernel with CONFIG_BPF_EVENTS" : MOUNT_TRACEFS), "%s", why);
	else
		check_say(c, "BPF on a tracepoint", HOST_YES, NULL,
			  "attached to oom:oom_score_adj_update and detached");
}

static void attach_raw(const struct checks *c)
{
	g_autofree char *why = NULL;
	int prog = check_load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, &why);

	if (prog < 0 || !check_attached(bpf_raw_tracepoint_open("oom_score_adj_update", prog), prog, &why))
		check_say(c, "BPF on a raw tracepoint", HOST_NO,
			  check_remedy("a kernel with CONFIG_BPF_EVENTS"), "%s", why);
	else
		check_say(c, "BPF on a raw tracepoint", HOST_YES, NULL,
			  "attached to oom_score_adj_update and detached");
}

static const struct {
	const char *name, *system, *events, *needs;
} families[] = {
    {"tlb", "tlb", "tlb_flush", "x86"},
    {"mmap_lock", "mmap_lock", "mmap_lock_start_locking mmap_lock_acquire_returned mmap_lock_released",
     "kernel 5.11"},
    {"migrate", "migrate", "mm_migrate_pages mm_migrate_pages_start set_migration_pte remove_migration_pte",
     "CONFIG_MIGRATION; some a later kernel"},
    {"vmscan", "vmscan",
     "mm_vmscan_kswapd_wake mm_vmscan_wakeup_kswapd mm_vmscan_direct_reclaim_begin "
     "mm_vmscan_lru_shrink_inactive",
     "any kernel"},
    {"compaction", "compaction", "mm_compaction_begin mm_compaction_end mm_compaction_migratepages",
     "CONFIG_COMPACTION"},
    {"kmem", "kmem", "mm_page_alloc mm_page_free rss_stat", "any kernel"},
    {"huge_memory", "huge_memory", "mm_khugepaged_scan_pmd mm_collapse_huge_page",
     "CONFIG_TRANSPARENT_HUGEPAGE"},
    {"exceptions", "exceptions", "page_fault_user page_fault_kernel", "x86"},
    {"sched numa", "sched", "sched_move_numa sched_stick_numa sched_swap_numa sched_skip_vma_numa",
     "CONFIG_NUMA_BALANCING; sched_skip_vma_numa kernel 6.7"},
    {"lock contention", "lock", "contention_begin contention_end", "kernel 5.19"},
    {"ksm", "ksm", "ksm_start_scan ksm_stop_scan ksm_merge_one_page", "CONFIG_KSM and kernel 6.3"},
    {"damon", "damon", "damon_aggregated damos_before_apply", "CONFIG_DAMON; damos_before_apply kernel 6.7"},
    {"oom", "oom", "mark_victim oom_score_adj_update reclaim_retry_zone", "any kernel"},
    {"writeback", "writeback", "writeback_start writeback_written balance_dirty_pages", "any kernel"},
    {"filemap", "filemap", "mm_filemap_add_to_page_cache mm_filemap_delete_from_page_cache", "any kernel"},
    {"lru", "pagemap", "mm_lru_insertion mm_lru_activate", "any kernel"},
    {"iommu", "iommu", "map unmap", "CONFIG_IOMMU_API"},
};

static void family(const struct checks *c, size_t at)
{
	g_auto(GStrv) events = g_strsplit(families[at].events, " ", -1);
	g_autoptr(GString) there = g_string_new(NULL), absent = g_string_new(NULL);
	g_autofree char *why = NULL;

	for (char **e = events; *e; e++) {
		g_autofree char *path =
		    g_build_filename(host_tracefs(), "events", families[at].system, *e, NULL);

		if (access(path, F_OK) && errno != ENOENT) {
			why = check_errno(errno);
			check_say(c, families[at].name, HOST_UNKNOWN, check_remedy(NULL),
				  "tracefs can't be read: %s", why);
			return;
		}
		g_string_append_printf(access(path, F_OK) ? absent : there, " %s", *e);
	}
	if (!absent->len)
		check_say(c, families[at].name, HOST_YES, NULL, "%s", there->str);
	else if (there->len)
		check_say(c, families[at].name, HOST_PARTLY, NULL, "%s; not in this kernel:%s (%s)",
			  there->str, absent->str, families[at].needs);
	else
		check_say(c, families[at].name, HOST_NO, "another kernel, if it is wanted",
			  "not in this kernel (needs %s)", families[at].needs);
}

void checks_tracepoints(const struct checks *c)
{
	attach(c);
	attach_raw(c);
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
		if (host_tracefs())
			family(c, i);
		else
			check_say(c, families[i].name, HOST_UNKNOWN, MOUNT_TRACEFS, "tracefs is not mounted");
	}
}

// --- samplers

void checks_samplers(const struct checks *c)
{
	static const struct {
		const char *name, *path, *remedy;
	} files[] = {
	    {"vmstat", "/proc/vmstat", "mount -t proc proc /proc"},
	    {"meminfo", "/proc/meminfo", "mount -t proc proc /proc"},
	    {"CPU time", "/proc/stat", "mount -t proc proc /proc"},
	    {"per-node memory", "/sys/devices/system/node/node0/meminfo", "a kernel with CONFIG_NUMA"},
	    {"residency", "/proc/self/numa_maps", "a kernel with CONFIG_NUMA"},
	    {"pressure (PSI)", "/proc/pressure/memory", "boot with psi=1, a kernel with CONFIG_PSI"},
	    {"kernel log", "/dev/kmsg", "CAP_SYSLOG, and a /dev/kmsg"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		bool there = access(files[i].path, R_OK) == 0;
		g_autofree char *why = check_errno(errno);

		check_say(c, files[i].name, there ? HOST_YES : HOST_NO,
			  there ? NULL : check_remedy(files[i].remedy), "%s%s%s", files[i].path,
			  there ? "" : ": ", there ? "" : why);
	}
}

// --- mounts

void checks_mounts(const struct checks *c)
{
	static const struct {
		const char *type, *remedy;
		enum host_state absent;
	} wanted[] = {
	    {"tracefs", MOUNT_TRACEFS, HOST_NO},
	    {"debugfs", "mount -t debugfs debugfs /sys/kernel/debug (zswap and scheduler details)", HOST_NO},
	    {"bpf", "not needed: mmprof pins nothing", HOST_NO},
	    {"securityfs", "mount -t securityfs securityfs /sys/kernel/security (shows lockdown)", HOST_NO},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
		const char *where = i == 0 ? host_tracefs() : host_mount(wanted[i].type);

		check_say(c, wanted[i].type, where ? HOST_YES : wanted[i].absent,
			  where ? NULL : wanted[i].remedy, "%s", where ? where : "not mounted");
	}
}
