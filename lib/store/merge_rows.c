// Rows from one database to another, under new ids; see merge_internal.h. Values are copied as they are:
// STRICT, CHECK and foreign keys of the target refuse what mmprof would not have written.
#include "store/merge_internal.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "probes/hist.h"
#include "store/buckets.h"

#define CHUNK 64 // rows to an INSERT, where there are so many

// Rows that belong to a row of another table.
struct table {
	const char *name, *owner, *columns; // `owner`: the column that says to which; `columns`: the others
	bool has_id;                        // an id of its own, which is made anew
	const struct table *below;          // what belongs to its rows; ends with an empty one
};

static const struct table of_probe[] = {
    {.name = "hist", .owner = "probe_id", .columns = "buckets, part, class, count, sum_ns, min_ns, max_ns"},
    {.name = "probe_count", .owner = "probe_id", .columns = "part, class, key, key_name, count, sum"},
    {},
};
static const struct table of_series[] = {
    {.name = "sample", .owner = "series_id", .columns = "t_ns, value"},
    {},
};
static const struct table of_run[] = {
    {.name = "run_tag", .owner = "run_id", .columns = "key, value"},
    {.name = "note", .owner = "run_id", .columns = "unix_ns, text", .has_id = true},
    {.name = "metric", .owner = "run_id", .columns = "name, value, unit, better, source"},
    {.name = "mark", .owner = "run_id", .columns = "t_ns, name", .has_id = true},
    {.name = "calibration",
     .owner = "run_id",
     .columns = "backend, function, calls, inside_p50_ns, inside_mean_ns, call_ns, note"},
    {.name = "not_measured", .owner = "run_id", .columns = "what, why"},
    {.name = "kernel_log", .owner = "run_id", .columns = "t_ns, level, text", .has_id = true},
    {.name = "probe",
     .owner = "run_id",
     .columns = "name, kind, target, backend, status, why, what, sum_unit",
     .has_id = true,
     .below = of_probe},
    // after probe, whose new ids it needs
    {.name = "loss", .owner = "run_id", .columns = "probe_id, kind, count, detail", .has_id = true},
    {.name = "series",
     .owner = "run_id",
     .columns = "name, unit, counter",
     .has_id = true,
     .below = of_series},
    {.name = "pagemap", .owner = "run_id", .columns = "t_ns, pid, took_ns, pages"},
    {.name = "truth", .owner = "run_id", .columns = "interval_ns, window_ns, clock_error_ns, heat"},
    {.name = "truth_window",
     .owner = "run_id",
     .columns = "t_ns, end_ns, reads, writes, accesses, fast, slow, doubt, pages"},
    {.name = "page_view", .owner = "run_id", .columns = "name, t_ns, pages"},
    {},
};

#define RUN_COLUMNS                                                                                          \
	"experiment, uuid, name, system, argv_json, cwd, user, boot_id, mmprof_pid, mmprof_start_ticks, "    \
	"version, iteration, warmup, status, status_why, started_unix_ns, interval_ms, elapsed_ns, "         \
	"exit_status, signal, user_ns, system_ns, maxrss_bytes, minflt, majflt, nvcsw, nivcsw, inblock, "    \
	"oublock, self_user_ns, self_system_ns, self_maxrss_bytes, bpf_ns, bpf_ns_source, cell"
static const struct table run_by_id = {.name = "run", .owner = "id", .columns = RUN_COLUMNS};
static const struct table run_with_env = {.name = "run", .owner = "env_id", .columns = RUN_COLUMNS};

void merge_map_id(GHashTable *map, int64_t old, int64_t new)
{
	g_hash_table_insert(map, GSIZE_TO_POINTER((gsize)old), GSIZE_TO_POINTER((gsize) new));
}

int64_t merge_mapped_id(GHashTable *map, int64_t old)
{
	return (int64_t)GPOINTER_TO_SIZE(g_hash_table_lookup(map, GSIZE_TO_POINTER((gsize)old)));
}

int merge_bad_row(const struct merge *m, const char *table, const char *why)
{
	return err_set(-EBADMSG, "%s: table \"%s\" holds what mmprof never writes: %s", m->from->path, table,
		       why);
}

// --- damage

static int check_table(struct store *from, const char *name)
{
	g_autofree char *pragma = g_strdup_printf("PRAGMA quick_check(%s)", name);

	return store_quick_check(from, g_intern_string(pragma));
}

static int check_tables(struct store *from, const struct table *t)
{
	int rc = 0;

	for (; t && t->name && !rc; t++) {
		rc = check_table(from, t->name);
		if (!rc)
			rc = check_tables(from, t->below);
	}
	return rc;
}

// CHECK constraints are left out: they are the source's own and would be run.
int merge_check_source(struct store *from)
{
	static const char *const shared[] = {"env", "env_fact", "experiment", "run"};
	int rc = store_exec(from, "PRAGMA ignore_check_constraints = ON");

	for (size_t i = 0; i < G_N_ELEMENTS(shared) && !rc; i++)
		rc = check_table(from, shared[i]);
	return rc ? rc : check_tables(from, of_run);
}

// --- statements: kept by the text's address, so interned, that each is made once

static int select_rows(struct store *from, const struct table *t, int64_t owner, sqlite3_stmt **stmt)
{
	g_autofree char *sql =
	    g_strdup_printf("SELECT %s%s FROM %s WHERE %s = ?%s", t->has_id ? "id, " : "", t->columns,
			    t->name, t->owner, t->has_id ? " ORDER BY id" : "");
	const struct value id = v_int(owner);

	return store_stmt(from, g_intern_string(sql), &id, 1, stmt);
}

static int count_rows(struct store *from, const struct table *t, int64_t owner, int64_t *n)
{
	g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM %s WHERE %s = ?", t->name, t->owner);
	const struct value id = v_int(owner);

	return store_get_int(from, g_intern_string(sql), &id, 1, n);
}

static int insert_rows(struct store *into, const struct table *t, int rows, sqlite3_stmt **stmt)
{
	g_autoptr(GString) sql = g_string_new(NULL);

	g_string_printf(sql, "INSERT INTO %s (%s, %s) VALUES ", t->name, t->owner, t->columns);
	for (int i = 0; i < rows; i++) {
		g_string_append(sql, i ? ", (?, ?" : "(?, ?");
		for (const char *c = strchr(t->columns, ','); c; c = strchr(c + 1, ','))
			g_string_append(sql, ", ?");
		g_string_append_c(sql, ')');
	}
	return store_stmt(into, g_intern_string(sql->str), NULL, 0, stmt);
}

static int insert(const struct merge *m, const struct table *t, sqlite3_stmt *stmt)
{
	int result = sqlite3_step(stmt), rc = 0;

	if ((result & 0xff) == SQLITE_CONSTRAINT)
		rc = merge_bad_row(m, t->name, sqlite3_errmsg(m->into->db));
	else if (result != SQLITE_DONE)
		rc = store_error(m->into, result);
	sqlite3_reset(stmt);
	return rc;
}

// --- rows

// Parameters from `at` on: the owner, then all columns but the table's own id.
static void bind_row(const struct table *t, sqlite3_stmt *row, int64_t owner, sqlite3_stmt *insert, int at)
{
	sqlite3_bind_int64(insert, at++, owner);
	for (int i = t->has_id, n = sqlite3_column_count(row); i < n; i++)
		sqlite3_bind_value(insert, at++, sqlite3_column_value(row, i));
}

// A histogram is more than a BLOB, which is all that a constraint can tell.
static int check_hist(const struct merge *m, const struct table *t, sqlite3_stmt *row)
{
	uint64_t buckets[HIST_BUCKETS];
	const void *blob = sqlite3_column_blob(row, 0);

	return buckets_decode(blob ? blob : "", (size_t)sqlite3_column_bytes(row, 0), buckets)
		   ? merge_bad_row(m, t->name, "no histogram")
		   : 0;
}

// The number of rows was asked first, so that many go into one INSERT: twice as fast. Where an index of a
// damaged source gives another number, nothing is copied.
static int copy_plain(const struct merge *m, const struct table *t, sqlite3_stmt *row, int64_t left,
		      int64_t owner)
{
	sqlite3_stmt *stmt;
	int width = sqlite3_column_count(row) + 1, rc = 0;

	for (int n = CHUNK; left && !rc; left -= n) {
		while (n > left)
			n /= 2;
		rc = insert_rows(m->into, t, n, &stmt);
		for (int i = 0; i < n && !rc; i++) {
			int result = sqlite3_step(row);

			if (result != SQLITE_ROW)
				return store_error(m->from, result == SQLITE_DONE ? SQLITE_CORRUPT : result);
			bind_row(t, row, owner, stmt, i * width + 1);
			rc = t == of_probe ? check_hist(m, t, row) : 0;
		}
		if (!rc)
			rc = insert(m, t, stmt);
	}
	if (rc)
		return rc;
	rc = sqlite3_step(row);
	return rc == SQLITE_DONE ? 0 : store_error(m->from, rc == SQLITE_ROW ? SQLITE_CORRUPT : rc);
}

static int copy_rows(struct merge *m, const struct table *t, int64_t old, int64_t new);

// One by one: the id of each may be needed for what belongs to it.
static int copy_with_id(struct merge *m, const struct table *t, sqlite3_stmt *row, int64_t owner)
{
	bool loss = !strcmp(t->name, "loss");
	sqlite3_stmt *stmt;
	int result = SQLITE_DONE, rc = insert_rows(m->into, t, 1, &stmt);

	while (!rc && (result = sqlite3_step(row)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(row, 0), now;

		bind_row(t, row, owner, stmt, 1);
		if (loss && sqlite3_column_type(row, 1) != SQLITE_NULL) {
			now = merge_mapped_id(m->probes, sqlite3_column_int64(row, 1));
			sqlite3_bind_int64(stmt, 2, now);
			rc = now ? 0 : merge_bad_row(m, t->name, "a loss of no probe of its run");
		}
		if (!rc)
			rc = insert(m, t, stmt);
		now = sqlite3_last_insert_rowid(m->into->db);
		if (t->below == of_probe)
			merge_map_id(m->probes, id, now);
		for (const struct table *b = t->below; b && b->name && !rc; b++)
			rc = copy_rows(m, b, id, now);
	}
	return rc || result == SQLITE_DONE ? rc : store_error(m->from, result);
}

// All rows of `t` that belong to `old`, to be of `new`, and what belongs to them.
static int copy_rows(struct merge *m, const struct table *t, int64_t old, int64_t new)
{
	sqlite3_stmt *row;
	int64_t n = 0;
	int rc = t->has_id ? 0 : count_rows(m->from, t, old, &n);

	if (!rc)
		rc = select_rows(m->from, t, old, &row);
	if (rc)
		return rc;
	rc = t->has_id ? copy_with_id(m, t, row, new) : copy_plain(m, t, row, n, new);
	sqlite3_reset(row);
	return rc;
}

int merge_rows_of_run(struct merge *m, int64_t old, int64_t run)
{
	int rc = 0;

	g_hash_table_remove_all(m->probes);
	for (const struct table *t = of_run; t->name && !rc; t++)
		rc = copy_rows(m, t, old, run);
	return rc;
}

int merge_run_row(const struct merge *m, int64_t old, const char *experiment, int64_t env, int64_t *run)
{
	sqlite3_stmt *row, *stmt;
	int rc = select_rows(m->from, &run_by_id, old, &row);

	if (!rc)
		rc = insert_rows(m->into, &run_with_env, 1, &stmt);
	if (rc)
		return rc;
	if (sqlite3_step(row) == SQLITE_ROW) {
		bind_row(&run_by_id, row, env, stmt, 1);
		if (!env)
			sqlite3_bind_null(stmt, 1);
		sqlite3_bind_text(stmt, 2, experiment, -1, SQLITE_TRANSIENT);
		rc = insert(m, &run_by_id, stmt);
		*run = sqlite3_last_insert_rowid(m->into->db);
	} else {
		rc = store_error(m->from, SQLITE_CORRUPT); // it was listed
	}
	sqlite3_reset(row);
	return rc;
}
