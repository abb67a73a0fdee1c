/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between 6.1 and 6.12 for those who walk page tables and move pages, under one name
 * each.
 */
#ifndef MMPROF_KCOMPAT_MM_H
#define MMPROF_KCOMPAT_MM_H

#include <linux/ftrace.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/version.h>

#if __has_include(<linux/ftrace_regs.h>)
#include <linux/ftrace_regs.h>
#define kc_regs(fregs) (&arch_ftrace_regs(fregs)->regs)
#else
#define kc_regs(fregs) (&(fregs)->regs)
#endif

/* 6.5: page tables may go away under a reader, which must then be ready for NULL */
#define KC_PTE_MAP_MAY_FAIL (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))
#define KC_WALK_LOCK (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))
/*
 * until 6.7 the old page of a migration stays charged to its cgroup, beside the new one, until it
 * is freed
 */
#define KC_MIGRATE_KEEPS_CHARGE (LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0))
#define KC_MIGRATE_FOLIO (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0))
#define KC_ISOLATE_BOOL (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0))
#define KC_RMAP_FOLIO (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0))
#define KC_SHRINKER_ALLOC (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0))
#define KC_MPOL_VMF (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0))

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#error "tiering knows the kernels 6.1 to 6.12: read docs/tiering.md before porting"
#endif

/* how often a page of this folio, or the whole huge one, is mapped */
static inline int kc_mapcount(struct folio *folio)
{
	if (!folio_test_large(folio))
		return atomic_read(&folio->_mapcount) + 1;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return folio_mapcount(folio);
#else
	return folio_entire_mapcount(folio);
#endif
}

/* A huge page of which a part is mapped by itself, as after a partial unmap or mprotect. */
static inline bool kc_partly_mapped(struct folio *folio)
{
	if (!folio_test_large(folio))
		return false;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return folio_mapcount(folio) != folio_entire_mapcount(folio);
#else
	return PageDoubleMap(&folio->page);
#endif
}

#if KC_MIGRATE_FOLIO
typedef struct folio kc_migrated;
#define kc_migrated_folio(x) (x)
#define kc_folio_migrated(x) (x)
#else
typedef struct page kc_migrated;
#define kc_migrated_folio(x) page_folio(x)
#define kc_folio_migrated(x) ((x) ? &(x)->page : NULL)
#endif

#endif
