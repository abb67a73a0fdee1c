/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that the modules are built for (6.1 and 6.12), under one name
 * each. Where a header or a macro tells, it is asked, because distributions backport; the version
 * only where nothing else tells.
 */
#ifndef MMPROF_KCOMPAT_H
#define MMPROF_KCOMPAT_H

#include <asm/pgalloc.h>
#include <linux/ftrace.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/version.h>

#if __has_include(<linux/ftrace_regs.h>)
#include <linux/ftrace_regs.h>
#define kc_regs(fregs) (&arch_ftrace_regs(fregs)->regs)
#else
#define kc_regs(fregs) (&(fregs)->regs)
#endif

#define KC_PTDESC (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0))
#define KC_PUD_CTOR (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0))
#define KC_SHRINKER_ALLOC (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0))

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#error "pgcache knows the kernels 6.1 to 6.12: read docs/pgcache.md before porting"
#endif

#if KC_PTDESC
static inline bool kc_pte_ctor(struct page *page)
{
	return pagetable_pte_ctor(page_ptdesc(page));
}

static inline void kc_pte_dtor(struct page *page)
{
	pagetable_pte_dtor(page_ptdesc(page));
}

static inline bool kc_pmd_ctor(struct page *page)
{
	return pagetable_pmd_ctor(page_ptdesc(page));
}

static inline void kc_pmd_dtor(struct page *page)
{
	pagetable_pmd_dtor(page_ptdesc(page));
}

static inline void kc_set_pt_mm(struct page *page, struct mm_struct *mm)
{
	page_ptdesc(page)->pt_mm = mm;
}
#else
static inline bool kc_pte_ctor(struct page *page)
{
	return pgtable_pte_page_ctor(page);
}

static inline void kc_pte_dtor(struct page *page)
{
	pgtable_pte_page_dtor(page);
}

static inline bool kc_pmd_ctor(struct page *page)
{
	return pgtable_pmd_page_ctor(page);
}

static inline void kc_pmd_dtor(struct page *page)
{
	pgtable_pmd_page_dtor(page);
}

static inline void kc_set_pt_mm(struct page *page, struct mm_struct *mm)
{
	page->pt_mm = mm;
}
#endif

static inline void kc_pud_ctor(struct page *page)
{
#if KC_PUD_CTOR
	pagetable_pud_ctor(page_ptdesc(page));
#endif
}

static inline void kc_pud_dtor(struct page *page)
{
#if KC_PUD_CTOR
	pagetable_pud_dtor(page_ptdesc(page));
#endif
}

static inline bool kc_memcg_kmem(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return memcg_kmem_online();
#else
	return memcg_kmem_enabled();
#endif
}

#endif
