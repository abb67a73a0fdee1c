// kmod/tiering's frequency sketch against exact counts and its stated bounds; MEMTIS' histogram against a
// recount; budgets.
#include "tiering_plain.h"

#include <math.h>

#include "../../kmod/tiering/budget.c"
#include "../../kmod/tiering/hist.c"
#include "../../kmod/tiering/sketch.c"

#define KEYS 20000
static u32 exact[KEYS];

static u64 key_of(u32 i)
{
	return (3ull << 45) | (0x7f1822000ull + i); // neighbouring pages of one process
}

// How many estimates are beyond the bound; none may be below the truth.
static u32 beyond(struct sketch *s)
{
	u64 error = sketch_error(s);
	u32 n = 0;

	for (u32 i = 0; i < KEYS; i++) {
		u32 estimate = sketch_add(s, key_of(i), 0);

		assert_true(estimate >= (exact[i] < SKETCH_MAX ? exact[i] : SKETCH_MAX));
		n += estimate > exact[i] + error;
	}
	return n;
}

static void within_its_bound(u32 width, bool skewed, u32 halvings)
{
	struct sketch s;

	memset(exact, 0, sizeof(exact));
	assert_int_equal(sketch_init(&s, width), 0);
	for (u32 i = 0; i < 1000000; i++) {
		u32 k = skewed && random_below(10) ? random_below(KEYS / 100) : random_below(KEYS),
		    n = 1 + random_below(2);

		exact[k] += n;
		assert_true(sketch_add(&s, key_of(k), n) >= (exact[k] < SKETCH_MAX ? exact[k] : SKETCH_MAX));
		if (halvings && i % (1000000 / halvings) == 0) {
			sketch_halve(&s);
			for (u32 j = 0; j < KEYS; j++)
				exact[j] /= 2;
		}
	}
	assert_true(beyond(&s) <= KEYS * exp(-SKETCH_ROWS));
	sketch_free(&s);
}

static void bounds(void **state)
{
	(void)state;
	for (u32 width = 64; width <= 65536; width *= 4) {
		within_its_bound(width, false, 0);
		within_its_bound(width, true, 0);
		within_its_bound(width, true, 10);
	}
}

static void wide_is_exact(void **state)
{
	struct sketch s;
	u32 wrong = 0;

	(void)state;
	sketch_init(&s, 1 << 20);
	for (u32 i = 0; i < KEYS; i++)
		sketch_add(&s, key_of(i), i % 100);
	for (u32 i = 0; i < KEYS; i++)
		wrong += sketch_add(&s, key_of(i), 0) != i % 100;
	assert_true(wrong < 5);
	assert_int_equal(sketch_bytes(&s), 8 << 20);
	sketch_free(&s);
}

static void stops_at_the_top(void **state)
{
	struct sketch s;

	(void)state;
	sketch_init(&s, 16);
	assert_int_equal(sketch_add(&s, 1, UINT32_MAX), SKETCH_MAX);
	assert_int_equal(sketch_add(&s, 1, 1), SKETCH_MAX);
	sketch_halve(&s);
	assert_int_equal(sketch_add(&s, 1, 0), SKETCH_MAX / 2);
	sketch_free(&s);
	plain_fail_after = 0;
	assert_int_equal(sketch_init(&s, 16), -ENOMEM);
	plain_fail_after = -1;
	sketch_free(&s);
}

// --- the histogram

static void bins(void **state)
{
	(void)state;
	for (u32 c = 0; c <= AHIST_COUNT_MAX; c++) {
		unsigned int wanted = (unsigned int)floor(log2(c + 1.0)), bin = ahist_bin(c);

		assert_int_equal(bin, wanted < 15 ? wanted : 15);
		assert_int_equal(ahist_bin(ahist_cooled(c, 1)), bin ? bin - 1 : 0);
		assert_int_equal(ahist_cooled(ahist_cooled(c, 1), 1), ahist_cooled(c, 2));
		assert_int_equal(ahist_cooled(c, 40), 0);
	}
	assert_int_equal(ahist_more(AHIST_COUNT_MAX - 1, 5), AHIST_COUNT_MAX);
	assert_int_equal(ahist_bin(UINT32_MAX), 15);
}

// Pages that are cooled only when they are looked at, against a recount of all.
static void agrees_with_a_recount(void **state)
{
	static u32 count[2000];
	static u16 clock[2000];
	struct ahist h = {0};

	(void)state;
	memset(count, 0, sizeof(count));
	h.pages[0] = 2000;
	for (int i = 0; i < 1000000; i++) {
		u32 p = random_below(random_below(4) ? 50 : 2000);
		u32 now = ahist_cooled(count[p], h.clock - clock[p]);

		ahist_del(&h, ahist_bin(now), 1);
		count[p] = ahist_more(now, 1 + random_below(600));
		clock[p] = h.clock;
		ahist_add(&h, ahist_bin(count[p]), 1);
		if (i % 5000 == 0)
			ahist_cool(&h);
		if (i % 10000 == 0) {
			u64 pages[AHIST_BINS] = {0};

			for (u32 j = 0; j < 2000; j++)
				pages[ahist_bin(ahist_cooled(count[j], h.clock - clock[j]))]++;
			assert_memory_equal(pages, h.pages, sizeof(pages));
			assert_int_equal(ahist_above(&h, 0), 2000);
		}
	}
}

static void thresholds(void **state)
{
	struct ahist h = {.pages = {1000, 100, 50, 20, [10] = 5, [15] = 1}};

	(void)state;
	assert_int_equal(ahist_threshold(&h, 0, 1), 16);
	assert_int_equal(ahist_threshold(&h, 1, 1), 11);
	assert_int_equal(ahist_threshold(&h, 6, 1), 4);
	assert_int_equal(ahist_threshold(&h, 25, 1), 4);
	assert_int_equal(ahist_threshold(&h, 26, 1), 3);
	assert_int_equal(ahist_threshold(&h, 100000, 1), 1);
	assert_int_equal(ahist_threshold(&h, 100000, 0), 0);
	assert_int_equal(ahist_above(&h, 3), 26);
}

// --- budgets

static u64 spend_for(u64 per_second, u64 piece, u64 seconds)
{
	struct budget b;
	u64 now = 12345, end = now + seconds * NS_PER_S, spent = 0, wait;

	budget_set(&b, per_second, per_second / 10, now);
	while (now < end) {
		wait = budget_wait(&b, now);
		now += wait;
		assert_true(wait <= NS_PER_S + 1);
		if (wait)
			continue;
		now += 1000;
		budget_spend(&b, piece, now);
		spent += piece;
	}
	return spent;
}

static void budgets_are_kept(void **state)
{
	static const u64 rates[] = {1000, 30000000, 999999999, 1ull << 33, ~0ull};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		u64 rate = rates[i] < BUDGET_MAX ? rates[i] : BUDGET_MAX;
		u64 piece = rate / 500 + 1, spent = spend_for(rates[i], piece, 20);

		assert_true(spent <= 20 * rate + rate / 10 + 2 * piece);
		assert_true(spent >= 19 * rate);
	}
}

static void a_large_debt_is_paid(void **state)
{
	struct budget b;
	u64 now = 0, wait;

	(void)state;
	budget_set(&b, 1000, 10, now);
	budget_spend(&b, 5000, now);
	while ((wait = budget_wait(&b, now)))
		now += wait;
	assert_true(now >= 5 * NS_PER_S - 100 && now <= 5 * NS_PER_S + 10000000);
	budget_set(&b, 0, 0, now);
	budget_spend(&b, 1ull << 60, now);
	assert_int_equal(budget_wait(&b, now), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bounds),           cmocka_unit_test(wide_is_exact),
	    cmocka_unit_test(stops_at_the_top), cmocka_unit_test(bins),
	    cmocka_unit_test(thresholds),       cmocka_unit_test(agrees_with_a_recount),
	    cmocka_unit_test(budgets_are_kept), cmocka_unit_test(a_large_debt_is_paid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
