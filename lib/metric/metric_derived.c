// Metrics that are sums and quotients of others. A term that a kernel does not have is left out of its sum
// (6.1 has no pgdemote_khugepaged because khugepaged does not demote there); when none is there, the metric
// isn't either.
//
// Our tiering module's moves (tiering.moves.*) are base pages, as the kernel's are. The kernel counts those
// that its migrate_pages() did as migrated, but none as promoted or demoted; nomad's copies and remaps it
// does not see.
#include "metric/internal.h"

#define TERMS 16

struct derived {
	struct metric_row row;
	// the sum of `of`, divided by the sum of `by` if there is any; "-TERM" is subtracted, and then none
	// may be missing
	const char *of[TERMS], *by[TERMS];
};

#define FAILED(REASON, WHY)                                                                                  \
	.row = {"moves_failed_" #REASON, "ratio", METRIC_LESS,                                               \
		"part of the pages that our module tried to move: " WHY},                                    \
	.of = {"tiering.moves.fail_" #REASON}, .by = {"tiering.moves.tried"}

static const struct derived table[] = {
    {{"promotions", "pages", METRIC_NEITHER,
      "pages moved to a faster memory tier by NUMA balancing and our module, whole machine"},
     {"vmstat.pgpromote_success", "tiering.moves.promoted"},
     {}},
    {{"demotions", "pages", METRIC_NEITHER,
      "pages moved to a slower memory tier by reclaim and our module, whole machine"},
     {"vmstat.pgdemote_kswapd", "vmstat.pgdemote_direct", "vmstat.pgdemote_khugepaged",
      "vmstat.pgdemote_proactive", "tiering.moves.demoted"},
     {}},
    {{"migrations", "pages", METRIC_NEITHER, "pages migrated for any reason"},
     {"vmstat.pgmigrate_success", "tiering.moves.tpm_promoted", "tiering.moves.shadow_demoted"},
     {}},
    {{"migration_failures", "pages", METRIC_LESS, "pages that could not be migrated"},
     {"vmstat.pgmigrate_fail", "tiering.moves.fail_dirty"},
     {}},
    {{"migration_failure_ratio", "ratio", METRIC_LESS, "failed part of all page migrations"},
     {"vmstat.pgmigrate_fail", "tiering.moves.fail_dirty"},
     {"vmstat.pgmigrate_fail", "tiering.moves.fail_dirty", "vmstat.pgmigrate_success",
      "tiering.moves.tpm_promoted", "tiering.moves.shadow_demoted"}},
    {FAILED(gone, "the process, or the mapping, was gone")},
    {FAILED(stale, "another page was mapped there by then")},
    {FAILED(vma, "it was not private anonymous memory, or locked")},
    {FAILED(shared, "it was mapped by another process too")},
    {FAILED(lru, "it could not be taken off the LRU")},
    {FAILED(nomem, "there was no free page")},
    {FAILED(migrate, "the kernel could not move it: in use")},
    {FAILED(bounced, "it had moved, but was not there afterwards")},
    {FAILED(dirty, "it was written to while it was copied (nomad)")},
    {{"moves_unaccounted", "pages", METRIC_NEITHER,
      "pages that our module tried to move and did not count as moved or failed, but for a batch that was "
      "being counted at the end"},
     {"tiering.moves.tried", "-tiering.moves.promoted", "-tiering.moves.demoted", "-tiering.moves.fail_gone",
      "-tiering.moves.fail_stale", "-tiering.moves.fail_vma", "-tiering.moves.fail_shared",
      "-tiering.moves.fail_lru", "-tiering.moves.fail_nomem", "-tiering.moves.fail_migrate",
      "-tiering.moves.fail_bounced", "-tiering.moves.fail_dirty"},
     {}},
    {{"samples_unaccounted", "count", METRIC_NEITHER,
      "samples that our module neither kept nor counted as dropped, but for those that were being counted at "
      "the end"},
     {"tiering.samples.total", "-tiering.samples.kept_fast", "-tiering.samples.kept_slow",
      "-tiering.samples.drop_invalid", "-tiering.samples.drop_vma", "-tiering.samples.drop_trylock",
      "-tiering.samples.drop_queue_full", "-tiering.samples.drop_table_full"},
     {}},
    {{"demeter_samples_unaccounted", "count", METRIC_NEITHER,
      "samples that Demeter's kernel neither kept nor counted as dropped"},
     {"vmstat.pebs_nr_sampled", "-vmstat.pebs_nr_sampled_fmem", "-vmstat.pebs_nr_sampled_smem",
      "-vmstat.pebs_nr_discarded"},
     {}},
    {{"hint_faults", "count", METRIC_NEITHER, "NUMA hint faults"}, {"vmstat.numa_hint_faults"}, {}},
    {{"tlb_flushes", "count", METRIC_LESS, "TLB flushes on any CPU, all reasons"},
     {"tlb_flush_count@all.count"},
     {}},
    {{"trylock_failure_ratio", "ratio", METRIC_LESS,
      "failed part of the workload's mmap_lock read acquires; only a trylock or a killed task fails, and the "
      "tracepoints don't tell a successful trylock from a lock"},
     {"mmap_lock/read acquire=failed.count"},
     {"mmap_lock/read acquire.count"}},
    {{"fault_time_share", "ratio", METRIC_LESS,
      "the workload's time in page faults, sleep included, as a part of its CPU time"},
     {"handle_mm_fault.total"},
     {"cpu"}},
    {{"kswapd_wakeups", "count", METRIC_NEITHER, "times that kswapd went to work"},
     {"vmstat.pageoutrun"},
     {}},
    {{"direct_reclaims", "count", METRIC_LESS, "allocations that had to reclaim memory themselves"},
     {"vmstat.allocstall_dma", "vmstat.allocstall_dma32", "vmstat.allocstall_normal",
      "vmstat.allocstall_movable", "vmstat.allocstall_device"},
     {}},
    {{"kswapd_reclaim_time", "ns", METRIC_LESS, "time that kswapd spent reclaiming, sleep included"},
     {"balance_pgdat@kswapd.total"},
     {}},
    {{"direct_reclaim_time", "ns", METRIC_LESS, "time that allocations spent reclaiming, sleep included"},
     {"try_to_free_pages@all.total"},
     {}},
    {{"direct_scan_share", "ratio", METRIC_LESS,
      "part of the pages that reclaim looked at that was in direct reclaim"},
     {"vmstat.pgscan_direct"},
     {"vmstat.pgscan_direct", "vmstat.pgscan_kswapd", "vmstat.pgscan_khugepaged"}},
    {{"reclaim_efficiency", "ratio", METRIC_MORE, "pages freed for each one that reclaim looked at"},
     {"vmstat.pgsteal_direct", "vmstat.pgsteal_kswapd", "vmstat.pgsteal_khugepaged"},
     {"vmstat.pgscan_direct", "vmstat.pgscan_kswapd", "vmstat.pgscan_khugepaged"}},
    {{"swap_readahead_hits", "ratio", METRIC_MORE, "pages read ahead from swap that were then used"},
     {"vmstat.swap_ra_hit"},
     {"vmstat.swap_ra"}},
    {{"zswap_ratio", "ratio", METRIC_MORE,
      "what is in zswap, by the memory that its pool takes; means over time"},
     {"zswap.Zswapped"},
     {"zswap.Zswap"}},
    {{"zswap_rejects", "count", METRIC_LESS, "pages that zswap did not take"},
     {"zswap.reject_compress_poor", "zswap.reject_compress_fail", "zswap.reject_alloc_fail",
      "zswap.reject_kmemcache_fail", "zswap.reject_reclaim_fail"},
     {}},
    {{"ksm_saved", "pages", METRIC_MORE,
      "pages that KSM had freed at the last reading while the workload ran"},
     {"ksm.pages_sharing.end", "ksm.ksm_zero_pages.end"},
     {}},
    {{"ksm_merged", "pages", METRIC_MORE, "pages that KSM merged in the run"},
     {"ksm.merged_in_reclaim", "ksm.merged_outside_reclaim"},
     {}},
    {{"ksm_merged_in_reclaim_share", "ratio", METRIC_NEITHER,
      "part of the merged pages that was merged while pages were being reclaimed"},
     {"ksm.merged_in_reclaim"},
     {"ksm.merged_in_reclaim", "ksm.merged_outside_reclaim"}},
    {{"management_cpu", "ns", METRIC_LESS,
      "CPU time of the threads that manage memory; what faults do in the workload is in the workload's, and "
      "what kworkers do (zswap's shrink_worker, which the probe of that name times; the promotion of Nomad's "
      "own kernel) is in cpu.kworker"},
     {"cpu.kdamond", "cpu.kpromoted", "cpu.kmigrated", "cpu.kscand", "cpu.demeter", "cpu.kswapd", "cpu.ksmd",
      "cpu.kcompactd", "cpu.khugepaged", "cpu.ktiering", "cpu.kmigraterd", "cpu.ksamplingd",
      "control.self_ns"},
     {}},
    {{"oom_kills", "count", METRIC_LESS, "processes that the OOM killer ended"}, {"vmstat.oom_kill"}, {}},
};

// Adds one term to `sum`, which is NAN until the first.
static void add_term(const double *one, double sign, guint n, double *sum, const char *const *reasons,
		     const char **why)
{
	for (guint i = 0; i < n; i++) {
		if (!isnan(one[i]))
			sum[i] = (isnan(sum[i]) ? 0 : sum[i]) + sign * one[i];
		else if (!why[i])
			why[i] = reasons[i];
	}
}

// A difference with a term missing is none.
static void lose(const double *one, guint n, double *lost)
{
	for (guint i = 0; i < n; i++)
		if (isnan(one[i]))
			lost[i] = NAN;
}

// The sum of the terms that this database has; of a difference, all of them.
static int add_terms(struct store *store, const char *const *terms, const GArray *runs, double *sum,
		     const char **why)
{
	g_autofree double *one = g_new(double, runs->len + 1), *lost = g_new0(double, runs->len + 1);
	g_autofree const char **reasons = g_new0(const char *, runs->len + 1);
	bool difference = terms[1] && *terms[1] == '-';

	for (guint i = 0; i < runs->len; i++)
		sum[i] = NAN;
	for (size_t t = 0; t < TERMS && terms[t]; t++) {
		bool minus = *terms[t] == '-';
		struct metric *term = NULL;
		int rc = metric_find(store, terms[t] + minus, &term);

		if (rc == -ENOENT && !difference)
			continue;
		for (guint i = 0; i < runs->len; i++)
			one[i] = NAN;
		if (!rc)
			rc = metric_values(store, term, runs, one, reasons);
		metric_free(term);
		if (rc && rc != -ENOENT)
			return rc;
		add_term(one, minus ? -1 : 1, runs->len, sum, reasons, why);
		if (difference)
			lose(one, runs->len, lost);
	}
	for (guint i = 0; i < runs->len; i++)
		sum[i] += lost[i];
	return 0;
}

static int values(struct store *store, const struct metric *m, const GArray *runs, double *values,
		  const char **why)
{
	const struct derived *d = m->data;
	g_autofree double *by = g_new(double, runs->len + 1);
	int rc = add_terms(store, d->of, runs, values, why);

	if (rc || !d->by[0])
		return rc;
	rc = add_terms(store, d->by, runs, by, why);
	for (guint i = 0; i < runs->len; i++) {
		if (!isnan(values[i]) && by[i] == 0)
			why[i] = "there were none of what it is a part of";
		values[i] = by[i] != 0 ? values[i] / by[i] : NAN;
	}
	return rc;
}

const struct metric_kind metric_derived = {.values = values, METRIC_TABLE(table)};
