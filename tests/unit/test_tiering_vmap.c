// kmod/tiering's hash of pages against a plain table.
#include "tiering_plain.h"

#include "../../kmod/tiering/vmap.c"

static void keys(void **state)
{
	u64 k = vmap_key(65535, (1ull << 45) - 1);

	(void)state;
	assert_int_equal(vmap_mm(k), 65535);
	assert_true(vmap_vpn(k) == (1ull << 45) - 1);
	assert_true(vmap_key(1, 0) != 0);
}

static void full_and_failing(void **state)
{
	struct vmap v;
	bool fresh;

	(void)state;
	assert_int_equal(vmap_init(&v, 0), -EINVAL);
	assert_int_equal(vmap_init(&v, 1500), 0);
	assert_int_equal(vmap_find(&v, 5), VMAP_NONE);
	assert_null(vmap_at(&v, 0));
	for (int fail = 0; fail < 2; fail++) {
		plain_fail_after = fail;
		v.gave_up = false;
		assert_int_equal(vmap_put(&v, 5, &fresh), VMAP_NONE);
	}
	v.gave_up = false;
	plain_fail_after = -1;
	assert_int_equal(vmap_put(&v, 0, &fresh), VMAP_NONE);
	for (u32 i = 1; i <= 1024; i++)
		assert_int_not_equal(vmap_put(&v, i, &fresh), VMAP_NONE);
	plain_fail_after = 1; // the second allocation of growing
	assert_int_equal(vmap_put(&v, 2000, &fresh), VMAP_NONE);
	plain_fail_after = 1000; // counts down: a failure is remembered, memory is not asked for by each page
	for (u32 i = 2000; i < 2100; i++)
		assert_int_equal(vmap_put(&v, i, &fresh), VMAP_NONE);
	assert_int_not_equal(vmap_put(&v, 700, &fresh), VMAP_NONE);
	assert_int_equal(plain_fail_after, 1000);
	plain_fail_after = -1;
	v.gave_up = false;
	for (u32 i = 1025; i <= 1500; i++)
		assert_int_not_equal(vmap_put(&v, i, &fresh), VMAP_NONE);
	assert_int_equal(vmap_put(&v, 2000, &fresh), VMAP_NONE);
	assert_int_not_equal(vmap_put(&v, 700, &fresh), VMAP_NONE);
	assert_false(fresh);
	vmap_del(&v, vmap_find(&v, 700));
	vmap_del(&v, 1 << 30);
	assert_int_not_equal(vmap_put(&v, 2000, &fresh), VMAP_NONE);
	assert_true(fresh);
	assert_int_equal(vmap_find(&v, 700), VMAP_NONE);
	assert_int_equal(v.n, 1500);
	vmap_free(&v);
}

#define KEYS 5000
static struct {
	bool there;
	u32 id, count;
} model[KEYS];

static void check_all(struct vmap *v)
{
	u32 n = 0, seen = 0;

	for (u32 k = 0; k < KEYS; k++) {
		u32 id = vmap_find(v, vmap_key(1 + k % 7, 0x7f0000000ull + k));

		assert_int_equal(id != VMAP_NONE, model[k].there);
		if (id == VMAP_NONE)
			continue;
		n++;
		assert_int_equal(id, model[k].id); // numbers stay
		assert_int_equal(vmap_at(v, id)->count, model[k].count);
	}
	for (u32 id = 0; id < vmap_ids(v); id++)
		seen += vmap_at(v, id) != NULL;
	assert_int_equal(v->n, n);
	assert_int_equal(seen, n);
}

static void a_million_operations(void **state)
{
	struct vmap v;
	bool fresh;

	(void)state;
	vmap_init(&v, KEYS);
	for (int i = 0; i < 1000000; i++) {
		u32 k = random_below(i < 500000 ? KEYS / 4 : KEYS), id;
		u64 key = vmap_key(1 + k % 7, 0x7f0000000ull + k);

		if (random_below(5) < 3) {
			id = vmap_put(&v, key, &fresh);
			assert_int_not_equal(id, VMAP_NONE);
			assert_int_equal(fresh, !model[k].there);
			if (fresh)
				assert_int_equal(vmap_at(&v, id)->count, 0);
			model[k].there = true;
			model[k].id = id;
			vmap_at(&v, id)->count = model[k].count = (u32)random_u64();
		} else if (model[k].there) {
			vmap_del(&v, model[k].id);
			model[k].there = false;
		}
		if (i % 10000 == 0)
			check_all(&v);
	}
	check_all(&v);
	vmap_free(&v);
	assert_int_equal(vmap_ids(&v), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys),
	    cmocka_unit_test(full_and_failing),
	    cmocka_unit_test(a_million_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
