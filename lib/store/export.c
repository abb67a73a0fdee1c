// The tables of export.h, as questions over the views of schema.sql.
#include "store/export.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"

#define OF_RUN "r.id AS run, r.uuid, r.name AS workload, r.system"

#define PERCENTILE(p) "iif(h.count = 0, NULL, percentile(h.buckets, h.min_ns, h.max_ns, " #p "))"
#define PERCENTILES                                                                                          \
	PERCENTILE(50)                                                                                       \
	" AS p50_ns, " PERCENTILE(90) " AS p90_ns, " PERCENTILE(99) " AS p99_ns, " PERCENTILE(               \
	    99.9) " AS p999_ns"

// CROSS JOIN: run by run, so that nothing is sorted but what one run has.
static const struct {
	const char *name, *select, *order;
} tables[] = {
    {"runs",
     "SELECT " OF_RUN ", r.experiment, r.cell, r.iteration, r.warmup, r.status, r.status_why,"
     " r.started_unix_ns, r.elapsed_ns, r.user_ns, r.system_ns, r.maxrss_bytes, r.minflt, r.majflt,"
     " r.nvcsw, r.nivcsw, r.inblock, r.oublock, r.exit_status, r.signal, r.argv_json, r.cwd, r.user,"
     " r.version, r.interval_ms, r.self_user_ns, r.self_system_ns, r.self_maxrss_bytes, r.bpf_ns,"
     " r.bpf_ns_source FROM run r",
     "r.id"},
    {"latency",
     "SELECT " OF_RUN ", p.name AS probe, h.part, h.class, p.backend, h.count, h.sum_ns,"
     " 1.0 * h.sum_ns / nullif(h.count, 0) AS mean_ns, h.min_ns, " PERCENTILES ", h.max_ns"
     " FROM run r CROSS JOIN probe p ON p.run_id = r.id CROSS JOIN hist h ON h.probe_id = p.id",
     "r.id, p.name, p.id, h.part, h.class"},
    {"counts",
     "SELECT " OF_RUN ", v.probe, v.part, v.class, v.key, v.key_name, v.count, v.sum, v.sum_unit"
     " FROM run r CROSS JOIN v_count v ON v.run_id = r.id",
     "r.id, v.probe, v.part, v.class, v.key"},
    {"series",
     "SELECT " OF_RUN ", v.name AS series, v.unit, v.counter, v.first, v.last, v.least, v.most, v.samples"
     " FROM run r CROSS JOIN v_series v ON v.run_id = r.id",
     "r.id, v.name"},
    {"samples",
     "SELECT " OF_RUN ", s.name AS series, s.unit, x.t_ns, x.value"
     " FROM run r CROSS JOIN series s ON s.run_id = r.id CROSS JOIN sample x ON x.series_id = s.id",
     "r.id, s.name, x.t_ns"},
    {"facts",
     "SELECT " OF_RUN ", f.key AS fact, f.value"
     " FROM run r CROSS JOIN env_fact f ON f.env_id = r.env_id",
     "r.id, f.key"},
    {"metrics",
     "SELECT " OF_RUN ", m.name AS metric, m.value, m.unit, m.better, m.source"
     " FROM run r CROSS JOIN metric m ON m.run_id = r.id",
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
