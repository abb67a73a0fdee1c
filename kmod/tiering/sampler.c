// SPDX-License-Identifier: GPL-2.0
/*
 * What all samplers share: the choice of one, the round over all processes that finds out what is
 * mapped where (and, for some tiers, what was accessed), and the queue from interrupts and faults
 * to the sampler's thread.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/percpu.h>
#include <linux/sched/cputime.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>
#include "symbols.h"
#include "tiering.h"

#define CHUNK (32ul << 20) /* of address space under one mmap_lock */
#define QUEUE_SLOTS 16384  /* per processor; a power of two */

/* auto: in this order */
static const struct tier_sampler *const table[] = {&tier_abit, &tier_hint, &tier_pebs, NULL};

const struct tier_sampler *tier_sampler;

/* --- the choice */

bool tier_sampler_known(const char *name)
{
	const struct tier_sampler *const *s;

	for (s = table; *s; s++) {
		if (sysfs_streq((*s)->name, name))
			return true;
	}
	return sysfs_streq("auto", name);
}

int tier_sampler_start(const char *name)
{
	const struct tier_sampler *const *s;
	bool automatic = sysfs_streq("auto", name);
	int err = -EINVAL;

	for (s = table; *s; s++) {
		if (!automatic && !sysfs_streq((*s)->name, name))
			continue;
		err = (*s)->start();
		if (err)
			continue;
		WRITE_ONCE(tier_sampler, *s);
		pr_info("tiering: sampler %s%s\n", (*s)->name,
			automatic ? " (the best of this machine)" : "");
		return 0;
	}
	return err;
}

void tier_sampler_stop(void)
{
	if (!tier_sampler)
		return;
	tier_sampler->stop();
	tier_queue_drain();
	WRITE_ONCE(tier_sampler, NULL);
}

/* --- CPU time, and how it is divided */

static u64 began, classified;

static u64 cpu_ns(void)
{
	return kcall(task_sched_runtime)(current);
}

static void work_begins(void)
{
	began = cpu_ns();
	classified = 0;
}

static void work_ends(void)
{
	u64 ns = cpu_ns() - began;

	tier_count(PHASES_sampling_ns, ns - min(ns, classified));
	tier_count(PHASES_classification_ns, classified);
	tier_cpu_spend(ns);
}

static void classify(u16 mm, const struct tier_page *page, unsigned int n)
{
	u64 from = cpu_ns();

	mutex_lock(&tier_book_lock);
	tier_book_pages(mm, page, n, 1);
	mutex_unlock(&tier_book_lock);
	classified += cpu_ns() - from;
}

/* --- the round */

static struct tier_walk *walk;
static u16 walked;

static void take_pages(struct tier_walk *w, const struct tier_page *page, unsigned int n)
{
	classify(walked, page, n);
}

/*
 * Another may hold mmap_lock for long, and then the process waits for us in its turn: no queueing
 * up.
 */
static bool lock_patiently(struct mm_struct *mm)
{
	int i;

	for (i = 0; i < 10; i++) {
		if (mmap_read_trylock(mm))
			return true;
		usleep_range(500, 1000);
	}
	tier_count(SAMPLES_skip_trylock, 1);
	return false;
}

/* From addr on; returns where to go on, 0 at the end, 1 when it could not be had. */
static unsigned long take_part(struct tier_mm *m, unsigned long addr, tier_part_fn fn)
{
	struct mm_struct *mm = tier_target_get(m->id);
	struct vm_area_struct *vma;
	unsigned long end = 1;

	if (!mm)
		return 1;
	if (lock_patiently(mm)) {
		vma = find_vma(mm, addr);
		while (vma && !tier_vma_ours(vma))
			vma = find_vma(mm, vma->vm_end);
		end = vma ? min(vma->vm_end, (max(addr, vma->vm_start) & PMD_MASK) + CHUNK) : 0;
		if (vma)
			fn(vma, max(addr, vma->vm_start), end);
		mmap_read_unlock(mm);
	}
	mmput_async(mm);
	return end;
}

bool tier_sampler_parts(struct tier_mm *m, tier_part_fn fn)
{
	unsigned long addr = PAGE_SIZE;

	while (tier_cpu_wait()) {
		work_begins();
		tier_queue_drain();
		addr = take_part(m, addr, fn);
		work_ends();
		if (addr <= 1)
			break;
		cond_resched();
	}
	return !addr;
}

static void walk_part(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	walk->scanned = 0;
	tier_walk_range(walk, vma->vm_mm, start, end);
	tier_count(SAMPLES_scanned, walk->scanned);
}

void tier_sampler_round(void)
{
	struct tier_mm *m;

	work_begins();
	tier_target_refresh();
	work_ends();
	if (!++tier_round)
		tier_round = 1;
	for (m = tier_target_next(NULL); m && !kthread_should_stop(); m = tier_target_next(m)) {
		if (tier_sampler->round)
			tier_sampler->round(m);
		memcpy(walk->young, tier_sampler->young, sizeof(walk->young));
		walked = m->id;
		if (tier_sampler_parts(m, walk_part))
			m->complete = tier_round;
	}
	work_begins();
	tier_queue_drain();
	mutex_lock(&tier_book_lock);
	tier_book_sweep(tier_round);
	tier_policy->round();
	mutex_unlock(&tier_book_lock);
	classified = cpu_ns() - began;
	work_ends();
	tier_count(SAMPLES_rounds, 1);
}

/* --- the queue: one writer a processor (an interrupt, or with preemption off), one reader */

struct queue {
	u32 head, tail;
	u64 key[QUEUE_SLOTS];
};

static struct queue **queues; /* by processor */
static u64 drained[PTRS_PER_PTE];

void tier_queue_put(u16 mm, u64 vpn)
{
	struct queue *q = queues[smp_processor_id()];
	u32 head = q->head;

	if (head - smp_load_acquire(&q->tail) == QUEUE_SLOTS) {
		tier_count(SAMPLES_total, 1);
		tier_count(SAMPLES_drop_queue_full, 1);
		return;
	}
	q->key[head % QUEUE_SLOTS] = vmap_key(mm, vpn);
	smp_store_release(&q->head, head + 1);
}

static unsigned int fetch(struct queue *q)
{
	unsigned int n = 0;
	u32 tail = q->tail, head = smp_load_acquire(&q->head);

	while (tail != head && n < ARRAY_SIZE(drained))
		drained[n++] = q->key[tail++ % QUEUE_SLOTS];
	smp_store_release(&q->tail, tail);
	return n;
}

static void resolve(struct mm_struct *mm, u64 vpn, struct tier_page *page)
{
	struct tier_spot spot;
	enum tier_stat why = tier_spot_lock(&spot, mm, vpn);

	*page = (struct tier_page){.vpn = vpn, .young = true};
	if (why) {
		page->drop = why == MOVES_fail_vma ? SAMPLES_drop_vma : SAMPLES_drop_invalid;
		return;
	}
	page->order = spot.pte ? 0 : PMD_SHIFT - PAGE_SHIFT;
	page->vpn &= ~((1ull << page->order) - 1);
	page->pfn = folio_pfn(spot.folio);
	page->drop = SAMPLES_kept_fast;
	if (tier_spot_why_not(&spot, page->vpn))
		page->drop = SAMPLES_drop_vma;
	tier_spot_unlock(&spot);
}

static void drop_all(unsigned int n, enum tier_stat why)
{
	tier_count(SAMPLES_total, n);
	tier_count(why, n);
}

static void process(const u64 *key, unsigned int n)
{
	static struct tier_page page[ARRAY_SIZE(drained)];
	u16 id = vmap_mm(*key);
	struct mm_struct *mm = tier_target_get(id);
	unsigned int i;

	if (!mm) {
		drop_all(n, SAMPLES_drop_invalid);
		return;
	}
	if (mmap_read_trylock(mm)) {
		for (i = 0; i < n; i++)
			resolve(mm, vmap_vpn(key[i]), &page[i]);
		mmap_read_unlock(mm);
		classify(id, page, n);
	} else {
		drop_all(n, SAMPLES_drop_trylock);
	}
	mmput_async(mm);
}

static int by_key(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

void tier_queue_drain(void)
{
	unsigned int n, i, from;
	int cpu;

	for_each_possible_cpu(cpu) {
		while ((n = fetch(queues[cpu]))) {
			sort(drained, n, sizeof(*drained), by_key, NULL);
			for (from = 0; from < n; from = i) {
				for (i = from;
				     i < n && vmap_mm(drained[i]) == vmap_mm(drained[from]); i++)
					;
				process(drained + from, i - from);
			}
		}
	}
}

static bool queued(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (READ_ONCE(queues[cpu]->head) != queues[cpu]->tail)
			return true;
	}
	return false;
}

/* Between two rounds. */
void tier_sampler_idle(void)
{
	if (!queued() || !tier_cpu_wait())
		return;
	work_begins();
	tier_queue_drain();
	work_ends();
}

int tier_queue_init(void)
{
	int cpu;

	walk = kvzalloc(sizeof(*walk), GFP_KERNEL);
	queues = kcalloc(nr_cpu_ids, sizeof(*queues), GFP_KERNEL);
	if (!walk || !queues)
		goto fail;
	walk->pages = take_pages;
	for_each_possible_cpu(cpu) {
		queues[cpu] = vzalloc(sizeof(**queues));
		if (!queues[cpu])
			goto fail;
	}
	return 0;
fail:
	tier_queue_exit();
	return -ENOMEM;
}

void tier_queue_exit(void)
{
	int cpu;

	if (queues) {
		for_each_possible_cpu(cpu)
			vfree(queues[cpu]);
	}
	kfree(queues);
	queues = NULL;
	kvfree(walk);
	walk = NULL;
}
