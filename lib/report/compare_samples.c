// What systems that sample accesses and move pages counted: samples by tier, drops, whether they add up, and
// the ratio of fast to slow samples beside the ratio of residency, so that a sampler's bias shows; pages
// moved, and not moved by reason. The counters are those of the systems' own kernels (memtis: htmm_*,
// Demeter: pebs_*), of NUMA balancing's hint faults, and our tiering module's (tiering.*).
#include "report/compare_internal.h"

struct row {
	const char *title, *metric; // a NULL title ends a table
	bool zero;                  // says something when it is 0
};

static const struct row samples[] = {
    {"samples in all (memtis)", "vmstat.htmm_nr_sampled", false},
    {"missed: DRAM reads (memtis)", "vmstat.htmm_missed_dramread", false},
    {"missed: NVM reads (memtis)", "vmstat.htmm_missed_nvmread", false},
    {"missed: writes (memtis)", "vmstat.htmm_missed_write", false},
    {"samples in all (demeter)", "vmstat.pebs_nr_sampled", false},
    {"samples of fast memory (demeter)", "vmstat.pebs_nr_sampled_fmem", false},
    {"samples of slow memory (demeter)", "vmstat.pebs_nr_sampled_smem", false},
    {"samples dropped (demeter)", "vmstat.pebs_nr_discarded", false},
    {"samples unaccounted for (demeter)", "demeter_samples_unaccounted", true},
    {"samples in all (tiering module)", "tiering.samples.total", false},
    {"kept: fast memory (tiering module)", "tiering.samples.kept_fast", false},
    {"kept: slow memory (tiering module)", "tiering.samples.kept_slow", false},
    {"dropped: nothing mapped (tiering module)", "tiering.samples.drop_invalid", false},
    {"dropped: not private memory (tiering module)", "tiering.samples.drop_vma", false},
    {"dropped: mmap_lock taken (tiering module)", "tiering.samples.drop_trylock", false},
    {"dropped: queue full (tiering module)", "tiering.samples.drop_queue_full", false},
    {"dropped: table full (tiering module)", "tiering.samples.drop_table_full", false},
    {"samples unaccounted for (tiering module)", "samples_unaccounted", true},
    {"NUMA hint faults", "vmstat.numa_hint_faults", false},
    {"NUMA hint faults on the local node", "vmstat.numa_hint_faults_local", false},
    {NULL, NULL, false}};

static const struct row moves[] = {{"tried", "tiering.moves.tried", false},
				   {"promoted", "tiering.moves.promoted", false},
				   {"of those, by transactional copy", "tiering.moves.tpm_promoted", false},
				   {"demoted", "tiering.moves.demoted", false},
				   {"of those, to their shadows", "tiering.moves.shadow_demoted", false},
				   {"pairs exchanged", "tiering.moves.exchanges", false},
				   {"unaccounted for", "moves_unaccounted", true},
				   {NULL, NULL, false}};

static const struct row failures[] = {{"process or mapping gone", "moves_failed_gone", false},
				      {"another page there", "moves_failed_stale", false},
				      {"not private memory, or locked", "moves_failed_vma", false},
				      {"mapped by another process", "moves_failed_shared", false},
				      {"not on the LRU", "moves_failed_lru", false},
				      {"no free page", "moves_failed_nomem", false},
				      {"in use", "moves_failed_migrate", false},
				      {"moved, but back", "moves_failed_bounced", false},
				      {"written while copied", "moves_failed_dirty", false},
				      {NULL, NULL, false}};

static struct doc_section *section(struct compare_report *r, const char *name, const char *title,
				   enum doc_unit unit)
{
	struct columns c = columns_new();
	struct doc_section *sec;

	columns_add(&c, DOC_PLAIN, "workload", "workload");
	columns_add(&c, DOC_PLAIN, "samples", "what");
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

// Those rows of a table of which there is something to say.
static int put_rows(struct compare_report *r, const struct row *rows, const char *name, const char *title,
		    enum doc_unit unit)
{
	size_t n = (size_t)r->selection->systems->len * r->selection->workloads->len;
	g_autofree double *values = g_new(double, n + 1);
	g_autofree const char **why = g_new0(const char *, n + 1);
	struct doc_section *sec = NULL;

	for (; rows->title; rows++) {
		int rc = compare_medians(r, rows->metric, values, why);
		bool any = false, zero = rows->zero || r->options->all;

		if (rc == -ENOENT)
			continue;
		if (rc)
			return rc;
		for (size_t i = 0; i < n; i++)
			any |= zero ? !isnan(values[i]) : values[i] > 0;
		if (any && !sec)
			sec = section(r, name, title, unit);
		if (any)
			put(r, sec, rows->title, values, why);
	}
	return 0;
}

// Samples fast : slow, divided by memory fast : slow. 1: accesses are sampled in proportion to memory.
static int bias(struct compare_report *r, struct doc_section **sec, const char *of_fast, const char *of_slow,
		const char *title)
{
	size_t n = (size_t)r->selection->systems->len * r->selection->workloads->len;
	g_autofree double *share = g_new(double, n + 1), *ratio = g_new(double, n + 1);
	g_autofree double *fast = g_new(double, n + 1), *slow = g_new(double, n + 1);
	g_autofree const char **why = g_new0(const char *, n + 1);
	bool any = false;
	int rc = compare_medians(r, of_fast, fast, NULL);

	if (!rc)
		rc = compare_medians(r, of_slow, slow, NULL);
	if (!rc)
		rc = compare_medians(r, "fast_share", share, why);
	for (size_t i = 0; i < n && !rc; i++) {
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
	struct doc_section *sec = NULL;
	int rc = put_rows(r, samples, "samples", "Samples of memory accesses (medians over runs)", DOC_COUNT);

	if (!rc)
		rc = bias(r, &sec, "vmstat.pebs_nr_sampled_fmem", "vmstat.pebs_nr_sampled_smem", "demeter");
	if (!rc)
		rc =
		    bias(r, &sec, "tiering.samples.kept_fast", "tiering.samples.kept_slow", "tiering module");
	if (!rc)
		rc = put_rows(r, moves, "moves", "Pages moved by the tiering module (medians over runs)",
			      DOC_COUNT);
	if (!rc)
		rc = put_rows(r, failures, "move_failures",
			      "Why pages were not moved, of those that the tiering module tried", DOC_RATIO);
	return rc;
}
