// SPDX-License-Identifier: GPL-2.0
/*
 * hint: NUMA hint faults, as TPP and Nomad sample. Pages of slow memory are made to fault
 * (change_prot_numa, which with numa_balancing=0 leaves the kernel's top tier alone), and the fault
 * is seen where the kernel asks mpol_misplaced() whether the page is on the right node: for our
 * processes the answer is "yes", so that nothing but us moves it. Fast memory is sampled by
 * accessed bits, as there.
 */
#include <linux/ftrace.h>
#include <linux/linkage.h>
#include "symbols.h"
#include "tiering.h"

asm(".pushsection .text, \"ax\"\n"
    ".type tiering_return, @function\n"
    "tiering_return:\n"
    "	" ASM_ENDBR "	mov %rdi, %rax\n"
    "	" ASM_RET ".size tiering_return, .-tiering_return\n"
    ".popsection\n");
void tiering_return(void);

static unsigned long at;

/*
 * Instead of mpol_misplaced(page or folio, vma or vmf, address), under the page table's lock. The
 * value goes through the first argument, which BPF trampolines on the same function keep.
 */
static void notrace misplaced(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			      struct ftrace_regs *fregs)
{
	struct pt_regs *regs = kc_regs(fregs);
	struct vm_area_struct *vma;
	u16 id;

	preempt_disable_notrace();
#if KC_MPOL_VMF
	vma = ((struct vm_fault *)regs->si)->vma;
#else
	vma = (struct vm_area_struct *)regs->si;
#endif
	id = tier_target_id_of(vma->vm_mm);
	if (id) {
		tier_queue_put(id, regs->dx >> PAGE_SHIFT);
		regs->di = NUMA_NO_NODE;
		regs->ip = (unsigned long)tiering_return;
	}
	preempt_enable_notrace();
}

static struct ftrace_ops ops = {.func = misplaced, .flags = FTRACE_OPS_FL_IPMODIFY};

static int start(void)
{
	int err;

	at = kcall(ftrace_location)(ksym_at_mpol_misplaced);
	err = at ? ftrace_set_filter_ip(&ops, at, 0, 1) : -EOPNOTSUPP;
	if (!err)
		err = register_ftrace_function(&ops);
	if (!err)
		return 0;
	pr_err("tiering: sampler hint refused: cannot hook mpol_misplaced (%d)\n", err);
	ftrace_free_filter(&ops);
	return -EOPNOTSUPP;
}

/*
 * When this returns, no processor is in our hook. Pages that still fault do so once, for the
 * kernel.
 */
static void stop(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}

static void unmap_part(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	if (vma_is_accessible(vma))
		tier_count(SAMPLES_hint_unmapped, kcall(change_prot_numa)(vma, start, end));
}

static void unmap_all(struct tier_mm *m)
{
	tier_sampler_parts(m, unmap_part);
}

const struct tier_sampler tier_hint = {
	.name = "hint",
	.start = start,
	.stop = stop,
	.young = {[TIER_FAST] = true},
	.round = unmap_all,
};
