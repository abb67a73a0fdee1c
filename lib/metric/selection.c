// Which runs are compared; see selection.h.
#include "metric/selection.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "store/store_read.h"

static gboolean given(const char *const *list)
{
	return list && *list;
}

static gboolean wanted(const char *const *list, const char *name)
{
	return !given(list) || g_strv_contains(list, name);
}

// The index of a name, which is added if it is new.
static guint place_of(GPtrArray *names, const char *name)
{
	for (guint i = 0; i < names->len; i++)
		if (!strcmp(names->pdata[i], name))
			return i;
	g_ptr_array_add(names, (void *)name);
	return names->len - 1;
}

static gboolean of_experiment(const struct store_run_row *run, const struct selection_options *o)
{
	return !o->experiment || !g_strcmp0(run->experiment, o->experiment);
}

// What the run's system is called here: with its kind, where there is one, so that two kinds are never one
// system.
static const char *system_of(const struct store_run_row *run)
{
	g_autofree char *text = NULL;

	if (!run->system_kind)
		return run->system;
	text = g_strdup_printf("%s (%s)", run->system, run->system_kind);
	return g_intern_string(text);
}

// A system may be asked for with its kind or without.
static gboolean is_system(const struct store_run_row *run, const char *name)
{
	return !strcmp(run->system, name) || !strcmp(system_of(run), name);
}

static gboolean wanted_system(const struct store_run_row *run, const char *const *list)
{
	gboolean found = !given(list);

	for (; list && *list && !found; list++)
		found = is_system(run, *list);
	return found;
}

static gboolean concerns(const struct store_run_row *run, const struct selection_options *o)
{
	return of_experiment(run, o) && wanted_system(run, o->systems) && wanted(o->workloads, run->name);
}

// Why a run does not count, or NULL. The text is a constant or interned.
static const char *why_not(const struct store_run_row *run, GHashTable *excluded, gboolean any_exit)
{
	g_autofree char *text = NULL;

	if (g_hash_table_contains(excluded, &run->id))
		return "excluded (--exclude)";
	if (run->warmup)
		return "warm-up";
	if (strcmp(run->status, "done"))
		return g_intern_string(run->status);
	if (any_exit)
		return NULL;
	if (run->signal != STORE_NULL && run->signal > 0)
		text = g_strdup_printf("workload killed by signal %" PRId64, run->signal);
	else if (run->exit_status != STORE_NULL && run->exit_status != 0)
		text = g_strdup_printf("workload failed with exit status %" PRId64, run->exit_status);
	return text ? g_intern_string(text) : NULL;
}

static int find_excluded(struct store *store, const char *const *list, GHashTable *excluded)
{
	for (; list && *list; list++) {
		struct store_run_row run;
		int rc = store_find_run(store, *list, &run);

		if (rc)
			return rc;
		g_hash_table_add(excluded, g_memdup2(&run.id, sizeof(run.id)));
	}
	return 0;
}

// --- what was asked for must be there

static int missing(const char *const *list, const GArray *runs, gboolean workload,
		   const struct selection_options *o)
{
	for (; list && *list; list++) {
		gboolean found = FALSE;

		for (guint i = 0; i < runs->len && !found; i++) {
			const struct store_run_row *run = &g_array_index(runs, struct store_run_row, i);

			found = of_experiment(run, o) &&
				(workload ? !strcmp(run->name, *list) : is_system(run, *list));
		}
		if (!found)
			return err_set(
			    -ENOENT, "no run of %s \"%s\"%s%s: `mmprof list %s` shows what there is",
			    workload ? "workload" : "system", *list, o->experiment ? " in experiment " : "",
			    o->experiment ? o->experiment : "", workload ? "runs" : "systems");
	}
	return 0;
}

// A baseline must be one system.
static int one_kind(const GArray *runs, const struct selection_options *o)
{
	const char *first = NULL;

	for (guint i = 0; i < runs->len; i++) {
		const struct store_run_row *run = &g_array_index(runs, struct store_run_row, i);

		if (!of_experiment(run, o) || !is_system(run, o->baseline))
			continue;
		if (first && strcmp(first, system_of(run)))
			return err_set(-EINVAL,
				       "the baseline \"%s\" is two systems, \"%s\" and \"%s\": name one",
				       o->baseline, first, system_of(run));
		first = system_of(run);
	}
	return 0;
}

static int check(const GArray *runs, const struct selection_options *o)
{
	const char *const baseline[] = {o->baseline, NULL};
	gboolean experiment = !o->experiment;
	int rc = 0;

	for (guint i = 0; i < runs->len && !experiment; i++)
		experiment = of_experiment(&g_array_index(runs, struct store_run_row, i), o);
	if (!runs->len)
		return err_set(-ENOENT, "no run is in this database yet");
	if (!experiment)
		return err_set(-ENOENT, "no run of experiment \"%s\" is in this database", o->experiment);
	rc = missing(o->systems, runs, FALSE, o);
	if (!rc)
		rc = missing(o->workloads, runs, TRUE, o);
	if (!rc && o->baseline)
		rc = missing(baseline, runs, FALSE, o);
	if (!rc && o->baseline)
		rc = one_kind(runs, o);
	if (!rc && o->baseline && !wanted(o->systems, o->baseline))
		rc = err_set(-EINVAL, "the baseline \"%s\" is not one of the systems that are compared",
			     o->baseline);
	return rc;
}

// --- sorting

// By workload, system, and the time at which they ran.
static int by_place(const void *a, const void *b, void *ctx)
{
	const struct selection *s = ctx;
	const guint *i = a, *j = b;
	const struct selection_place *p = &g_array_index(s->places, struct selection_place, *i),
				     *q = &g_array_index(s->places, struct selection_place, *j);
	const struct store_run_row *x = &g_array_index(s->runs, struct store_run_row, *i),
				   *y = &g_array_index(s->runs, struct store_run_row, *j);

	if (p->workload != q->workload)
		return p->workload < q->workload ? -1 : 1;
	if (p->system != q->system)
		return p->system < q->system ? -1 : 1;
	if (x->started_unix_ns != y->started_unix_ns)
		return x->started_unix_ns < y->started_unix_ns ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void sort(struct selection *s)
{
	g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(guint));
	GArray *runs = g_array_sized_new(FALSE, FALSE, sizeof(struct store_run_row), s->runs->len);
	GArray *places = g_array_sized_new(FALSE, FALSE, sizeof(struct selection_place), s->runs->len);

	for (guint i = 0; i < s->runs->len; i++)
		g_array_append_val(order, i);
	if (order->len)
		g_qsort_with_data(order->data, (int)order->len, sizeof(guint), by_place, s);
	for (guint i = 0; i < order->len; i++) {
		guint k = g_array_index(order, guint, i);

		g_array_append_val(runs, g_array_index(s->runs, struct store_run_row, k));
		g_array_append_val(places, g_array_index(s->places, struct selection_place, k));
	}
	g_array_unref(s->runs);
	g_array_unref(s->places);
	s->runs = runs;
	s->places = places;
}

static void fill(struct selection *s, const GArray *all, GHashTable *excluded,
		 const struct selection_options *o)
{
	for (guint i = 0; i < all->len; i++) {
		const struct store_run_row *run = &g_array_index(all, struct store_run_row, i);
		struct selection_place place;
		struct selection_out out = {.run = run->id, .workload = run->name};

		if (!concerns(run, o))
			continue;
		place.system = place_of(s->systems, system_of(run));
		place.workload = place_of(s->workloads, run->name);
		out.system = place.system;
		out.why = why_not(run, excluded, o->any_exit);
		if (out.why) {
			g_array_append_val(s->left_out, out);
			continue;
		}
		g_array_append_val(s->runs, *run);
		g_array_append_val(s->places, place);
	}
}

// The systems that a name means, in the order in which they first ran.
static void place_asked(struct selection *s, const GArray *all, const struct selection_options *o,
			const char *name)
{
	for (guint i = 0; i < all->len; i++) {
		const struct store_run_row *run = &g_array_index(all, struct store_run_row, i);

		if (of_experiment(run, o) && is_system(run, name))
			place_of(s->systems, system_of(run));
	}
}

int selection_make(struct store *store, const struct selection_options *o, struct selection **selection)
{
	g_autoptr(GHashTable) excluded = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g_autoptr(GArray) all = NULL;
	struct selection *s;
	int rc = store_read_runs(store, &all);

	if (!rc)
		rc = check(all, o);
	if (!rc)
		rc = find_excluded(store, o->excluded, excluded);
	if (rc)
		return rc;
	s = g_new0(struct selection, 1);
	s->systems = g_ptr_array_new();
	s->workloads = g_ptr_array_new();
	s->runs = g_array_new(FALSE, FALSE, sizeof(struct store_run_row));
	s->places = g_array_new(FALSE, FALSE, sizeof(struct selection_place));
	s->left_out = g_array_new(FALSE, FALSE, sizeof(struct selection_out));
	if (o->baseline)
		place_asked(s, all, o, o->baseline);
	for (const char *const *name = o->systems; name && *name; name++)
		place_asked(s, all, o, *name);
	fill(s, all, excluded, o);
	sort(s);
	*selection = s;
	return 0;
}

void selection_free(struct selection *s)
{
	if (!s)
		return;
	g_ptr_array_unref(s->systems);
	g_ptr_array_unref(s->workloads);
	g_array_unref(s->runs);
	g_array_unref(s->places);
	g_array_unref(s->left_out);
	g_free(s);
}
