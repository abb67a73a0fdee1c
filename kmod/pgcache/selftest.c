// SPDX-License-Identifier: GPL-2.0
/*
 * At load, with the hooks in place: makes the kernel allocate and free one table of each level,
 * twice, and looks whether the first were parked and the second came from the cache. Shows that
 * each hook is called, that its arguments are where we think, and that skipping a function works; a
 * kernel where that isn't so is refused.
 */
#include "kcompat.h"
#include "pgcache.h"
#include "symbols.h"
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/*
 * A mapping that is alone below its top-level entry, so that it takes a table of each level below
 * the pgd.
 */
static int touch_alone(void)
{
	unsigned long addr = pgtable_l5_enabled() ? 1UL << 50 : 1UL << 44, got;
	int err = 0;

	if (!current->mm)
		return -ESRCH;
	got = vm_mmap(NULL, addr, PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, 0);
	if (IS_ERR_VALUE(got))
		return got;
	if (put_user(1, (int __user *)got))
		err = -EFAULT;
	return vm_munmap(got, PAGE_SIZE) ?: err;
}

/* On a made-up mm, which is enough: pgd_alloc only stores in it, and others only take its lock. */
static int pgd_round(void)
{
	struct mm_struct *mm = kzalloc(sizeof(*mm), GFP_KERNEL);
	pgd_t *pgd, *kernel = ksym_data(init_top_pgt, pgd_t);
	int err = 0;

	if (!mm)
		return -ENOMEM;
	spin_lock_init(&mm->page_table_lock);
	pgd = static_call(ksym_pgd_alloc)(mm);
	if (!pgd)
		err = -ENOMEM;
	else if (mm->pgd != pgd ||
		 memcmp(pgd + KERNEL_PGD_BOUNDARY, kernel + KERNEL_PGD_BOUNDARY, PAGE_SIZE / 2))
		err = -EINVAL;
	if (pgd)
		static_call(ksym_pgd_free)(mm, pgd);
	kfree(mm);
	return err;
}

/* The first level that this kernel has and whose counter is 0, or not. */
static struct pgc_level *find_level(enum pgc_stat what, bool zero)
{
	struct pgc_level *l;

	for_each_level(l) {
		if (l == &pgc_levels[PGC_P4D] && !pgtable_l5_enabled())
			continue;
		if (!pgc_stat(l, what) == zero)
			return l;
	}
	return NULL;
}

static int judge(void)
{
	struct pgc_level *l;

	l = find_level(PGC_park, true);
	if (l) {
		pr_err("pgcache: refused: self-test: no %s table was put into the cache\n",
		       l->name);
		return -EOPNOTSUPP;
	}
	l = find_level(PGC_hit, true);
	if (l) {
		pr_err("pgcache: refused: self-test: no %s table was taken from the cache\n",
		       l->name);
		return -EOPNOTSUPP;
	}
	l = find_level(PGC_dirty, false);
	if (l) {
		pr_err("pgcache: refused: self-test: a %s table was not zero when it was freed\n",
		       l->name);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int self_test(void)
{
	int round, err = 0;

	/* other processors, or a grace period that has not passed, may cost a round */
	for (round = 0; round < 20 && !err && find_level(PGC_hit, true); round++) {
		err = touch_alone() ?: pgd_round();
		if (round > 2)
			synchronize_rcu();
	}
	if (err) {
		pr_err("pgcache: refused: self-test could not use page tables (%d)\n", err);
		return err;
	}
	return judge();
}

int pgc_selftest(void)
{
	bool verify = pgc_verify;
	int err;

	pgc_verify = true;
	WRITE_ONCE(pgc_enabled, true);
	err = self_test();
	if (err)
		WRITE_ONCE(pgc_enabled, false);
	pgc_verify = verify;
	return err;
}
