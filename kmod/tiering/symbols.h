/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's unexported functions and data that tiering uses. */
#ifndef TIERING_SYMBOLS_H
#define TIERING_SYMBOLS_H

#include <linux/ftrace.h>
#include <linux/memcontrol.h>
#include <linux/memory-tiers.h>
#include <linux/mempolicy.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/cputime.h>
#include <linux/swap.h>
#include <asm/tlbflush.h>
#include "kcompat_mm.h"
#include "ksym.h"

/* From mm/internal.h, which modules do not have. */
#if KC_ISOLATE_BOOL
bool folio_isolate_lru(struct folio *folio);
#else
int folio_isolate_lru(struct folio *folio);
#endif
void folio_putback_lru(struct folio *folio);
/* From asm/tlbflush.h, which hides it from modules. */
void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start, unsigned long end,
			unsigned int stride_shift, bool freed_tables);

/*
 * Called through static calls named ksym_NAME; their types are those of the kernel's own headers.
 */
#define TIERING_COMMON(X)             \
	X(walk_page_range)            \
	X(vm_normal_page)             \
	X(flush_tlb_mm_range)         \
	X(__mmu_notifier_clear_young) \
	X(lru_add_drain_all)          \
	X(folio_isolate_lru)          \
	X(folio_putback_lru)          \
	X(migrate_pages)              \
	X(putback_movable_pages)      \
	X(node_is_toptier)            \
	X(change_prot_numa)           \
	X(task_sched_runtime)         \
	X(ftrace_location)

#if KC_PTE_MAP_MAY_FAIL
#define TIERING_PTE(X) X(__pte_offset_map_lock)
#else
#define TIERING_PTE(X)
#endif

#if KC_RMAP_FOLIO
#define TIERING_RMAP(X) X(folio_add_anon_rmap_ptes) X(folio_remove_rmap_ptes)
#else
#define TIERING_RMAP(X) X(page_add_anon_rmap) X(page_remove_rmap)
#endif

#if KC_MIGRATE_KEEPS_CHARGE
#define TIERING_MEMCG(X) X(__mem_cgroup_uncharge)
#else
#define TIERING_MEMCG(X)
#endif

#define TIERING_FUNCTIONS(X) TIERING_COMMON(X) TIERING_PTE(X) TIERING_RMAP(X) TIERING_MEMCG(X)

/* Hooked, or data: only their addresses are wanted. */
#define TIERING_ADDRESSES(X) \
	X(mpol_misplaced)    \
	X(mm_kobj)

#define X(name)                                 \
	DECLARE_STATIC_CALL(ksym_##name, name); \
	extern unsigned long ksym_at_##name;
TIERING_FUNCTIONS(X)
#undef X

#define X(name) extern unsigned long ksym_at_##name;
TIERING_ADDRESSES(X)
#undef X

/* kcall(migrate_pages)(...) */
#define kcall(name) static_call(ksym_##name)

/* NULL: the page table is gone, look again */
static inline pte_t *tier_pte_lock(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
				   spinlock_t **ptl)
{
#if KC_PTE_MAP_MAY_FAIL
	return kcall(__pte_offset_map_lock)(mm, pmd, addr, ptl);
#else
	return pte_offset_map_lock(mm, pmd, addr, ptl);
#endif
}

static inline bool tier_isolate(struct folio *folio)
{
#if KC_ISOLATE_BOOL
	return kcall(folio_isolate_lru)(folio);
#else
	return kcall(folio_isolate_lru)(folio) == 0;
#endif
}

int tier_symbols_init(void);

#endif
