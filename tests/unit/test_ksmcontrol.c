// The controller of KSM and the sampler that reads what it tells, on a tree made here: reclaim is what this
// test writes into vmstat. As root only: its journal lives in /run/mmprof.
#include "sampler_sink.h"
#include "tree.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/journal.h"
#include "system/ksm.h"
#include "system/ksmcontrol.h"
#include "system/settings.h"
#include "system/spec.h"

// In place: the controller has it open.
static void rewrite(const char *path, const char *text)
{
	g_autofree char *file = in_tree(path);
	FILE *f = fopen(file, "r+");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

// What a file that is never cut begins with: the number that was written last. -1: there is none.
static int number(const char *path)
{
	g_autofree char *file = in_tree(path), *text = NULL;

	return g_file_get_contents(file, &text, NULL, NULL) ? atoi(text) : -1;
}

// For what the controller writes soon.
static void expect(const char *path, int wanted)
{
	for (int i = 0; i < 1000 && number(path) != wanted; i++)
		g_usleep(10000);
	assert_int_equal(number(path), wanted);
}

// Somebody by that name: a kernel thread is a child of process 2.
static void put_ksmd(int pid, int parent)
{
	g_autofree char *comm = g_strdup_printf("/proc/%d/comm", pid),
			*stat = g_strdup_printf("/proc/%d/stat", pid),
			*line = g_strdup_printf("%d (ksmd) S %d 0 0 0 -1", pid, parent);

	tree_put(comm, "ksmd\n");
	tree_put(stat, line);
}

static int set_up(void **state)
{
	(void)state;
	tree_make();
	settings_root = sampler_root = tree;
	tree_put(KSM "run", "1\n");
	tree_put(KSM "pages_to_scan", "100\n");
	tree_put(KSM "sleep_millisecs", "77\n");
	tree_put(KSM "pages_sharing", "0\n");
	tree_put("/proc/vmstat", "pageoutrun 1\npgscan_kswapd 100\n");
	tree_put("/run/mmprof/nothing", "");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	settings_root = sampler_root = "";
	tree_remove();
	return 0;
}

static struct system_spec *spec(void)
{
	struct system_spec *s;

	assert_int_equal(
	    system_spec_parse(
		"ksm-zswap,control=on,soft_pages=50,hard_pages=2000,hard_sleep_ms=10,hold_ms=0,tick_ms=5",
		&s),
	    0);
	return s;
}

static void whose_time(void **state)
{
	struct system_spec *s = spec();

	(void)state;
	assert_int_equal(ksmcontrol_check(s), -ENOENT);
	put_ksmd(12, 1);
	assert_int_equal(ksmcontrol_check(s), -ENOENT); // no thread of the kernel's
	put_ksmd(123, 2);
	assert_int_equal(ksmcontrol_check(s), 0);
	system_spec_free(s);
}

static pid_t child(void)
{
	g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", getpid()), *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return atoi(text);
}

static void begin(struct system_spec *s)
{
	put_ksmd(getpid(), 2);
	assert_int_equal(journal_open(NULL), 0);
	if (ksmcontrol_start(s))
		fail_msg("%s", err_text());
	expect(KSM "pages_to_scan", 50);
}

// Told after what it did.
static void expect_sleeps(int wanted)
{
	g_autofree char *line = g_strdup_printf("\nsleeps %d\n", wanted), *file = in_tree(KSMCONTROL_FILE);
	bool is = false;

	for (int i = 0; i < 1000 && !is; i++) {
		g_autofree char *text = NULL;

		is = g_file_get_contents(file, &text, NULL, NULL) && strstr(text, line);
		g_usleep(10000);
	}
	assert_true(is);
}

static void puts_back_what_it_changed(void **state)
{
	struct system_spec *s = spec();

	(void)state;
	if (geteuid())
		skip();
	begin(s);
	expect(KSM "sleep_millisecs", 77);
	rewrite("/proc/vmstat", "pageoutrun 2\npgscan_kswapd 900\n");
	expect_sleeps(1); // and with a hold of nothing it is over at the next look
	assert_int_equal(number(KSM "sleep_millisecs"), 77);
	assert_int_equal(number(KSM "pages_to_scan"), 50);
	assert_int_equal(journal_close(), 0);
	waitpid(-1, NULL, 0);
	assert_int_equal(number(KSM "pages_to_scan"), 100);
	assert_int_equal(number(KSM "sleep_millisecs"), 77);
	assert_int_equal(number(KSMCONTROL_FILE), -1);
	system_spec_free(s);
}

static void says_what_it_lacks(void **state)
{
	struct system_spec *s = spec();
	const char *why;
	void *sampler;

	(void)state;
	if (geteuid())
		skip();
	begin(s);
	assert_int_equal(ksmcontrol_start(s), -EWOULDBLOCK); // there is one
	sampler = start("control");
	for (int i = 0; i < 1000 && !g_hash_table_lookup(missing, "control.by_psi"); i++) {
		look("control", sampler, NULL);
		g_usleep(10000);
	}
	assert_int_equal(get("control.wakeups")->value, 0);
	assert_null(g_hash_table_lookup(values, "control.by_psi"));
	why = g_hash_table_lookup(missing, "control.by_psi");
	assert_non_null(why);
	assert_non_null(strstr(why, "/proc/pressure/memory"));
	assert_null(g_hash_table_lookup(missing, "control"));
	kill(child(), SIGKILL);
	waitpid(-1, NULL, 0);
	look("control", sampler, NULL);
	assert_int_equal(g_hash_table_size(values), 0);
	why = g_hash_table_lookup(missing, "control");
	assert_non_null(why);
	assert_non_null(strstr(why, "ended during the run"));
	find("control")->close(sampler);
	sampler = start("control"); // a file that a dead one left
	look("control", sampler, NULL);
	assert_int_equal(g_hash_table_size(values), 0);
	find("control")->close(sampler);
	assert_int_equal(journal_close(), 0);
	system_spec_free(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int tests(void)
{
	const struct CMUnitTest all[] = {T(whose_time), T(puts_back_what_it_changed), T(says_what_it_lacks)};

	return cmocka_run_group_tests_name("ksmcontrol", all, NULL, NULL);
}

int main(void)
{
	return with_sink(tests);
}
