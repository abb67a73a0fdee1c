// A SELECT of the user's own. Three locks against change: the connection is read-only, the authorizer lets
// only reading through, and the statement itself must say that it is read-only.
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "store/buckets.h"
#include "store/internal.h"
#include "store/store_read.h"

// Pragmas that only tell. As statements and as table-valued functions (pragma_table_info('run')).
static bool is_telling_pragma(const char *name)
{
	static const char *const names[] = {
	    "application_id", "user_version",    "schema_version",  "table_info",  "table_xinfo",
	    "table_list",     "index_list",      "index_info",      "index_xinfo", "foreign_key_list",
	    "function_list",  "compile_options", "integrity_check", "quick_check", "foreign_key_check",
	    "page_count",     "page_size",       "freelist_count",  "encoding",    "database_list"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!g_ascii_strcasecmp(name, names[i]))
			return true;
	return false;
}

static bool takes_a_value(const char *pragma)
{
	return !strcmp(pragma, "application_id") || !strcmp(pragma, "user_version") ||
	       !strcmp(pragma, "schema_version") || !strcmp(pragma, "page_size") ||
	       !strcmp(pragma, "encoding");
}

static int authorize(void *ctx, int action, const char *a, const char *b, const char *database,
		     const char *trigger)
{
	(void)ctx, (void)database, (void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return b && !g_ascii_strcasecmp(b, "load_extension") ? SQLITE_DENY : SQLITE_OK;
	case SQLITE_PRAGMA: {
		g_autofree char *name = g_ascii_strdown(a, -1);

		return is_telling_pragma(name) && !(b && takes_a_value(name)) ? SQLITE_OK : SQLITE_DENY;
	}
	case SQLITE_UPDATE: // how SQLite learns a table-valued function's columns; a real one is no SELECT
		return !g_strcmp0(a, "sqlite_master") ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

static void read_cell(sqlite3_stmt *stmt, int i, struct store_cell *cell)
{
	*cell = (struct store_cell){.type = STORE_CELL_NULL};
	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER:
		cell->type = STORE_CELL_INT;
		cell->i = sqlite3_column_int64(stmt, i);
		break;
	case SQLITE_FLOAT:
		cell->type = STORE_CELL_REAL;
		cell->r = sqlite3_column_double(stmt, i);
		break;
	case SQLITE_TEXT:
		cell->type = STORE_CELL_TEXT;
		cell->text = (const char *)sqlite3_column_text(stmt, i);
		break;
	case SQLITE_BLOB:
		cell->type = STORE_CELL_BLOB;
		cell->blob = sqlite3_column_blob(stmt, i);
		cell->len = (size_t)sqlite3_column_bytes(stmt, i);
		break;
	}
	if (cell->type == STORE_CELL_TEXT && !cell->text)
		cell->type = STORE_CELL_NULL;
}

static int step_all(struct store *s, sqlite3_stmt *stmt, const struct store_query_sink *sink)
{
	int n = sqlite3_column_count(stmt), rc = 0, result = SQLITE_DONE;
	g_autofree const char **names = g_new0(const char *, n + 1);
	g_autofree struct store_cell *cells = g_new0(struct store_cell, n + 1);

	for (int i = 0; i < n; i++)
		names[i] = sqlite3_column_name(stmt, i);
	sink->columns(sink->ctx, names, n);
	while (!rc && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (int i = 0; i < n; i++)
			read_cell(stmt, i, &cells[i]);
		rc = sink->row(sink->ctx, cells, n);
	}
	return rc || result == SQLITE_DONE ? rc : store_error(s, result);
}

static bool is_blank(const char *sql)
{
	return sql[strspn(sql, " \t\r\n;")] == 0;
}

static int prepare(struct store *s, const char *sql, sqlite3_stmt **stmt)
{
	const char *rest;
	int result = sqlite3_prepare_v2(s->db, sql, -1, stmt, &rest);

	if ((result & 0xff) == SQLITE_AUTH)
		return err_set(-EACCES, "only reading is allowed here (%s)", sqlite3_errmsg(s->db));
	if ((result & 0xff) == SQLITE_ERROR)
		return err_set(-EINVAL, "%s", sqlite3_errmsg(s->db));
	if (result != SQLITE_OK)
		return store_error(s, result);
	if (!*stmt)
		return err_set(-EINVAL, "no SQL was given");
	if (!is_blank(rest))
		return err_set(-EINVAL, "one statement at a time: there is more after the first");
	if (!sqlite3_stmt_readonly(*stmt) || sqlite3_column_count(*stmt) == 0)
		return err_set(-EACCES, "only reading is allowed here");
	return 0;
}

int store_query(struct store *s, const char *sql, const struct store_query_sink *sink)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	sqlite3_set_authorizer(s->db, authorize, NULL);
	rc = prepare(s, sql, &stmt);
	if (!rc)
		rc = step_all(s, stmt, sink);
	sqlite3_finalize(stmt);
	sqlite3_set_authorizer(s->db, NULL, NULL);
	return rc;
}

// --- functions

static void call(sqlite3_context *context, int n, sqlite3_value **values)
{
	store_function fn = (store_function)sqlite3_user_data(context);
	struct store_cell args[8] = {};
	double result;

	for (int i = 0; i < n && i < (int)G_N_ELEMENTS(args); i++) {
		int type = sqlite3_value_type(values[i]);

		args[i].r = sqlite3_value_double(values[i]);
		args[i].i = sqlite3_value_int64(values[i]);
		args[i].type = type == SQLITE_INTEGER ? STORE_CELL_INT
			       : type == SQLITE_FLOAT ? STORE_CELL_REAL
			       : type == SQLITE_BLOB  ? STORE_CELL_BLOB
						      : STORE_CELL_NULL; // texts are not passed on
		if (type == SQLITE_BLOB) {
			args[i].blob = sqlite3_value_blob(values[i]);
			args[i].len = (size_t)sqlite3_value_bytes(values[i]);
		}
	}
	result = fn(args, n);
	if (isnan(result))
		sqlite3_result_null(context);
	else
		sqlite3_result_double(context, result);
}

int store_add_function(struct store *s, const char *name, int n_args, store_function fn)
{
	int result = sqlite3_create_function_v2(s->db, name, n_args,
						SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
						(void *)fn, call, NULL, NULL, NULL);

	return result == SQLITE_OK ? 0 : store_error(s, result);
}

int store_decode_buckets(const void *blob, size_t len, uint64_t *buckets)
{
	return buckets_decode(blob ? blob : "", len, buckets);
}

void store_interrupt(struct store *s)
{
	sqlite3_interrupt(s->db);
}
