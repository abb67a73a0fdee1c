// The journal of changes: undone in reverse order, replayed after a SIGKILL, torn lines ignored. As root
// only: it lives in /run/mmprof.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/journal.h"

static char *file, *other; // where nothing is between tests
static int n_told;

static void count_line(const char *line)
{
	n_told += strstr(line, file) != NULL;
}

static int set_up(void **state)
{
	(void)state;
	file = g_strdup_printf("/tmp/mmprof-journal-test-%d", getpid());
	other = g_strconcat(file, "-other", NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	unlink(other);
	g_free(file);
	g_free(other);
	return 0;
}

static void put_in(const char *path, const char *text)
{
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void put(const char *text)
{
	put_in(file, text);
}

static void expect_in(const char *path, const char *text)
{
	g_autofree char *got = NULL;

	assert_true(g_file_get_contents(path, &got, NULL, NULL));
	assert_string_equal(got, text);
}

static void expect(const char *text)
{
	expect_in(file, text);
}

// Journals of this process or `pid`.
static int journals_of(pid_t pid)
{
	g_autofree char *name = g_strdup_printf("journal-%d", pid);
	g_autoptr(GDir) dir = g_dir_open("/run/mmprof", 0, NULL);
	const char *entry;
	int n = 0;

	while (dir && (entry = g_dir_read_name(dir)))
		n += g_str_has_prefix(entry, name);
	return n;
}

static void test_reverse_order(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	put("0");
	assert_int_equal(journal_open(NULL), 0);
	assert_int_equal(journal_add(UNDO_WRITE, file, "0"), 0);
	put("1");
	assert_int_equal(journal_add(UNDO_WRITE, file, "1"), 1);
	put("2");
	assert_int_equal(journal_undo_to(1), 0);
	expect("1\n");
	assert_int_equal(journal_close(), 0);
	expect("0\n");
}

// A child changes something and is killed; its parent's next start puts it back.
static void test_replay(void **state)
{
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	put("before\twith\ttabs and \\ and\nlines");
	pid = fork();
	if (pid == 0) {
		if (journal_open(NULL) ||
		    journal_add(UNDO_WRITE, file, "before\twith\ttabs and \\ and\nlines") < 0)
			_exit(1);
		put("changed");
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
	expect("changed");
	assert_int_equal(journal_open(NULL), 0);
	expect("before\twith\ttabs and \\ and\nlines\n");
	assert_int_equal(journal_close(), 0);
}

// A child that has yet to be executed does not keep its dead parent's journal from being undone.
static void test_child_left(void **state)
{
	pid_t pid, child;
	int go[2], said[2];

	(void)state;
	if (geteuid())
		skip();
	put("before");
	assert_int_equal(pipe(go) || pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		if (journal_open(NULL) || journal_add(UNDO_WRITE, file, "before") < 0)
			_exit(1);
		put("changed");
		child = fork();
		if (child == 0) {
			journal_leave();
			close(go[1]);
			if (write(said[1], "x", 1) != 1 || read(go[0], &child, 1))
				_exit(1);
			_exit(0);
		}
		if (read(said[0], &child, 1) == 1)
			raise(SIGKILL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	assert_int_equal(journal_open(NULL), 0);
	expect("before\n");
	assert_int_equal(journal_close(), 0);
	close(go[1]); // the child ends
	close(go[0]);
	close(said[0]);
	close(said[1]);
}

// What was undone long before the crash is not undone once more.
static void test_undone(void **state)
{
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	put("kept");
	pid = fork();
	if (pid == 0) {
		if (journal_open(NULL) || journal_add(UNDO_WRITE, file, "kept") < 0)
			_exit(1);
		for (int i = 0; i < 3; i++) {
			int mark = journal_mark();

			if (journal_add(UNDO_WRITE, file, "kept\nand torn") < 0 || journal_undo_to(mark))
				_exit(1);
		}
		put("changed");
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
	expect("changed");
	assert_int_equal(journal_open(count_line), 0);
	assert_int_equal(n_told, 1);
	expect("kept\n");
	assert_int_equal(journal_close(), 0);
}

// A process is ended only if it is the one that was written down.
static void test_processes_and_files(void **state)
{
	g_autofree char *number = NULL, *start = NULL;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	number = g_strdup_printf("%d", pid);
	start = undo_process_start(number);
	assert_non_null(start);
	assert_int_equal(journal_open(NULL), 0);
	assert_int_equal(journal_add(UNDO_KILL, number, "1"), 0);
	assert_int_equal(journal_undo_to(0), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); // another one's
	put("a file of its own");
	assert_int_equal(journal_add(UNDO_UNLINK, file, NULL), 0);
	assert_int_equal(journal_add(UNDO_KILL, number, start), 1);
	assert_int_equal(journal_add(UNDO_SWAPOFF, "/dev/null", NULL), 2); // which never was on
	assert_int_equal(journal_close(), 0);
	waitpid(pid, NULL, WNOHANG); // ended, but perhaps not waited for
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(access(file, F_OK), -1);
	assert_null(undo_process_start(number));
}

// A driver's file says ENODEV of what it hasn't: that is as it was to be. Of any other file it is a failure.
static void test_unbound(void **state)
{
	glob_t found = {};

	(void)state;
	if (geteuid() || glob("/sys/bus/*/drivers/*/unbind", 0, NULL, &found) ||
	    access(found.gl_pathv[0], W_OK))
		skip();
	assert_int_equal(journal_open(NULL), 0);
	assert_int_equal(journal_add(UNDO_UNBIND, found.gl_pathv[0], "no-such-device"), 0);
	assert_int_equal(journal_undo_to(0), 0);
	assert_int_equal(journal_close(), 0);
	globfree(&found);
}

// A dead mmprof's journal of `lines` is undone: `file` then has `wanted`, and the journal is gone.
static void replay_torn(const char *lines, const char *wanted)
{
	put("as it was");
	g_mkdir_with_parents("/run/mmprof", 0755);
	put_in("/run/mmprof/journal-1", lines);
	assert_int_equal(journal_open(NULL), 0);
	expect(wanted);
	assert_int_equal(journal_close(), 0);
	assert_int_not_equal(access("/run/mmprof/journal-1", F_OK), 0);
}

static void test_torn(void **state)
{
	g_autofree char *lines = g_strdup_printf("write\t%s\tback\nwri", file);

	(void)state;
	if (geteuid())
		skip();
	replay_torn(lines, "back\n");
}

// The value of a line that was not written to its end is not the one to go back to.
static void test_torn_value(void **state)
{
	g_autofree char *line = g_strdup_printf("write\t%s\tba", file);

	(void)state;
	if (geteuid())
		skip();
	replay_torn(line, "as it was");
}

// As long as `file` is a directory it can't be written.
static void change_both(void)
{
	unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_int_equal(journal_open(NULL), 0);
	assert_true(journal_add(UNDO_WRITE, file, "oldest") >= 0);
	assert_true(journal_add(UNDO_WRITE, other, "undone") >= 0);
	assert_true(journal_add(UNDO_WRITE, file, "newest") >= 0);
	put_in(other, "changed");
}

// What could not be undone is tried again by each start, in its order; what was undone is not.
static void check_retries(void)
{
	n_told = 0;
	assert_int_equal(journal_open(count_line), 0);
	assert_int_equal(n_told, 2);
	expect_in(other, "changed by others");
	assert_int_equal(journal_close(), 0);
	assert_int_equal(rmdir(file), 0);
	put("changed");
	n_told = 0;
	assert_int_equal(journal_open(count_line), 0);
	assert_int_equal(n_told, 2);
	expect("oldest\n");
	expect_in(other, "changed by others");
	assert_int_equal(journal_close(), 0);
	n_told = 0;
	assert_int_equal(journal_open(count_line), 0);
	assert_int_equal(n_told, 0);
	assert_int_equal(journal_close(), 0);
	assert_int_equal(journals_of(getpid()), 0);
}

static void test_retry(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	change_both();
	assert_int_equal(journal_close(), 2);
	expect_in(other, "undone\n");
	assert_int_equal(journals_of(getpid()), 1);
	put_in(other, "changed by others");
	check_retries();
}

static void test_retry_after_crash(void **state)
{
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	pid = fork();
	if (pid == 0) {
		change_both();
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
	assert_int_equal(journal_open(NULL), 0);
	expect_in(other, "undone\n");
	assert_int_equal(journal_close(), 0);
	assert_int_equal(journals_of(pid), 1);
	put_in(other, "changed by others");
	check_retries();
	assert_int_equal(journals_of(pid), 0);
}

// A start that comes between another's making of its journal and the locking of it must not take it for a
// dead one's: one process starts and ends all the time, another looks whether its own journal is there.
static void test_race(void **state)
{
	gint64 end = g_get_monotonic_time() + 500000;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			if (journal_open(NULL) || journal_close())
				_exit(1);
	}
	while (g_get_monotonic_time() < end) {
		assert_int_equal(journal_open(NULL), 0);
		// one that was taken for a dead one's may not be removed yet
		assert_true(journals_of(getpid()) >= 1);
		assert_int_equal(journal_close(), 0);
	}
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reverse_order),
	    cmocka_unit_test(test_replay),
	    cmocka_unit_test(test_child_left),
	    cmocka_unit_test(test_undone),
	    cmocka_unit_test(test_processes_and_files),
	    cmocka_unit_test(test_unbound),
	    cmocka_unit_test(test_torn),
	    cmocka_unit_test(test_torn_value),
	    cmocka_unit_test(test_retry),
	    cmocka_unit_test(test_retry_after_crash),
	    cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
