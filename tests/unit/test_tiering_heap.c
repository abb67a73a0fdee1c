// kmod/tiering's indexable heaps and lists, against plain arrays.
#include "tiering_plain.h"

#include "../../kmod/tiering/heap.c"
#include "../../kmod/tiering/idlist.c"

static void insert_is_update(void **state)
{
	struct heap_index index = {0};
	struct heap h;
	u32 id, priority;

	(void)state;
	assert_int_equal(heap_index_reserve(&index, 10), 0);
	heap_init(&h, &index, true, 0);
	assert_false(heap_top(&h, NULL, NULL));
	assert_int_equal(heap_put(&h, 3, 100), 0);
	assert_int_equal(heap_put(&h, 4, 50), 0);
	assert_int_equal(heap_put(&h, 4, 200), 0); // what broke the design before: the old 50 stayed
	assert_int_equal(h.n, 2);
	assert_int_equal(heap_priority(&h, 4), 200);
	assert_true(heap_top(&h, &id, &priority));
	assert_int_equal(id, 4);
	assert_int_equal(priority, 200);
	assert_int_equal(heap_put(&h, 4, 1), 0);
	heap_top(&h, &id, &priority);
	assert_int_equal(id, 3);
	assert_true(heap_del(&h, 3));
	assert_false(heap_del(&h, 3));
	assert_false(heap_has(&h, 3));
	assert_int_equal(heap_put(&h, 10, 1), -ERANGE);
	assert_false(heap_has(&h, 10));
	heap_free(&h);
	heap_index_free(&index);
}

static void in_one_heap_at_most(void **state)
{
	struct heap_index index = {0};
	struct heap hot, cold;

	(void)state;
	heap_index_reserve(&index, 100);
	heap_init(&hot, &index, true, 0);
	heap_init(&cold, &index, false, 1);
	assert_int_equal(heap_put(&hot, 7, 1), 0);
	assert_int_equal(heap_put(&cold, 7, 1), -EEXIST);
	assert_true(heap_has(&hot, 7));
	assert_false(heap_has(&cold, 7));
	assert_true(heap_del(&hot, 7));
	assert_int_equal(heap_put(&cold, 7, 1), 0);
	assert_int_equal(heap_put(&hot, 7, 1), -EEXIST);
	heap_free(&hot);
	heap_free(&cold);
	heap_index_free(&index);
}

static void without_memory(void **state)
{
	struct heap_index index = {0};
	struct heap h;

	(void)state;
	plain_fail_after = 0;
	assert_int_equal(heap_index_reserve(&index, 10), -ENOMEM);
	plain_fail_after = -1;
	assert_int_equal(heap_index_reserve(&index, 4096), 0);
	heap_init(&h, &index, false, 0);
	plain_fail_after = 0;
	assert_int_equal(heap_put(&h, 1, 1), -ENOMEM);
	assert_int_equal(h.n, 0);
	for (u32 i = 0; i < 1024; i++)
		assert_int_equal(heap_put(&h, i, i), 0);
	plain_fail_after = 0;
	assert_int_equal(heap_put(&h, 2000, 5), -ENOMEM);
	assert_int_equal(heap_put(&h, 1000, 5), 0); // an update needs none
	plain_fail_after = -1;
	assert_int_equal(h.n, 1024);
	assert_true(heap_valid(&h));
	heap_free(&h);
	heap_index_free(&index);
}

#define IDS 700
static int model[2][IDS]; // -1: not a member

static int model_top(int which)
{
	int best = -1;

	for (int i = 0; i < IDS; i++)
		if (model[which][i] >= 0 && (best < 0 || (which ? model[1][i] < best : model[0][i] > best)))
			best = model[which][i];
	return best;
}

static void check_against_model(struct heap *heap)
{
	for (int w = 0; w < 2; w++) {
		u32 priority = 0, n = 0;

		assert_true(heap_valid(&heap[w]));
		for (u32 i = 0; i < IDS; i++) {
			assert_int_equal(heap_has(&heap[w], i), model[w][i] >= 0);
			if (model[w][i] >= 0)
				assert_int_equal(heap_priority(&heap[w], i), model[w][i]);
			n += model[w][i] >= 0;
		}
		assert_int_equal(heap[w].n, n);
		assert_int_equal(heap_top(&heap[w], NULL, &priority) ? (int)priority : -1, model_top(w));
	}
}

static void random_operation(struct heap *heap)
{
	u32 id = random_below(IDS), priority = random_below(5) ? random_below(1000) : random_below(3), top,
	    w = random_below(2);

	switch (random_below(1000)) {
	case 0:
		heap_halve(&heap[w]);
		for (int i = 0; i < IDS; i++)
			if (model[w][i] > 0)
				model[w][i] /= 2;
		break;
	case 1 ... 250:
		assert_int_equal(heap_del(&heap[w], id), model[w][id] >= 0);
		model[w][id] = -1;
		break;
	case 251 ... 400:
		if (heap_top(&heap[w], &top, &priority)) {
			assert_int_equal((int)priority, model[w][top]);
			heap_del(&heap[w], top);
			model[w][top] = -1;
		}
		break;
	default:
		if (model[!w][id] >= 0) {
			assert_int_equal(heap_put(&heap[w], id, priority), -EEXIST);
			break;
		}
		assert_int_equal(heap_put(&heap[w], id, priority), 0);
		model[w][id] = priority;
	}
}

// Both heaps with a shared index, as the module has them.
static void a_million_operations(void **state)
{
	struct heap_index index = {0};
	struct heap heap[2];

	(void)state;
	memset(model, -1, sizeof(model));
	heap_index_reserve(&index, IDS);
	heap_init(&heap[0], &index, true, 0);
	heap_init(&heap[1], &index, false, 1);
	for (int i = 0; i < 1000000; i++) {
		random_operation(heap);
		if (i % 1000 == 0)
			check_against_model(heap);
	}
	check_against_model(heap);
	heap_free(&heap[0]);
	heap_free(&heap[1]);
	heap_index_free(&index);
}

static void comes_out_in_order(void **state)
{
	struct heap_index index = {0};
	struct heap h;
	u32 id, priority, last = UINT32_MAX;

	(void)state;
	heap_index_reserve(&index, 100000);
	heap_init(&h, &index, true, 1);
	for (u32 i = 0; i < 100000; i++)
		heap_put(&h, i, (u32)random_u64());
	for (u32 i = 0; i < 100000; i += 3)
		heap_put(&h, i, (u32)random_u64());
	heap_halve(&h);
	while (heap_top(&h, &id, &priority)) {
		assert_true(priority <= last);
		last = priority;
		heap_del(&h, id);
	}
	heap_free(&h);
	heap_index_free(&index);
}

// --- lists

static void lists_random(void **state)
{
	static int of[IDS];
	struct idlist_set s = {0};
	u32 n[IDLIST_MAX] = {0};

	(void)state;
	memset(of, -1, sizeof(of));
	assert_int_equal(idlist_first(&s, 0), IDLIST_NONE);
	assert_int_equal(idlist_reserve(&s, IDS / 2), 0);
	for (int i = 0; i < 1000000; i++) {
		u32 id = random_below(i < 1000 ? IDS / 2 : IDS), list = random_below(3);

		if (i == 1000)
			assert_int_equal(idlist_reserve(&s, IDS), 0);
		if (random_below(3)) {
			assert_int_equal(idlist_put(&s, list, id), 0);
			n[list]++;
			of[id] >= 0 ? n[of[id]]-- : 0;
			of[id] = (int)list;
		} else {
			idlist_del(&s, id);
			of[id] >= 0 ? n[of[id]]-- : 0;
			of[id] = -1;
		}
		assert_int_equal(idlist_of(&s, id), of[id]);
		assert_memory_equal(n, s.n, sizeof(n));
	}
	for (u32 list = 0; list < 3; list++)
		for (u32 id; (id = idlist_first(&s, list)) != IDLIST_NONE; n[list]--) {
			assert_int_equal(of[id], list);
			idlist_del(&s, id);
		}
	assert_int_equal(n[0] + n[1] + n[2], 0);
	idlist_free(&s);
}

static void lists_are_fifo(void **state)
{
	struct idlist_set s = {0};

	(void)state;
	idlist_reserve(&s, 10);
	for (u32 i = 0; i < 10; i++)
		idlist_put(&s, 2, i);
	idlist_put(&s, 2, 0); // to the end
	for (u32 i = 1; i < 10; i++) {
		assert_int_equal(idlist_first(&s, 2), i);
		idlist_del(&s, i);
	}
	assert_int_equal(idlist_first(&s, 2), 0);
	assert_int_equal(idlist_put(&s, 2, 10), -ERANGE);
	idlist_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(insert_is_update),   cmocka_unit_test(in_one_heap_at_most),
	    cmocka_unit_test(without_memory),     cmocka_unit_test(a_million_operations),
	    cmocka_unit_test(comes_out_in_order), cmocka_unit_test(lists_random),
	    cmocka_unit_test(lists_are_fifo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
