// What way of page-table pages a stack tells of, with a list of symbols made here.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "probe/ptways.h"

static const char symbols[] = "ffffffff81000000 T startup\n"
			      "ffffffff81000100 T pte_alloc_one\n"
			      "ffffffff81000200 t __do_huge_pmd_anonymous_page.constprop.0\n"
			      "ffffffff81000300 T __handle_mm_fault\n"
			      "ffffffff81000380 t something\n"
			      "ffffffff81000400 D __pmd_alloc\n" // data of a function's name
			      "ffffffff81000500 T an_alias\n"
			      "ffffffff81000500 T ___pmd_free_tlb\n"
			      "ffffffff81000500 t another_alias\n"
			      "ffffffff81000600 T __pte_alloc\n"
			      "ffffffff81000700 T __pte_alloc_kernel\n";

enum { STARTUP, PTE_ALLOC_ONE, HUGE_FAULT, FAULT, DATA, PMD_FREE, PTE_ALLOC, KERNEL };

// Somewhere in that function.
static unsigned long long in(int function)
{
	return 0xffffffff81000000ull + 0x100ull * (unsigned)function + 0x42;
}

static int set_up(void **state)
{
	char *dir = g_dir_make_tmp("mmprof-test-XXXXXX", NULL);
	g_autofree char *proc = g_build_filename(dir, "proc", NULL),
			*file = g_build_filename(proc, "kallsyms", NULL);

	ptways_root = *state = dir;
	return g_mkdir(proc, 0755) || !g_file_set_contents(file, symbols, -1, NULL);
}

static int tear_down(void **state)
{
	g_autofree char *dir = *state, *proc = g_build_filename(dir, "proc", NULL),
			*file = g_build_filename(proc, "kallsyms", NULL);

	return g_unlink(file) || g_rmdir(proc) || g_rmdir(dir);
}

static void expect(const unsigned long long *stack, enum ptlevel level, const char *way)
{
	struct ptway w = ptway_of(stack, 4);

	assert_int_equal(w.level, level);
	assert_string_equal(w.name, way);
}

static void ways(void **state)
{
	const unsigned long long huge_fault[4] = {in(STARTUP), in(PTE_ALLOC_ONE), in(HUGE_FAULT), in(FAULT)},
				 fault[4] = {in(PTE_ALLOC_ONE), in(FAULT)},
				 populate[4] = {in(PTE_ALLOC_ONE), in(PTE_ALLOC), in(FAULT)},
				 free[4] = {in(PMD_FREE), in(STARTUP)},
				 level_only[4] = {in(PTE_ALLOC_ONE), in(STARTUP)},
				 nothing[4] = {in(STARTUP), in(KERNEL), in(DATA)}, none[4] = {},
				 user[4] = {0x1000}, ended[4] = {in(STARTUP), 0, in(PTE_ALLOC)};

	(void)state;
	expect(huge_fault, PTLEVEL_PTE, "huge-page fault (released: fell back or lost the race)");
	expect(fault, PTLEVEL_PTE, "file fault that prepared one");
	expect(populate, PTLEVEL_PTE, "populating (released: lost the race)");
	expect(free, PTLEVEL_PMD, "unmap, by the mmu_gather");
	expect(level_only, PTLEVEL_PTE, "another way");
	expect(nothing, PTLEVEL_UNKNOWN, "another way");
	expect(none, PTLEVEL_UNKNOWN, "another way");
	expect(user, PTLEVEL_UNKNOWN, "another way");
	expect(ended, PTLEVEL_UNKNOWN, "another way");
}

// One number a name, so that the counts of several functions are one way's.
static void numbers(void **state)
{
	const unsigned long long a[4] = {in(PTE_ALLOC_ONE), in(PTE_ALLOC)}, b[4] = {in(HUGE_FAULT)},
				 c[4] = {in(PTE_ALLOC)}, d[4] = {in(STARTUP)};

	(void)state;
	assert_int_equal(ptway_of(a, 4).number, ptway_of(c, 4).number);
	assert_int_not_equal(ptway_of(a, 4).number, ptway_of(b, 4).number);
	assert_int_not_equal(ptway_of(d, 4).number, ptway_of(b, 4).number);
	assert_string_equal(ptlevel_names[PTLEVEL_UNKNOWN], "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ways), cmocka_unit_test(numbers)};

	return cmocka_run_group_tests_name("ptways", tests, set_up, tear_down);
}
