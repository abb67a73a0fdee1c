// What is compared: systems, workloads, runs, and the runs that were left out, each with its reason.
#include "report/compare_internal.h"

static void join(GString *s, const char *separator, const char *text)
{
	g_string_append_printf(s, "%s%s", s->len ? separator : "", text);
}

static char *names(const GPtrArray *list)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < list->len; i++)
		join(s, ", ", list->pdata[i]);
	return g_string_free(s, FALSE);
}

// Of the facts that are shown, the values over the runs: most of the time one.
enum fact { FACT_KERNEL, FACT_CPU, FACT_NODES, FACT_ACCEL, FACTS };
static const char *const fact_keys[FACTS] = {"kernel.release", "cpu.model", "numa.nodes", "lab.accel"};

static void take_fact(const struct store_pair *fact, GPtrArray *const values[FACTS])
{
	for (int k = 0; k < FACTS; k++)
		if (!strcmp(fact->key, fact_keys[k]) &&
		    !g_ptr_array_find_with_equal_func(values[k], fact->value, g_str_equal, NULL))
			g_ptr_array_add(values[k], (void *)fact->value);
}

static int read_facts(struct compare_report *r, GPtrArray *const values[FACTS])
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
	int rc = 0;

	for (guint i = 0; i < r->selection->runs->len && !rc; i++) {
		const struct store_run_row *run = ROW(r->selection->runs, store_run_row, i);
		g_autoptr(GArray) facts = NULL;

		if (!g_hash_table_add(seen, (void *)&run->env_id))
			continue;
		rc = store_read_facts(r->store, run->id, &facts);
		for (guint f = 0; !rc && f < facts->len; f++)
			take_fact(ROW(facts, store_pair, f), values);
	}
	return rc;
}

static void fact_cell(struct doc_section *sec, const GPtrArray *values)
{
	g_autofree char *text = names(values);

	if (values->len)
		doc_text(sec, "%s", text);
	else
		doc_none_as(sec, "", "not stored");
}

// "warm-up: 3 runs (1, 5, 9)"
static void left_out(struct doc_section *sec, const struct selection *s)
{
	g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < s->left_out->len; i++) {
		const struct selection_out *out = ROW(s->left_out, selection_out, i);
		g_autoptr(GString) ids = g_string_new(NULL);
		guint n = 0;

		if (!g_hash_table_add(done, (void *)out->why))
			continue;
		for (guint k = i; k < s->left_out->len; k++) {
			const struct selection_out *other = ROW(s->left_out, selection_out, k);

			if (strcmp(other->why, out->why))
				continue;
			if (n++ < 12)
				g_string_append_printf(ids, "%s%" PRId64, ids->len ? ", " : "", other->run);
		}
		doc_note(sec, "Left out, %s: %u run%s (%s%s).", out->why, n, n == 1 ? "" : "s", ids->str,
			 n > 12 ? ", ..." : "");
	}
}

static void emulated_note(struct doc_section *sec, const GPtrArray *accel)
{
	for (guint i = 0; i < accel->len; i++)
		if (!g_str_has_prefix(accel->pdata[i], "kvm")) {
			doc_note(sec, "EMULATED (QEMU TCG lab): counts are right, times are the emulator's "
				      "and say nothing "
				      "about real hardware.");
			break;
		}
}

int compare_head(struct compare_report *r)
{
	static const struct doc_column columns[] = {
	    {"baseline", "baseline", DOC_PLAIN},   {"systems", "systems", DOC_PLAIN},
	    {"workloads", "workloads", DOC_PLAIN}, {"experiment", "experiment", DOC_PLAIN},
	    {"runs", "runs compared", DOC_COUNT},  {"left_out", "runs left out", DOC_COUNT},
	    {"kernel", "kernel", DOC_PLAIN},       {"cpu", "CPU", DOC_PLAIN},
	    {"nodes", "NUMA nodes", DOC_PLAIN}};
	const struct selection *s = r->selection;
	g_autofree char *systems = names(s->systems), *workloads = names(s->workloads);
	struct doc_section *sec =
	    doc_section(r->doc, "comparison", "Comparison of systems", columns, G_N_ELEMENTS(columns));
	GPtrArray *facts[FACTS];
	int rc;

	for (int k = 0; k < FACTS; k++)
		facts[k] = g_ptr_array_new();
	rc = read_facts(r, facts);
	doc_vertical(sec);
	doc_row(sec);
	doc_text(sec, "%s", system_name(s, 0));
	doc_text(sec, "%s", systems);
	doc_text(sec, "%s", workloads);
	report_text(sec, r->options->selection.experiment);
	doc_int(sec, s->runs->len);
	doc_int(sec, s->left_out->len);
	for (int k = FACT_KERNEL; k <= FACT_NODES; k++)
		fact_cell(sec, facts[k]);
	emulated_note(sec, facts[FACT_ACCEL]);
	left_out(sec, s);
	for (int k = 0; k < FACTS; k++)
		g_ptr_array_unref(facts[k]);
	return rc;
}
