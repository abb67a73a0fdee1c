// SPDX-License-Identifier: GPL-2.0
/* The pages known, where they are, and what became of each sample. */
#include "tiering.h"
#include "trace.h"

DEFINE_MUTEX(tier_book_lock);
struct vmap tier_book;
u8 tier_round;
static u64 pages_in[TIERS];

static u32 max_pages(void)
{
	u64 all = tier_total(TIER_FAST) + tier_total(TIER_SLOW);

	return min_t(u64, tier_params.max_pages ?: all, VMAP_NONE / 4);
}

int tier_book_init(void)
{
	return vmap_init(&tier_book, max_pages());
}

void tier_book_exit(void)
{
	vmap_free(&tier_book);
	memset(pages_in, 0, sizeof(pages_in));
}

/* Between two policies; none is there to be told. */
void tier_book_reset(void)
{
	mutex_lock(&tier_book_lock);
	tier_book_exit();
	tier_book.max = max_pages();
	mutex_unlock(&tier_book_lock);
}

u64 tier_book_pages_in(enum tier_id tier)
{
	return READ_ONCE(pages_in[tier]);
}

u64 tier_book_bytes(void)
{
	return vmap_bytes(&tier_book);
}

/* An entry that the policy does not know. */
static void erase(u32 id)
{
	struct vmap_entry *e = vmap_at(&tier_book, id);

	pages_in[e->tier] -= 1ul << e->order;
	vmap_del(&tier_book, id);
}

static void forget(u32 id)
{
	tier_policy->gone(id, vmap_at(&tier_book, id));
	erase(id);
}

void tier_book_set_tier(struct vmap_entry *e, enum tier_id tier)
{
	pages_in[e->tier] -= 1ul << e->order;
	e->tier = tier;
	pages_in[e->tier] += 1ul << e->order;
}

/* Its entry as it is now; *fresh when the policy must see it as new. */
static u32 enter(u16 mm, const struct tier_page *page, enum tier_id tier, bool *fresh)
{
	u32 id = vmap_put(&tier_book, vmap_key(mm, page->vpn), fresh);
	struct vmap_entry *e;

	if (id == VMAP_NONE)
		return id;
	e = vmap_at(&tier_book, id);
	e->pfn = page->pfn;
	e->seen = tier_round;
	if (!*fresh && e->tier == tier && e->order == page->order)
		return id;
	if (!*fresh) {
		tier_policy->gone(id, e);
		pages_in[e->tier] -= 1ul << e->order;
	}
	*fresh = true;
	e->tier = tier;
	e->order = page->order;
	pages_in[tier] += 1ul << e->order;
	return id;
}

static enum tier_stat enter_sample(u16 mm, const struct tier_page *page, unsigned int weight)
{
	enum tier_id tier = tier_of_node(pfn_to_nid(page->pfn));
	bool fresh;
	u32 id = enter(mm, page, tier, &fresh);

	if (id == VMAP_NONE)
		return SAMPLES_drop_table_full;
	if (tier_policy->seen(id, vmap_at(&tier_book, id), page->young ? weight : 0, fresh)) {
		(fresh ? erase : forget)(id); /* a fresh one was not counted yet */
		tier_book.gave_up = true;
		return SAMPLES_drop_table_full;
	}
	return tier == TIER_FAST ? SAMPLES_kept_fast : SAMPLES_kept_slow;
}

void tier_book_pages(u16 mm, const struct tier_page *page, unsigned int n, unsigned int weight)
{
	enum tier_stat became;
	unsigned int i;

	for (i = 0; i < n; i++) {
		became = page[i].drop;
		if (became == SAMPLES_kept_fast)
			became = enter_sample(mm, &page[i], weight);
		if (!page[i].young)
			continue;
		tier_count(SAMPLES_total, 1);
		tier_count(became, 1);
		trace_sample(mm, page[i].vpn, page[i].order, became);
	}
}

void tier_book_sweep(u8 round)
{
	struct vmap_entry *e;
	u32 id, n = vmap_ids(&tier_book);
	u16 mm, last = 0;
	bool whole = false;

	/* once a round is often enough to fail to get gigabytes */
	if (tier_book.gave_up)
		pr_warn_once(
			"tiering: no memory to know more than %u pages: the others stay where they are\n",
			tier_book.n);
	tier_book.gave_up = false;
	for (id = 0; id < n; id++) {
		e = vmap_at(&tier_book, id);
		if (!e || e->busy || e->seen == round)
			continue;
		mm = vmap_mm(e->key);
		if (mm != last)
			whole = tier_target_complete(mm) == round;
		last = mm;
		if (whole)
			forget(id);
	}
}

void tier_book_forget_mms(const unsigned long *ids)
{
	struct vmap_entry *e;
	u32 id;

	mutex_lock(&tier_book_lock);
	for (id = 0; id < vmap_ids(&tier_book); id++) {
		e = vmap_at(&tier_book, id);
		if (e && test_bit(vmap_mm(e->key), ids))
			forget(id);
	}
	mutex_unlock(&tier_book_lock);
}

void tier_book_forget_all(void)
{
	u32 id;

	mutex_lock(&tier_book_lock);
	for (id = 0; id < vmap_ids(&tier_book); id++) {
		if (vmap_at(&tier_book, id))
			forget(id);
	}
	mutex_unlock(&tier_book_lock);
}
