// Metrics by name: asks each kind in turn; see metric.h.
#include <stdarg.h>

#include "metric/internal.h"

// In the order in which a name is looked for.
static const struct metric_kind *const kinds[] = {&metric_run,    &metric_derived, &metric_tiers,
						  &metric_truth,  &metric_log,     &metric_user,
						  &metric_series, &metric_probe};

// The row at which `kind` has a metric; NULL: no more of them.
static const struct metric_row *row_at(const struct metric_kind *kind, size_t i)
{
	return i < kind->n_rows ? (const void *)((const char *)kind->rows + i * kind->row_bytes) : NULL;
}

static void fill(struct metric *m, const struct metric_row *row)
{
	m->name = row->name;
	m->unit_name = row->unit_name;
	m->unit = metric_unit_of(row->unit_name);
	m->better = row->better;
	m->what = row->what;
	m->data = (void *)row;
}

static int find_in(const struct metric_kind *kind, struct store *store, struct metric *m)
{
	const struct metric_row *row;

	for (size_t i = 0; (row = row_at(kind, i)); i++)
		if (!strcmp(row->name, m->name)) {
			fill(m, row);
			return 0;
		}
	return kind->find ? kind->find(store, m) : -ENOENT;
}

static int list_of(const struct metric_kind *kind, struct store *store, GPtrArray *metrics)
{
	const struct metric_row *row;

	for (size_t i = 0; (row = row_at(kind, i)); i++) {
		struct metric m = {};

		fill(&m, row);
		metric_listed(metrics, &m);
	}
	return kind->list ? kind->list(store, metrics) : 0;
}

int metric_find(struct store *store, const char *name, struct metric **metric)
{
	struct metric *m = g_new0(struct metric, 1);
	int rc = -ENOENT;

	m->name = g_intern_string(name);
	m->unit_name = "";
	for (size_t i = 0; i < G_N_ELEMENTS(kinds) && rc == -ENOENT; i++) {
		m->kind = kinds[i];
		rc = find_in(kinds[i], store, m);
	}
	if (rc) {
		g_free(m);
		if (rc == -ENOENT)
			return err_set(
			    rc, "no metric \"%s\" in this database: `mmprof list metrics` names them", name);
		return rc == -ENODATA ? -ENOENT : rc;
	}
	*metric = m;
	return 0;
}

void metric_free(struct metric *metric)
{
	if (metric && metric->kind && metric->kind->free_data)
		metric->kind->free_data(metric->data);
	g_free(metric);
}

int metric_values(struct store *store, const struct metric *metric, const GArray *runs, double *values,
		  const char **why)
{
	g_autofree const char **reasons = g_new0(const char *, runs->len + 1);
	int rc;

	for (guint i = 0; i < runs->len; i++)
		values[i] = NAN;
	rc = metric->kind->values(store, metric, runs, values, reasons);
	for (guint i = 0; i < runs->len && why; i++)
		why[i] = !isnan(values[i]) ? NULL : reasons[i] ? reasons[i] : "the run does not have it";
	return rc;
}

int metric_unread(struct store *store, const struct metric *metric, const GArray *runs, double *shares)
{
	const char *sampler = metric->kind->sampler_of ? metric->kind->sampler_of(metric) : NULL;
	g_autofree char *name = NULL;
	struct metric *unread = NULL;
	int rc;

	for (guint i = 0; i < runs->len; i++)
		shares[i] = NAN;
	if (!sampler)
		return 0;
	name = g_strdup_printf("self.sampler.%s.unread.last", sampler);
	rc = metric_find(store, name, &unread);
	if (!rc)
		rc = metric_values(store, unread, runs, shares, NULL);
	metric_free(unread);
	for (guint i = 0; i < runs->len; i++)
		shares[i] /= (double)g_array_index(runs, struct store_run_row, i).elapsed_ns;
	return rc == -ENOENT ? 0 : rc;
}

int metric_list(struct store *store, const char *filter, GPtrArray **metrics)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(kinds) && !rc; i++)
		rc = list_of(kinds[i], store, all);
	*metrics = g_ptr_array_new_with_free_func((GDestroyNotify)metric_free);
	for (guint i = 0; i < all->len; i++) {
		struct metric *m = all->pdata[i];

		if (!rc && (!filter || strstr(m->name, filter)))
			g_ptr_array_add(*metrics, m);
		else
			metric_free(m);
	}
	if (rc)
		g_clear_pointer(metrics, g_ptr_array_unref);
	return rc;
}

gboolean metric_is_time(const struct metric *metric)
{
	return metric->unit == METRIC_NS && metric->better == METRIC_LESS;
}

// --- for the kinds

void metric_listed(GPtrArray *metrics, const struct metric *m)
{
	struct metric *copy = g_new0(struct metric, 1);

	*copy = *m;
	copy->kind = NULL;
	copy->data = NULL;
	g_ptr_array_add(metrics, copy);
}

const char *metric_text(const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	return g_intern_string(text);
}

GHashTable *metric_places(const GArray *runs)
{
	GHashTable *places = g_hash_table_new(g_int64_hash, g_int64_equal);

	for (guint i = 0; i < runs->len; i++)
		g_hash_table_insert(places, &RUN(runs, i)->id, GINT_TO_POINTER(i + 1));
	return places;
}

enum metric_unit metric_unit_of(const char *unit_name)
{
	static const struct {
		const char *name;
		enum metric_unit unit;
	} units[] = {{"ns", METRIC_NS},       {"bytes", METRIC_BYTES}, {"count", METRIC_COUNT},
		     {"pages", METRIC_PAGES}, {"hz", METRIC_HZ},       {"ratio", METRIC_RATIO}};

	for (size_t i = 0; unit_name && i < G_N_ELEMENTS(units); i++)
		if (!strcmp(units[i].name, unit_name))
			return units[i].unit;
	return METRIC_NUMBER;
}
