// All of /proc/vmstat: the machine's counters of memory events and its page states. Follows mm/vmstat.c
// (vmstat_text, vmstat_start) and include/linux/vm_event_item.h. Names of other kernels (MEMTIS' htmm_*,
// TPP's) come along as they are.
//
// Event counters are summed over the CPUs at each reading and exact. Node and zone counters
// (pgpromote_success, pgdemote_*, nr_dirtied, numa_*, and all page states) lag behind by what each CPU still
// holds back: at most 125 (stat_threshold) for each CPU and node or zone, folded within vm.stat_interval, one
// second.
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "base/err.h"

SAMPLER_FUNCTIONS(vmstat);

// A '*' at the end stands for any rest. The first row that fits decides; see vmstat_classify for what is
// left.
static const struct {
	const char *name;
	enum series_kind kind;
	const char *unit;
	int64_t scale;
} known[] = {
    // levels that aren't pages
    {"nr_kernel_stack", SERIES_GAUGE, "bytes", 1024}, // kept in KiB (NR_KERNEL_STACK_KB)
    {"nr_shadow_call_stack", SERIES_GAUGE, "bytes", 1024},
    {"nr_anon_transparent_hugepages", SERIES_GAUGE, "count", 1}, // huge pages: vmstat_item_print_in_thp()
    {"nr_shmem_hugepages", SERIES_GAUGE, "count", 1},
    {"nr_shmem_pmdmapped", SERIES_GAUGE, "count", 1},
    {"nr_file_hugepages", SERIES_GAUGE, "count", 1},
    {"nr_file_pmdmapped", SERIES_GAUGE, "count", 1},
    {"workingset_nodes", SERIES_GAUGE, "count", 1}, // xarray nodes that hold shadow entries
    // counters in spite of their nr_
    {"nr_dirtied", SERIES_COUNTER, "pages", 1},
    {"nr_written", SERIES_COUNTER, "pages", 1},
    {"nr_throttled_written", SERIES_COUNTER, "pages", 1},
    {"nr_vmscan_write", SERIES_COUNTER, "pages", 1},
    {"nr_vmscan_immediate_reclaim", SERIES_COUNTER, "pages", 1},
    {"nr_foll_pin_*", SERIES_COUNTER, "pages", 1},
    {"nr_tlb_*", SERIES_COUNTER, "count", 1},
    {"nr_*", SERIES_GAUGE, "pages", 1},
    // counters of pages
    {"pgpgin", SERIES_COUNTER, "bytes", 1024}, // sectors / 2
    {"pgpgout", SERIES_COUNTER, "bytes", 1024},
    {"pgscan_direct_throttle", SERIES_COUNTER, "count", 1},
    {"pgalloc_*", SERIES_COUNTER, "pages", 1},
    {"pgskip_*", SERIES_COUNTER, "pages", 1},
    {"pgscan_*", SERIES_COUNTER, "pages", 1},
    {"pgsteal_*", SERIES_COUNTER, "pages", 1},
    {"pgpromote_*", SERIES_COUNTER, "pages", 1},
    {"pgdemote_*", SERIES_COUNTER, "pages", 1},
    {"pgmigrate_*", SERIES_COUNTER, "pages", 1},
    {"pgfree", SERIES_COUNTER, "pages", 1},
    {"pgactivate", SERIES_COUNTER, "pages", 1},
    {"pgdeactivate", SERIES_COUNTER, "pages", 1},
    {"pglazyfree*", SERIES_COUNTER, "pages", 1},
    {"pgrefill", SERIES_COUNTER, "pages", 1},
    {"pgrotated", SERIES_COUNTER, "pages", 1},
    {"pginodesteal", SERIES_COUNTER, "pages", 1},
    {"kswapd_inodesteal", SERIES_COUNTER, "pages", 1},
    {"numa_pages_migrated", SERIES_COUNTER, "pages", 1},
    {"workingset_nodereclaim", SERIES_COUNTER, "count", 1},
    {"workingset_*", SERIES_COUNTER, "pages", 1},
    {"pswp*", SERIES_COUNTER, "pages", 1},
    {"zsw*", SERIES_COUNTER, "pages", 1},
    {"swpin_zero", SERIES_COUNTER, "pages", 1},
    {"swpout_zero", SERIES_COUNTER, "pages", 1},
    {"swap_ra*", SERIES_COUNTER, "pages", 1},
    {"compact_*_scanned", SERIES_COUNTER, "pages", 1},
    {"compact_isolated", SERIES_COUNTER, "pages", 1},
    {"unevictable_pgs_*", SERIES_COUNTER, "pages", 1},
    {"balloon_*", SERIES_COUNTER, "pages", 1},
};

void vmstat_classify(struct key *key)
{
	key->kind = SERIES_COUNTER;
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
		if (!g_pattern_match_simple(known[i].name, key->name))
			continue;
		key->kind = known[i].kind;
		key->unit = known[i].unit;
		key->scale = known[i].scale;
		return;
	}
}

int vmstat_sampler_open(const struct sample_target *target, void **state)
{
	int error;

	(void)target;
	*state = keyed_open("/proc/vmstat", "", "vmstat.", vmstat_classify, &error);
	return *state ? 0 : err_set(error, "/proc/vmstat: %s: is /proc mounted?", g_strerror(-error));
}

int vmstat_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	(void)target;
	int r = keyed_read(state, sink);
	return r < 0 ? err_set(r, "read /proc/vmstat: %s", g_strerror(-r)) : 0;
}

void vmstat_sampler_close(void *state)
{
	keyed_close(state);
}
