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
#include <sys/wait.h>
#include <unistd.h>

#include "base/journal.h"

static char *file;
static int n_told;

static void count_line(const char *line)
{
	n_told += strstr(line, file) != NULL;
}

static int set_up(void **state)
{
	(void)state;
	file = g_strdup_printf("/tmp/mmprof-journal-test-%d", getpid());
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	g_free(file);
	return 0;
}

static void put(const char *text)
{
	assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void expect(const char *text)
{
	g_autofree char *got = NULL;

	assert_true(g_file_get_contents(file, &got, NULL, NULL));
	assert_string_equal(got, text);
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
	assert_int_equal(journal_add(UNDO_WRITE, found.gl_pathv[0], "no-such-device"), 0);
	assert_int_equal(journal_undo_to(0), 1);
	assert_int_equal(journal_close(), 0);
	globfree(&found);
}

static void test_torn(void **state)
{
	g_autofree char *line = g_strdup_printf("write\t%s\tback\nwri", file);

	(void)state;
	if (geteuid())
		skip();
	put("changed");
	g_mkdir_with_parents("/run/mmprof", 0755);
	assert_true(g_file_set_contents("/run/mmprof/journal-1", line, -1, NULL));
	assert_int_equal(journal_open(NULL), 0);
	expect("back\n");
	assert_int_equal(journal_close(), 0);
	assert_int_not_equal(access("/run/mmprof/journal-1", F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reverse_order), cmocka_unit_test(test_replay),
	    cmocka_unit_test(test_undone),        cmocka_unit_test(test_processes_and_files),
	    cmocka_unit_test(test_unbound),       cmocka_unit_test(test_torn),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
