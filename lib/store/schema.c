// Is this file ours, and of which version? Makes the schema in an empty one, migrates an old one forward, and
// refuses anything else without having changed it. The schema's text is ../../schema.sql, built into the
// binary.
#include "store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"

extern const char embed_schema_sql[];

// migrations[i] takes version i + 1 to i + 2. Each runs in a transaction of its own.
static const char *const migrations[STORE_VERSION - 1] = {
    // 2: comparisons and plans
    "ALTER TABLE run ADD COLUMN cell INTEGER;"
    "CREATE TABLE experiment (name TEXT PRIMARY KEY, plan TEXT NOT NULL, seed INTEGER NOT NULL,"
    " cells INTEGER NOT NULL CHECK (cells > 0), created_unix_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE note (id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
    " unix_ns INTEGER NOT NULL, text TEXT NOT NULL) STRICT;"
    "CREATE INDEX note_by_run ON note (run_id);"
    "CREATE TABLE metric (run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, name TEXT NOT NULL,"
    " value REAL NOT NULL, unit TEXT,"
    " better TEXT NOT NULL CHECK (better IN ('less', 'more', 'neither')), source TEXT NOT NULL,"
    " PRIMARY KEY (run_id, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE mark (id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
    " t_ns INTEGER NOT NULL, name TEXT NOT NULL) STRICT;"
    "CREATE INDEX mark_by_run ON mark (run_id);"
    "CREATE INDEX probe_by_name ON probe (name, run_id);"
    "CREATE INDEX hist_totals ON hist (probe_id, part, class, count, sum_ns, min_ns, max_ns);"
    "CREATE INDEX series_by_name ON series (name, run_id);"
    "PRAGMA user_version = 2;",
    // 3: what the lab's emulator saw
    "CREATE TABLE pagemap ( run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, t_ns"
    " INTEGER NOT NULL, pid INTEGER NOT NULL, took_ns INTEGER NOT NULL, pages BLOB NOT NULL,"
    " PRIMARY KEY (run_id, t_ns, pid) ) STRICT, WITHOUT ROWID;"
    "CREATE TABLE truth ( run_id INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,"
    " interval_ns INTEGER NOT NULL, window_ns INTEGER NOT NULL, clock_error_ns INTEGER NOT"
    " NULL, heat TEXT NOT NULL CHECK (heat IN ('fills', 'accesses')) ) STRICT;"
    "CREATE TABLE truth_window ( run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
    " t_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, reads INTEGER NOT NULL, writes INTEGER"
    " NOT NULL, accesses INTEGER NOT NULL, fast INTEGER NOT NULL, slow INTEGER NOT NULL, doubt"
    " INTEGER NOT NULL, pages BLOB NOT NULL, PRIMARY KEY (run_id, t_ns) ) STRICT, WITHOUT"
    " ROWID;"
    "CREATE TABLE page_view ( run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
    " name TEXT NOT NULL, t_ns INTEGER NOT NULL, pages BLOB NOT NULL, PRIMARY KEY (run_id,"
    " name, t_ns) ) STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 3;",
};

// Everything that gives a table or view its meaning, one line each; foreign tables and indexes beside ours
// are let be.
#define SHAPE                                                                                                \
	"SELECT m.type || ' ' || m.name || ' ' || ifnull(l.strict || l.wr || ' ' ||"                         \
	" (SELECT group_concat(x.name || ' ' || x.type || ' ' || x.\"notnull\" || x.pk || x.hidden) FROM"    \
	"  pragma_table_xinfo(m.name) x), '') || iif(m.type = 'table', '', m.sql)"                           \
	" FROM sqlite_schema m LEFT JOIN pragma_table_list l"                                                \
	"  ON l.name = m.name AND l.schema = 'main' AND m.type = 'table'"                                    \
	" WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"

static int read_shape(struct store *s, sqlite3 *db, GHashTable *shape)
{
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v2(db, SHAPE, -1, &stmt, NULL);

	while (result == SQLITE_OK || result == SQLITE_ROW) {
		result = sqlite3_step(stmt);
		if (result == SQLITE_ROW)
			g_hash_table_add(shape, g_strdup((const char *)sqlite3_column_text(stmt, 0) ?: ""));
	}
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE ? 0 : store_error(s, result);
}

static int read_own_shape(struct store *s, GHashTable *shape)
{
	sqlite3 *memory = NULL;
	int result = sqlite3_open(":memory:", &memory), rc;

	if (result == SQLITE_OK)
		result = sqlite3_exec(memory, embed_schema_sql, NULL, NULL, NULL);
	rc = result == SQLITE_OK ? read_shape(s, memory, shape)
				 : err_set(-EINVAL, "schema.sql: %s", sqlite3_errmsg(memory));
	sqlite3_close(memory);
	return rc;
}

static int get(struct store *s, const char *sql, int64_t *out)
{
	int rc = store_get_int(s, sql, NULL, 0, out);

	return rc == -ENOENT ? err_set(-EBADMSG, "%s: not a database of mmprof's", s->path) : rc;
}

// A file that says it is ours must have our tables, STRICT and with our columns: no views or virtual tables
// in their place. All that is read later relies on it.
static int check_shape(struct store *s)
{
	g_autoptr(GHashTable) own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) its = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter iter;
	void *line;
	int64_t shadows = 0;
	int rc = read_own_shape(s, own);

	if (!rc) // SHAPE would ask them instead of SQLite
		rc = get(s, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'pragma\\_%' ESCAPE '\\'",
			 &shadows);
	if (!rc && shadows)
		rc = err_set(-EBADMSG, "%s: not as mmprof makes it: it has tables named like SQLite's own",
			     s->path);
	if (!rc)
		rc = read_shape(s, s->db, its);
	if (rc)
		return rc;
	g_hash_table_iter_init(&iter, own);
	while (g_hash_table_iter_next(&iter, &line, NULL)) {
		g_auto(GStrv) word = g_strsplit(line, " ", 3);

		if (!g_hash_table_contains(its, line))
			return err_set(-EBADMSG,
				       "%s: not as mmprof %s makes it: %s \"%s\" is missing or different",
				       s->path, MMPROF_VERSION, word[0], word[1]);
	}
	return 0;
}

static int identify(struct store *s, int64_t *version)
{
	int64_t id, objects;
	int rc = get(s, "PRAGMA application_id", &id);

	if (!rc)
		rc = get(s, "PRAGMA user_version", version);
	if (!rc)
		rc = get(s, "SELECT count(*) FROM sqlite_schema", &objects);
	if (rc)
		return rc;
	if (id == 0 && *version == 0 && objects == 0 && s->mode == STORE_WRITE)
		return 0;
	if (id != STORE_APPLICATION_ID || *version < 1)
		return err_set(-EBADMSG, "%s: a database, but not one of mmprof's", s->path);
	if (*version > STORE_VERSION)
		return err_set(-EPROTO,
			       "%s: written by a newer mmprof (schema %" PRId64
			       ", this one knows %d): use that one",
			       s->path, *version, STORE_VERSION);
	return 0;
}

// Two mmprofs may find the same old version: the second sees the first's work once it has the lock.
static int migrate(struct store *s, int64_t from)
{
	int64_t now = from;
	int rc = 0;

	for (int64_t v = from; v < STORE_VERSION && !rc; v++) {
		rc = store_exec(s, "BEGIN IMMEDIATE");
		if (!rc)
			rc = get(s, "PRAGMA user_version", &now);
		if (!rc && now == v)
			rc = store_exec(s, migrations[v - 1]);
		rc = rc ? rc : store_commit(s);
		if (rc)
			store_rollback(s);
	}
	return rc;
}

// Two mmprofs may find the file empty at the same time: the second sees the first's schema once it has the
// lock.
static int make(struct store *s)
{
	int64_t version;
	int rc = store_exec(s, "BEGIN IMMEDIATE");

	if (!rc)
		rc = get(s, "PRAGMA user_version", &version);
	if (!rc && version == 0)
		rc = store_exec(s, embed_schema_sql);
	rc = rc ? rc : store_commit(s);
	if (rc)
		store_rollback(s);
	return rc;
}

int store_schema(struct store *s)
{
	int64_t version = 0;
	int rc = identify(s, &version);

	if (rc)
		return rc;
	if (version == 0)
		return make(s);
	if (version < STORE_VERSION && s->mode == STORE_READ)
		return err_set(-EPROTO,
			       "%s: written by an older mmprof (schema %" PRId64
			       "); `mmprof record` migrates it to %d",
			       s->path, version, STORE_VERSION);
	rc = migrate(s, version);
	return rc ? rc : check_shape(s);
}
