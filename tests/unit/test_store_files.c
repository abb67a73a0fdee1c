// The store as a file: what it makes, with which mode, through which paths; nothing that is not ours is
// touched, and what is damaged or full is refused in one line.
#include "raw_sql.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store_read.h"

// Opening must fail with this errno and a line that holds these words.
static void open_fails(const char *path, enum store_mode mode, int code, const char *words)
{
	struct store *s = NULL;
	int rc = store_open(path, mode, &s);

	if (rc != code || !strstr(err_text(), words) || !strstr(err_text(), path))
		fail_msg("%d instead of %d, \"%s\" instead of \"%s\"", rc, code, err_text(), words);
	assert_null(s);
}

static char *contents(const char *path, gsize *len)
{
	char *text = NULL;

	assert_true(g_file_get_contents(path, &text, len, NULL));
	return text;
}

// Runs `what` in a child as nobody, for whom file permissions hold, unlike for root.
static void as_nobody(void (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(3);
		what();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void new_file(void **state)
{
	mode_t mask = umask(077);
	struct store *s = open_ok(db, STORE_WRITE);
	g_autofree char *wal = g_strconcat(db, "-wal", NULL);
	struct stat st;

	(void)state;
	umask(mask);
	assert_int_equal(stat(db, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	sample_run(s, NULL, 1);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	store_close(s);
	assert_int_equal(files_in(dir), 1); // no -wal, no -shm, no -journal
	assert_int_equal(number(db, "PRAGMA application_id"), 0x6d6d7072);
	assert_int_equal(number(db, "PRAGMA user_version"), 3);
	assert_int_equal(
	    number(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	s = open_ok(db, STORE_READ);
	assert_int_equal(files_in(dir), 1);
	store_close(s);
	assert_int_equal(files_in(dir), 1);
}

static void owner_under_sudo(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	g_setenv("SUDO_UID", "12345", TRUE);
	g_setenv("SUDO_GID", "54321", TRUE);
	store_close(open_ok(db, STORE_WRITE));
	g_unsetenv("SUDO_UID");
	g_unsetenv("SUDO_GID");
	assert_int_equal(stat(db, &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 54321);
}

static void refuse_unchanged(const char *path, const char *words, int code)
{
	gsize n, m;
	g_autofree char *before = contents(path, &n), *after = NULL;

	open_fails(path, STORE_WRITE, code, words);
	open_fails(path, STORE_READ, code, words);
	after = contents(path, &m);
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
}

static void strangers(void **state)
{
	(void)state;
	assert_true(g_file_set_contents(db, "hello", -1, NULL));
	refuse_unchanged(db, "not a database", -EBADMSG);
	g_autofree char *text = g_strnfill(10000, 'x');
	assert_true(g_file_set_contents(db, text, -1, NULL));
	refuse_unchanged(db, "not a database", -EBADMSG);
	g_unlink(db);
	raw(db, "PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	refuse_unchanged(db, "not one of mmprof's", -EBADMSG);
	g_unlink(db);
	raw(db, "PRAGMA application_id = 5; CREATE TABLE t (a)");
	refuse_unchanged(db, "not one of mmprof's", -EBADMSG);
	g_unlink(db);
	store_close(open_ok(db, STORE_WRITE));
	raw(db, "PRAGMA user_version = 4");
	refuse_unchanged(db, "newer mmprof", -EPROTO);
	raw(db, "PRAGMA user_version = 3; DROP VIEW v_run; CREATE VIEW v_run AS SELECT 1 AS id");
	refuse_unchanged(db, "view \"v_run\"", -EBADMSG);
	g_unlink(db);
	store_close(open_ok(db, STORE_WRITE));
	raw(db,
	    "DROP TABLE kernel_log; CREATE TABLE kernel_log (id INTEGER PRIMARY KEY, run_id, t_ns, level, "
	    "text)");
	refuse_unchanged(db, "table \"kernel_log\"", -EBADMSG);
}

static void places(void **state)
{
	g_autofree char *link = g_build_filename(dir, "link.db", NULL);
	g_autofree char *none = g_build_filename(dir, "no", "a.db", NULL);
	g_autofree char *slash = g_strconcat(dir, "/", NULL);
	struct store *s;

	(void)state;
	open_fails(db, STORE_READ, -ENOENT, "no database here");
	open_fails(none, STORE_WRITE, -ENOENT, "No such file");
	open_fails(slash, STORE_WRITE, -EINVAL, "not a file name");
	open_fails(dir, STORE_READ, -EINVAL, "not a regular file");
	open_fails(dir, STORE_WRITE, -EINVAL, "not a regular file");
	assert_true(g_file_set_contents(db, "", 0, NULL));
	open_fails(db, STORE_READ, -EBADMSG, "empty");
	assert_int_equal(symlink(db, link), 0);
	open_fails(link, STORE_WRITE, -ELOOP, "symbolic link");
	store_close(open_ok(db, STORE_WRITE)); // an empty file becomes a database
	must(store_open(link, STORE_READ, &s));
	store_close(s);
	g_unlink(link);
	assert_int_equal(symlink("/nonexistent/target", link), 0);
	open_fails(link, STORE_WRITE, -ELOOP, "symbolic link");
}

static void odd_names(void **state)
{
	static const char *const names[] = {"a b%20?c#d.db", "h\xc3\xa1\xc4\x8d.db", "\xff\xfe.db", "file:x"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(dir, names[i], NULL);
		struct store *s;

		must(store_open(path, STORE_WRITE, &s));
		sample_run(s, NULL, 1);
		store_close(s);
		must(store_open(path, STORE_READ, &s));
		store_close(s);
		assert_int_equal(access(path, F_OK), 0);
	}
	assert_int_equal(files_in(dir), G_N_ELEMENTS(names));
}

static void nobody_reads(void)
{
	struct store_run_row run;
	struct store *s = open_ok(db, STORE_READ);

	must(store_find_run(s, "last", &run));
	store_close(s);
	open_fails(db, STORE_WRITE, -EACCES, "can't be written: Permission denied");
}

static void nobody_creates(void)
{
	g_autofree char *path = g_build_filename(dir, "new.db", NULL);

	open_fails(path, STORE_WRITE, -EACCES, "can't be created: Permission denied");
}

static void read_only_directory(void **state)
{
	struct store *s = open_ok(db, STORE_WRITE);

	(void)state;
	sample_run(s, NULL, 1);
	store_close(s);
	assert_int_equal(chmod(dir, 0555), 0);
	as_nobody(nobody_reads);
	as_nobody(nobody_creates);
	chmod(dir, 0755);
	raw(db, "PRAGMA journal_mode = WAL"); // as a copy made while someone else had it open
	chmod(dir, 0555);
	as_nobody(nobody_reads);
	assert_int_equal(files_in(dir), 1);
}

static void nobody_is_told_of_wal(void)
{
	open_fails(db, STORE_READ, -EROFS, "writer was killed");
}

static void left_wal_in_read_only_directory(void **state)
{
	g_autofree char *shm = g_strconcat(db, "-shm", NULL);

	(void)state;
	sample_killed_writer();
	g_unlink(shm);
	assert_int_equal(chmod(dir, 0555), 0);
	as_nobody(nobody_is_told_of_wal);
	chmod(dir, 0755);
}

static void damaged(void **state)
{
	struct store *s = open_ok(db, STORE_WRITE);
	g_autofree char *bytes = NULL;
	gsize n;

	(void)state;
	for (int i = 0; i < 3; i++)
		sample_run(s, NULL, 1);
	store_close(s);
	bytes = contents(db, &n);
	memset(bytes + n / 2, 0xa5, 8192);
	assert_true(g_file_set_contents(db, bytes, (gssize)n, NULL));
	open_fails(db, STORE_WRITE, -EBADMSG, "damaged");
	assert_true(g_file_set_contents(db, bytes, 4096 + 2000, NULL));
	open_fails(db, STORE_WRITE, -EBADMSG, "damaged");
}

static void full_disk(void **state)
{
	g_autofree char *path = g_build_filename(dir, "full.db", NULL);
	struct store *s = NULL;
	int rc = 0;

	(void)state;
	if (mount("none", dir, "tmpfs", 0, "size=400k"))
		skip();
	rc = store_open(path, STORE_WRITE, &s);
	for (int i = 0; i < 200 && !rc; i++) {
		int64_t run = sample_begin(s, NULL, 1), series;

		rc = store_begin(s) ?: store_series(s, run, "x", "count", true, &series);
		for (int k = 0; k < 5000 && !rc; k++)
			rc = store_sample(s, series, k, k, false);
		rc = rc ?: store_commit(s);
	}
	assert_int_equal(rc, -ENOSPC);
	assert_non_null(strstr(err_text(), "the disk is full"));
	store_close(s);
	rc = store_open(path, STORE_READ, &s);
	assert_int_equal(rc, 0);
	store_close(s);
	assert_int_equal(umount(dir), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sample_set_up, sample_tear_down)
	const struct CMUnitTest tests[] = {
	    T(new_file),
	    T(owner_under_sudo),
	    T(strangers),
	    T(places),
	    T(odd_names),
	    T(read_only_directory),
	    T(left_wal_in_read_only_directory),
	    T(damaged),
	    T(full_disk),
	};

	return cmocka_run_group_tests_name("store_files", tests, NULL, NULL);
}
