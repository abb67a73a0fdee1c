// pgcache's advice: the formula by hand, and its edges.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../kmod/pgcache/ratio.c"
#include "report/advise.h"

// Whether the module, given this size, keeps what all processes free, and would not with a KiB for each share
// less.
static void assert_just_enough(const struct advise_inputs *in, const struct advise *a)
{
	unsigned long less = a->size_kib - 23;
	bool short_of = false;

	for (int l = 0; l < ADVISE_LEVELS; l++) {
		unsigned kib = l == ADVISE_PGD ? 8 : 4;

		assert_true((double)pgc_share(a->size_kib, (unsigned)l, in->five_levels, kib) >= a->peak[l]);
		short_of |= (double)pgc_share(less, (unsigned)l, in->five_levels, kib) < a->peak[l];
	}
	assert_true(short_of);
}

// 128 processes of 8 MiB: 1 pgd, 2 puds, 3 pmds, 7 + 4 ptes each; 120 tables in the background are those of
// ten small processes (2 + 3 + 7 = 12).
static void test_formula(void **state)
{
	const struct advise_inputs in = {.processes = 128, .memory_bytes = 8 << 20, .background = 120};
	struct advise a;

	(void)state;
	advise_compute(&in, &a);
	assert_true(a.each[ADVISE_PGD] == 1 && a.each[ADVISE_P4D] == 0 && a.each[ADVISE_PUD] == 2);
	assert_true(a.each[ADVISE_PMD] == 3 && a.each[ADVISE_PTE] == 11);
	assert_int_equal(a.ratio[ADVISE_PGD], 13); // 128 / 10
	assert_int_equal(a.ratio[ADVISE_PUD], 13); // 256 / 20
	assert_int_equal(a.ratio[ADVISE_PMD], 13); // 384 / 30
	assert_int_equal(a.ratio[ADVISE_PTE], 21); // 1408 / 70
	// of 22 shares the pgd has one, for 128 tables of 8 KiB; the others need less of theirs
	assert_int_equal(a.size_kib, 22 * 128 * 8);
	assert_just_enough(&in, &a);
}

static void test_edges(void **state)
{
	struct advise_inputs in = {.processes = 1, .memory_bytes = 3e9, .background = 0, .five_levels = true};
	struct advise a;

	(void)state;
	advise_compute(&in, &a);
	assert_true(a.each[ADVISE_P4D] == 1 && a.each[ADVISE_PMD] == 3 + 2);
	assert_int_equal(a.ratio[ADVISE_PTE], 1000); // at most
	assert_int_equal(a.ratio[ADVISE_PGD], 1);
	assert_just_enough(&in, &a);
	in.background = 1e9;
	advise_compute(&in, &a);
	assert_int_equal(a.ratio[ADVISE_PTE], 1); // at least
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_formula), cmocka_unit_test(test_edges)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
