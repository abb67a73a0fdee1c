// Metrics of the kernel's log: how often it told of something during the run. Only lines of the level
// "warning" and worse are stored.
#include "metric/internal.h"

struct told {
	struct metric_row row;
	const char *pattern;
};

static const struct told table[] = {
    {{"log.oom_kills", "count", METRIC_LESS, "processes that the OOM killer ended, by the kernel's log"},
     "ut of memory: Killed process"},
    {{"log.hung_tasks", "count", METRIC_LESS, "tasks that did not run for two minutes, by the kernel's log"},
     "blocked for more than"},
    {{"log.allocation_failures", "count", METRIC_LESS, "allocations that failed, by the kernel's log"},
     "page allocation failure"},
    {{"log.stalls", "count", METRIC_LESS, "stalls of CPUs or tasks, by the kernel's log"}, "rcu: INFO:"},
};

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

const struct metric_kind metric_log = {.values = values, METRIC_TABLE(table)};
