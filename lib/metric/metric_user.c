// Metrics that the user brought: extract.NAME, what the workload printed (`record --extract`), and tag.NAME,
// a tag that is a number.
#include "metric/internal.h"

enum origin { EXTRACT, TAG };
static const char *const prefixes[] = {"extract.", "tag."};

static int read_numbers(struct store *store, enum origin origin, const char *name, GArray **numbers)
{
	return origin == EXTRACT ? store_read_extracts(store, name, numbers)
				 : store_read_tag_numbers(store, name, numbers);
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
	m->what = origin == EXTRACT ? "printed by the workload" : "a tag given by the user";
	m->data = (void *)prefixes[origin];
}

static int find(struct store *store, struct metric *m)
{
	for (enum origin o = EXTRACT; o <= TAG; o++) {
		g_autoptr(GArray) numbers = NULL;
		const struct store_number_row *first;
		int rc;

		if (!g_str_has_prefix(m->name, prefixes[o]))
			continue;
		rc = read_numbers(store, o, m->name + strlen(prefixes[o]), &numbers);
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
	enum origin origin = m->data == prefixes[TAG] ? TAG : EXTRACT;
	g_autoptr(GHashTable) places = metric_places(runs);
	g_autoptr(GArray) numbers = NULL;
	int rc = read_numbers(store, origin, m->name + strlen(prefixes[origin]), &numbers);

	for (guint i = 0; !rc && i < numbers->len; i++) {
		const struct store_number_row *n = &g_array_index(numbers, struct store_number_row, i);
		int place = metric_place(places, n->run);

		if (place >= 0 && isfinite(n->value))
			values[place] = n->value;
	}
	for (guint i = 0; i < runs->len; i++)
		why[i] = origin == TAG ? "the run has no such tag that is a number"
				       : "the workload did not print it, or --extract was not given";
	return rc;
}

static int list(struct store *store, GPtrArray *metrics)
{
	for (enum origin o = EXTRACT; o <= TAG; o++) {
		g_autoptr(GArray) names = NULL;
		int rc = store_read_names(store, o == EXTRACT ? STORE_EXTRACTS : STORE_TAGS, &names);

		if (rc)
			return rc;
		for (guint i = 0; i < names->len; i++) {
			const struct store_name_row *n = &g_array_index(names, struct store_name_row, i);
			struct metric m = {.name = metric_text("%s%s", prefixes[o], n->name)};

			fill(&m, o, n->unit, n->kind);
			metric_listed(metrics, &m);
		}
	}
	return 0;
}

const struct metric_kind metric_user = {find, values, NULL, list};
