// The probe catalogue's form, all of it, and how specifications choose from it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "base/err.h"
#include "probe/catalog.h"
#include "probe/probe.h"

static void test_form(void **state)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	const GPtrArray *all = catalog();

	(void)state;
	assert_true(all->len > 100);
	for (guint i = 0; i < all->len; i++) {
		const struct catalog_entry *e = all->pdata[i];

		assert_true(g_hash_table_add(names, (char *)e->name)); // unique
		assert_true(!strcmp(e->kind, "func") || !strcmp(e->kind, "tp") || !strcmp(e->kind, "lock") ||
			    !strcmp(e->kind, "ptpath") || !strcmp(e->kind, "alias"));
		assert_non_null(e->targets[0]);
		assert_true(strlen(e->what) > 10);
		assert_true(*e->kernels);
	}
}

static void test_aliases_lead_somewhere(void **state)
{
	const GPtrArray *all = catalog();

	(void)state;
	for (guint i = 0; i < all->len; i++) {
		const struct catalog_entry *e = all->pdata[i];

		for (char **t = e->targets; !strcmp(e->kind, "alias") && *t; t++)
			assert_non_null(catalog_find(*t));
	}
}

static struct probes *choose(const char *const *add, const char *const *drop)
{
	struct probe_options o = {.backend = "auto", .cgroup_fd = -1};
	struct probes *set = NULL;

	if (probes_new(add, drop, &o, &set))
		fail_msg("%s", err_text());
	return set;
}

static bool has(struct probes *set, const char *name)
{
	for (int i = 0; i < probes_count(set); i++)
		if (!strcmp(probes_get(set, i)->name, name))
			return true;
	return false;
}

// What the project exists for is recorded by default.
static void test_defaults(void **state)
{
	const char *const wanted[] = {"handle_mm_fault", "change_prot_numa",  "___pte_free_tlb",
				      "mmap_lock",       "mmap_read_trylock", "flush_tlb_mm_range",
				      "flush_tlb_multi", "tlb_flush_count",   "lock_vma_under_rcu",
				      "tlb_flush",       "__update_pginfo"};
	struct probes *set = choose(NULL, NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (!has(set, wanted[i]))
			fail_msg("%s is not a default probe", wanted[i]);
	probes_free(set);
}

static void test_choice(void **state)
{
	const char *const alias[] = {"tlb_flush", NULL}, *const group[] = {"migrate", NULL};
	const char *const drop[] = {"tlb", NULL}, *const twice[] = {"handle_mm_fault",
								    "handle_mm_fault@kprobe", NULL};
	struct probes *set = choose(alias, NULL);

	(void)state;
	assert_true(has(set, "flush_tlb_mm_range")); // an alias brings what stands for it
	probes_free(set);
	set = choose(group, NULL);
	assert_true(probes_count(set) > 3);
	probes_free(set);
	set = choose(NULL, drop);
	assert_false(has(set, "tlb_flush_count"));
	assert_true(has(set, "handle_mm_fault"));
	probes_free(set);
	set = choose(twice, NULL);
	assert_int_equal(probes_count(set), 2); // the same function by two backends
	assert_int_not_equal(probes_get(set, 0)->id, probes_get(set, 1)->id);
	probes_free(set);
}

static void test_refusals(void **state)
{
	static const char *const bad[] = {
	    "no_such_probe", "no_such_glob_*",         "tracepoint:x", "tracepoint:../x:y", "",
	    "@kprobe",       "handle_mm_fault@nothing"};
	struct probe_options o = {.backend = "auto", .cgroup_fd = -1};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *const spec[] = {bad[i], NULL};
		struct probes *set = NULL;

		assert_true(probes_new(spec, NULL, &o, &set) < 0);
		assert_null(set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_form),     cmocka_unit_test(test_aliases_lead_somewhere),
	    cmocka_unit_test(test_defaults), cmocka_unit_test(test_choice),
	    cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
