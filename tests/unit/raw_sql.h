// SQL behind the store's back, for what its own writers and readers can't do.
#ifndef MMPROF_TESTS_RAW_SQL_H
#define MMPROF_TESTS_RAW_SQL_H

#include "sample_run.h"

#include <sqlite3.h>

static inline void raw(const char *path, const char *sql)
{
	sqlite3 *handle = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	if (sqlite3_exec(handle, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(handle);
}

// All values of all rows, as text.
static inline char *dump(const char *path, const char *sql)
{
	GString *text = g_string_new(NULL);
	sqlite3 *handle = NULL;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
	while (sqlite3_step(stmt) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(stmt); i++)
			g_string_append_printf(text, "%s%s",
					       i           ? "|"
					       : text->len ? "\n"
							   : "",
					       (const char *)sqlite3_column_text(stmt, i) ?: "NULL");
	sqlite3_finalize(stmt);
	sqlite3_close(handle);
	return g_string_free(text, FALSE);
}

static inline int64_t number(const char *path, const char *sql)
{
	g_autofree char *got = dump(path, sql);

	return g_ascii_strtoll(got, NULL, 10);
}

static inline void gives(const char *path, const char *sql, const char *wanted)
{
	g_autofree char *got = dump(path, sql);

	if (strcmp(got, wanted))
		fail_msg("%s: \"%s\" instead of \"%s\"", sql, got, wanted);
}

#endif
