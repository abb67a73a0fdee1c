// Metrics that the user brought: extract.NAME, what the workload printed (`record --extract`); bench.NAME,
// what one of our benchmarks gave back; tag.NAME, a tag that is a number.
#include "metric/internal.h"

enum origin { EXTRACT, BENCH, TAG, ORIGINS };
static const char *const prefixes[ORIGINS] = {"extract.", "bench.", "tag."};
static const char *const whats[ORIGINS] = {"printed by the workload", "given by the benchmark",
					   "a tag of the user's"};
static const char *const missing[ORIGINS] = {
    "the workload did not print it, or --extract was not given",
    "the benchmark did not give it: `mmprof report` of the run tells why",
    "the run has no such tag that is a number"};

// A benchmark's figures are stored with their prefix.
static int read_numbers(struct store *store, enum origin origin, const char *name, GArray **numbers)
{
	const char *bare = name + strlen(prefixes[origin]);

	if (origin == TAG)
		return store_read_tag_numbers(store, bare, numbers);
	return store_read_extracts(store, origin == BENCH ? name : bare, numbers);
}

static enum metric_better better_of(const char *word)
{
	return !g_strcmp0(word, "less")   ? METRIC_LESS
	       : !g_strcmp0(word, "more") ? METRIC_MORE
					  : METRIC_NEITHER;
}

static void fill(struct metric *m, enum origin origin, const char *unit, const char *better)
{
	m->unit_name = unit ? g_intern_string(unit) : "";
	m->unit = metric_unit_of(unit);
	m->better = better_of(better);
	m->what = whats[origin];
	m->data = (void *)prefixes[origin];
}

static int find(struct store *store, struct metric *m)
{
	for (enum origin o = EXTRACT; o < ORIGINS; o++) {
		g_autoptr(GArray) numbers = NULL;
		const struct store_number_row *first;
		int rc;

		if (!g_str_has_prefix(m->name, prefixes[o]))
			continue;
		rc = read_numbers(store, o, m->name, &numbers);
		if (rc || !numbers->len)
			return rc ? rc : -ENOENT;
		first = &g_array_index(numbers, struct store_number_row, 0);
		fill(m, o, first->unit, first->better);
		return 0;
	}
	return -ENOENT;
}

static int values(struct store *store, const struct metric *m, const GArray *runs, double *values,
		  const char **why)
{
	g_autoptr(GHashTable) places = metric_places(runs);
	g_autoptr(GArray) numbers = NULL;
	enum origin origin = EXTRACT;
	int rc;

	while (m->data != prefixes[origin])
		origin++;
	rc = read_numbers(store, origin, m->name, &numbers);
	for (guint i = 0; !rc && i < numbers->len; i++) {
		const struct store_number_row *n = &g_array_index(numbers, struct store_number_row, i);
		int place = metric_place(places, n->run);

		if (place >= 0 && isfinite(n->value))
			values[place] = n->value;
	}
	for (guint i = 0; i < runs->len; i++)
		why[i] = missing[origin];
	return rc;
}

static int list(struct store *store, GPtrArray *metrics)
{
	static const enum store_names tables[] = {STORE_EXTRACTS, STORE_TAGS};

	for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
		g_autoptr(GArray) names = NULL;
		int rc = store_read_names(store, tables[t], &names);

		if (rc)
			return rc;
		for (guint i = 0; i < names->len; i++) {
			const struct store_name_row *n = &g_array_index(names, struct store_name_row, i);
			enum origin o = tables[t] == STORE_TAGS                      ? TAG
					: g_str_has_prefix(n->name, prefixes[BENCH]) ? BENCH
										     : EXTRACT;
			struct metric m = {.name =
					       metric_text("%s%s", o == BENCH ? "" : prefixes[o], n->name)};

			fill(&m, o, n->unit, n->kind);
			metric_listed(metrics, &m);
		}
	}
	return 0;
}

const struct metric_kind metric_user = {.find = find, .values = values, .list = list};
