// Metrics of a sampler's series: SERIES alone is how far a counter went during the run, or the mean over time
// of a level; a suffix asks for another view of it.
#include "metric/internal.h"

enum view { VIEW_DELTA, VIEW_RATE, VIEW_MEAN, VIEW_MIN, VIEW_MAX, VIEW_FIRST, VIEW_END, VIEW_LAST, VIEWS };
static const char *const suffixes[VIEWS] = {"", ".rate", ".mean", ".min", ".max", ".first", ".end", ".last"};
static const char *const words[VIEWS] = {"change over the run",
					 "change a second",
					 "mean over time",
					 "least value",
					 "greatest value",
					 "value before the workload",
					 "value at the last reading while the workload ran",
					 "value after the workload's end"};

struct series {
	char *name;
	enum view view;
};

static bool counts_only_up(enum view view)
{
	return view == VIEW_DELTA || view == VIEW_RATE;
}

// Stalls and failures are better when fewer; of most things that a kernel counts nobody can say.
static enum metric_better better_of(const char *name)
{
	static const char *const bad[] = {"fail", "stall", "oom_kill", "psi."};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		if (strstr(name, bad[i]))
			return METRIC_LESS;
	return g_str_has_prefix(name, "cpu.") ? METRIC_LESS : METRIC_NEITHER;
}

static void fill(struct metric *m, const char *series, enum view view, const char *unit)
{
	m->unit_name = view == VIEW_RATE ? metric_text("%s/s", unit) : g_intern_string(unit);
	m->unit = view == VIEW_RATE ? METRIC_RATE : metric_unit_of(unit);
	m->better = better_of(series);
	m->what = words[view];
}

// The series of this name and the view that is asked for; -ENOENT (no err chain) when there is none.
static int look_up(struct store *store, const char *series, enum view view, struct metric *m)
{
	const char *unit;
	bool counter;
	struct series *data;
	int rc = store_find_series(store, series, &unit, &counter);

	if (rc || !unit)
		return rc ? rc : -ENOENT;
	if (view == VIEW_DELTA && !counter)
		view = VIEW_MEAN;
	if (counts_only_up(view) != counter)
		return err_set(-EINVAL, "%s is a %s: it has no \"%s\"", series, counter ? "counter" : "level",
			       suffixes[view] + 1);
	fill(m, series, view, unit);
	data = g_new0(struct series, 1);
	data->name = g_strdup(series);
	data->view = view;
	m->data = data;
	return 0;
}

static int find(struct store *store, struct metric *m)
{
	int rc = look_up(store, m->name, VIEW_DELTA, m);

	for (enum view v = VIEW_RATE; v < VIEWS && rc == -ENOENT; v++) {
		g_autofree char *series = NULL;

		if (!g_str_has_suffix(m->name, suffixes[v]))
			continue;
		series = g_strndup(m->name, strlen(m->name) - strlen(suffixes[v]));
		rc = look_up(store, series, v, m);
	}
	return rc;
}

static double of_level(const struct store_level *l, const struct store_ends_row *e, enum view view)
{
	switch (view) {
	case VIEW_MIN:
		return (double)l->least;
	case VIEW_MAX:
		return (double)l->most;
	case VIEW_FIRST:
		return (double)e->first;
	case VIEW_LAST:
		return (double)e->last;
	default:
		return l->mean;
	}
}

// What goes when the workload's processes go is there no more at the very last reading.
static int at_end(struct store *store, int64_t series, const struct store_run_row *run, double *value)
{
	g_autoptr(GArray) samples = NULL;
	int rc = store_read_samples(store, series, &samples);

	for (guint i = 0; !rc && i < samples->len; i++) {
		const struct store_sample_row *s = &g_array_index(samples, struct store_sample_row, i);

		if (s->t_ns < run->elapsed_ns)
			*value = (double)s->value;
	}
	return rc;
}

static int value_of(struct store *store, const struct store_ends_row *e, enum view view,
		    const struct store_run_row *run, double *value, const char **why)
{
	struct store_level level = {};
	int rc;

	if (e->first == STORE_NULL || e->last == STORE_NULL)
		return 0;
	if (counts_only_up(view)) {
		*value = (double)e->last - (double)e->first;
		if (view == VIEW_RATE)
			*value = run->elapsed_ns > 0 ? *value * 1e9 / (double)run->elapsed_ns : NAN;
		return 0;
	}
	if (view == VIEW_END)
		return at_end(store, e->series, run, value);
	rc = store_read_level(store, e->series, run->elapsed_ns, &level);
	if (!rc)
		*value = of_level(&level, e, view);
	*why = "the run's end is not known, and so how long the level was held";
	return rc;
}

static int values(struct store *store, const struct metric *m, const GArray *runs, double *values,
		  const char **why)
{
	const struct series *data = m->data;
	g_autoptr(GHashTable) places = metric_places(runs);
	g_autoptr(GArray) ends = NULL;
	int rc = store_read_ends(store, data->name, &ends);

	for (guint i = 0; i < runs->len; i++)
		why[i] = "this kernel or its configuration has no such series";
	for (guint i = 0; !rc && i < ends->len; i++) {
		const struct store_ends_row *e = &g_array_index(ends, struct store_ends_row, i);
		int place = metric_place(places, e->run);

		if (place >= 0)
			rc = value_of(store, e, data->view, RUN(runs, place), &values[place], &why[place]);
	}
	return rc;
}

static void free_data(void *p)
{
	struct series *data = p;

	if (data)
		g_free(data->name);
	g_free(data);
}

static int list(struct store *store, GPtrArray *metrics)
{
	g_autoptr(GArray) names = NULL;
	int rc = store_read_names(store, STORE_SERIES, &names);

	for (guint i = 0; !rc && i < names->len; i++) {
		const struct store_name_row *n = &g_array_index(names, struct store_name_row, i);
		struct metric m = {.name = g_intern_string(n->name)};

		fill(&m, n->name, n->counter == 1 ? VIEW_DELTA : VIEW_MEAN, n->unit ? n->unit : "");
		metric_listed(metrics, &m);
	}
	return rc;
}

const struct metric_kind metric_series = {
    .find = find, .values = values, .free_data = free_data, .list = list};
