// Holding the machine still, on trees of files as the cpufreq drivers make them, which these machines lack:
// intel_pstate with and without hardware P-states, acpi-cpufreq, amd-pstate, CPUs of two kinds. What is
// written, in which order, and that it is put back: by the end, and by the next start after a SIGKILL.
#include "tree.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "system/frequency.h"
#include "system/pin.h"
#include "system/settings.h"

#define CPU "/sys/devices/system/cpu"
#define P0 CPU "/cpufreq/policy0/"
#define P4 CPU "/cpufreq/policy4/"

// --- a tree of our own

static char *get(const char *path)
{
	g_autofree char *full = in_tree(path);
	char *text = NULL;

	if (!g_file_get_contents(full, &text, NULL, NULL))
		fail_msg("%s can't be read", full);
	return g_strchomp(text);
}

static void expect(const char *path, const char *text)
{
	g_autofree char *now = get(path);

	assert_string_equal(now, text);
}

static void policy(const char *dir, const char *lowest, const char *highest, const char *governors,
		   const char *governor)
{
	const char *const files[][2] = {
	    {"cpuinfo_min_freq", lowest},
	    {"cpuinfo_max_freq", highest},
	    {"scaling_min_freq", lowest},
	    {"scaling_max_freq", highest},
	    {"scaling_available_governors", governors},
	    {"scaling_governor", governor},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_strconcat(dir, files[i][0], NULL);

		tree_put(path, files[i][1]);
	}
}

static void put_in(const char *dir, const char *file, const char *text)
{
	g_autofree char *path = g_strconcat(dir, file, NULL);

	tree_put(path, text);
}

static void intel_hwp(void)
{
	policy(P0, "800000", "4900000", "performance powersave", "powersave");
	put_in(P0, "base_frequency", "2600000");
	tree_put(CPU "/intel_pstate/no_turbo", "0");
	tree_put(CPU "/intel_pstate/status", "active");
}

// Haswell: 12 to 36, turbo from 25: 25 states, 13 without turbo: turbo_pct = 100 - 52.
static void intel_no_hwp(void)
{
	policy(P0, "1200000", "3600000", "conservative ondemand userspace powersave performance schedutil",
	       "schedutil");
	tree_put(CPU "/intel_pstate/no_turbo", "0");
	tree_put(CPU "/intel_pstate/num_pstates", "25");
	tree_put(CPU "/intel_pstate/turbo_pct", "48");
}

static void acpi(void)
{
	policy(P0, "1200000", "2401000", "ondemand performance", "ondemand");
	put_in(P0, "scaling_available_frequencies", "2401000 2400000 1800000 1200000 ");
	tree_put(CPU "/cpufreq/boost", "1");
}

static void amd(void)
{
	policy(P0, "400000", "4700000", "performance powersave", "powersave");
	tree_put(CPU "/cpu0/acpi_cppc/nominal_freq", "3300");
	put_in(P0, "boost", "1");
}

static void two_kinds(void)
{
	intel_hwp();
	policy(P4, "800000", "3700000", "performance powersave", "powersave");
	put_in(P4, "base_frequency", "2000000");
}

static int fake(void **state)
{
	(void)state;
	tree_make();
	settings_root = tree;
	return 0;
}

static int real(void **state)
{
	(void)state;
	settings_root = "";
	tree_remove();
	return 0;
}

// --- what is written

// "scaling_min_freq=2600000 scaling_max_freq=2600000": the files' names and values in order.
static char *written(int rc, GArray *settings)
{
	GString *text = g_string_new(NULL);

	if (rc)
		fail_msg("%s", err_text());
	for (guint i = 0; i < settings->len; i++) {
		const struct setting *s = &g_array_index(settings, struct setting, i);

		g_string_append_printf(text, "%s%s=%s", i ? " " : "", strrchr(s->path, '/') + 1, s->value);
	}
	return g_string_free(text, FALSE);
}

static GArray *settings_new(void)
{
	GArray *settings = g_array_new(FALSE, FALSE, sizeof(struct setting));

	g_array_set_clear_func(settings, (GDestroyNotify)setting_clear);
	return settings;
}

static void expect_lock(const char *value, const char *done, const char *writes)
{
	g_autoptr(GArray) settings = settings_new();
	g_autofree char *told = NULL, *list = written(frequency_lock(value, settings, &told), settings);

	assert_string_equal(list, writes);
	assert_string_equal(told, done);
}

static void test_lock(void **state)
{
	static const struct {
		void (*driver)(void);
		const char *value, *done, *writes;
	} cases[] = {
	    {intel_hwp, "base", "2600 MHz", "scaling_min_freq=2600000 scaling_max_freq=2600000"},
	    {intel_hwp, "max", "4900 MHz", "scaling_min_freq=4900000"},
	    {intel_hwp, "1000", "1000 MHz", "scaling_min_freq=1000000 scaling_max_freq=1000000"},
	    {intel_hwp, "800", "800 MHz", "scaling_max_freq=800000"},
	    {intel_no_hwp, "base", "2400 MHz", "scaling_min_freq=2400000 scaling_max_freq=2400000"},
	    {acpi, "base", "2400 MHz", "scaling_min_freq=2400000 scaling_max_freq=2400000"},
	    {acpi, "1800", "1800 MHz", "scaling_min_freq=1800000 scaling_max_freq=1800000"},
	    {amd, "base", "3300 MHz", "scaling_min_freq=3300000 scaling_max_freq=3300000"},
	    {two_kinds, "base", "2000-2600 MHz",
	     "scaling_min_freq=2600000 scaling_max_freq=2600000 scaling_min_freq=2000000 "
	     "scaling_max_freq=2000000"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		fake(state);
		cases[i].driver();
		expect_lock(cases[i].value, cases[i].done, cases[i].writes);
		real(state);
	}
}

// Where the present limits are below the wanted frequency, the upper one goes first.
static void test_order(void **state)
{
	(void)state;
	intel_hwp();
	put_in(P0, "scaling_max_freq", "1500000");
	expect_lock("base", "2600 MHz", "scaling_max_freq=2600000 scaling_min_freq=2600000");
}

static void test_refused(void **state)
{
	static const struct {
		void (*driver)(void);
		const char *value, *says;
	} cases[] = {
	    {NULL, "base", "no cpufreq driver"},
	    {intel_hwp, "5000", "goes from 800 to 4900 MHz, not to 5000"},
	    {acpi, "2000", "has only these frequencies, in kHz: 2401000 2400000 1800000 1200000"},
	};
	g_autoptr(GArray) settings = settings_new();
	g_autofree char *done = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		fake(state);
		if (cases[i].driver)
			cases[i].driver();
		assert_true(frequency_lock(cases[i].value, settings, &done) < 0);
		assert_non_null(strstr(err_text(), cases[i].says));
		assert_null(done);
		real(state);
	}
	fake(state);
	policy(P0, "800000", "3000000", "performance", "performance"); // nothing tells its base frequency
	assert_int_equal(frequency_lock("base", settings, &done), -ENOENT);
	assert_non_null(strstr(err_text(), "does not tell its base frequency: give it in MHz (800 to 3000)"));
	assert_int_equal(frequency_turbo_off(settings, &done), -ENOENT);
	assert_int_equal(frequency_governor("schedutil", settings, &done), -EINVAL);
	assert_non_null(strstr(err_text(), "has no governor \"schedutil\", only: performance"));
	assert_int_equal(settings->len, 0);
	real(state);
}

static void test_turbo(void **state)
{
	static const struct {
		void (*driver)(void);
		const char *writes;
	} cases[] = {
	    {intel_hwp, "no_turbo=1"}, {intel_no_hwp, "no_turbo=1"}, {acpi, "boost=0"}, {amd, "boost=0"}};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GArray) settings = settings_new();
		g_autofree char *told = NULL, *list = NULL;

		fake(state);
		cases[i].driver();
		list = written(frequency_turbo_off(settings, &told), settings);
		assert_string_equal(list, cases[i].writes);
		real(state);
	}
}

// --- all at once, and put back

static GString *outcomes;

static void told(void *ctx, const char *key, const char *outcome)
{
	(void)ctx;
	g_string_append_printf(outcomes, "%s=%.12s;", key, outcome);
}

static void quiet_limits(const char *low, const char *high, const char *governor, const char *no_turbo)
{
	expect(P0 "scaling_min_freq", low);
	expect(P0 "scaling_max_freq", high);
	expect(P0 "scaling_governor", governor);
	expect(CPU "/intel_pstate/no_turbo", no_turbo);
}

static const struct pin_options all = {
    .lock_freq = "max", .governor = "performance", .thp = "never", .no_turbo = 1, .drop_caches = 1};

static void tree_of_all(void)
{
	intel_hwp();
	tree_put("/sys/kernel/mm/transparent_hugepage/enabled", "never");
	tree_put("/proc/sys/vm/drop_caches", "");
}

static void test_put_back(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); // the journal is in /run
	outcomes = g_string_new(NULL);
	tree_of_all();
	assert_int_equal(journal_open(NULL), 0);
	assert_int_equal(pin_check(&all), 0);
	quiet_limits("800000", "4900000", "powersave", "0");
	if (pin_set_up(&all, told, NULL))
		fail_msg("%s", err_text());
	assert_string_equal(outcomes->str, "pin.thp=never;pin.governor=performance;pin.frequency=2600 MHz;"
					   "pin.turbo=off;pin.caches=dropped befo;");
	quiet_limits("2600000", "2600000", "performance", "1");
	expect("/proc/sys/vm/drop_caches", "3");
	assert_int_equal(journal_close(), 0);
	quiet_limits("800000", "4900000", "powersave", "0");
	g_string_free(outcomes, TRUE);
}

static void test_killed(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	outcomes = g_string_new(NULL);
	tree_of_all();
	pid = fork();
	if (!pid) {
		if (journal_open(NULL) == 0 && pin_set_up(&all, told, NULL) == 0)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	quiet_limits("2600000", "2600000", "performance", "1");
	assert_int_equal(journal_open(NULL), 0);
	quiet_limits("800000", "4900000", "powersave", "0");
	assert_int_equal(journal_close(), 0);
	g_string_free(outcomes, TRUE);
}

// What is named must be possible; what --quiet-machine wants is done as far as it goes, all of it or nothing
// for each thing.
static void test_quiet(void **state)
{
	const struct pin_options named = {.governor = "performance"}, quiet = {.quiet = 1, .thp = "madvise"};

	(void)state;
	if (geteuid() != 0)
		skip();
	outcomes = g_string_new(NULL);
	two_kinds();
	put_in(P4, "scaling_available_governors", "powersave"); // the second can't
	tree_put("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	tree_put("/proc/sys/vm/drop_caches", "");
	assert_int_equal(pin_check(&named), -EINVAL);
	assert_int_equal(strncmp(err_text(), "--governor: ", strlen("--governor: ")), 0);
	assert_int_equal(journal_open(NULL), 0);
	assert_int_equal(pin_set_up(&quiet, told, NULL), 0);
	assert_non_null(strstr(outcomes->str, "pin.governor=not done: /s;"));
	assert_non_null(strstr(outcomes->str, "pin.frequency=2000-2600 MH;pin.turbo=off;"));
	expect(P0 "scaling_governor", "powersave");
	assert_int_equal(journal_close(), 0);
	g_string_free(outcomes, TRUE);
	assert_true(pin_no_aslr(&quiet) && !pin_no_aslr(&named));
}

static void test_words(void **state)
{
	static const struct pin_options wrong[] = {
	    {.lock_freq = "3GHz"}, {.lock_freq = "0"}, {.lock_freq = ""}, {.thp = "sometimes"}};

	(void)state;
	intel_hwp();
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
		assert_int_equal(pin_check(&wrong[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lock),
	    cmocka_unit_test_setup_teardown(test_order, fake, real),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_turbo),
	    cmocka_unit_test_setup_teardown(test_put_back, fake, real),
	    cmocka_unit_test_setup_teardown(test_killed, fake, real),
	    cmocka_unit_test_setup_teardown(test_quiet, fake, real),
	    cmocka_unit_test_setup_teardown(test_words, fake, real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
