// SPDX-License-Identifier: GPL-2.0
/*
 * Where the kernel's page-table functions meet ours. Two sets of ftrace hooks: `replace` may skip
 * the hooked function by sending it to a stub that returns its argument (IPMODIFY, so that only one
 * such hook can exist: livepatches exclude us, and we them), `watch` only looks on.
 *
 * Nothing here or below sleeps: when unregister_ftrace_function() returns, no processor is in our
 * code any more.
 */
#include "kcompat.h"
#include "pgcache.h"
#include "symbols.h"
#include <linux/ftrace.h>
#include <linux/linkage.h>

asm(".pushsection .text, \"ax\"\n"
    ".type pgcache_return, @function\n"
    "pgcache_return:\n"
    "	" ASM_ENDBR "	mov %rdi, %rax\n"
    "	" ASM_RET ".size pgcache_return, .-pgcache_return\n"
    ".popsection\n");
void pgcache_return(void);

/* Where the hooked functions call ftrace, which is what a hook is told. */
static struct {
	unsigned long pgd_alloc, p4d_alloc, pud_alloc, pmd_alloc, pte_alloc;
	unsigned long pgd_free, p4d_free, pud_free, pmd_free, pte_free, cgroup_reclaim;
} at;

/*
 * The value goes through the first argument: a BPF trampoline on the same function (fentry, fexit)
 * saves and restores arguments on its way to regs->ip, but not ax.
 */
static __always_inline void skip(struct pt_regs *regs, unsigned long value)
{
	regs->di = value;
	regs->ip = (unsigned long)pgcache_return;
}

static __always_inline void upper_alloc(unsigned long ip, struct pt_regs *regs)
{
	struct mm_struct *mm = (struct mm_struct *)regs->di;

	if (mm == ksym_data(init_mm, struct mm_struct))
		return;
	if (ip == at.pmd_alloc) {
		pgc_count_used(PGC_PMD, 1);
		if (READ_ONCE(pgc_enabled) && pgcache_alloc_pmd(mm, (pud_t *)regs->si))
			skip(regs, 0);
	} else if (ip == at.pud_alloc) {
		pgc_count_used(PGC_PUD, 1);
		if (READ_ONCE(pgc_enabled) && pgcache_alloc_pud(mm, (p4d_t *)regs->si))
			skip(regs, 0);
	} else if (ip == at.p4d_alloc) {
		pgc_count_used(PGC_P4D, 1);
		if (READ_ONCE(pgc_enabled) && pgcache_alloc_p4d(mm, (pgd_t *)regs->si))
			skip(regs, 0);
	}
}

static __always_inline void pgd_hook(unsigned long ip, struct pt_regs *regs)
{
	struct mm_struct *mm = (struct mm_struct *)regs->di;
	pgd_t *pgd;

	if (ip == at.pgd_alloc) {
		pgc_count_used(PGC_PGD, 1);
		pgd = READ_ONCE(pgc_enabled) ? pgcache_alloc_pgd(mm) : NULL;
		if (pgd)
			skip(regs, (unsigned long)pgd);
	} else {
		pgc_count_used(PGC_PGD, -1);
		if (READ_ONCE(pgc_enabled) && pgcache_free_pgd(mm, (pgd_t *)regs->si))
			skip(regs, 0);
	}
}

static void notrace replace(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			    struct ftrace_regs *fregs)
{
	struct pt_regs *regs = kc_regs(fregs);
	struct page *page;

	preempt_disable_notrace();
	if (likely(ip == at.pte_alloc)) {
		page = READ_ONCE(pgc_enabled) ? pgcache_alloc_pte((struct mm_struct *)regs->di)
					      : NULL;
		if (page)
			skip(regs, (unsigned long)page);
	} else if (ip == at.pgd_alloc || ip == at.pgd_free) {
		pgd_hook(ip, regs);
	} else {
		upper_alloc(ip, regs);
	}
	preempt_enable_notrace();
}

static void notrace watch(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			  struct ftrace_regs *fregs)
{
	void *table = (void *)kc_regs(fregs)->si;
	bool enabled = READ_ONCE(pgc_enabled);

	preempt_disable_notrace();
	if (likely(ip == at.pte_free)) {
		if (enabled)
			pgcache_free_pte((struct mmu_gather *)kc_regs(fregs)->di, table);
	} else if (ip == at.pmd_free) {
		pgc_count_used(PGC_PMD, -1);
		if (enabled)
			pgcache_free_pmd(table);
	} else if (ip == at.pud_free) {
		pgc_count_used(PGC_PUD, -1);
		if (enabled)
			pgcache_free_pud(table);
	} else if (ip == at.p4d_free) {
		pgc_count_used(PGC_P4D, -1);
		if (enabled)
			pgcache_free_p4d(table);
	} else if (ip == at.cgroup_reclaim) {
		pgc_settle();
	}
	preempt_enable_notrace();
}

static struct ftrace_ops replace_ops = {.func = replace, .flags = FTRACE_OPS_FL_IPMODIFY};
static struct ftrace_ops watch_ops = {.func = watch};

static int locate(void)
{
	const struct {
		unsigned long *at, symbol;
		const char *name;
	} table[] = {
		{&at.pgd_alloc, ksym_at_pgd_alloc, "pgd_alloc"},
		{&at.p4d_alloc, ksym_at___p4d_alloc, "__p4d_alloc"},
		{&at.pud_alloc, ksym_at___pud_alloc, "__pud_alloc"},
		{&at.pmd_alloc, ksym_at___pmd_alloc, "__pmd_alloc"},
		{&at.pte_alloc, ksym_at_pte_alloc_one, "pte_alloc_one"},
		{&at.pgd_free, ksym_at_pgd_free, "pgd_free"},
		{&at.p4d_free, ksym_at____p4d_free_tlb, "___p4d_free_tlb"},
		{&at.pud_free, ksym_at____pud_free_tlb, "___pud_free_tlb"},
		{&at.pmd_free, ksym_at____pmd_free_tlb, "___pmd_free_tlb"},
		{&at.pte_free, ksym_at____pte_free_tlb, "___pte_free_tlb"},
		{&at.cgroup_reclaim, ksym_at_try_to_free_mem_cgroup_pages,
		 "try_to_free_mem_cgroup_pages"},
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		*table[i].at = static_call(ksym_ftrace_location)(table[i].symbol);
		if (!*table[i].at) {
			pr_err("pgcache: refused: %s cannot be hooked on this kernel\n",
			       table[i].name);
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

static int hook(struct ftrace_ops *ops, unsigned long *ips, unsigned int n)
{
	int err = ftrace_set_filter_ips(ops, ips, n, 0, 1);

	if (!err)
		err = register_ftrace_function(ops);
	if (err) {
		pr_err("pgcache: refused: cannot hook the page-table functions (%d)%s\n", err,
		       err == -EBUSY ? ": a livepatch or another cache has them already" : "");
		ftrace_free_filter(ops);
	}
	return err;
}

static void unhook(struct ftrace_ops *ops)
{
	unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
}

int pgc_hooks_init(void)
{
	int err = locate();

	if (!err)
		err = hook(&watch_ops, &at.p4d_free, 5);
	if (err)
		return err;
	err = hook(&replace_ops, &at.pgd_alloc, 6);
	if (err)
		unhook(&watch_ops);
	return err;
}

void pgc_hooks_exit(void)
{
	unhook(&replace_ops);
	unhook(&watch_ops);
}
