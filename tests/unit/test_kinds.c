// Two systems with one name: which of them a machine has, that it is set up and put back, and that runs of
// the one are never compared as runs of the other.
#include "tree.h"

#include <errno.h>

#include "base/err.h"
#include "base/journal.h"
#include "metric/bound.h"
#include "metric/selection.h"
#include "store/store.h"
#include "store/store_read.h"
#include "system/memtis.h"
#include "system/settings.h"
#include "system/spec.h"
#include "system/system.h"

// --- a machine's files

static void assert_file(const char *path, const char *text)
{
	g_autofree char *file = in_tree(path), *now = NULL;

	assert_true(g_file_get_contents(file, &now, NULL, NULL));
	assert_string_equal(g_strstrip(now), text);
}

static int make_tree(void **state)
{
	(void)state;
	tree_make();
	settings_root = tree;
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	settings_root = "";
	tree_remove();
	return 0;
}

static void put_knobs(void)
{
	static const char *const names[] = {
	    "htmm_sample_period", "htmm_inst_sample_period",    "htmm_thres_hot",
	    "htmm_split_period",  "htmm_adaptation_period",     "htmm_cooling_period",
	    "htmm_mode",          "htmm_demotion_period_in_ms", "htmm_promotion_period_in_ms",
	    "htmm_gamma",         "ksampled_soft_cpu_quota",    "htmm_thres_split",
	    "htmm_nowarm"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strconcat("/sys/kernel/mm/htmm/", names[i], NULL);

		tree_put(path, "7\n");
	}
	tree_put("/proc/sys/kernel/numa_balancing", "1\n");
	tree_put("/sys/kernel/mm/transparent_hugepage/enabled", "madvise\n");
	tree_put("/sys/kernel/mm/transparent_hugepage/defrag", "madvise\n");
}

static void the_machine_decides(void **state)
{
	(void)state;
	assert_string_equal(system_find("memtis")->kind, "policy re-implementation");
	assert_string_equal(system_find("nomad")->kind, "policy re-implementation");
	assert_string_equal(system_find("memtis")->module, "tiering");
	put_knobs();
	assert_string_equal(system_find("memtis")->kind, "authors' kernel");
	assert_null(system_find("memtis")->module);
	assert_string_equal(system_of_text("memtis,sample_period=99")->kind, "authors' kernel");
	assert_string_equal(system_find("nomad")->kind, "policy re-implementation");
	tree_put("/proc/sys/vm/demote_scale_factor", "200\n");
	assert_string_equal(system_find("nomad")->kind, "authors' kernel");
	assert_string_equal(system_find("nomad")->module, "async_promote");
	assert_null(system_find("ours")->kind);
}

static void knobs_are_set_and_put_back(void **state)
{
	struct system_spec *spec;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(system_spec_parse("memtis,sample_period=99", &spec), 0);
	if (system_spec_check(spec))
		fail_msg("%s", err_text());
	assert_int_equal(journal_open(NULL), 0);
	if (system_spec_set_up(spec))
		fail_msg("%s", err_text());
	assert_file("/sys/kernel/mm/htmm/htmm_sample_period", "99");
	assert_file("/sys/kernel/mm/htmm/htmm_cooling_period", "2000000");
	assert_file("/proc/sys/kernel/numa_balancing", "0");
	assert_file("/sys/kernel/mm/transparent_hugepage/enabled", "always");
	assert_int_equal(journal_close(), 0);
	assert_file("/sys/kernel/mm/htmm/htmm_sample_period", "7");
	assert_file("/sys/kernel/mm/htmm/htmm_cooling_period", "7");
	assert_file("/proc/sys/kernel/numa_balancing", "1");
	assert_file("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	system_spec_free(spec);
}

// A parameter of our module is nothing that their kernel takes.
static void keys_are_its_own(void **state)
{
	struct system_spec *spec;

	(void)state;
	assert_int_equal(system_spec_parse("memtis,scan_ms=300", &spec), -EINVAL);
	system_spec_free(spec);
}

static void the_cgroup_is_told(void **state)
{
	g_autofree char *cgroup = in_tree("/cgroup");

	(void)state;
	assert_int_equal(memtis_enable(cgroup), -ENOENT);
	tree_put("/cgroup/memory.htmm_enabled", "");
	assert_int_equal(memtis_enable(cgroup), 0);
	assert_file("/cgroup/memory.htmm_enabled", "enabled");
}

// A workload that the module would not find is not run as one that it managed.
static void the_module_finds_the_workload(void **state)
{
	g_autofree char *ns = in_tree("/proc/self/ns/cgroup");
	const struct system *ours = system_find("ours");

	(void)state;
	tree_put("/proc/self/ns/x", "");
	assert_int_equal(symlink("cgroup:[4026531835]", ns), 0);
	assert_int_equal(ours->begin(1, "/sys/fs/cgroup/mmprof-1-1"), 0);
	assert_int_equal(ours->begin(1, NULL), -ENOENT);
	assert_non_null(strstr(err_text(), "has none of its own"));
	assert_int_equal(unlink(ns), 0);
	assert_int_equal(symlink("cgroup:[4026532000]", ns), 0);
	assert_int_equal(ours->begin(1, "/sys/fs/cgroup/mmprof-1-1"), -ENOENT);
	assert_non_null(strstr(err_text(), "cgroup namespace"));
}

static int check_text(const char *text)
{
	struct system_spec *spec;
	int rc = system_spec_parse(text, &spec);

	if (!rc)
		rc = spec->system->check(spec);
	system_spec_free(spec);
	return rc;
}

static void given_nodes_need_no_tiers(void **state)
{
	(void)state;
	tree_put("/sys/devices/system/node/has_memory", "0-1\n");
	tree_put("/sys/devices/virtual/memory_tiering/memory_tier4/nodelist", "0-1\n");
	assert_int_equal(check_text("ours"), -ENOENT);
	assert_non_null(strstr(err_text(), "1 memory tier,"));
	assert_int_equal(check_text("ours,fast_node=0"), 0);
	assert_int_equal(check_text("ours,slow_nodes=1"), 0);
	tree_put("/sys/devices/system/node/has_memory", "0\n");
	assert_int_equal(check_text("ours,fast_node=0"), -ENOENT);
	assert_non_null(strstr(err_text(), "one NUMA node"));
}

// --- runs

static struct store *db;

static void add_run(const char *system, const char *kind)
{
	static const char *const argv[] = {"x", NULL}, *const keys[] = {"system.kind"};
	static int64_t now = 1000;
	const struct store_run info = {.name = "w",
				       .system = system,
				       .argv = argv,
				       .boot_id = "b",
				       .version = "t",
				       .iteration = 1,
				       .started_unix_ns = now++,
				       .interval_ms = 100};
	const struct store_result result = {.status = "done",
					    .signal = -1,
					    .elapsed_ns = 1000000000,
					    .bpf_ns = -1,
					    .bpf_ns_source = "nobody asked"};
	int64_t run;

	assert_int_equal(store_run_begin(db, &info, &run), 0);
	assert_int_equal(store_run_facts(db, run, keys, &kind, kind ? 1 : 0), 0);
	assert_int_equal(store_run_end(db, run, &result), 0);
}

static int make_runs(void **state)
{
	g_autofree char *path = NULL;

	make_tree(state);
	path = in_tree("/t.db");
	if (store_open(path, STORE_WRITE, &db))
		return -1;
	add_run("none", NULL);
	for (int i = 0; i < 2; i++) {
		add_run("memtis", "policy re-implementation");
		add_run("memtis", "authors' kernel");
	}
	add_run("ours", NULL);
	return 0;
}

static int close_runs(void **state)
{
	store_close(db);
	return remove_tree(state);
}

static struct selection *select_of(const char *one, const char *two, const char *baseline)
{
	const char *const systems[] = {one, two, NULL};
	const struct selection_options o = {.systems = systems, .baseline = baseline};
	struct selection *s = NULL;

	return selection_make(db, &o, &s) ? NULL : s;
}

static void kinds_are_two_systems(void **state)
{
	struct selection *s = select_of("none", "memtis", NULL);

	(void)state;
	assert_int_equal(s->systems->len, 3);
	assert_string_equal(s->systems->pdata[0], "none");
	assert_string_equal(s->systems->pdata[1], "memtis (policy re-implementation)");
	assert_string_equal(s->systems->pdata[2], "memtis (authors' kernel)");
	assert_int_equal(s->runs->len, 5);
	for (guint i = 0; i < s->runs->len; i++) {
		const char *kind = g_array_index(s->runs, struct store_run_row, i).system_kind;
		guint system = g_array_index(s->places, struct selection_place, i).system;

		assert_int_equal(system, !kind ? 0 : *kind == 'p' ? 1 : 2);
	}
	selection_free(s);
}

static void one_kind_can_be_named(void **state)
{
	struct selection *s = select_of("memtis (authors' kernel)", "ours", "ours");

	(void)state;
	assert_int_equal(s->systems->len, 2);
	assert_string_equal(s->systems->pdata[0], "ours");
	assert_string_equal(s->systems->pdata[1], "memtis (authors' kernel)");
	assert_int_equal(s->runs->len, 3);
	selection_free(s);
}

static void a_baseline_is_one_system(void **state)
{
	(void)state;
	assert_null(select_of("memtis", "ours", "memtis"));
	assert_non_null(strstr(err_text(), "is two systems"));
}

static void so_is_a_bound(void **state)
{
	struct selection_options o = {};
	enum bound_state found;
	struct bound b;
	char *why = NULL;

	(void)state;
	assert_int_equal(bound_parse("elapsed:memtis>2s", &b), 0);
	assert_int_equal(bound_check(db, &b, &o, &found, &why), -EINVAL);
	assert_non_null(strstr(err_text(), "several kinds"));
	bound_clear(&b);
	g_free(why);
}

int main(void)
{
	const struct CMUnitTest kinds[] = {
	    cmocka_unit_test(the_machine_decides),
	    cmocka_unit_test(knobs_are_set_and_put_back),
	    cmocka_unit_test(keys_are_its_own),
	    cmocka_unit_test(the_cgroup_is_told),
	    cmocka_unit_test(the_module_finds_the_workload),
	    cmocka_unit_test(given_nodes_need_no_tiers),
	    cmocka_unit_test(kinds_are_two_systems),
	    cmocka_unit_test(one_kind_can_be_named),
	    cmocka_unit_test(a_baseline_is_one_system),
	    cmocka_unit_test(so_is_a_bound),
	};

	return cmocka_run_group_tests(kinds, make_runs, close_runs);
}
