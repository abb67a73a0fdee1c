// Sample accounting of systems that sample accesses: samples by tier, drops, whether they add up, and the
// ratio of fast to slow samples beside the ratio of residency, so that a sampler's bias shows. The counters
// are those of the systems' own kernels (memtis: htmm_*, Demeter: pebs_*) and of NUMA balancing's hint
// faults, and our tiering module's (tiering.samples.*), whose accounting is checked by its own tests.
#include "report/compare_internal.h"

static const struct {
	const char *title, *metric;
} rows[] = {{"samples in all (memtis)", "vmstat.htmm_nr_sampled"},
	    {"missed: DRAM reads (memtis)", "vmstat.htmm_missed_dramread"},
	    {"missed: NVM reads (memtis)", "vmstat.htmm_missed_nvmread"},
	    {"missed: writes (memtis)", "vmstat.htmm_missed_write"},
	    {"samples in all (demeter)", "vmstat.pebs_nr_sampled"},
	    {"samples of fast memory (demeter)", "vmstat.pebs_nr_sampled_fmem"},
	    {"samples of slow memory (demeter)", "vmstat.pebs_nr_sampled_smem"},
	    {"samples dropped (demeter)", "vmstat.pebs_nr_discarded"},
	    {"samples in all (tiering module)", "tiering.samples.total"},
	    {"kept: fast memory (tiering module)", "tiering.samples.kept_fast"},
	    {"kept: slow memory (tiering module)", "tiering.samples.kept_slow"},
	    {"dropped: nothing mapped (tiering module)", "tiering.samples.drop_invalid"},
	    {"dropped: not private memory (tiering module)", "tiering.samples.drop_vma"},
	    {"dropped: mmap_lock taken (tiering module)", "tiering.samples.drop_trylock"},
	    {"dropped: queue full (tiering module)", "tiering.samples.drop_queue_full"},
	    {"dropped: table full (tiering module)", "tiering.samples.drop_table_full"},
	    {"NUMA hint faults", "vmstat.numa_hint_faults"},
	    {"NUMA hint faults on the local node", "vmstat.numa_hint_faults_local"}};

static struct doc_section *section(struct compare_report *r, const char *name, const char *title,
				   enum doc_unit unit)
{
	struct columns c = columns_new();
	struct doc_section *sec;

	columns_add(&c, DOC_PLAIN, "workload", "workload");
	columns_add(&c, DOC_PLAIN, "samples", "samples");
	for (guint i = 0; i < r->selection->systems->len; i++)
		columns_add_of(&c, unit, system_name(r->selection, i), "median", "");
	sec = columns_section(&c, r->doc, name, title);
	columns_free(&c);
	return sec;
}

static void put(struct compare_report *r, struct doc_section *sec, const char *title, const double *values,
		const char **why)
{
	const struct selection *s = r->selection;

	for (guint w = 0; w < s->workloads->len; w++) {
		doc_row(sec);
		doc_text(sec, "%s", workload_name(s, w));
		doc_text(sec, "%s", title);
		for (guint i = 0; i < s->systems->len; i++) {
			size_t at = (size_t)w * s->systems->len + i;

			compare_real(sec, values[at], why[at]);
		}
	}
}

// Samples that were neither fast, slow nor dropped: 0 when the accounting adds up.
static void identity(struct compare_report *r, struct doc_section *sec, double *const *values, size_t n)
{
	g_autofree double *left = g_new(double, n + 1);
	g_autofree const char **why = g_new0(const char *, n + 1);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		left[i] = values[4][i] - values[5][i] - values[6][i] - values[7][i];
		why[i] = "one of its terms is not there";
		any |= !isnan(left[i]);
	}
	if (any)
		put(r, sec, "samples unaccounted for (demeter)", left, why);
}

// Samples fast : slow, divided by memory fast : slow. 1: accesses are sampled in proportion to memory.
static int bias(struct compare_report *r, struct doc_section **sec, const double *fast, const double *slow,
		size_t n, const char *title)
{
	g_autofree double *share = g_new(double, n + 1), *ratio = g_new(double, n + 1);
	g_autofree const char **why = g_new0(const char *, n + 1);
	bool any = false;
	int rc = compare_medians(r, "fast_share", share, why);

	for (size_t i = 0; i < n; i++) {
		ratio[i] = fast[i] / slow[i] / (share[i] / (1 - share[i]));
		why[i] = "samples by tier or residency is not there";
		any |= isfinite(ratio[i]);
		if (!isfinite(ratio[i]))
			ratio[i] = NAN;
	}
	if (any && !*sec)
		*sec = section(r, "sampling_bias",
			       "Sampling bias: fast : slow of samples, over fast : slow of memory (1: none)",
			       DOC_NUMBER);
	if (any)
		put(r, *sec, title, ratio, why);
	return rc == -ENOENT ? 0 : rc;
}

int compare_samples(struct compare_report *r)
{
	size_t n = (size_t)r->selection->systems->len * r->selection->workloads->len;
	struct doc_section *sec = NULL, *bias_sec = NULL;
	double *values[G_N_ELEMENTS(rows)];
	g_autofree const char **why = g_new0(const char *, n + 1);
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		values[i] = g_new0(double, n + 1);
	for (size_t i = 0; i < G_N_ELEMENTS(rows) && !rc; i++) {
		bool any = false;

		rc = compare_medians(r, rows[i].metric, values[i], why);
		if (rc == -ENOENT) {
			rc = 0;
			continue;
		}
		for (size_t k = 0; k < n; k++)
			any |= values[i][k] > 0;
		if (!any && !r->options->all)
			continue;
		if (!sec)
			sec = section(r, "samples", "Samples of memory accesses (medians over runs)",
				      DOC_COUNT);
		put(r, sec, rows[i].title, values[i], why);
	}
	if (!rc && sec) {
		identity(r, sec, values, n);
		rc = bias(r, &bias_sec, values[5], values[6], n, "demeter");
		if (!rc)
			rc = bias(r, &bias_sec, values[9], values[10], n, "tiering module");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		g_free(values[i]);
	return rc;
}
