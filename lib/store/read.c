// Reading rows into structs, by tables of fields; see store_read.h.
#include "store/store_read.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "store/buckets.h"
#include "store/internal.h"

#define MAX_ROWS 2000000 // of any list: more is no database of ours

static int bad(struct store *s, sqlite3_stmt *stmt, int column)
{
	return err_set(-EBADMSG, "%s: the database is damaged: column \"%s\" holds what mmprof never writes",
		       s->path, sqlite3_column_name(stmt, column));
}

static int read_text(struct store *s, sqlite3_stmt *stmt, int column, const char **text)
{
	const char *raw = (const char *)sqlite3_column_text(stmt, column);
	g_autofree char *valid = NULL;

	if (!raw)
		return store_error(s, SQLITE_NOMEM);
	if (!g_utf8_validate(raw, -1, NULL))
		raw = valid = g_utf8_make_valid(raw, -1);
	*text = g_string_chunk_insert_const(s->strings, raw);
	return 0;
}

static int read_blob(struct store *s, sqlite3_stmt *stmt, int column, uint64_t *buckets)
{
	const void *blob = sqlite3_column_blob(stmt, column);
	int rc = buckets_decode(blob ? blob : "", (size_t)sqlite3_column_bytes(stmt, column), buckets);

	return rc ? err_add(rc, "%s", s->path) : 0;
}

static int read_field(struct store *s, sqlite3_stmt *stmt, int column, const struct field *f, char *row)
{
	int type = sqlite3_column_type(stmt, column);
	void *at = row + f->offset;

	if (type == SQLITE_NULL) {
		if (f->type == 'I')
			*(int64_t *)at = STORE_NULL;
		else if (f->type == 'R')
			*(double *)at = NAN;
		else if (f->type == 'T')
			*(const char **)at = NULL;
		else
			return bad(s, stmt, column);
		return 0;
	}
	switch (g_ascii_tolower(f->type)) {
	case 'i':
		*(int64_t *)at = sqlite3_column_int64(stmt, column);
		return type == SQLITE_INTEGER ? 0 : bad(s, stmt, column);
	case 'r':
		*(double *)at = sqlite3_column_double(stmt, column);
		return type == SQLITE_FLOAT || type == SQLITE_INTEGER ? 0 : bad(s, stmt, column);
	case 't':
		return type == SQLITE_TEXT ? read_text(s, stmt, column, at) : bad(s, stmt, column);
	default:
		return type == SQLITE_BLOB ? read_blob(s, stmt, column, at) : bad(s, stmt, column);
	}
}

static int read_row(struct store *s, sqlite3_stmt *stmt, const struct field *fields, int n, char *row)
{
	int rc = 0;

	for (int i = 0; i < n && !rc; i++)
		rc = read_field(s, stmt, i, &fields[i], row);
	return rc;
}

int store_list(struct store *s, const struct list *l, const struct value *values, size_t n, GArray **out)
{
	g_autoptr(GArray) rows = g_array_new(FALSE, TRUE, (guint)l->row_size);
	sqlite3_stmt *stmt;
	int result = SQLITE_DONE, rc = store_stmt(s, l->sql, values, n, &stmt);

	if (rc)
		return rc;
	while (!rc && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (rows->len >= MAX_ROWS) {
			rc = err_set(-E2BIG, "%s: more rows than any run has", s->path);
			break;
		}
		g_array_set_size(rows, rows->len + 1);
		rc = read_row(s, stmt, l->fields, l->n_fields, rows->data + (rows->len - 1) * l->row_size);
	}
	if (!rc && result != SQLITE_DONE)
		rc = store_error(s, result);
	sqlite3_reset(stmt);
	if (!rc)
		*out = g_steal_pointer(&rows);
	return rc;
}

static int read_of_run(struct store *s, struct list list, int64_t run, GArray **out)
{
	const struct value id = v_int(run);

	return store_list(s, &list, &id, 1, out);
}

// --- runs

#define R(type, name) FIELD(type, store_run_row, name)
static const struct field run_fields[] = {
    R('i', id),          R('i', iteration),     R('i', warmup),         R('i', started_unix_ns),
    R('i', interval_ms), R('I', env_id),        R('t', uuid),           R('T', experiment),
    R('t', name),        R('t', system),        R('t', argv_json),      R('T', cwd),
    R('T', user),        R('T', boot_id),       R('T', version),        R('t', status),
    R('T', status_why),  R('I', elapsed_ns),    R('I', exit_status),    R('I', signal),
    R('I', user_ns),     R('I', system_ns),     R('I', maxrss_bytes),   R('I', minflt),
    R('I', majflt),      R('I', nvcsw),         R('I', nivcsw),         R('I', inblock),
    R('I', oublock),     R('I', self_user_ns),  R('I', self_system_ns), R('I', self_maxrss_bytes),
    R('I', bpf_ns),      R('T', bpf_ns_source), R('I', cell),           R('T', system_kind),
};
#define RUN_COLUMNS                                                                                          \
	"id, iteration, warmup, started_unix_ns, interval_ms, env_id, uuid, experiment, name, system, "      \
	"argv_json, cwd, user,"                                                                              \
	" boot_id, version, status, status_why, elapsed_ns, exit_status, signal, user_ns, system_ns, "       \
	"maxrss_bytes, minflt,"                                                                              \
	" majflt, nvcsw, nivcsw, inblock, oublock, self_user_ns, self_system_ns, self_maxrss_bytes, "        \
	"bpf_ns, bpf_ns_source, cell, (SELECT value FROM env_fact f WHERE f.env_id = run.env_id AND key = "  \
	"'system.kind')"

int store_read_runs(struct store *s, GArray **runs)
{
	struct list list = LIST(store_run_row, run_fields, "SELECT " RUN_COLUMNS " FROM run ORDER BY id");

	return store_list(s, &list, NULL, 0, runs);
}

static int one_run(struct store *s, const struct list *list, const struct value *value, const char *which,
		   struct store_run_row *run)
{
	g_autoptr(GArray) runs = NULL;
	int rc = store_list(s, list, value, value ? 1 : 0, &runs);

	if (rc)
		return rc;
	if (!runs->len)
		return value ? err_set(-ENOENT, "%s: no run \"%s\" (see mmprof list runs)", s->path, which)
			     : err_set(-ENOENT, "%s: no run is in it yet", s->path);
	if (runs->len > 1)
		return err_set(-EEXIST, "%s: the UUIDs of several runs begin with \"%s\": give more of it",
			       s->path, which);
	*run = g_array_index(runs, struct store_run_row, 0);
	return 0;
}

int store_find_run(struct store *s, const char *which, struct store_run_row *run)
{
	struct list last =
	    LIST(store_run_row, run_fields, "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT 1");
	struct list by_id = LIST(store_run_row, run_fields, "SELECT " RUN_COLUMNS " FROM run WHERE id = ?");
	struct list by_uuid =
	    LIST(store_run_row, run_fields,
		 "SELECT " RUN_COLUMNS " FROM run WHERE substr(uuid, 1, length(?1)) = lower(?1) LIMIT 2");
	struct value id = v_int(0), uuid = v_text(which);
	int rc;

	if (!strcmp(which, "last"))
		return one_run(s, &last, NULL, which, run);
	if (!*which || strspn(which, "0123456789abcdefABCDEF-") != strlen(which))
		return err_set(-EINVAL, "\"%s\" is no run: give an id, the beginning of a UUID, or \"last\"",
			       which);
	if (g_ascii_string_to_signed(which, 10, 0, INT64_MAX, &id.i, NULL)) {
		rc = one_run(s, &by_id, &id, which, run);
		if (rc != -ENOENT || strlen(which) < 4)
			return rc;
	}
	if (strlen(which) < 4)
		return err_set(-EINVAL, "\"%s\" is no run: give an id, or at least 4 characters of a UUID",
			       which);
	return one_run(s, &by_uuid, &uuid, which, run);
}

int store_read_siblings(struct store *s, const struct store_run_row *run, GArray **runs)
{
	struct list list =
	    LIST(store_run_row, run_fields,
		 "SELECT " RUN_COLUMNS " FROM run WHERE id = ?1 OR experiment = ?2 ORDER BY id");
	const struct value values[] = {v_int(run->id), v_text(run->experiment)};

	return store_list(s, &list, values, 2, runs);
}

// --- what belongs to a run

#define P(type, name) FIELD(type, store_pair, name)
static const struct field pair_fields[] = {P('t', key), P('t', value)};

int store_read_tags(struct store *s, int64_t run, GArray **pairs)
{
	return read_of_run(
	    s, LIST(store_pair, pair_fields, "SELECT key, value FROM run_tag WHERE run_id = ? ORDER BY key"),
	    run, pairs);
}

int store_read_facts(struct store *s, int64_t run, GArray **pairs)
{
	return read_of_run(
	    s, LIST(store_pair, pair_fields, "SELECT key, value FROM v_fact WHERE run_id = ? ORDER BY key"),
	    run, pairs);
}

int store_read_not_measured(struct store *s, int64_t run, GArray **pairs)
{
	return read_of_run(s,
			   LIST(store_pair, pair_fields,
				"SELECT what, why FROM not_measured WHERE run_id = ? ORDER BY what"),
			   run, pairs);
}

int store_read_probes(struct store *s, int64_t run, GArray **probes)
{
#define F(type, name) FIELD(type, store_probe_row, name)
	static const struct field fields[] = {F('i', id),     F('t', name),    F('t', kind),
					      F('T', target), F('T', backend), F('t', status),
					      F('T', why),    F('T', what),    F('T', sum_unit)};
#undef F
	return read_of_run(
	    s,
	    LIST(store_probe_row, fields,
		 "SELECT id, name, kind, target, backend, status, why, what, sum_unit FROM probe"
		 " WHERE run_id = ? ORDER BY id"),
	    run, probes);
}

int store_read_hists(struct store *s, int64_t run, GArray **hists)
{
#define F(type, name) FIELD(type, store_hist_row, name)
	static const struct field fields[] = {F('i', probe),  F('t', part),   F('t', class),
					      F('I', count),  F('I', sum_ns), F('I', min_ns),
					      F('I', max_ns), F('b', buckets)};
#undef F
	return read_of_run(
	    s,
	    LIST(store_hist_row, fields,
		 "SELECT h.probe_id, h.part, h.class, h.count, h.sum_ns, h.min_ns, h.max_ns, h.buckets"
		 " FROM probe p JOIN hist h ON h.probe_id = p.id WHERE p.run_id = ?"
		 " ORDER BY h.probe_id, h.part, h.class"),
	    run, hists);
}

int store_read_counts(struct store *s, int64_t run, GArray **counts)
{
#define F(type, name) FIELD(type, store_count_row, name)
	static const struct field fields[] = {F('i', probe),    F('t', part),  F('t', class), F('i', key),
					      F('T', key_name), F('I', count), F('I', sum)};
#undef F
	return read_of_run(s,
			   LIST(store_count_row, fields,
				"SELECT c.probe_id, c.part, c.class, c.key, c.key_name, c.count, c.sum"
				" FROM probe p JOIN probe_count c ON c.probe_id = p.id WHERE p.run_id = ?"
				" ORDER BY c.probe_id, c.part, c.class, c.key"),
			   run, counts);
}

int store_read_losses(struct store *s, int64_t run, GArray **losses)
{
#define F(type, name) FIELD(type, store_loss_row, name)
	static const struct field fields[] = {F('I', probe), F('t', kind), F('I', count), F('T', detail)};
#undef F
	return read_of_run(
	    s,
	    LIST(store_loss_row, fields,
		 "SELECT probe_id, kind, count, detail FROM loss WHERE run_id = ? ORDER BY probe_id, kind"),
	    run, losses);
}

int store_read_calibrations(struct store *s, int64_t run, GArray **calibrations)
{
#define F(type, name) FIELD(type, store_calibration_row, name)
	static const struct field fields[] = {F('t', backend),       F('t', function),       F('I', calls),
					      F('R', inside_p50_ns), F('R', inside_mean_ns), F('R', call_ns),
					      F('T', note)};
#undef F
	return read_of_run(s,
			   LIST(store_calibration_row, fields,
				"SELECT backend, function, calls, inside_p50_ns, inside_mean_ns, call_ns, "
				"note FROM calibration"
				" WHERE run_id = ? ORDER BY backend"),
			   run, calibrations);
}

int store_read_notes(struct store *s, int64_t run, GArray **notes)
{
#define F(type, name) FIELD(type, store_note_row, name)
	static const struct field fields[] = {F('i', unix_ns), F('t', text)};
#undef F
	return read_of_run(
	    s, LIST(store_note_row, fields, "SELECT unix_ns, text FROM note WHERE run_id = ? ORDER BY id"),
	    run, notes);
}

int store_read_metrics(struct store *s, int64_t run, GArray **metrics)
{
#define F(type, name) FIELD(type, store_metric_row, name)
	static const struct field fields[] = {F('t', name), F('r', value), F('T', unit), F('t', better),
					      F('t', source)};
#undef F
	return read_of_run(
	    s,
	    LIST(store_metric_row, fields,
		 "SELECT name, value, unit, better, source FROM metric WHERE run_id = ? ORDER BY name"),
	    run, metrics);
}

int store_read_marks(struct store *s, int64_t run, GArray **marks)
{
#define F(type, name) FIELD(type, store_mark_row, name)
	static const struct field fields[] = {F('i', t_ns), F('t', name)};
#undef F
	return read_of_run(
	    s, LIST(store_mark_row, fields, "SELECT t_ns, name FROM mark WHERE run_id = ? ORDER BY t_ns, id"),
	    run, marks);
}

int store_read_kernel_log(struct store *s, int64_t run, GArray **lines)
{
#define F(type, name) FIELD(type, store_log_row, name)
	static const struct field fields[] = {F('i', t_ns), F('i', level), F('t', text)};
#undef F
	return read_of_run(s,
			   LIST(store_log_row, fields,
				"SELECT t_ns, level, text FROM kernel_log WHERE run_id = ? ORDER BY id"),
			   run, lines);
}

int store_read_series(struct store *s, int64_t run, GArray **series)
{
#define F(type, name) FIELD(type, store_series_row, name)
	static const struct field fields[] = {F('i', id),      F('t', name),    F('t', unit),
					      F('i', counter), F('i', samples), F('I', first),
					      F('I', last),    F('I', least),   F('I', most)};
#undef F
	return read_of_run(
	    s,
	    LIST(store_series_row, fields,
		 "SELECT series_id, name, unit, counter, samples, first, last, least, most FROM v_series"
		 " WHERE run_id = ? ORDER BY name"),
	    run, series);
}

int store_read_samples(struct store *s, int64_t series, GArray **samples)
{
#define F(type, name) FIELD(type, store_sample_row, name)
	static const struct field fields[] = {F('i', t_ns), F('i', value)};
#undef F
	return read_of_run(s,
			   LIST(store_sample_row, fields,
				"SELECT t_ns, value FROM sample WHERE series_id = ? ORDER BY t_ns"),
			   series, samples);
}
