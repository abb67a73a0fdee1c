// The time until a hot set that moved is back in fast memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/recovery.h"

static void comes_back_at_nine_tenths(void **state)
{
	struct recovery r = {};
	double mean = -1;

	(void)state;
	assert_false(recovery_mean(&r, &mean));
	recovery_moved(&r, 0.8);
	recovery_seen(&r, 1, 0.1);
	recovery_seen(&r, 2, 0.719);
	assert_false(recovery_mean(&r, &mean));
	recovery_seen(&r, 3, 0.721);
	recovery_seen(&r, 4, 0.8); // only the first counts
	assert_true(recovery_mean(&r, &mean));
	assert_float_equal(mean, 3, 1e-9);
	recovery_moved(&r, 0.8);
	recovery_seen(&r, 1, 0.8);
	assert_true(recovery_mean(&r, &mean));
	assert_float_equal(mean, 2, 1e-9);
	assert_int_equal(r.moves, 2);
	assert_int_equal(r.recovered, 2);
}

static void one_move_not_followed_leaves_no_mean(void **state)
{
	struct recovery r = {};
	double mean;

	(void)state;
	recovery_moved(&r, 1);
	recovery_seen(&r, 1, 1);
	recovery_moved(&r, 1);
	recovery_seen(&r, 9, 0.5);
	assert_false(recovery_mean(&r, &mean));
	assert_int_equal(r.recovered, 1);
	assert_int_equal(r.moves, 2);
}

// A system that never had the hot set in fast memory has not recovered at once.
static void nothing_to_come_back_to(void **state)
{
	struct recovery r = {};
	double mean;

	(void)state;
	recovery_moved(&r, 0);
	recovery_seen(&r, 0.1, 0);
	assert_false(recovery_mean(&r, &mean));
	assert_int_equal(r.nothing, 1);
	recovery_moved(&r, 0.9);
	recovery_seen(&r, 5, 0.9);
	assert_true(recovery_mean(&r, &mean));
	assert_float_equal(mean, 5, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comes_back_at_nine_tenths),
	    cmocka_unit_test(one_move_not_followed_leaves_no_mean),
	    cmocka_unit_test(nothing_to_come_back_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
