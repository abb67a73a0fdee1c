// Opening, closing and the plumbing of the database: files and their owners, connection settings, statements,
// errors. Knows no table. Follows sqlite.org/wal.html, security.html and c3ref/open.html.
//
// Durability: every commit is synchronous=FULL. In WAL mode NORMAL would leave the last half minute in the
// page cache, which is just what a panic takes with it; one fsync a second is the price.
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define BUSY_MS 10000
#define QUICK_CHECK_BYTES (64ll << 20) // a larger database is not read through before each run

// --- errors

static int system_error(struct store *s, int fallback)
{
	int e = s->db ? sqlite3_system_errno(s->db) : 0;

	return e > 0 ? -e : fallback;
}

int store_error(struct store *s, int result)
{
	int e;

	switch (result & 0xff) {
	case SQLITE_FULL:
		return err_set(-ENOSPC, "%s: the disk is full", s->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(-EBUSY, "%s: another process has kept it locked for %d s", s->path,
			       BUSY_MS / 1000);
	case SQLITE_CORRUPT:
		return err_set(-EBADMSG,
			       "%s: the database is damaged (`sqlite3 FILE .recover` may save what is left)",
			       s->path);
	case SQLITE_NOTADB:
		return err_set(-EBADMSG, "%s: not a database", s->path);
	case SQLITE_READONLY:
		return err_set(-EROFS, "%s: can't be written (read-only file or directory)", s->path);
	case SQLITE_CANTOPEN:
		e = system_error(s, -EACCES);
		return err_set(e, "%s: can't be opened: %s", s->path, g_strerror(-e));
	case SQLITE_IOERR:
		e = system_error(s, -EIO);
		return err_set(e, "%s: read or write failed: %s", s->path, g_strerror(-e));
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return err_set(-EACCES, "%s: %s", s->path, sqlite3_errmsg(s->db));
	case SQLITE_NOMEM:
		return err_set(-ENOMEM, "%s: out of memory", s->path);
	case SQLITE_INTERRUPT:
		return err_set(-EINTR, "%s: interrupted", s->path);
	case SQLITE_TOOBIG:
		return err_set(-E2BIG, "%s: a text or blob is too big", s->path);
	default:
		return err_set(-EINVAL, "%s: %s", s->path,
			       s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(result));
	}
}

// --- statements

int store_exec(struct store *s, const char *sql)
{
	int result = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return result == SQLITE_OK ? 0 : store_error(s, result);
}

static int bind_text(sqlite3_stmt *stmt, int i, const char *text)
{
	g_autofree char *valid = NULL;

	if (!g_utf8_validate(text, -1, NULL))
		text = valid = g_utf8_make_valid(text, -1);
	return sqlite3_bind_text(stmt, i, text, -1, SQLITE_TRANSIENT);
}

static int bind(sqlite3_stmt *stmt, int i, const struct value *v)
{
	switch (v->type) {
	case SQLITE_INTEGER:
		return sqlite3_bind_int64(stmt, i, v->i);
	case SQLITE_FLOAT:
		return sqlite3_bind_double(stmt, i, v->r);
	case SQLITE_TEXT:
		return bind_text(stmt, i, v->p);
	case SQLITE_BLOB:
		return v->len ? sqlite3_bind_blob64(stmt, i, v->p, v->len, SQLITE_TRANSIENT)
			      : sqlite3_bind_zeroblob(stmt, i, 0);
	default:
		return sqlite3_bind_null(stmt, i);
	}
}

int store_stmt(struct store *s, const char *sql, const struct value *values, size_t n, sqlite3_stmt **stmt)
{
	int result = SQLITE_OK;

	*stmt = g_hash_table_lookup(s->stmts, sql);
	if (!*stmt) {
		result = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
		if (result == SQLITE_OK)
			g_hash_table_insert(s->stmts, (void *)sql, *stmt);
	}
	for (size_t i = 0; i < n && result == SQLITE_OK; i++)
		result = bind(*stmt, (int)i + 1, &values[i]);
	return result == SQLITE_OK ? 0 : store_error(s, result);
}

int store_do(struct store *s, const char *sql, const struct value *values, size_t n)
{
	sqlite3_stmt *stmt;
	int rc = s->later ? store_begin(s) : 0, result;

	if (!rc)
		rc = store_stmt(s, sql, values, n, &stmt);
	if (rc)
		return rc;
	result = sqlite3_step(stmt);
	if (result != SQLITE_DONE && result != SQLITE_ROW)
		rc = store_error(s, result);
	sqlite3_reset(stmt);
	return rc;
}

int store_get_int(struct store *s, const char *sql, const struct value *values, size_t n, int64_t *out)
{
	sqlite3_stmt *stmt;
	int rc = store_stmt(s, sql, values, n, &stmt), result;

	if (rc)
		return rc;
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW && sqlite3_column_type(stmt, 0) == SQLITE_INTEGER)
		*out = sqlite3_column_int64(stmt, 0);
	else if (result == SQLITE_ROW || result == SQLITE_DONE)
		rc = -ENOENT;
	else
		rc = store_error(s, result);
	sqlite3_reset(stmt);
	return rc;
}

int store_begin(struct store *s)
{
	int rc;

	if (!sqlite3_get_autocommit(s->db))
		return 0;
	rc = store_exec(s, s->mode == STORE_READ ? "BEGIN" : "BEGIN IMMEDIATE");
	if (rc)
		return rc;
	s->later = false;
	return store_write_waiting(s);
}

void store_begin_later(struct store *s)
{
	s->later = sqlite3_get_autocommit(s->db);
}

int store_try_begin(struct store *s)
{
	int rc;

	sqlite3_busy_timeout(s->db, 0);
	rc = store_begin(s);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	return rc;
}

int store_commit(struct store *s)
{
	int rc = s->waiting->len ? store_begin(s) : 0;

	s->later = false;
	return rc || sqlite3_get_autocommit(s->db) ? rc : store_exec(s, "COMMIT");
}

void store_rollback(struct store *s)
{
	s->later = false;
	g_array_set_size(s->waiting, 0);
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

// --- the file

// Resolves the directory, so that SQLite can refuse every symbolic link in the path.
static int resolve(struct store *s, const char *path)
{
	g_autofree char *dir = g_path_get_dirname(path), *base = g_path_get_basename(path);
	char real[PATH_MAX];

	if (!*path || g_str_has_suffix(path, "/") || !strcmp(base, ".") || !strcmp(base, ".."))
		return err_set(-EINVAL, "\"%s\" is not a file name for a database", path);
	if (!realpath(dir, real))
		return err_set(-errno, "%s: directory %s: %m", path, dir);
	s->path = g_build_filename(real, base, NULL);
	return 0;
}

// A database made under sudo belongs to the user, who will want to read, move and delete it.
static void give_to_sudo_user(int fd)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	guint64 u, g;

	if (geteuid() != 0 || !uid || !gid ||
	    !g_ascii_string_to_unsigned(uid, 10, 0, UINT32_MAX - 1, &u, NULL) ||
	    !g_ascii_string_to_unsigned(gid, 10, 0, UINT32_MAX - 1, &g, NULL))
		return;
	if (fchown(fd, (uid_t)u, (gid_t)g))
		return; // a file system without owners: still usable
}

static int cant_find(const char *path)
{
	return errno == ENOENT
		   ? err_set(-ENOENT, "%s: there is no database here; `mmprof record` makes one", path)
		   : err_set(-errno, "%s: %m", path);
}

static int place_for_write(struct store *s, const char *path)
{
	g_autofree char *dir = NULL;
	struct stat st;
	int fd, rc = resolve(s, path);

	if (rc)
		return rc;
	dir = g_path_get_dirname(s->path);
	fd = s->mode == STORE_WRITE ? open(s->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)
				    : -1;
	if (fd >= 0) {
		s->created = true;
		rc = fchmod(fd, 0644) ? err_set(-errno, "%s: %m", s->path) : 0;
		give_to_sudo_user(fd);
		close(fd);
		return rc;
	}
	if (s->mode == STORE_WRITE && errno != EEXIST)
		return err_set(-errno, "%s: can't be created: %m", s->path);
	if (lstat(s->path, &st))
		return cant_find(path);
	if (S_ISLNK(st.st_mode))
		return err_set(-ELOOP, "%s: is a symbolic link; give the database's own name", s->path);
	if (!S_ISREG(st.st_mode))
		return err_set(-EINVAL, "%s: not a regular file", s->path);
	if (access(s->path, R_OK | W_OK) || access(dir, W_OK))
		return err_set(-errno, "%s: can't be written: %m", s->path);
	return 0;
}

static int place_for_read(struct store *s, const char *path)
{
	char real[PATH_MAX];
	struct stat st;

	if (!realpath(path, real))
		return cant_find(path);
	s->path = g_strdup(real);
	if (stat(real, &st) || access(real, R_OK))
		return err_set(-errno, "%s: %m", path);
	if (!S_ISREG(st.st_mode))
		return err_set(-EINVAL, "%s: not a regular file", path);
	if (st.st_size == 0)
		return err_set(-EBADMSG, "%s: not a database: the file is empty", path);
	return 0;
}

static int64_t file_size(const char *path, const char *suffix)
{
	g_autofree char *name = g_strconcat(path, suffix, NULL);
	struct stat st;

	return lstat(name, &st) ? -1 : (int64_t)st.st_size;
}

// SQLite can't share a WAL database from a directory in which it may not make the -shm file, unless it is
// told that nobody writes. That is so when there is neither a -wal nor a -shm file.
static int decide_immutable(struct store *s, bool *immutable)
{
	g_autofree char *dir = g_path_get_dirname(s->path);
	int64_t wal = file_size(s->path, "-wal"), shm = file_size(s->path, "-shm");

	*immutable = false;
	if (access(dir, W_OK) == 0 || shm >= 0)
		return 0;
	if (wal > 0)
		return err_set(-EROFS,
			       "%s: its writer was killed and left data in %s-wal, which can't be merged in "
			       "a directory without "
			       "write permission: copy both files to one that has it",
			       s->path, s->path);
	*immutable = true;
	return 0;
}

static int connect(struct store *s)
{
	g_autofree char *escaped = g_uri_escape_string(s->path, "/", FALSE), *uri = NULL;
	int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
	bool immutable = false;
	int result, rc = s->mode == STORE_READ ? decide_immutable(s, &immutable) : 0;

	if (rc)
		return rc;
	uri = g_strconcat("file:", escaped, immutable ? "?immutable=1" : NULL, NULL);
	flags |= s->mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	result = sqlite3_open_v2(uri, &s->db, flags, NULL);
	if (result != SQLITE_OK)
		return store_error(s, result);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); // until it is known to be ours
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, 64 << 20);
	sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	return store_exec(s,
			  "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; "
			  "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY");
}

int store_quick_check(struct store *s, const char *pragma)
{
	sqlite3_stmt *stmt;
	int result, rc = store_stmt(s, pragma, NULL, 0, &stmt);

	if (rc)
		return rc;
	result = sqlite3_step(stmt);
	if (result != SQLITE_ROW)
		rc = store_error(s, result);
	else if (g_strcmp0((const char *)sqlite3_column_text(stmt, 0), "ok"))
		rc = store_error(s, SQLITE_CORRUPT);
	sqlite3_reset(stmt);
	return rc;
}

static int quick_check(struct store *s)
{
	if (s->created || file_size(s->path, "") > QUICK_CHECK_BYTES)
		return 0;
	return store_quick_check(s, "PRAGMA quick_check(1)");
}

// SQLite does not wait for its turn to change the journal mode: two mmprofs that begin at once would fail.
static int wait_for_wal(struct store *s)
{
	gint64 end = g_get_monotonic_time() + BUSY_MS * 1000;
	int rc;

	while ((rc = store_exec(s, "PRAGMA journal_mode = WAL")) == -EBUSY && g_get_monotonic_time() < end)
		g_usleep(5000);
	return rc ? rc : store_exec(s, "PRAGMA wal_autocheckpoint = 4000; SELECT count(*) FROM run");
}

// WAL's index is shared memory: a file system without shared mappings (9p) can have it in this process only.
static int use_wal(struct store *s)
{
	int rc = wait_for_wal(s);

	if (!rc || (sqlite3_errcode(s->db) & 0xff) != SQLITE_IOERR)
		return rc;
	return store_exec(s, "PRAGMA locking_mode = EXCLUSIVE") ?: wait_for_wal(s);
}

static int prepare_writing(struct store *s)
{
	int rc = quick_check(s);

	if (rc)
		return rc;
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	rc = use_wal(s);
	return rc ? rc : store_mark_crashed(s);
}

static void drop(struct store *s)
{
	g_hash_table_unref(s->stmts); // finalizes them
	sqlite3_close(s->db);
	g_hash_table_unref(s->last);
	g_array_unref(s->waiting);
	g_string_chunk_free(s->strings);
	g_free(s->path);
	g_free(s);
}

static void finalize(void *stmt)
{
	sqlite3_finalize(stmt);
}

int store_open(const char *path, enum store_mode mode, struct store **store)
{
	struct store *s = g_new0(struct store, 1);
	int rc;

	s->mode = mode;
	s->stmts = g_hash_table_new_full(NULL, NULL, NULL, finalize);
	s->last = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	s->waiting = g_array_new(FALSE, FALSE, sizeof(struct waiting_sample));
	s->strings = g_string_chunk_new(4096);
	rc = mode == STORE_READ ? place_for_read(s, path) : place_for_write(s, path);
	if (!rc)
		rc = connect(s);
	if (!rc)
		rc = store_schema(s);
	if (!rc && mode != STORE_READ)
		rc = prepare_writing(s);
	if (rc) {
		if (s->created)
			unlink(s->path);
		drop(s);
		return rc;
	}
	*store = s;
	return 0;
}

// The last writer leaves one file that stands alone: everything merged, no -wal, no -shm. With other
// connections open this fails at once, and the last of them does it.
void store_close(struct store *s)
{
	if (!s)
		return;
	g_hash_table_remove_all(s->stmts);
	if (s->mode != STORE_READ) {
		store_commit(s);
		sqlite3_busy_timeout(s->db, 0);
		sqlite3_exec(s->db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE", NULL,
			     NULL, NULL);
	}
	drop(s);
}
