// Metrics of the kernel's log: how often it told of something during the run. Only lines of the level
// "warning" and worse are stored.
#include "metric/internal.h"

struct told {
	const char *name, *pattern, *what;
};

static const struct told table[] = {
    {"log.oom_kills", "ut of memory: Killed process",
     "processes that the OOM killer ended, by the kernel's log"},
    {"log.hung_tasks", "blocked for more than",
     "tasks that did not run for two minutes, by the kernel's log"},
    {"log.allocation_failures", "page allocation failure", "allocations that failed, by the kernel's log"},
    {"log.stalls", "rcu: INFO:", "stalls of CPUs or tasks, by the kernel's log"},
};

static void fill(struct metric *m, const struct told *t)
{
	m->name = t->name;
	m->unit_name = "count";
	m->unit = METRIC_COUNT;
	m->better = METRIC_LESS;
	m->what = t->what;
	m->data = (void *)t;
}

static int find(struct store *store G_GNUC_UNUSED, struct metric *m)
{
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		if (!strcmp(table[i].name, m->name)) {
			fill(m, &table[i]);
			return 0;
		}
	return -ENOENT;
}

// The reason why a run's log is not known, or not all of it; NULL: it is.
static int why_not(struct store *store, int64_t run, const GArray *lines, const char **why)
{
	g_autoptr(GArray) pairs = NULL;
	int rc = store_read_not_measured(store, run, &pairs);

	*why = NULL;
	for (guint i = 0; !rc && i < pairs->len; i++) {
		const struct store_pair *p = &g_array_index(pairs, struct store_pair, i);

		if (!strcmp(p->key, STORE_LOG))
			*why = p->value;
	}
	for (guint i = 0; i < lines->len; i++)
		if (!strcmp(g_array_index(lines, struct store_log_row, i).text, STORE_LOG_LOST))
			*why = "lines of the kernel's log were lost before they were read";
	return rc;
}

static int values(struct store *store, const struct metric *m, const GArray *runs, double *values,
		  const char **why)
{
	const struct told *t = m->data;

	for (guint i = 0; i < runs->len; i++) {
		g_autoptr(GArray) lines = NULL;
		int rc = store_read_kernel_log(store, RUN(runs, i)->id, &lines);

		if (!rc)
			rc = why_not(store, RUN(runs, i)->id, lines, &why[i]);
		if (rc)
			return rc;
		values[i] = why[i] ? NAN : 0;
		for (guint k = 0; k < lines->len; k++)
			values[i] +=
			    strstr(g_array_index(lines, struct store_log_row, k).text, t->pattern) != NULL;
	}
	return 0;
}

static int list(struct store *store G_GNUC_UNUSED, GPtrArray *metrics)
{
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		struct metric m = {};

		fill(&m, &table[i]);
		metric_listed(metrics, &m);
	}
	return 0;
}

const struct metric_kind metric_log = {find, values, NULL, list};
