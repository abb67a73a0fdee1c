// Merging; see merge.h. The source is read through its own connection, which has checked its shape, and never
// attached: nothing of its schema can run. Values are copied as they are; STRICT, CHECK and foreign keys of
// the target refuse what mmprof would not have written.
#include "store/merge.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "store/internal.h"

// A table whose rows belong to a row of another: `owner` is the column that says to which.
struct table {
	const char *name, *owner, *columns; // the other columns, without the table's own id
};

static const struct table of_run[] = {
    {"run_tag", "run_id", "key, value"},
    {"note", "run_id", "unix_ns, text"},
    {"metric", "run_id", "name, value, unit, better, source"},
    {"mark", "run_id", "t_ns, name"},
    {"calibration", "run_id", "backend, function, calls, inside_p50_ns, inside_mean_ns, call_ns, note"},
    {"not_measured", "run_id", "what, why"},
    {"kernel_log", "run_id", "t_ns, level, text"},
};
static const struct table probes = {"probe", "run_id",
				    "name, kind, target, backend, status, why, what, sum_unit"};
static const struct table of_probe[] = {
    {"hist", "probe_id", "part, class, count, sum_ns, min_ns, max_ns, buckets"},
    {"probe_count", "probe_id", "part, class, key, key_name, count, sum"},
    {"loss", "probe_id", "kind, count, detail"},
};
static const struct table losses_of_run = {"loss", "run_id", "kind, count, detail"};
static const struct table series = {"series", "run_id", "name, unit, counter"};
static const struct table of_series[] = {{"sample", "series_id", "t_ns, value"}};

#define RUN_COLUMNS                                                                                          \
	"uuid, name, system, argv_json, cwd, user, boot_id, mmprof_pid, mmprof_start_ticks, version, "       \
	"iteration, warmup, status, status_why, started_unix_ns, interval_ms, elapsed_ns, exit_status, "     \
	"signal, user_ns, system_ns, maxrss_bytes, minflt, majflt, nvcsw, nivcsw, inblock, oublock, "        \
	"self_user_ns, self_system_ns, self_maxrss_bytes, bpf_ns, bpf_ns_source, cell"

struct merge {
	struct store *into, *from;
	struct merge_outcome *outcome;
	int64_t run; // of the target, while its rows are copied
};

// --- rows

static int column_count(const char *columns)
{
	int n = 1;

	for (; *columns; columns++)
		n += *columns == ',';
	return n;
}

// Statements are kept by the text's address: interned, so that each is made once.
static int select_rows(struct store *from, const struct table *t, bool with_id, const char *more,
		       int64_t owner, sqlite3_stmt **stmt)
{
	g_autofree char *sql = g_strdup_printf("SELECT %s%s FROM %s WHERE %s = ?%s", with_id ? "id, " : "",
					       t->columns, t->name, t->owner, more);
	const struct value id = v_int(owner);

	return store_stmt(from, g_intern_string(sql), &id, 1, stmt);
}

static int insert_into(struct store *into, const struct table *t, const char *extra, sqlite3_stmt **stmt)
{
	g_autoptr(GString) sql = g_string_new(NULL);
	int n = column_count(t->columns) + 1 + (extra ? 1 : 0);

	g_string_printf(sql, "INSERT INTO %s (%s, %s%s%s) VALUES (?", t->name, t->owner, t->columns,
			extra ? ", " : "", extra ? extra : "");
	for (int i = 1; i < n; i++)
		g_string_append(sql, ", ?");
	g_string_append_c(sql, ')');
	return store_stmt(into, g_intern_string(sql->str), NULL, 0, stmt);
}

static int copy_row(struct merge *m, const struct table *t, sqlite3_stmt *row, int first, int64_t owner,
		    const char *extra, int64_t extra_value)
{
	int n = column_count(t->columns), result, rc;
	sqlite3_stmt *insert;

	rc = insert_into(m->into, t, extra, &insert);
	if (rc)
		return rc;
	sqlite3_bind_int64(insert, 1, owner);
	for (int i = 0; i < n; i++)
		sqlite3_bind_value(insert, i + 2, sqlite3_column_value(row, first + i));
	if (extra)
		sqlite3_bind_int64(insert, n + 2, extra_value);
	result = sqlite3_step(insert);
	if (result != SQLITE_DONE)
		rc = err_add(store_error(m->into, result), "%s: its table %s holds what can't be",
			     m->from->path, t->name);
	sqlite3_reset(insert);
	sqlite3_clear_bindings(insert);
	return rc;
}

// All rows of `t` that belong to `old`, to be of `new`. Tables below probe carry the run too where they have
// it.
static int copy_rows(struct merge *m, const struct table *t, const char *more, int64_t old, int64_t new)
{
	bool loss = !strcmp(t->name, "loss") && !strcmp(t->owner, "probe_id");
	sqlite3_stmt *rows;
	int result, rc = select_rows(m->from, t, false, more, old, &rows);

	if (rc)
		return rc;
	while (!rc && (result = sqlite3_step(rows)) == SQLITE_ROW)
		rc = copy_row(m, t, rows, 0, new, loss ? "run_id" : NULL, m->run);
	if (!rc && result != SQLITE_DONE)
		rc = store_error(m->from, result);
	sqlite3_reset(rows);
	return rc;
}

// Ids first: a statement can't be stepped while another level uses it.
static int ids_of(struct store *from, const char *sql, int64_t owner, GArray *ids)
{
	const struct value value = v_int(owner);
	sqlite3_stmt *stmt;
	int result, rc = store_stmt(from, sql, &value, 1, &stmt);

	if (rc)
		return rc;
	while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(stmt, 0);

		g_array_append_val(ids, id);
	}
	sqlite3_reset(stmt);
	return result == SQLITE_DONE ? 0 : store_error(from, result);
}

// One row with an id of its own (a probe, a series), then what belongs to it.
static int copy_owner(struct merge *m, const struct table *t, int64_t old, const struct table *below,
		      size_t n)
{
	const struct table by_id = {t->name, "id", t->columns};
	sqlite3_stmt *row;
	int64_t new;
	int result, rc = select_rows(m->from, &by_id, false, "", old, &row);

	if (rc)
		return rc;
	result = sqlite3_step(row);
	rc = result == SQLITE_ROW ? copy_row(m, t, row, 0, m->run, NULL, 0) : store_error(m->from, result);
	sqlite3_reset(row);
	new = sqlite3_last_insert_rowid(m->into->db);
	for (size_t i = 0; i < n && !rc; i++)
		rc = copy_rows(m, &below[i], "", old, new);
	return rc;
}

static int copy_owners(struct merge *m, const char *ids_sql, const struct table *t, int64_t old_run,
		       const struct table *below, size_t n)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
	int rc = ids_of(m->from, ids_sql, old_run, ids);

	for (guint i = 0; i < ids->len && !rc; i++)
		rc = copy_owner(m, t, g_array_index(ids, int64_t, i), below, n);
	return rc;
}

// --- what runs share

static int copy_env(struct merge *m, int64_t old, int64_t *new)
{
	static const struct table facts = {"env_fact", "env_id", "key, value"};
	const struct value id = v_int(old);
	g_autofree char *digest = NULL;
	sqlite3_stmt *stmt;
	int rc = store_stmt(m->from, "SELECT digest FROM env WHERE id = ?", &id, 1, &stmt);

	if (rc)
		return rc;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		digest = g_strdup((const char *)sqlite3_column_text(stmt, 0));
	sqlite3_reset(stmt);
	if (!digest)
		return err_set(-EBADMSG, "%s: a run's environment is not there", m->from->path);
	const struct value text = v_text(digest);

	rc = store_get_int(m->into, "SELECT id FROM env WHERE digest = ?", &text, 1, new);
	if (rc != -ENOENT)
		return rc;
	rc = STORE_DO(m->into, "INSERT INTO env (digest) VALUES (?)", v_text(digest));
	*new = sqlite3_last_insert_rowid(m->into->db);
	return rc ? rc : copy_rows(m, &facts, "", old, *new);
}

// The name that this experiment has in the target: its own, unless another plan has it there.
static int copy_experiment(struct merge *m, const char *name, char **kept)
{
	const struct value text = v_text(name);
	g_autofree char *plan = NULL, *digest = NULL;
	sqlite3_stmt *stmt;
	int64_t seed, cells, created, same;
	int rc =
	    store_stmt(m->from, "SELECT plan, seed, cells, created_unix_ns FROM experiment WHERE name = ?",
		       &text, 1, &stmt);

	*kept = g_strdup(name);
	if (rc)
		return rc;
	if (sqlite3_step(stmt) != SQLITE_ROW) { // a plain record's: only a UUID
		sqlite3_reset(stmt);
		return 0;
	}
	plan = g_strdup((const char *)sqlite3_column_text(stmt, 0));
	seed = sqlite3_column_int64(stmt, 1);
	cells = sqlite3_column_int64(stmt, 2);
	created = sqlite3_column_int64(stmt, 3);
	sqlite3_reset(stmt);
	const struct value values[] = {v_text(name), v_text(plan)};

	rc = store_get_int(m->into, "SELECT plan = ?2 FROM experiment WHERE name = ?1", values, 2, &same);
	if (rc && rc != -ENOENT)
		return rc;
	if (!rc && !same) {
		digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, plan, -1);
		g_free(*kept);
		*kept = g_strdup_printf("%s (%.8s)", name, digest);
		m->outcome->renamed++;
	}
	return STORE_DO(m->into, "INSERT OR IGNORE INTO experiment VALUES (?, ?, ?, ?, ?)", v_text(*kept),
			v_text(plan), v_int(seed), v_int(cells), v_int(created));
}

// --- runs

struct source {
	int64_t id, env;
	char *uuid, *experiment;
};

static void source_clear(void *p)
{
	struct source *s = p;

	g_free(s->uuid);
	g_free(s->experiment);
}

static int list_runs(struct merge *m, GArray *runs)
{
	sqlite3_stmt *stmt;
	int result, rc = store_stmt(m->from,
				    "SELECT id, env_id, uuid, experiment, status = 'running' FROM run"
				    " ORDER BY started_unix_ns, id",
				    NULL, 0, &stmt);

	if (rc)
		return rc;
	while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct source s = {
		    .id = sqlite3_column_int64(stmt, 0),
		    .env = sqlite3_column_type(stmt, 1) == SQLITE_NULL ? 0 : sqlite3_column_int64(stmt, 1)};

		if (sqlite3_column_int64(stmt, 4)) {
			m->outcome->running++;
			continue;
		}
		s.uuid = g_strdup((const char *)sqlite3_column_text(stmt, 2));
		s.experiment = g_strdup((const char *)sqlite3_column_text(stmt, 3));
		g_array_append_val(runs, s);
	}
	sqlite3_reset(stmt);
	return result == SQLITE_DONE ? 0 : store_error(m->from, result);
}

static int copy_run_row(struct merge *m, const struct source *s)
{
	static const struct table run = {"run", "id", RUN_COLUMNS};
	g_autofree char *experiment = NULL;
	sqlite3_stmt *row;
	int64_t next, env = 0;
	int rc = s->env ? copy_env(m, s->env, &env) : 0;

	if (!rc && s->experiment)
		rc = copy_experiment(m, s->experiment, &experiment);
	// AUTOINCREMENT: beyond every id there ever was
	if (!rc)
		rc = store_get_int(
		    m->into,
		    "SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'run'), 0),"
		    " ifnull((SELECT max(id) FROM run), 0)) + 1",
		    NULL, 0, &next);
	if (!rc)
		rc = select_rows(m->from, &run, false, "", s->id, &row);
	if (rc)
		return rc;
	rc = sqlite3_step(row) == SQLITE_ROW ? copy_row(m, &run, row, 0, next, NULL, 0)
					     : store_error(m->from, SQLITE_CORRUPT);
	sqlite3_reset(row);
	m->run = next;
	return rc ? rc
		  : STORE_DO(m->into, "UPDATE run SET env_id = nullif(?2, 0), experiment = ?3 WHERE id = ?1",
			     v_int(next), v_int(env), v_text(experiment));
}

static int copy_run(struct merge *m, const struct source *s)
{
	int rc = copy_run_row(m, s);

	for (size_t i = 0; i < G_N_ELEMENTS(of_run) && !rc; i++)
		rc = copy_rows(m, &of_run[i], "", s->id, m->run);
	if (!rc)
		rc = copy_rows(m, &losses_of_run, " AND probe_id IS NULL", s->id, m->run);
	if (!rc)
		rc = copy_owners(m, "SELECT id FROM probe WHERE run_id = ? ORDER BY id", &probes, s->id,
				 of_probe, G_N_ELEMENTS(of_probe));
	if (!rc)
		rc = copy_owners(m, "SELECT id FROM series WHERE run_id = ? ORDER BY id", &series, s->id,
				 of_series, G_N_ELEMENTS(of_series));
	m->outcome->added += !rc;
	return rc;
}

int store_merge(struct store *into, struct store *from, struct merge_outcome *outcome)
{
	g_autoptr(GArray) runs = g_array_new(FALSE, TRUE, sizeof(struct source));
	struct merge m = {.into = into, .from = from, .outcome = outcome};
	int rc;

	memset(outcome, 0, sizeof(*outcome));
	g_array_set_clear_func(runs, source_clear);
	rc = store_begin(from);
	if (!rc)
		rc = store_begin(into);
	if (!rc)
		rc = list_runs(&m, runs);
	for (guint i = 0; i < runs->len && !rc; i++) {
		const struct source *s = &g_array_index(runs, struct source, i);
		const struct value uuid = v_text(s->uuid);
		int64_t there;

		rc = store_get_int(into, "SELECT 1 FROM run WHERE uuid = ?", &uuid, 1, &there);
		if (!rc)
			outcome->there++;
		else if (rc == -ENOENT)
			rc = copy_run(&m, s);
	}
	store_commit(from);
	if (!rc)
		return store_commit(into);
	store_rollback(into);
	return rc;
}
