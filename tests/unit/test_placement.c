// lib/host/placement on a tree of files of our own: four cores with two threads each, CPUs 2 and 6 isolated.
#include "tree.h"

#include "host/placement.h"

static GHashTable *facts;

// `ticks` of each CPU, all idle but for `busy` of one.
static void put_stat(int ticks, int busy_cpu, int busy)
{
	g_autoptr(GString) text = g_string_new("cpu  1 2 3 4 5 6 7 8 9 10\n");

	for (int cpu = 0; cpu < 8; cpu++) {
		int work = cpu == busy_cpu ? busy : 0;

		g_string_append_printf(text, "cpu%d %d 0 %d %d 0 0 0 0 0 0\n", cpu, work / 2, work - work / 2,
				       ticks - work);
	}
	g_string_append(text, "intr 1 2 3\nctxt 5\n");
	tree_put("/proc/stat", text->str);
}

static int set_up(void **state)
{
	(void)state;
	tree_make();
	facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	tree_put("/sys/devices/system/cpu/online", "0-7\n");
	tree_put("/sys/devices/system/cpu/isolated", "2,6\n");
	tree_put("/sys/devices/system/cpu/nohz_full", "2\n");
	for (int cpu = 0; cpu < 8; cpu++) {
		g_autofree char *path =
		    g_strdup_printf("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
		g_autofree char *text = g_strdup_printf("%d,%d\n", cpu % 4, cpu % 4 + 4);

		tree_put(path, text);
	}
	put_stat(1000, -1, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tree_remove();
	g_clear_pointer(&facts, g_hash_table_unref);
	return 0;
}

static void keep(void *ctx, const char *key, const char *value)
{
	(void)ctx;
	g_hash_table_replace(facts, g_strdup(key), g_strdup(value));
}

static const char *fact(const char *cpus, const char *key)
{
	cpu_set_t set;

	assert_true(placement_parse(cpus, &set));
	placement_facts(tree, &set, keep, NULL);
	return g_hash_table_lookup(facts, key);
}

static void lists(void **state)
{
	static const char *const good[] = {"0", "0-3,8", "1,3,5-7", "0-1023", ""};
	static const char *const bad[] = {"a", "1-", "-1", "3-1", "1,,2", "1024", "1 2", "(null)"};
	cpu_set_t set;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *back = NULL;

		assert_true(placement_parse(good[i], &set));
		back = placement_list(&set);
		assert_string_equal(back, good[i]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(placement_parse(bad[i], &set));
}

static void chosen_or_all(void **state)
{
	cpu_set_t set;

	(void)state;
	placement_parse("0-7", &set);
	assert_false(placement_chosen(tree, &set));
	placement_parse("0-63", &set); // what a mask has beyond the CPUs there are
	assert_false(placement_chosen(tree, &set));
	placement_parse("0-6", &set);
	assert_true(placement_chosen(tree, &set));
}

static void isolated_or_not(void **state)
{
	(void)state;
	assert_string_equal(fact("2", "pin.cpus"), "2");
	assert_string_equal(fact("2", "pin.cpus_isolated"), "yes");
	assert_string_equal(fact("2", "pin.cpus_tickless"), "yes");
	assert_string_equal(fact("2,6", "pin.cpus_isolated"), "yes");
	assert_string_equal(fact("2,6", "pin.cpus_tickless"), "2 only");
	assert_string_equal(fact("1-3", "pin.cpus_isolated"), "2 only");
	assert_string_equal(fact("0", "pin.cpus_isolated"), "no");
	tree_put("/sys/devices/system/cpu/isolated", "\n");
	tree_put("/sys/devices/system/cpu/nohz_full", "(null)\n");
	assert_string_equal(fact("2", "pin.cpus_isolated"), "no");
	assert_string_equal(fact("2", "pin.cpus_tickless"), "no");
}

static void who_shares_a_core(void **state)
{
	g_autofree char *two = NULL, *none = NULL;
	cpu_set_t set;

	(void)state;
	assert_string_equal(fact("1", "pin.cpus_cores"), "CPU 1's is shared with CPU 5, which is online");
	assert_string_equal(fact("1,5", "pin.cpus_cores"), "CPUs 1,5 are SMT siblings: they share a core");
	assert_string_equal(fact("1,3,5", "pin.cpus_cores"), "CPUs 1,5 are SMT siblings: they share a core; "
							     "CPU 3's is shared with CPU 7, which is online");
	tree_put("/sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1\n"); // 5 went offline
	assert_string_equal(fact("1", "pin.cpus_cores"), "to themselves");
	placement_parse("0,4,2", &set);
	two = placement_shared(tree, &set);
	assert_string_equal(two, "CPUs 0,4 are SMT siblings: they share a core");
	placement_parse("0,2", &set);
	none = placement_shared(tree, &set);
	assert_null(none);
}

static char *disturbed(const char *cpus, int busy_cpu, int busy)
{
	struct placement_times *begin;
	cpu_set_t set;
	char *text;

	placement_parse(cpus, &set);
	put_stat(1000, -1, 0);
	begin = placement_begin(tree);
	put_stat(2000, busy_cpu, busy);
	text = placement_disturbed(tree, begin, &set);
	placement_free(begin);
	return text;
}

static void siblings_that_work(void **state)
{
	g_autofree char *idle = disturbed("1", 5, 10), *busy = disturbed("1", 5, 120),
			*other = disturbed("1", 2, 500), *own = disturbed("1,5", 5, 500);

	(void)state;
	assert_null(idle); // 1 %
	assert_string_equal(busy, "CPU 5, the SMT sibling of CPU 1, was busy for 12 % of the time");
	assert_null(other);
	assert_null(own);
}

static void where_nothing_is_told(void **state)
{
	cpu_set_t set;

	(void)state;
	tear_down(NULL);
	tree_make();
	facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	placement_parse("1", &set);
	assert_false(placement_chosen(tree, &set));
	assert_string_equal(fact("1", "pin.cpus_isolated"), "no");
	assert_string_equal(fact("1", "pin.cpus_cores"), "to themselves");
	assert_null(disturbed("1", 5, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(lists, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(chosen_or_all, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(isolated_or_not, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(who_shares_a_core, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(siblings_that_work, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(where_nothing_is_told, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("placement", tests, NULL, NULL);
}
