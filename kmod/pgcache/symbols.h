/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's unexported functions and data that pgcache uses. */
#ifndef PGCACHE_SYMBOLS_H
#define PGCACHE_SYMBOLS_H

#include "ksym.h"
#include <asm/pgalloc.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/memcontrol.h>

/*
 * Called through static calls named ksym_NAME; their types are those of the kernel's own headers.
 */
#define PGC_FUNCTIONS(X)              \
	X(__memcg_kmem_charge_page)   \
	X(__memcg_kmem_uncharge_page) \
	X(pte_alloc_one)              \
	X(pgd_alloc)                  \
	X(pgd_free)                   \
	X(ftrace_location)            \
	X(bpf_get_btf_vmlinux)        \
	X(btf_find_by_name_kind)      \
	X(btf_name_by_offset)

/* Hooked: only their addresses are wanted. */
#define PGC_HOOKED(X)      \
	X(__pmd_alloc)     \
	X(__pud_alloc)     \
	X(__p4d_alloc)     \
	X(___pte_free_tlb) \
	X(___pmd_free_tlb) \
	X(___pud_free_tlb) \
	X(___p4d_free_tlb) \
	X(try_to_free_mem_cgroup_pages)

#define PGC_DATA(X)                   \
	X(init_mm, struct mm_struct)  \
	X(init_top_pgt, pgd_t)        \
	X(pgd_lock, spinlock_t)       \
	X(pgd_list, struct list_head) \
	X(mm_kobj, struct kobject *)

#define X(name)                                 \
	DECLARE_STATIC_CALL(ksym_##name, name); \
	extern unsigned long ksym_at_##name;
PGC_FUNCTIONS(X)
#undef X

#define X(name) extern unsigned long ksym_at_##name;
PGC_HOOKED(X)
#undef X

#define X(name, type) extern unsigned long ksym_at_##name;
PGC_DATA(X)
#undef X

/* ksym_data(pgd_lock, spinlock_t): a pointer to the kernel's own */
#define ksym_data(name, type) ((type *)ksym_at_##name)

int pgc_symbols_init(void);

#endif
