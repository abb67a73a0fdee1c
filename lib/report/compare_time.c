// Where the time went, and what tiering costs: components of a run's time as medians over runs, system by
// system. Functions nest: a function's time includes that of the functions it calls, and sleep. So the
// components below "kernel" are not disjoint and are not added up.
#include "report/compare_internal.h"

struct component {
	const char *title;
	const char *metrics[4]; // those that exist are added
	bool always;            // shown also when nothing was measured
};

static const struct component components[] = {
    {"application, user", {"user"}, true},
    {"application, kernel", {"system"}, true},
    {"  page faults", {"handle_mm_fault.total"}, true},
    {"  NUMA hint faults", {"numa_migrate_prep.total", "do_huge_pmd_numa_page.total"}, true},
    {"  protection changes (NUMA scan)", {"task_numa_work.total"}, false},
    {"  protection changes", {"change_prot_numa.total"}, true},
    {"  TLB flushes", {"flush_tlb_mm_range.total"}, true},
    {"  TLB shootdowns (IPIs)", {"flush_tlb_multi.total"}, true},
    {"  migration", {"migrate_pages.total"}, true},
    {"  direct reclaim", {"try_to_free_pages.total"}, true},
    {"  page-table pages", {"pte_alloc_one.total", "___pte_free_tlb.total"}, true},
    {"  mmap_lock waits", {"mmap_lock/read wait.total", "mmap_lock/write wait.total"}, true},
    {"kswapd", {"cpu.kswapd"}, true},
    {"kcompactd", {"cpu.kcompactd"}, false},
    {"khugepaged", {"cpu.khugepaged"}, false},
    {"ksmd", {"cpu.ksmd"}, false},
    {"kdamond", {"cpu.kdamond"}, false},
    {"kmigraterd", {"cpu.kmigraterd"}, false},
    {"ksamplingd", {"cpu.ksamplingd"}, false},
    {"ktiering", {"cpu.ktiering"}, false},
    {"kpromoted", {"cpu.kpromoted"}, false},
    {"kmigrated", {"cpu.kmigrated"}, false},
    {"kscand", {"cpu.kscand"}, false},
    {"demeter", {"cpu.demeter"}, false},
    {"kworker", {"cpu.kworker"}, false},
    {"ksoftirqd", {"cpu.ksoftirqd"}, false},
    {"other kernel threads", {"cpu.migration", "cpu.oom_reaper", "cpu.kthread_other"}, true},
    {"mmprof itself", {"self"}, true},
};

static size_t n_cells(const struct compare_report *r)
{
	return (size_t)r->selection->systems->len * r->selection->workloads->len;
}

// Sums of the medians of several metrics; NAN where none was measured, and why.
static int sum_medians(struct compare_report *r, const char *const *metrics, size_t n, double *sum,
		       const char **why)
{
	g_autofree double *one = g_new(double, n_cells(r) + 1);
	g_autofree const char **reasons = g_new0(const char *, n_cells(r) + 1);

	for (size_t i = 0; i < n_cells(r); i++) {
		sum[i] = NAN;
		why[i] = NULL;
	}
	for (size_t m = 0; m < n && metrics[m]; m++) {
		int rc = compare_medians(r, metrics[m], one, reasons);

		if (rc && rc != -ENOENT)
			return rc;
		for (size_t i = 0; i < n_cells(r); i++) {
			if (!isnan(one[i]))
				sum[i] = (isnan(sum[i]) ? 0 : sum[i]) + one[i];
			else if (!why[i])
				why[i] = reasons[i];
		}
	}
	return 0;
}

// A line of a table: one value for each cell.
struct line {
	const char *title;
	double *values;
	const char **why;
};

static struct line line_new(const struct compare_report *r, const char *title)
{
	return (struct line){title, g_new(double, n_cells(r) + 1), g_new0(const char *, n_cells(r) + 1)};
}

static void lines_free(struct line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		g_free(lines[i].values);
		g_free(lines[i].why);
	}
}

static bool measured(const struct compare_report *r, const struct line *l)
{
	for (size_t i = 0; i < n_cells(r); i++)
		if (!isnan(l->values[i]))
			return true;
	return false;
}

static bool moved(const struct compare_report *r, const struct line *l)
{
	for (size_t i = 0; i < n_cells(r); i++)
		if (!isnan(l->values[i]) && l->values[i] != 0)
			return true;
	return false;
}

static void put_line(struct compare_report *r, struct doc_section *sec, const struct line *l, guint w)
{
	const struct selection *s = r->selection;

	doc_row(sec);
	doc_text(sec, "%s", workload_name(s, w));
	doc_text(sec, "%s", l->title);
	for (guint i = 0; i < s->systems->len; i++) {
		size_t at = (size_t)w * s->systems->len + i;

		compare_real(sec, l->values[at], l->why[at] ? l->why[at] : "no run");
	}
}

// What no run has is told once, with its reason, instead of filling the table.
static void note_missing(struct doc_section *sec, const struct line *l)
{
	const char *why = l->why[0] ? l->why[0] : "no run";

	doc_note(sec, "Not measured: %s (%s).", l->title + strspn(l->title, " "), why);
}

static struct doc_section *section(struct compare_report *r, const char *key, const char *title,
				   const char *what)
{
	struct columns c = columns_new();
	struct doc_section *sec;

	columns_add(&c, DOC_PLAIN, "workload", "workload");
	columns_add(&c, DOC_PLAIN, what, what);
	for (guint i = 0; i < r->selection->systems->len; i++)
		columns_add_of(&c, DOC_NS, system_name(r->selection, i), "median_ns", "");
	sec = columns_section(&c, r->doc, key, title);
	columns_free(&c);
	return sec;
}

static int lossy_notes(struct compare_report *r, struct doc_section *sec, const char *const *metrics,
		       size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && metrics[i] && !rc; i++)
		rc = compare_lossy_note(r, sec, metrics[i]);
	return rc;
}

static void put_components(struct compare_report *r, struct doc_section *sec, const struct line *lines)
{
	g_autoptr(GString) still = g_string_new(NULL);
	bool show[G_N_ELEMENTS(components)];

	for (size_t i = 0; i < G_N_ELEMENTS(components); i++) {
		show[i] = measured(r, &lines[i]) &&
			  (components[i].always || r->options->all || moved(r, &lines[i]));
		if (components[i].always && !measured(r, &lines[i]))
			note_missing(sec, &lines[i]);
		else if (!show[i] && measured(r, &lines[i]))
			g_string_append_printf(still, "%s%s", still->len ? ", " : "",
					       lines[i].title + strspn(lines[i].title, " "));
	}
	for (guint w = 0; w < r->selection->workloads->len; w++)
		for (size_t i = 0; i < G_N_ELEMENTS(components); i++)
			if (show[i])
				put_line(r, sec, &lines[i], w);
	if (still->len)
		doc_note(sec, "None at all: %s.", still->str);
}

int compare_time(struct compare_report *r)
{
	struct doc_section *sec = section(r, "time", "Where the time went (medians over runs)", "component");
	struct line lines[G_N_ELEMENTS(components)];
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(components); i++) {
		const struct component *c = &components[i];

		lines[i] = line_new(r, c->title);
		if (!rc)
			rc = sum_medians(r, c->metrics, G_N_ELEMENTS(c->metrics), lines[i].values,
					 lines[i].why);
	}
	if (!rc)
		put_components(r, sec, lines);
	for (size_t i = 0; i < G_N_ELEMENTS(components) && !rc; i++)
		rc = lossy_notes(r, sec, components[i].metrics, G_N_ELEMENTS(components[i].metrics));
	doc_note(
	    sec,
	    "User and kernel time are the workload's CPU time. The indented lines are the workload's time in "
	    "functions, what these call and their sleep included: they overlap and are not shares of the "
	    "kernel time. Kernel threads are the whole machine's.");
	lines_free(lines, G_N_ELEMENTS(components));
	return rc;
}

// --- the cost of tiering, in the three stages of the field's table (Demeter, SOSP '25, after
// patch/sota.patch)

struct cost {
	const char *system; // the beginning of the system's name; "": any other
	const char *kind;   // its end; "": any
	const char *stage;
	const char *plus[3], *minus[3];
};

// The first line of a stage whose system fits is taken.
#define MODULE_COSTS(SYSTEM, KIND)                                                                           \
	{SYSTEM, KIND, "sampling", {"tiering.phases.sampling_ns"}, {}},                                      \
	    {SYSTEM, KIND, "classification", {"tiering.phases.classification_ns"}, {}},                      \
	{                                                                                                    \
		SYSTEM, KIND, "migration", {"tiering.phases.migration_ns"},                                  \
		{                                                                                            \
		}                                                                                            \
	}
static const struct cost costs[] = {
    MODULE_COSTS("ours", ""),
    MODULE_COSTS("", "(policy re-implementation)"),
    {"memtis", "", "sampling", {"cpu.ksamplingd"}, {"__update_pginfo@all.total"}},
    {"memtis",
     "",
     "classification",
     {"cpu.kmigraterd", "__update_pginfo@all.total"},
     {"migrate_pages@all.total"}},
    {"memtis", "", "migration", {"migrate_pages@all.total"}, {}},
    {"", "", "sampling", {"folio_referenced@all.total"}, {}},
    {"",
     "",
     "classification",
     {"shrink_lruvec@all.total"},
     {"folio_referenced@all.total", "demote_folio_list@all.total"}},
    {"",
     "",
     "migration",
     {"demote_folio_list@all.total", "change_prot_numa@all.total", "numa_migrate_prep@all.total"},
     {}},
};
static const char *const stages[] = {"sampling", "classification", "migration"};

static const struct cost *cost_of(const char *system, const char *stage)
{
	for (size_t i = 0; i < G_N_ELEMENTS(costs); i++)
		if (!strcmp(costs[i].stage, stage) && g_str_has_prefix(system, costs[i].system) &&
		    g_str_has_suffix(system, costs[i].kind))
			return &costs[i];
	return NULL;
}

// All terms must be there: a sum with a part missing would be too small without saying so.
static int add_terms(struct compare_report *r, const char *const *terms, double sign, guint system,
		     double *values, const char **why)
{
	guint n_systems = r->selection->systems->len;
	g_autofree double *one = g_new(double, n_cells(r) + 1);
	g_autofree const char **reasons = g_new0(const char *, n_cells(r) + 1);

	for (int t = 0; t < 3 && terms[t]; t++) {
		int rc = compare_medians(r, terms[t], one, reasons);

		if (rc && rc != -ENOENT)
			return rc;
		for (size_t i = system; i < n_cells(r); i += n_systems) {
			if (isnan(one[i]) && !isnan(values[i])) {
				g_autofree char *text = g_strdup_printf("%s: %s", terms[t], reasons[i]);

				why[i] = g_intern_string(text);
			}
			values[i] += sign * one[i];
		}
	}
	return 0;
}

static int stage_values(struct compare_report *r, struct line *l)
{
	int rc = 0;

	memset(l->values, 0, n_cells(r) * sizeof(*l->values));
	for (guint i = 0; i < r->selection->systems->len && !rc; i++) {
		const struct cost *c = cost_of(system_name(r->selection, i), l->title);

		rc = add_terms(r, c->plus, 1, i, l->values, l->why);
		if (!rc)
			rc = add_terms(r, c->minus, -1, i, l->values, l->why);
	}
	return rc;
}

static void formula_note(struct doc_section *sec, const struct cost *c)
{
	g_autoptr(GString) s = g_string_new(NULL);

	for (int t = 0; t < 3 && c->plus[t]; t++)
		g_string_append_printf(s, "%s%s", t ? " + " : "", c->plus[t]);
	for (int t = 0; t < 3 && c->minus[t]; t++)
		g_string_append_printf(s, " - %s", c->minus[t]);
	doc_note(sec, "%s%s, %s: %s.", *c->system || *c->kind ? c->system : "other systems", c->kind,
		 c->stage, s->str);
}

static int formula_notes(struct compare_report *r, struct doc_section *sec)
{
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(costs) && !rc; i++) {
		bool used = false;

		for (guint k = 0; k < r->selection->systems->len; k++)
			used |= cost_of(system_name(r->selection, k), costs[i].stage) == &costs[i];
		if (!used)
			continue;
		formula_note(sec, &costs[i]);
		rc = lossy_notes(r, sec, costs[i].plus, G_N_ELEMENTS(costs[i].plus));
		if (!rc)
			rc = lossy_notes(r, sec, costs[i].minus, G_N_ELEMENTS(costs[i].minus));
	}
	return rc;
}

int compare_cost(struct compare_report *r)
{
	struct doc_section *sec =
	    section(r, "cost", "What memory management cost, by stage (medians over runs)", "stage");
	struct line lines[G_N_ELEMENTS(stages)];
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(stages); i++) {
		lines[i] = line_new(r, stages[i]);
		if (!rc)
			rc = stage_values(r, &lines[i]);
		any |= !rc && measured(r, &lines[i]);
	}
	for (guint w = 0; any && w < r->selection->workloads->len; w++)
		for (size_t i = 0; i < G_N_ELEMENTS(stages); i++)
			put_line(r, sec, &lines[i], w);
	for (size_t i = 0; !any && !rc && i < G_N_ELEMENTS(stages); i++)
		note_missing(sec, &lines[i]);
	if (!rc)
		rc = formula_notes(r, sec);
	if (!any)
		doc_note(
		    sec,
		    "To have it: record with --probe default --probe reclaim --probe numa --probe tiering "
		    "--probe migrate.");
	lines_free(lines, G_N_ELEMENTS(stages));
	return rc;
}
