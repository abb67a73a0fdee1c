// Residency: which part of the workload's memory is in the fastest memory tier, and in each node.
#include "metric/internal.h"

#include <stdlib.h>

#include "metric/tiers.h"

static const struct metric_row table[] = {
    {"fast_share", "ratio", METRIC_MORE,
     "part of the workload's memory that is in the fastest tier, mean over time"},
    {"fast_share_end", "ratio", METRIC_MORE,
     "part of the workload's memory that is in the fastest tier, at the end"},
};

// "0-1,3" → bits
static uint64_t parse_nodes(const char *text)
{
	uint64_t bits = 0;

	while (*text) {
		char *end;
		unsigned long from = strtoul(text, &end, 10), to = from;

		if (end == text)
			break;
		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		for (; from <= to && from < 64; from++)
			bits |= 1ull << from;
		text = end + strspn(end, ", ");
	}
	return bits;
}

int tiers_fast_nodes(struct store *store, int64_t run, uint64_t *nodes, const char **why)
{
	g_autoptr(GArray) facts = NULL;
	long fastest = LONG_MAX;
	int n = 0, rc = store_read_facts(store, run, &facts);

	*nodes = 0;
	for (guint i = 0; !rc && i < facts->len; i++) {
		const struct store_pair *f = &g_array_index(facts, struct store_pair, i);
		char *end;
		long tier;

		if (!strcmp(f->key,
			    "tiering.fast_node")) { // what our module was told goes before the kernel's
			*nodes = parse_nodes(f->value);
			return rc;
		}
		if (!g_str_has_prefix(f->key, "memory_tier") || !g_str_has_suffix(f->key, ".nodes"))
			continue;
		tier = strtol(f->key + strlen("memory_tier"), &end, 10);
		if (strcmp(end, ".nodes") || !*f->value)
			continue;
		n++;
		if (tier >= fastest)
			continue;
		fastest = tier;
		*nodes = parse_nodes(f->value);
	}
	if (n >= 2)
		return rc;
	*nodes = 0;
	*why = n ? "all memory of this machine is of one tier" : "this kernel tells no memory tiers";
	return rc;
}

static int node_values(struct store *store, int node, bool end, const GArray *runs, double *values)
{
	g_autofree char *name = g_strdup_printf("workload.node%d%s", node, end ? ".last" : "");
	struct metric *m = NULL;
	int rc = metric_find(store, name, &m);

	if (!rc)
		rc = metric_values(store, m, runs, values, NULL);
	metric_free(m);
	return rc;
}

static int fast_nodes(struct store *store, const GArray *runs, uint64_t *fast, const char **why)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal); // environment → index + 1
	int rc = 0;

	for (guint i = 0; i < runs->len && !rc; i++) {
		int64_t *env = &RUN(runs, i)->env_id;
		int same = GPOINTER_TO_INT(g_hash_table_lookup(seen, env)) - 1;

		if (same >= 0) {
			fast[i] = fast[same];
			why[i] = why[same];
			continue;
		}
		rc = tiers_fast_nodes(store, RUN(runs, i)->id, &fast[i], &why[i]);
		g_hash_table_insert(seen, env, GINT_TO_POINTER(i + 1));
	}
	return rc;
}

static int values(struct store *store, const struct metric *m, const GArray *runs, double *values,
		  const char **why)
{
	bool end = m->data == &table[1];
	g_autofree double *all = g_new0(double, runs->len + 1), *node = g_new0(double, runs->len + 1);
	g_autofree double *in_fast = g_new0(double, runs->len + 1);
	g_autofree uint64_t *fast = g_new0(uint64_t, runs->len + 1);
	int rc = fast_nodes(store, runs, fast, why);

	for (int n = 0; n < 64 && !rc; n++) {
		rc = node_values(store, n, end, runs, node);
		if (rc == -ENOENT) { // nodes may have gaps, series have not
			rc = 0;
			continue;
		}
		for (guint i = 0; i < runs->len; i++) {
			double pages = isnan(node[i]) ? 0 : node[i];

			all[i] += pages;
			in_fast[i] += fast[i] >> n & 1 ? pages : 0;
		}
	}
	for (guint i = 0; i < runs->len; i++) {
		if (fast[i] && all[i] > 0)
			values[i] = in_fast[i] / all[i];
		else if (fast[i])
			why[i] = "the workload's memory by node was not sampled";
	}
	return rc;
}

static const char *sampler_of(const struct metric *m)
{
	return m->data == &table[0] ? "residency" : NULL;
}

const struct metric_kind metric_tiers = {.values = values, .sampler_of = sampler_of, METRIC_TABLE(table)};
