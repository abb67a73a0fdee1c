// Why the systems differ: the facts of the machine that are not the same over the compared runs; and warnings
// when what should be the same is not.
#include "report/compare_internal.h"

// Facts that make runs incomparable unless the difference is what is studied.
static const struct {
	const char *prefix, *word;
} same[] = {
    {"kernel.release", "kernel"},     {"cpu.model", "CPU model"},
    {"cpu.online", "CPUs online"},    {"cpu.microcode", "microcode"},
    {"cpufreq.", "frequency limits"}, {"memory.total", "memory size"},
    {"memory.size", "memory size"},   {"numa.node", "NUMA nodes"},
    {"mitigation.", "mitigations"},   {"workload.environment_sha256", "workload's environment variables"}};

// Sets of texts, kept in the order of arrival.
static void add_once(GPtrArray *set, const char *text)
{
	if (!g_ptr_array_find_with_equal_func(set, text, g_str_equal, NULL))
		g_ptr_array_add(set, (void *)text);
}

// One fact: the set of its values for each system.
struct fact {
	GPtrArray **values; // [system]
	guint n_systems;
};

static void fact_free(void *p)
{
	struct fact *f = p;

	for (guint i = 0; i < f->n_systems; i++)
		g_ptr_array_unref(f->values[i]);
	g_free(f->values);
	g_free(f);
}

static struct fact *fact_of(GHashTable *facts, const char *key, guint n_systems)
{
	struct fact *f = g_hash_table_lookup(facts, key);

	if (f)
		return f;
	f = g_new0(struct fact, 1);
	f->n_systems = n_systems;
	f->values = g_new0(GPtrArray *, n_systems);
	for (guint i = 0; i < n_systems; i++)
		f->values[i] = g_ptr_array_new();
	g_hash_table_insert(facts, (void *)key, f);
	return f;
}

// Each environment is read once for each system that ran in it.
static int collect(struct compare_report *r, GHashTable *facts, guint *environments)
{
	const struct selection *s = r->selection;
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	int rc = 0;

	for (guint i = 0; i < s->runs->len && !rc; i++) {
		const struct store_run_row *run = ROW(s->runs, store_run_row, i);
		guint system = ROW(s->places, selection_place, i)->system;
		g_autoptr(GArray) list = NULL;

		if (run->env_id == STORE_NULL ||
		    !g_hash_table_add(seen, g_strdup_printf("%u %" PRId64, system, run->env_id)))
			continue;
		environments[system]++;
		rc = store_read_facts(r->store, run->id, &list);
		for (guint k = 0; !rc && k < list->len; k++) {
			const struct store_pair *pair = ROW(list, store_pair, k);

			add_once(fact_of(facts, pair->key, s->systems->len)->values[system], pair->value);
		}
	}
	return rc;
}

static char *joined(const GPtrArray *values)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < values->len; i++)
		g_string_append_printf(s, "%s%s", i ? " | " : "", (const char *)values->pdata[i]);
	return g_string_free(s, FALSE);
}

// All systems that have environments must have the same single value, or the fact differs.
static bool differs(const struct fact *f, const guint *environments)
{
	const char *first = NULL;

	for (guint i = 0; i < f->n_systems; i++) {
		if (!environments[i])
			continue;
		if (f->values[i]->len != 1)
			return true;
		if (first && strcmp(first, f->values[i]->pdata[0]))
			return true;
		first = f->values[i]->pdata[0];
	}
	return false;
}

static void warn(struct doc_section *sec, const char *key, GHashTable *warned)
{
	for (size_t i = 0; i < G_N_ELEMENTS(same); i++)
		if (g_str_has_prefix(key, same[i].prefix) && g_hash_table_add(warned, (void *)same[i].word))
			doc_note(sec,
				 "WARNING: not the same over these runs: %s (%s). Unless that is what you "
				 "study, they "
				 "can't be compared.",
				 same[i].word, key);
}

// Differences of the runs themselves: mmprof's version, the workload's command.
static void warn_runs(struct doc_section *sec, const struct selection *s)
{
	for (guint w = 0; w < s->workloads->len; w++) {
		g_autoptr(GPtrArray) commands = g_ptr_array_new();

		for (guint i = 0; i < s->runs->len; i++)
			if (ROW(s->places, selection_place, i)->workload == w)
				add_once(commands, ROW(s->runs, store_run_row, i)->argv_json);
		if (commands->len > 1)
			doc_note(sec,
				 "WARNING: the runs of workload %s have %u different commands: %s and %s%s.",
				 workload_name(s, w), commands->len, (char *)commands->pdata[0],
				 (char *)commands->pdata[1], commands->len > 2 ? ", ..." : "");
	}
	g_autoptr(GPtrArray) versions = g_ptr_array_new();

	for (guint i = 0; i < s->runs->len; i++)
		add_once(versions, ROW(s->runs, store_run_row, i)->version ?: "unknown");
	if (versions->len > 1)
		doc_note(sec, "WARNING: recorded by %u versions of mmprof: %s and %s%s.", versions->len,
			 (char *)versions->pdata[0], (char *)versions->pdata[1],
			 versions->len > 2 ? ", ..." : "");
}

static struct doc_section *make_section(struct compare_report *r)
{
	struct columns c = columns_new();
	struct doc_section *sec;

	columns_add(&c, DOC_PLAIN, "fact", "fact");
	for (guint i = 0; i < r->selection->systems->len; i++)
		columns_add_of(&c, DOC_PLAIN, system_name(r->selection, i), "value", "");
	sec = columns_section(&c, r->doc, "differences", "What differs between the systems' runs");
	columns_free(&c);
	return sec;
}

static void row(struct doc_section *sec, const char *key, const struct fact *f, const guint *environments)
{
	doc_row(sec);
	doc_text(sec, "%s", key);
	for (guint i = 0; i < f->n_systems; i++) {
		g_autofree char *text = joined(f->values[i]);

		if (f->values[i]->len)
			doc_text(sec, "%s", text);
		else
			doc_none_as(sec, environments[i] ? "absent" : "", "not stored with these runs");
	}
}

int compare_differences(struct compare_report *r)
{
	g_autoptr(GHashTable) facts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, fact_free);
	g_autoptr(GHashTable) warned = g_hash_table_new(g_str_hash, g_str_equal);
	g_autofree guint *environments = g_new0(guint, r->selection->systems->len + 1);
	g_autoptr(GList) keys = NULL;
	struct doc_section *sec;
	guint shown = 0;
	int rc = collect(r, facts, environments);

	if (rc)
		return rc;
	sec = make_section(r);
	keys = g_list_sort(g_hash_table_get_keys(facts), (GCompareFunc)strcmp);
	for (GList *k = keys; k; k = k->next) {
		const struct fact *f = g_hash_table_lookup(facts, k->data);

		if (!differs(f, environments))
			continue;
		row(sec, k->data, f, environments);
		warn(sec, k->data, warned);
		shown++;
	}
	if (!shown)
		doc_note(sec,
			 "Nothing that mmprof looks at: %u facts of the machine are the same in all runs.",
			 g_hash_table_size(facts));
	else
		doc_note(sec, "%u of %u facts differ; \" | \": several values among one system's runs.",
			 shown, g_hash_table_size(facts));
	warn_runs(sec, r->selection);
	return 0;
}
