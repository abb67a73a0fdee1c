// Settings of the machine: which files a key may mean, what counts as taken, and that all is as it was
// afterwards, for files that depend on each other too. What is written needs root, and is none of what
// tests/cli/run.t writes at the same time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "system/settings.h"

static void test_paths(void **state)
{
	static const struct {
		const char *key, *path; // NULL: refused
	} cases[] = {
	    {"sysctl.vm.swappiness", "/proc/sys/vm/swappiness"},
	    {"sysctl.net.ipv4.conf.eth0/1.forwarding", "/proc/sys/net/ipv4/conf/eth0.1/forwarding"},
	    {"/sys/kernel/mm/lru_gen/enabled", "/sys/kernel/mm/lru_gen/enabled"},
	    {"/proc/sys/vm/swappiness", "/proc/sys/vm/swappiness"},
	    {"/proc/self/oom_score_adj", NULL},
	    {"/sys/../etc/passwd", NULL},
	    {"/sys//kernel", NULL},
	    {"/sys/./kernel", NULL},
	    {"/sys/", NULL},
	    {"/system/x", NULL},
	    {"sysctl.", NULL},
	    {"sysctl.//.//.etc", NULL},
	    {"sysctl...x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = NULL;
		int rc = setting_path(cases[i].key, &path);

		assert_int_equal(rc, cases[i].path ? 0 : -EINVAL);
		if (cases[i].path)
			assert_string_equal(path, cases[i].path);
	}
}

static int check(const char *path)
{
	const struct setting s = {"key", (char *)path, "1", 1};

	return setting_check(&s);
}

static void test_check(void **state)
{
	(void)state;
	assert_int_equal(check("/proc/sys/vm/no_such_thing"), -ENOENT);
	assert_int_equal(check("/proc/sys/vm/swappiness/below"), -ENOENT);
	assert_int_equal(check("/proc/sys/vm"), -EINVAL);
	if (geteuid() == 0 && access("/proc/sys/vm/swappiness", W_OK) == 0) {
		assert_int_equal(check("/proc/sys/vm/swappiness"), 0);
		assert_true(check("/proc/sys/vm/drop_caches") < 0); // can't be read, so not be put back
		assert_true(check("/proc/sys/kernel/ostype") < 0);  // can't be written
	}
}

static char *contents(const char *path)
{
	char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static bool writable(const char *path)
{
	return geteuid() == 0 && access(path, W_OK) == 0;
}

// What a file shows is compared with what was to be written, whatever the form.
static void test_verify(void **state)
{
	g_autofree char *now = contents("/proc/sys/vm/lowmem_reserve_ratio"); // tabs between numbers
	struct setting s = {"key", "/proc/sys/vm/lowmem_reserve_ratio",
			    g_strdelimit(g_strchomp(now), "\t", ' '), 1};
	struct setting hex = {"key", "/proc/sys/vm/overcommit_memory", "0x7", 1},
		       thp = {"key", "/sys/kernel/mm/transparent_hugepage/enabled", "always madvise", 1};

	(void)state;
	assert_int_equal(setting_verify(&s), 0);
	s.value = "1";
	assert_int_equal(setting_verify(&s), -EIO);
	assert_int_equal(setting_verify(&hex), -EIO);
	assert_non_null(strstr(err_text(), "the kernel did not take it"));
	if (access(thp.path, R_OK) == 0)
		assert_int_equal(setting_verify(&thp), -EIO); // the list is not its value
}

static void apply_and_undo(const char *path, const char *value)
{
	struct setting s = {"key", (char *)path, (char *)value, 1};
	g_autofree char *before = contents(path), *after = NULL;

	assert_int_equal(journal_open(NULL), 0);
	if (setting_apply(&s))
		fail_msg("%s", err_text());
	assert_int_equal(journal_close(), 0);
	after = contents(path);
	assert_string_equal(before, after);
}

static void test_apply(void **state)
{
	(void)state;
	if (!writable("/proc/sys/vm/vfs_cache_pressure"))
		skip();
	apply_and_undo("/proc/sys/vm/vfs_cache_pressure", "0x2a");
	if (writable("/sys/kernel/mm/transparent_hugepage/enabled")) {
		apply_and_undo("/sys/kernel/mm/transparent_hugepage/enabled", "never");
		apply_and_undo("/sys/kernel/mm/transparent_hugepage/enabled", "always");
	}
	if (writable("/sys/kernel/mm/numa/demotion_enabled")) { // takes 0 and 1, shows false and true
		apply_and_undo("/sys/kernel/mm/numa/demotion_enabled", "1");
		apply_and_undo("/sys/kernel/mm/numa/demotion_enabled", "0");
	}
	if (writable("/sys/kernel/mm/lru_gen/enabled"))
		apply_and_undo("/sys/kernel/mm/lru_gen/enabled", "0");
}

// dirty_bytes makes dirty_ratio 0, and neither takes the 0 back.
static void test_pair(void **state)
{
	static const char bytes[] = "/proc/sys/vm/dirty_bytes", ratio[] = "/proc/sys/vm/dirty_ratio";
	g_autofree char *bytes_before = contents(bytes), *ratio_before = contents(ratio);
	g_autofree char *bytes_after = NULL, *ratio_after = NULL;

	(void)state;
	if (!writable(bytes))
		skip();
	apply_and_undo(bytes, "100000000");
	apply_and_undo(ratio, "17");
	bytes_after = contents(bytes);
	ratio_after = contents(ratio);
	assert_string_equal(bytes_before, bytes_after);
	assert_string_equal(ratio_before, ratio_after);
}

static void test_refused(void **state)
{
	struct setting s = {"sysctl.vm.overcommit_memory", "/proc/sys/vm/overcommit_memory", "7", 1};
	g_autofree char *before = NULL, *after = NULL;

	(void)state;
	if (!writable(s.path))
		skip();
	before = contents(s.path);
	assert_int_equal(journal_open(NULL), 0);
	assert_true(setting_apply(&s) < 0);
	assert_non_null(strstr(err_text(), "sysctl.vm.overcommit_memory = 7: the kernel refused it"));
	assert_int_equal(journal_close(), 0);
	after = contents(s.path);
	assert_string_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_paths), cmocka_unit_test(test_check), cmocka_unit_test(test_verify),
	    cmocka_unit_test(test_apply), cmocka_unit_test(test_pair),  cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
