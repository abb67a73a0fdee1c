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

static int values(struct store *store, const struct metric *m, const GArray *runs, double *values,
		  const char **why G_GNUC_UNUSED)
{
	const struct told *t = m->data;

	for (guint i = 0; i < runs->len; i++) {
		g_autoptr(GArray) lines = NULL;
		int rc = store_read_kernel_log(store, RUN(runs, i)->id, &lines);

		if (rc)
			return rc;
		values[i] = 0;
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
