// The tables of export.h, as questions over the views of schema.sql.
#include "store/export.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"

#define OF_RUN "r.id AS run, r.uuid, r.name AS workload, r.system"

static const struct {
	const char *name, *select, *order;
} tables[] = {
    {"runs",
     "SELECT " OF_RUN
     ", r.experiment, r.cell, r.iteration, r.warmup, r.status, r.status_why, r.started_unix_ns,"
     " r.elapsed_ns, r.user_ns, r.system_ns, r.maxrss_bytes, r.minflt, r.majflt, r.nvcsw, r.nivcsw, "
     "r.exit_status,"
     " r.signal, r.argv_json, r.version FROM run r",
     "r.id"},
    {"latency",
     "SELECT " OF_RUN
     ", v.probe, v.part, v.class, v.backend, v.count, v.sum_ns, v.mean_ns, v.min_ns, v.max_ns"
     " FROM v_latency v JOIN run r ON r.id = v.run_id",
     "r.id, v.probe, v.part, v.class"},
    {"counts",
     "SELECT " OF_RUN ", v.probe, v.part, v.class, v.key, v.key_name, v.count, v.sum, v.sum_unit"
     " FROM v_count v JOIN run r ON r.id = v.run_id",
     "r.id, v.probe, v.part, v.class, v.key"},
    {"series",
     "SELECT " OF_RUN ", v.name AS series, v.unit, v.counter, v.first, v.last, v.least, v.most, v.samples"
     " FROM v_series v JOIN run r ON r.id = v.run_id",
     "r.id, v.name"},
    {"samples",
     "SELECT " OF_RUN ", s.name AS series, s.unit, x.t_ns, x.value"
     " FROM run r JOIN series s ON s.run_id = r.id JOIN sample x ON x.series_id = s.id",
     "r.id, s.name, x.t_ns"},
    {"facts", "SELECT " OF_RUN ", f.key AS fact, f.value FROM run r JOIN env_fact f ON f.env_id = r.env_id",
     "r.id, f.key"},
    {"metrics",
     "SELECT " OF_RUN
     ", m.name AS metric, m.value, m.unit, m.better, m.source FROM run r JOIN metric m ON m.run_id = r.id",
     "r.id, m.name"},
};

const char *const store_export_tables[] = {"runs",    "latency", "counts",  "series",
					   "samples", "facts",   "metrics", NULL};

int store_export(struct store *store, const char *table, const GArray *runs,
		 const struct store_query_sink *sink)
{
	g_autoptr(GString) sql = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		if (strcmp(tables[i].name, table))
			continue;
		sql = g_string_new(tables[i].select);
		for (guint k = 0; runs && k < runs->len; k++) // numbers only
			g_string_append_printf(sql, "%s%" PRId64, k ? ", " : " WHERE r.id IN (",
					       g_array_index(runs, int64_t, k));
		g_string_append_printf(sql, "%s ORDER BY %s", runs && runs->len ? ")" : "", tables[i].order);
		return store_query(store, sql->str, sink);
	}
	return err_set(-EINVAL,
		       "there is no table \"%s\": runs, latency, counts, series, samples, facts or metrics",
		       table);
}
