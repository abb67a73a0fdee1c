// Metrics that are sums and quotients of others. A term that a kernel does not have is left out of its sum
// (6.1 has no pgdemote_khugepaged because khugepaged does not demote there); when none is there, the metric
// isn't either.
#include "metric/internal.h"

#define TERMS 8

struct derived {
	const char *name, *unit_name;
	enum metric_better better;
	const char *of[TERMS], *by[TERMS]; // the sum of `of`, divided by the sum of `by` if there is any
	const char *what;
};

static const struct derived table[] = {
    {"promotions",
     "pages",
     METRIC_NEITHER,
     {"vmstat.pgpromote_success"},
     {},
     "pages moved to a faster memory tier by NUMA balancing, whole machine"},
    {"demotions",
     "pages",
     METRIC_NEITHER,
     {"vmstat.pgdemote_kswapd", "vmstat.pgdemote_direct", "vmstat.pgdemote_khugepaged",
      "vmstat.pgdemote_proactive"},
     {},
     "pages moved to a slower memory tier by reclaim, whole machine"},
    {"migrations",
     "pages",
     METRIC_NEITHER,
     {"vmstat.pgmigrate_success"},
     {},
     "pages migrated for any reason"},
    {"migration_failures",
     "pages",
     METRIC_LESS,
     {"vmstat.pgmigrate_fail"},
     {},
     "pages that could not be migrated"},
    {"migration_failure_ratio",
     "ratio",
     METRIC_LESS,
     {"vmstat.pgmigrate_fail"},
     {"vmstat.pgmigrate_fail", "vmstat.pgmigrate_success"},
     "failed part of all page migrations"},
    {"hint_faults", "count", METRIC_NEITHER, {"vmstat.numa_hint_faults"}, {}, "NUMA hint faults"},
    {"tlb_flushes",
     "count",
     METRIC_LESS,
     {"tlb_flush_count@all.count"},
     {},
     "TLB flushes on any CPU, all reasons"},
    {"trylock_failure_ratio",
     "ratio",
     METRIC_LESS,
     {"mmap_lock/read acquire=failed.count"},
     {"mmap_lock/read acquire.count"},
     "failed part of the workload's mmap_lock read acquires; only a trylock or a killed task fails, and the "
     "tracepoints don't tell a successful trylock from a lock"},
    {"fault_time_share",
     "ratio",
     METRIC_LESS,
     {"handle_mm_fault.total"},
     {"cpu"},
     "the workload's time in page faults, sleep included, as a part of its CPU time"},
    {"kswapd_wakeups", "count", METRIC_NEITHER, {"vmstat.pageoutrun"}, {}, "times that kswapd went to work"},
    {"direct_reclaims",
     "count",
     METRIC_LESS,
     {"vmstat.allocstall_dma", "vmstat.allocstall_dma32", "vmstat.allocstall_normal",
      "vmstat.allocstall_movable", "vmstat.allocstall_device"},
     {},
     "allocations that had to reclaim memory themselves"},
    {"kswapd_reclaim_time",
     "ns",
     METRIC_LESS,
     {"balance_pgdat@kswapd.total"},
     {},
     "time that kswapd spent reclaiming, sleep included"},
    {"direct_reclaim_time",
     "ns",
     METRIC_LESS,
     {"try_to_free_pages@all.total"},
     {},
     "time that allocations spent reclaiming, sleep included"},
    {"direct_scan_share",
     "ratio",
     METRIC_LESS,
     {"vmstat.pgscan_direct"},
     {"vmstat.pgscan_direct", "vmstat.pgscan_kswapd", "vmstat.pgscan_khugepaged"},
     "part of the pages that reclaim looked at that was in direct reclaim"},
    {"reclaim_efficiency",
     "ratio",
     METRIC_MORE,
     {"vmstat.pgsteal_direct", "vmstat.pgsteal_kswapd", "vmstat.pgsteal_khugepaged"},
     {"vmstat.pgscan_direct", "vmstat.pgscan_kswapd", "vmstat.pgscan_khugepaged"},
     "pages freed for each one that reclaim looked at"},
    {"swap_readahead_hits",
     "ratio",
     METRIC_MORE,
     {"vmstat.swap_ra_hit"},
     {"vmstat.swap_ra"},
     "pages read ahead from swap that were then used"},
    {"zswap_ratio",
     "ratio",
     METRIC_MORE,
     {"zswap.Zswapped"},
     {"zswap.Zswap"},
     "what is in zswap, by the memory that its pool takes; means over time"},
    {"zswap_rejects",
     "count",
     METRIC_LESS,
     {"zswap.reject_compress_poor", "zswap.reject_compress_fail", "zswap.reject_alloc_fail",
      "zswap.reject_kmemcache_fail", "zswap.reject_reclaim_fail"},
     {},
     "pages that zswap did not take"},
    {"ksm_saved",
     "pages",
     METRIC_MORE,
     {"ksm.pages_sharing.end", "ksm.ksm_zero_pages.end"},
     {},
     "pages that KSM had freed at the last reading while the workload ran"},
    {"ksm_merged",
     "pages",
     METRIC_MORE,
     {"ksm.merged_in_reclaim", "ksm.merged_outside_reclaim"},
     {},
     "pages that KSM merged in the run"},
    {"ksm_merged_in_reclaim_share",
     "ratio",
     METRIC_NEITHER,
     {"ksm.merged_in_reclaim"},
     {"ksm.merged_in_reclaim", "ksm.merged_outside_reclaim"},
     "part of the merged pages that was merged while pages were being reclaimed"},
    {"management_cpu",
     "ns",
     METRIC_LESS,
     {"cpu.kswapd", "cpu.ksmd", "cpu.kcompactd", "cpu.khugepaged", "cpu.ktiering", "cpu.kmigraterd",
      "cpu.ksamplingd", "control.self_ns"},
     {},
     "CPU time of the threads that manage memory, without what kworkers do (zswap's shrink_worker, which the "
     "probe of that name times); what faults do in the workload is in the workload's"},
    {"oom_kills", "count", METRIC_LESS, {"vmstat.oom_kill"}, {}, "processes that the OOM killer ended"},
};

static void fill(struct metric *m, const struct derived *d)
{
	m->name = d->name;
	m->unit_name = d->unit_name;
	m->unit = metric_unit_of(d->unit_name);
	m->better = d->better;
	m->what = d->what;
	m->data = (void *)d;
}

static int find(struct store *store G_GNUC_UNUSED, struct metric *m)
{
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (strcmp(table[i].name, m->name))
			continue;
		fill(m, &table[i]);
		return 0;
	}
	return -ENOENT;
}

// Adds each term that this database has to `sum`, which is NAN until the first.
static int add_terms(struct store *store, const char *const *terms, const GArray *runs, double *sum,
		     const char **why)
{
	g_autofree double *one = g_new(double, runs->len + 1);
	g_autofree const char **reasons = g_new0(const char *, runs->len + 1);

	for (guint i = 0; i < runs->len; i++)
		sum[i] = NAN;
	for (size_t t = 0; t < TERMS && terms[t]; t++) {
		struct metric *term = NULL;
		int rc = metric_find(store, terms[t], &term);

		if (rc == -ENOENT)
			continue;
		if (!rc)
			rc = metric_values(store, term, runs, one, reasons);
		metric_free(term);
		if (rc)
			return rc;
		for (guint i = 0; i < runs->len; i++) {
			if (!isnan(one[i]))
				sum[i] = (isnan(sum[i]) ? 0 : sum[i]) + one[i];
			else if (!why[i])
				why[i] = reasons[i];
		}
	}
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

static int list(struct store *store G_GNUC_UNUSED, GPtrArray *metrics)
{
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		struct metric m = {};

		fill(&m, &table[i]);
		metric_listed(metrics, &m);
	}
	return 0;
}

const struct metric_kind metric_derived = {find, values, NULL, list};
