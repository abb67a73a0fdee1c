// Facts of a machine, from a tree made for the test (cpufreq, nodes and tiers that these machines lack), and
// what can be checked on the real one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"

static char *root;

static void put(const char *path, const char *text)
{
	g_autofree char *whole = g_build_filename(root, path, NULL), *dir = g_path_get_dirname(whole);

	g_mkdir_with_parents(dir, 0755);
	assert_true(g_file_set_contents(whole, text, -1, NULL));
}

static int set_up(void **state)
{
	(void)state;
	root = g_dir_make_tmp("mmprof-host-XXXXXX", NULL);
	put("proc/sys/kernel/osrelease", "6.12.117-test\n");
	put("proc/sys/vm/swappiness", "60\n");
	put("proc/sys/vm/lowmem_reserve_ratio", "256\t256\t32\t0\n");
	put("proc/sys/kernel/numa_balancing", "2\n");
	put("proc/cpuinfo",
	    "processor\t: 0\nmodel name\t: Fast \033[31mCPU\nmicrocode\t: 0x2b\nflags\t\t: fpu hypervisor\n\n"
	    "processor\t: 1\nmodel name\t: Fast CPU\n");
	put("proc/meminfo", "MemTotal:        4021240 kB\nSwapTotal:       0 kB\nMemTotalX: 1 kB\n");
	put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	put("sys/kernel/mm/ksm/run", "1\n");
	put("sys/kernel/mm/ksm/pages_shared", "123\n"); // a counter, no knob
	put("sys/kernel/mm/lru_gen/enabled", "0x0007\n");
	put("sys/kernel/mm/numa/demotion_enabled", "true\n");
	put("sys/devices/virtual/memory_tiering/memory_tier4/nodelist", "0\n");
	put("sys/devices/virtual/memory_tiering/memory_tier22/nodelist", "1\n");
	put("sys/devices/system/node/online", "0-1\n");
	put("sys/devices/system/node/node0/distance", "10 20\n");
	put("sys/devices/system/node/node1/distance", "20 10\n");
	put("sys/devices/system/node/node1/access0/initiators/read_latency", "400\n");
	put("sys/devices/system/cpu/cpufreq/policy0/scaling_driver", "intel_pstate\n");
	put("sys/devices/system/cpu/cpufreq/policy1/scaling_driver", "intel_pstate\n");
	put("sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq", "3000000\n");
	put("sys/devices/system/cpu/cpufreq/policy1/scaling_max_freq", "2000000\n");
	return 0;
}

static int tear_down(void **state)
{
	const char *const argv[] = {"rm", "-rf", root, NULL};

	(void)state;
	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
	g_free(root);
	return 0;
}

static void keep(void *ctx, const char *key, const char *value)
{
	assert_null(strpbrk(value, "\n\033\t"));
	g_hash_table_insert(ctx, g_strdup(key), g_strdup(value));
}

static void test_facts(void **state)
{
	static const char *const want[][2] = {
	    {"kernel.release", "6.12.117-test"},
	    {"sysctl.vm.swappiness", "60"},
	    {"sysctl.vm.lowmem_reserve_ratio", "256 256 32 0"},
	    {"sysctl.kernel.numa_balancing", "2"},
	    {"cpu.model", "Fast  [31mCPU"},
	    {"cpu.microcode", "0x2b"},
	    {"machine.hypervisor", "yes"},
	    {"memory.MemTotal", "4021240 kB"},
	    {"mm.transparent_hugepage.enabled", "always [madvise] never"},
	    {"mm.ksm.run", "1"},
	    {"mm.lru_gen.enabled", "0x0007"},
	    {"mm.numa.demotion_enabled", "true"},
	    {"tier.memory_tier22.nodelist", "1"},
	    {"numa.online", "0-1"},
	    {"numa.distance.1", "20 10"},
	    {"numa.hmat.1.read_latency", "400"},
	    {"cpufreq.scaling_driver", "intel_pstate"},
	    {"cpufreq.scaling_max_freq", "policy0=3000000 policy1=2000000"},
	};
	g_autoptr(GHashTable) facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	(void)state;
	host_facts(root, keep, facts);
	for (size_t i = 0; i < G_N_ELEMENTS(want); i++) {
		const char *got = g_hash_table_lookup(facts, want[i][0]);

		if (g_strcmp0(got, want[i][1]))
			fail_msg("%s is \"%s\", not \"%s\"", want[i][0], got ? got : "absent", want[i][1]);
	}
	assert_false(g_hash_table_contains(facts, "mm.ksm.pages_shared"));
	assert_false(g_hash_table_contains(facts, "sysctl.vm.absent"));
}

static void test_real_facts(void **state)
{
	g_autoptr(GHashTable) facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	(void)state;
	host_facts("", keep, facts);
	assert_true(g_hash_table_size(facts) > 50);
	assert_non_null(g_hash_table_lookup(facts, "kernel.cmdline"));
	assert_non_null(g_hash_table_lookup(facts, "sysctl.vm.swappiness"));
}

static void test_small_questions(void **state)
{
	(void)state;
	assert_int_equal(strlen(host_boot_id()), 36);
	assert_in_range(host_tsc_hz(), 500000000, 10000000000);
	assert_true(host_config_source() == NULL || host_config("NO_SUCH_OPTION_AT_ALL") != NULL);
	assert_true(!host_config_source() || !strcmp(host_config("NO_SUCH_OPTION_AT_ALL"), "n"));
}

struct seen {
	int n;
	bool mute; // one that is not "yes" and gives no reason
};

static void see(void *ctx, const char *group, const char *name, enum host_state state, const char *detail,
		const char *remedy)
{
	struct seen *s = ctx;

	(void)remedy;
	assert_non_null(group);
	assert_non_null(name);
	s->n++;
	s->mute |= state != HOST_YES && !(detail && *detail);
}

static void test_checks(void **state)
{
	struct seen s = {};

	(void)state;
	host_check_all(see, &s);
	assert_true(s.n > 50);
	assert_false(s.mute);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_real_facts),
	    cmocka_unit_test(test_small_questions),
	    cmocka_unit_test(test_checks),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
