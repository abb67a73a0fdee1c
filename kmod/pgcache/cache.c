// SPDX-License-Identifier: GPL-2.0
/*
 * The cache of one level: a ring for each processor, and behind them a pool for each node, so that
 * tables freed on one processor serve another. A full ring spills its older half into the pool; an
 * empty one refills from it.
 *
 * pgc_take and pgc_park run in hooks: preemption is off, interrupts are on (page tables are neither
 * allocated nor freed in interrupts). Locks nest ring -> pool.
 */
#include "kcompat.h"
#include "pgcache.h"
#include "ratio.h"
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#define RING_SLOTS 32
#define BATCH 32
#define TICK_MS 250
#define SETTLE_AT_ONCE 512

struct pgc_level pgc_levels[PGC_LEVELS] = {
	[PGC_PGD] = {.name = "pgd", .order = PGD_ALLOCATION_ORDER, .ratio = 4, .low = 2},
	[PGC_P4D] = {.name = "p4d", .ratio = 4, .low = 2},
	[PGC_PUD] = {.name = "pud", .ratio = 4, .low = 2},
	[PGC_PMD] = {.name = "pmd", .ratio = 4, .low = 2},
	[PGC_PTE] = {.name = "pte", .ratio = 4, .low = 2},
};

bool pgc_enabled;
bool pgc_verify;
unsigned long pgc_size_kib;
unsigned int pgc_age_ms = 10000;

static DEFINE_MUTEX(resize_lock);
static unsigned long next_age;
static void tick(struct work_struct *work);
static DECLARE_DELAYED_WORK(tick_work, tick);
static bool tick_hurried; /* once is enough until it has run */

/* Those in pools: the hooks don't look at all processors' rings, which hold half of max at most. */
static unsigned long pooled(struct pgc_level *l)
{
	unsigned long n = 0;
	int node;

	for_each_online_node(node)
		n += READ_ONCE(l->pool[node].count);
	return n;
}

unsigned long pgc_free_tables(struct pgc_level *l)
{
	unsigned long n = 0;
	int i;

	for_each_possible_cpu(i)
		n += READ_ONCE(per_cpu_ptr(l->ring, i)->count);
	for (i = 0; i < nr_node_ids; i++)
		n += READ_ONCE(l->pool[i].count);
	return n;
}

u64 pgc_stat(struct pgc_level *l, enum pgc_stat what)
{
	u64 n = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu_ptr(l->stats, cpu)->n[what]);
	return n;
}

/* --- taking */

static unsigned long refill(struct pgc_level *l, struct pgc_ring *ring)
{
	struct pgc_ring *pool = &l->pool[numa_mem_id()];
	unsigned long entry;
	unsigned int moved;

	if (!READ_ONCE(pool->count))
		return 0;
	raw_spin_lock(&pool->lock);
	moved = pgc_ring_move(pool, ring, max(ring->limit / 2, 1U));
	entry = pgc_ring_take(moved ? ring : pool);
	raw_spin_unlock(&pool->lock);
	pgc_count(l, PGC_refill, moved + (entry && !moved));
	return entry;
}

/*
 * A part of what the next processors of this node hold; two are asked, so that a miss stays cheap.
 * Our ring is locked, so theirs is only tried.
 */
static unsigned long steal(struct pgc_level *l, struct pgc_ring *ring)
{
	const struct cpumask *mask = cpumask_of_node(numa_mem_id());
	int cpu = smp_processor_id(), i;
	unsigned long entry = 0;
	struct pgc_ring *other;
	unsigned int moved;

	for (i = 0; i < 2 && !entry; i++) {
		cpu = cpumask_next_wrap(cpu, mask, smp_processor_id(), true);
		if (cpu >= nr_cpu_ids)
			break;
		other = per_cpu_ptr(l->ring, cpu);
		if (!READ_ONCE(other->count) || !raw_spin_trylock(&other->lock))
			continue;
		moved = pgc_ring_move(other, ring, (other->count + 1) / 2);
		raw_spin_unlock(&other->lock);
		pgc_count(l, PGC_steal, moved);
		entry = pgc_ring_take(ring);
	}
	return entry;
}

/*
 * A table's part that must be zero: the user half of a pgd (both of its pages), all of the others.
 */
static bool is_zero(struct pgc_level *l, struct page *page)
{
	char *table = page_address(page);

	if (!l->order)
		return !memchr_inv(table, 0, PAGE_SIZE);
	return !memchr_inv(table, 0, PAGE_SIZE / 2) &&
	       !memchr_inv(table + PAGE_SIZE, 0, PAGE_SIZE / 2);
}

/*
 * The last reference should be the cache's, but the page has been made a table by somebody else. It
 * must not be freed then. (Seen where tables are marked as such: pte and pmd, and pud since 6.9.)
 */
static bool is_anothers(struct page *page)
{
	return pgc_ready(page) && unlikely(PageTable(page)); /* in this order: see pgc_ready */
}

static void release(struct pgc_level *l, struct page *page)
{
	if (l->order)
		__free_pages(page, l->order);
	else if (is_anothers(page))
		pr_err_ratelimited("pgcache: a cached %s table is in use: left alone\n", l->name);
	else
		put_page(page);
}

/* A reference that has come since the page was found ready is one that looks at it and goes. */
static bool verified(struct pgc_level *l, struct page *page)
{
	bool anothers = !l->order && PageTable(page);

	if (!anothers && !PageHWPoison(page) && is_zero(l, page))
		return true;
	pr_err_ratelimited("pgcache: a cached %s table is not clean (pfn %lx%s): thrown away\n",
			   l->name, page_to_pfn(page), anothers ? ", in use" : "");
	pgc_count(l, PGC_dirty, 1);
	if (!anothers)
		release(l, page);
	return false;
}

/* The table stays ours. */
static void put_back(struct pgc_level *l, unsigned long entry)
{
	struct pgc_ring *ring = this_cpu_ptr(l->ring);
	bool kept;

	raw_spin_lock(&ring->lock);
	kept = pgc_ring_push(ring, entry);
	raw_spin_unlock(&ring->lock);
	if (kept)
		return;
	pgc_count(l, PGC_recycle, 1);
	release(l, pgc_entry_page(entry));
}

/* What an allocation would have set, and constructors rely on. */
static void make_fresh(struct page *page)
{
	set_page_private(page, 0);
	page->mapping = NULL;
	page->index = 0;
}

/* numactl, cpusets: what is cached here is this node's. */
static bool wants_other_node(void)
{
#ifdef CONFIG_NUMA
	if (current->mempolicy)
		return true;
#endif
#ifdef CONFIG_CPUSETS
	return !node_isset(numa_mem_id(), current->mems_allowed);
#else
	return false;
#endif
}

struct page *pgc_take(struct pgc_level *l)
{
	struct pgc_ring *ring = this_cpu_ptr(l->ring);
	unsigned long entry;
	struct page *page;
	bool empty;

	if (unlikely(wants_other_node())) {
		pgc_count(l, PGC_miss_policy, 1);
		return NULL;
	}
	raw_spin_lock(&ring->lock);
	entry = pgc_ring_take(ring);
	if (!entry)
		entry = refill(l, ring);
	if (!entry && !ring->count)
		entry = steal(l, ring);
	empty = !ring->count;
	raw_spin_unlock(&ring->lock);
	if (!entry) {
		pgc_count(l, empty ? PGC_miss_empty : PGC_miss_busy, 1);
		return NULL;
	}
	page = pgc_entry_page(entry);
	if (unlikely(READ_ONCE(pgc_verify) || PageHWPoison(page)) && !verified(l, page))
		return NULL;
	if (pgc_charge(l, page)) {
		pgc_count(l, PGC_miss_charge, 1);
		put_back(l, entry);
		return NULL;
	}
	make_fresh(page);
	pgc_count(l, PGC_hit, 1);
	if ((entry ^ smp_processor_id()) & PGC_TAG_MASK)
		pgc_count(l, PGC_hit_cross, 1);
	return page;
}

/* --- parking */

/*
 * Takes tables that are ready, oldest first, off the bill of the cgroup that freed them: it must
 * not run into its limit because of what it doesn't use. With ring->lock held.
 */
static unsigned int settle(struct pgc_level *l, struct pgc_ring *ring, unsigned int n)
{
	unsigned int done = 0;
	struct page *page;

	while (done < n && ring->settled < ring->count) {
		page = pgc_entry_page(*pgc_ring_at(ring, ring->settled));
		if (!pgc_ready(page))
			break;
		pgc_uncharge(l, page);
		ring->settled++;
		done++;
	}
	return done;
}

static unsigned int settle_locked(struct pgc_level *l, struct pgc_ring *ring, unsigned int n)
{
	if (READ_ONCE(ring->settled) == READ_ONCE(ring->count))
		return 0;
	raw_spin_lock(&ring->lock);
	n = settle(l, ring, n);
	raw_spin_unlock(&ring->lock);
	return n;
}

/*
 * A cgroup that is out of room reclaims its own, where the shrinker is not asked; what it is still
 * charged for here would count as in use. The kernel comes again while that makes room, so that a
 * part at a time will do.
 */
void pgc_settle(void)
{
	unsigned int left = SETTLE_AT_ONCE;
	struct pgc_level *l;
	int i;

	for_each_level(l) {
		for_each_online_node(i)
			left -= settle_locked(l, &l->pool[i], left);
		for_each_possible_cpu(i)
			left -= settle_locked(l, per_cpu_ptr(l->ring, i), left);
	}
}

static void spill(struct pgc_level *l, struct pgc_ring *ring)
{
	struct pgc_ring *pool = &l->pool[numa_mem_id()];
	unsigned long held = pooled(l), max = READ_ONCE(pool->limit);
	unsigned int n = max(ring->limit / 2, 1U);

	if (held >= max)
		return;
	raw_spin_lock(&pool->lock);
	n = pgc_ring_move(ring, pool, min_t(unsigned long, n, max - held));
	raw_spin_unlock(&pool->lock);
	pgc_count(l, PGC_spill, n);
}

/* There are surely too many, and the tick is 250 ms away. */
static void hurry_tick(struct pgc_level *l)
{
	if (READ_ONCE(tick_hurried) ||
	    !pgc_excess(pooled(l), pgc_used(l, false), READ_ONCE(l->ratio), READ_ONCE(l->low)))
		return;
	WRITE_ONCE(tick_hurried, true);
	mod_delayed_work(system_wq, &tick_work, 0);
}

bool pgc_park(struct pgc_level *l, struct page *page)
{
	struct pgc_ring *ring = this_cpu_ptr(l->ring);
	bool full, parked = false;

	if (page_to_nid(page) != numa_mem_id()) {
		pgc_count(l, PGC_park_remote, 1);
		return false;
	}
	if (!READ_ONCE(ring->limit)) {
		pgc_count(l, PGC_park_full, 1);
		return false;
	}
	raw_spin_lock(&ring->lock);
	full = ring->count >= ring->limit;
	if (full)
		spill(l, ring);
	if (ring->count < ring->limit) {
		if (!l->order)
			get_page(page);
		settle(l, ring, 2);
		parked = pgc_ring_push(ring, pgc_entry(page, smp_processor_id()));
	}
	raw_spin_unlock(&ring->lock);
	pgc_count(l, parked ? PGC_park : PGC_park_full, 1);
	if (full)
		hurry_tick(l);
	return parked;
}

/* --- giving back: process context, no locks held */

static unsigned long drain(struct pgc_level *l, struct pgc_ring *ring, unsigned long n,
			   enum pgc_stat why)
{
	unsigned long entry[BATCH], done = 0;
	unsigned int got, i;

	do {
		raw_spin_lock(&ring->lock);
		for (got = 0; got < BATCH && done + got < n && ring->count; got++)
			entry[got] = pgc_ring_oldest(ring);
		raw_spin_unlock(&ring->lock);
		for (i = 0; i < got; i++)
			release(l, pgc_entry_page(entry[i]));
		done += got;
		cond_resched();
	} while (got == BATCH && done < n);
	preempt_disable();
	pgc_count(l, why, done);
	preempt_enable();
	return done;
}

/* Pools first, then an equal part from each processor, until there is nothing left. */
unsigned long pgc_give_back(struct pgc_level *l, unsigned long n, enum pgc_stat why)
{
	unsigned long done = 0, before, each;
	int i;

	for (i = 0; i < nr_node_ids && done < n; i++)
		done += drain(l, &l->pool[i], n - done, why);
	do {
		before = done;
		each = max((n - done) / num_possible_cpus(), 1UL);
		for_each_possible_cpu(i) {
			if (done < n)
				done += drain(l, per_cpu_ptr(l->ring, i), min(each, n - done), why);
		}
	} while (done < n && done > before);
	return done;
}

void pgc_flush(void)
{
	struct pgc_level *l;

	for_each_level(l)
		pgc_give_back(l, ULONG_MAX, PGC_flushed);
}

static void age(struct pgc_level *l, struct pgc_ring *ring)
{
	drain(l, ring, READ_ONCE(ring->idle), PGC_age);
	raw_spin_lock(&ring->lock);
	ring->idle = ring->count;
	raw_spin_unlock(&ring->lock);
}

static void settle_all(struct pgc_level *l, struct pgc_ring *ring)
{
	while (settle_locked(l, ring, BATCH) == BATCH)
		cond_resched();
}

static void tend(struct pgc_level *l, bool aged)
{
	unsigned long free = pgc_free_tables(l);
	unsigned long excess =
		pgc_excess(free, pgc_used(l, true), READ_ONCE(l->ratio), READ_ONCE(l->low));
	int i;

	if (free > l->max)
		excess = max(excess, free - l->max);
	if (excess)
		pgc_give_back(l, excess, PGC_recycle);
	for (i = 0; i < nr_node_ids; i++) {
		if (aged)
			age(l, &l->pool[i]);
		settle_all(l, &l->pool[i]);
	}
	for_each_possible_cpu(i) {
		if (aged)
			age(l, per_cpu_ptr(l->ring, i));
		settle_all(l, per_cpu_ptr(l->ring, i));
	}
}

static void tick(struct work_struct *work)
{
	bool aged = READ_ONCE(pgc_age_ms) && time_after_eq(jiffies, next_age);
	struct pgc_level *l;

	WRITE_ONCE(tick_hurried, false);
	if (aged)
		next_age = jiffies + msecs_to_jiffies(READ_ONCE(pgc_age_ms));
	for_each_level(l)
		tend(l, aged);
	queue_delayed_work(system_wq, &tick_work, msecs_to_jiffies(TICK_MS));
}

/* --- size, start and end */

/* Rings together and pools together so hold max. */
static void limit_rings(struct pgc_level *l)
{
	unsigned long cpus = num_online_cpus(), each = pgc_ring_limit(l->max, cpus, RING_SLOTS);
	unsigned long rings = min(l->max, each * cpus);
	int i;

	for_each_possible_cpu(i)
		WRITE_ONCE(per_cpu_ptr(l->ring, i)->limit, each);
	for (i = 0; i < nr_node_ids; i++)
		WRITE_ONCE(l->pool[i].limit, l->max - rings);
}

static int resize_level(struct pgc_level *l, unsigned long size_kib)
{
	unsigned long max = pgc_share(size_kib, l - pgc_levels, pgtable_l5_enabled(),
				      (PAGE_SIZE << l->order) / 1024);
	int i, err;

	for (i = 0; i < nr_node_ids; i++) {
		err = pgc_ring_resize(&l->pool[i], max);
		if (err)
			return err;
	}
	WRITE_ONCE(l->max, max);
	limit_rings(l);
	return 0;
}

/* What is above the new size is given back by the next tick. */
int pgc_resize(unsigned long size_kib)
{
	struct pgc_level *l;
	int err = 0;

	if (size_kib > totalram_pages() << (PAGE_SHIFT - 10))
		return -ERANGE;
	mutex_lock(&resize_lock);
	for_each_level(l) {
		err = err ?: resize_level(l, size_kib);
	}
	if (!err)
		pgc_size_kib = size_kib;
	mutex_unlock(&resize_lock);
	return err;
}

static int init_level(struct pgc_level *l)
{
	int i, err = percpu_counter_init(&l->used, 0, GFP_KERNEL);

	l->stats = alloc_percpu(struct pgc_stats);
	l->ring = alloc_percpu(struct pgc_ring);
	l->pool = kcalloc(nr_node_ids, sizeof(*l->pool), GFP_KERNEL);
	if (err || !l->stats || !l->ring || !l->pool)
		return -ENOMEM;
	for_each_possible_cpu(i)
		err = err ?: pgc_ring_init(per_cpu_ptr(l->ring, i), RING_SLOTS, cpu_to_mem(i));
	for (i = 0; i < nr_node_ids; i++)
		err = err ?: pgc_ring_init(&l->pool[i], 2, NUMA_NO_NODE);
	return err;
}

/* Also after an init that failed half way. */
static void exit_level(struct pgc_level *l)
{
	int i;

	for (i = 0; l->pool && i < nr_node_ids; i++)
		pgc_ring_destroy(&l->pool[i]);
	if (l->ring) {
		for_each_possible_cpu(i)
			pgc_ring_destroy(per_cpu_ptr(l->ring, i));
	}
	kfree(l->pool);
	free_percpu(l->ring);
	free_percpu(l->stats);
	percpu_counter_destroy(&l->used);
}

static unsigned long default_size_kib(void)
{
	return min(totalram_pages() << (PAGE_SHIFT - 10) >> 7, 65536UL);
}

int pgc_cache_init(long size_kib)
{
	struct pgc_level *l;
	int err = 0;

	for_each_level(l) {
		err = err ?: init_level(l);
	}
	if (!err)
		err = pgc_resize(size_kib < 0 ? default_size_kib() : size_kib);
	if (err) {
		for_each_level(l)
			exit_level(l);
		return err;
	}
	next_age = jiffies;
	queue_delayed_work(system_wq, &tick_work, msecs_to_jiffies(TICK_MS));
	return 0;
}

void pgc_cache_exit(void)
{
	struct pgc_level *l;

	cancel_delayed_work_sync(&tick_work);
	pgc_flush();
	for_each_level(l)
		exit_level(l);
}

/*
 * For tests: makes one cached table dirty (1), or look as if in use (2), on purpose. Only when it
 * would be seen.
 */
static bool break_ring(struct pgc_ring *ring, unsigned int how)
{
	struct page *page;
	bool done = false;

	raw_spin_lock(&ring->lock);
	page = ring->count ? pgc_entry_page(*pgc_ring_at(ring, 0)) : NULL;
	if (page && pgc_ready(page) && !PageTable(page)) {
		if (how == 1)
			((unsigned long *)page_address(page))[100] = 0xbad;
		else
			__SetPageTable(page);
		done = true;
	}
	raw_spin_unlock(&ring->lock);
	return done;
}

int pgc_break(unsigned int how)
{
	int cpu;

	if (!pgc_verify)
		return -EPERM;
	if (how != 1 && how != 2)
		return -EINVAL;
	for_each_possible_cpu(cpu) {
		if (break_ring(per_cpu_ptr(pgc_levels[PGC_PTE].ring, cpu), how))
			return 0;
	}
	return -EAGAIN;
}
