// Parameters of pgcache; see advise.h.
#include "report/advise.h"

#include <errno.h>
#include <math.h>

#include "base/err.h"
#include "report/internal.h"
#include "store/store.h"

static const struct {
	const char *name;
	int share, kib; // of the cache's size; of a table: a pgd has two pages, for kernel and user
} levels[ADVISE_LEVELS] = {{"pgd", 1, 8}, {"p4d", 1, 4}, {"pud", 1, 4}, {"pmd", 4, 4}, {"pte", 16, 4}};

enum {
	PAGE = 4096,
	PUDS = 2,
	PMDS = 3,
	SMALL_PTES = 7, // of `sleep`: VmPTE 48 KiB, twelve tables with the puds and pmds
	MAX_RATIO = 1000
};

// --- what a run says

static const struct store_series_row *series_of(const GArray *list, const char *name)
{
	for (guint i = 0; i < list->len; i++) {
		const struct store_series_row *s = &g_array_index(list, struct store_series_row, i);

		if (!strcmp(s->name, name) && s->samples)
			return s;
	}
	return NULL;
}

static int take(const GArray *list, struct advise_inputs *in)
{
	const struct store_series_row *processes = series_of(list, "workload.processes"),
				      *rss = series_of(list, "workload.rss"),
				      *machine = series_of(list, "pagetables.system.PageTables");

	if (!processes || processes->most < 1 || !rss)
		return err_set(-ENOENT,
			       "the run has no samples of its processes and their memory: record a longer "
			       "one, or give --procs and --memory");
	in->processes = (double)processes->most;
	in->memory_bytes = (double)rss->most / in->processes;
	if (machine)
		in->background = (double)machine->first / PAGE;
	return 0;
}

int advise_read_run(struct store *store, const struct store_run_row *run, struct advise_inputs *in)
{
	g_autoptr(GArray) series = NULL;
	int rc = store_begin(store);

	if (!rc)
		rc = store_read_series(store, run->id, &series);
	if (!rc)
		rc = take(series, in);
	store_commit(store);
	return rc;
}

// --- the formula

static void of_a_process(double memory, bool five, double each[ADVISE_LEVELS])
{
	each[ADVISE_PGD] = 1;
	each[ADVISE_P4D] = five;
	each[ADVISE_PUD] = PUDS;
	each[ADVISE_PMD] = PMDS + floor(memory / (1 << 30));
	each[ADVISE_PTE] = SMALL_PTES + ceil(memory / (2 << 20));
}

void advise_compute(const struct advise_inputs *in, struct advise *a)
{
	double small[ADVISE_LEVELS], all_small = 0, need, kib = 0, shares = 0;

	of_a_process(in->memory_bytes, in->five_levels, a->each);
	of_a_process(0, in->five_levels, small);
	for (int l = ADVISE_P4D; l < ADVISE_LEVELS; l++)
		all_small += small[l];
	for (int l = 0; l < ADVISE_LEVELS; l++) {
		a->peak[l] = in->processes * a->each[l];
		a->background[l] = in->background / all_small * small[l];
		a->ratio[l] =
		    (unsigned)fmin(fmax(ceil(a->peak[l] / fmax(a->background[l], 1)), 1), MAX_RATIO);
		shares += small[l] > 0 ? levels[l].share : 0;
		need = a->peak[l] * levels[l].kib / levels[l].share;
		kib = fmax(kib, need);
	}
	a->size_kib = (unsigned long)(ceil(kib) * shares); // the module divides whole KiB
}

// --- for people

static void level_rows(struct doc *doc, const struct advise *a)
{
	static const struct doc_column columns[] = {{"level", "level", DOC_PLAIN},
						    {"each", "tables of a process", DOC_NUMBER},
						    {"peak", "of all at once", DOC_NUMBER},
						    {"background", "in use without them", DOC_NUMBER},
						    {"ratio", "ratio", DOC_COUNT}};
	struct doc_section *sec = doc_section(doc, "levels", "By level", columns, G_N_ELEMENTS(columns));

	for (int l = 0; l < ADVISE_LEVELS; l++) {
		if (a->each[l] <= 0)
			continue;
		doc_row(sec);
		doc_text(sec, "%s", levels[l].name);
		doc_real(sec, a->each[l]);
		doc_real(sec, a->peak[l]);
		doc_real(sec, a->background[l]);
		doc_int(sec, a->ratio[l]);
	}
	doc_note(
	    sec,
	    "A process: one pgd, %d puds, %d pmds and one for each GiB, a pte for each 2 MiB of its "
	    "memory and %d for its program. ratio = all at once / in use without them, so that what they "
	    "free is kept until they come again. The size is that of the level which needs most of its "
	    "share. A run's processes and memory are as sampled: those that live for less than the "
	    "interval between samples are missed, so give --procs for a workload that forks fast.",
	    PUDS, PMDS, SMALL_PTES);
}

struct doc *advise_doc(const struct advise_inputs *in, const struct advise *a)
{
	static const struct doc_column columns[] = {{"processes", "processes at once", DOC_NUMBER},
						    {"memory_bytes", "memory of each", DOC_BYTES},
						    {"background", "page tables without them", DOC_NUMBER},
						    {"size_kib", "size_kib", DOC_COUNT},
						    {"system", "for record", DOC_PLAIN}};
	struct doc *doc = doc_new("pgcache");
	g_autoptr(GString) system = g_string_new(NULL);
	struct doc_section *sec =
	    doc_section(doc, "advice", "Advice for pgcache", columns, G_N_ELEMENTS(columns));

	doc_vertical(sec);
	doc_row(sec);
	doc_real(sec, in->processes);
	doc_int(sec, (int64_t)in->memory_bytes);
	doc_real(sec, in->background);
	doc_int(sec, (int64_t)a->size_kib);
	g_string_printf(system, "--system pgcache,size_kib=%lu", a->size_kib);
	for (int l = 0; l < ADVISE_LEVELS; l++)
		if (a->each[l] > 0)
			g_string_append_printf(system, ",ratio_%s=%u", levels[l].name, a->ratio[l]);
	doc_text(sec, "%s", system->str);
	level_rows(doc, a);
	return doc;
}
