// The caption: what the figure shows, from how many runs, on which machine, what was left out.
#include "plot/internal.h"

// The values that a fact has over the selected runs, a comma between them.
static char *fact(struct plot *p, const char *key)
{
	g_autoptr(GHashTable) envs = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < p->selection->runs->len; i++) {
		struct store_run_row *run = &g_array_index(p->selection->runs, struct store_run_row, i);
		g_autoptr(GArray) facts = NULL;

		if (!g_hash_table_add(envs, &run->env_id) || store_read_facts(p->store, run->id, &facts))
			continue;
		for (guint k = 0; k < facts->len; k++) {
			const struct store_pair *f = &g_array_index(facts, struct store_pair, k);

			if (strcmp(f->key, key) || !g_hash_table_add(seen, (void *)f->value))
				continue;
			g_autofree char *clean = text_clean(f->value);
			g_string_append_printf(out, "%s%s", out->len ? ", " : "", clean);
		}
	}
	return g_string_free(out, FALSE);
}

static void machine(struct plot *p, GString *out)
{
	static const struct {
		const char *key, *word;
	} facts[] = {{"cpu.model", "CPU"}, {"kernel.release", "kernel"}, {"numa.nodes", "NUMA nodes"}};
	g_autofree char *accel = fact(p, "lab.accel");

	g_string_append(out, "Machine:");
	for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
		g_autofree char *value = fact(p, facts[i].key);

		g_string_append_printf(out, "%s %s %s", i ? ";" : "", facts[i].word,
				       *value ? value : "not recorded");
	}
	g_string_append(out, ".\n");
	if (*accel && !g_str_has_prefix(accel, "kvm"))
		g_string_append(out,
				"EMULATED (QEMU TCG lab): counts are right, times are the emulator's and "
				"say nothing about real hardware.\n");
}

// "n: base 10, ours 9 to 10." : runs of a workload under each system.
static void numbers(struct plot *p, GString *out)
{
	const struct selection *s = p->selection;
	guint n_systems = s->systems->len, n_workloads = s->workloads->len;
	g_autofree guint *n = g_new0(guint, (size_t)n_systems * n_workloads + 1);

	for (guint i = 0; i < s->places->len; i++) {
		const struct selection_place *place = &g_array_index(s->places, struct selection_place, i);

		n[place->workload * n_systems + place->system]++;
	}
	g_string_append_printf(out, "Runs%s: ", n_workloads > 1 ? " of each workload" : "");
	for (guint k = 0; k < n_systems; k++) {
		g_autofree char *name = text_clean(plot_system(p, k));
		guint least = G_MAXUINT, most = 0;

		for (guint w = 0; w < n_workloads; w++) {
			least = MIN(least, n[w * n_systems + k]);
			most = MAX(most, n[w * n_systems + k]);
		}
		g_string_append_printf(out, "%s%s %u", k ? ", " : "", name, least);
		if (least != most)
			g_string_append_printf(out, " to %u", most);
	}
	g_string_append(out, ".\n");
}

static void bars(struct plot *p, GString *out)
{
	if (p->slots->len < 2)
		return;
	g_string_append(out, "Bars of a group, from left to right: ");
	for (guint i = 0; i < p->slots->len; i++) {
		g_autofree char *name = text_clean(p->slots->pdata[i]);

		g_string_append_printf(out, "%s%s", i ? ", " : "", name);
	}
	g_string_append(out, ".\n");
}

static void left_out(struct plot *p, GString *out)
{
	const GArray *list = p->selection->left_out;
	g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < list->len; i++) {
		const char *why = g_array_index(list, struct selection_out, i).why;
		guint n = 0;

		if (!g_hash_table_add(done, (void *)why))
			continue;
		g_string_append_printf(out, "Left out, %s: runs", why);
		for (guint k = i; k < list->len; k++) {
			const struct selection_out *o = &g_array_index(list, struct selection_out, k);

			if (!strcmp(o->why, why))
				g_string_append_printf(out, "%s %" PRId64, n++ ? "," : "", o->run);
		}
		g_string_append(out, ".\n");
	}
}

GString *caption_make(struct plot *p)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "%s: %s.\n", p->template->name, p->template->what);
	for (guint i = 0; i < p->remarks->len; i++)
		g_string_append_printf(out, "%s\n", (char *)p->remarks->pdata[i]);
	bars(p, out);
	numbers(p, out);
	left_out(p, out);
	machine(p, out);
	g_string_append(out, "Drawn by mmprof " MMPROF_VERSION ".\n");
	return out;
}
