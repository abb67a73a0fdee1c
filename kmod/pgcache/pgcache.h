/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pgcache keeps freed page-table pages, by level, instead of giving them back to the buddy
 * allocator and zeroing them again. docs/pgcache.md has the design; the rules that everything here
 * keeps:
 *
 *  - A table of one page is cached by holding one more reference to it, from before the kernel
 * frees it; it is handed out again when that reference is the only one left, which is after the TLB
 * flush and the grace period.
 *  - Nothing that runs in a hook sleeps, so that unregistering the hooks is enough to unload.
 *  - park = hit + (shrink + recycle + dirty + ...) + free, at each level, when nothing runs.
 */
#ifndef PGCACHE_H
#define PGCACHE_H

#include "ring.h"
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/percpu_counter.h>

enum pgc_id { PGC_PGD, PGC_P4D, PGC_PUD, PGC_PMD, PGC_PTE, PGC_LEVELS };

/* Each is a file of a level's directory in sysfs, by this name. */
#define PGC_STATS(X)                                                                  \
	X(hit)         /* tables served from the cache */                             \
	X(hit_cross)   /* of those, freed by another processor */                     \
	X(miss_empty)  /* nothing cached here */                                      \
	X(miss_busy)   /* all that was looked at still had other references */        \
	X(miss_charge) /* the memory cgroup has no room */                            \
	X(miss_policy) /* the task may want another node's memory */                  \
	X(park)        /* tables taken in */                                          \
	X(park_full)   /* not taken in: no room */                                    \
	X(park_remote) /* not taken in: belongs to another node */                    \
	X(refill)      /* taken from the node's pool */                               \
	X(steal)       /* taken from another processor's ring */                      \
	X(spill)       /* moved to the node's pool */                                 \
	X(recycle)     /* given back: too many for what is in use, or for the size */ \
	X(age)         /* given back: not needed for age_ms */                        \
	X(shrink)      /* given back: the kernel was short of memory */               \
	X(flushed)     /* given back: by request, or at unload */                     \
	X(dirty)       /* thrown away: not zero, or another's (seen with verify=1 only) */

enum pgc_stat {
#define X(name) PGC_##name,
	PGC_STATS(X)
#undef X
		PGC_NSTATS
};

struct pgc_stats {
	u64 n[PGC_NSTATS];
};

struct pgc_level {
	const char *name;
	unsigned int order; /* of a table: the pgd has two pages */
	unsigned int ratio; /* free above ratio * used is given back... */
	unsigned int low;   /* ...down to low * used */
	unsigned long max;  /* tables */
	struct pgc_ring __percpu *ring;
	struct pgc_ring *pool; /* by node */
	struct pgc_stats __percpu *stats;
	struct percpu_counter used;
	struct kobject *kobj;
};

extern struct pgc_level pgc_levels[PGC_LEVELS];
extern bool pgc_enabled;
extern bool pgc_verify;
extern unsigned long pgc_size_kib;
extern unsigned int pgc_age_ms;

#define for_each_level(l) for (l = pgc_levels; l < pgc_levels + PGC_LEVELS; l++)

static inline void pgc_count(struct pgc_level *l, enum pgc_stat what, u64 n)
{
	this_cpu_add(l->stats->n[what], n);
}

/* cache.c: all but pgc_take and pgc_park may sleep */
int pgc_cache_init(long size_kib); /* negative: as much as suits the machine */
void pgc_cache_exit(void);
/*
 * A table that is zero, charged to the caller's memory cgroup and ours alone; NULL: let the kernel
 * allocate.
 */
struct page *pgc_take(struct pgc_level *l);
/* Keeps a table that the kernel is about to free (or, the pgd, that is free already). */
bool pgc_park(struct pgc_level *l, struct page *page);
unsigned long pgc_free_tables(struct pgc_level *l);
unsigned long pgc_give_back(struct pgc_level *l, unsigned long n, enum pgc_stat why);
void pgc_flush(void);
int pgc_resize(unsigned long size_kib);
u64 pgc_stat(struct pgc_level *l, enum pgc_stat what);
int pgc_break(unsigned int how);
/* Takes what is ready off the bill of the cgroups that freed it. Does not sleep. */
void pgc_settle(void);

/* acct.c */
int pgc_charge(struct pgc_level *l, struct page *page);
void pgc_uncharge(struct pgc_level *l, struct page *page);
/*
 * Tables in use. The hooks count all levels but the pte's, which also come and go where no hook can
 * be; these are what remains of the kernel's own total. exact: sums up all processors, may be slow.
 */
unsigned long pgc_used(struct pgc_level *l, bool exact);
void pgc_used_start(void);
static inline void pgc_count_used(enum pgc_id id, int n)
{
	percpu_counter_add(&pgc_levels[id].used, n);
}

struct mmu_gather;

/* level_*.c: entry and exit of each level. Probes may attach to these. */
pgtable_t pgcache_alloc_pte(struct mm_struct *mm);
void pgcache_free_pte(struct mmu_gather *tlb, struct page *page);
bool pgcache_alloc_pmd(struct mm_struct *mm, pud_t *pud);
void pgcache_free_pmd(pmd_t *pmd);
bool pgcache_alloc_pud(struct mm_struct *mm, p4d_t *p4d);
void pgcache_free_pud(pud_t *pud);
bool pgcache_alloc_p4d(struct mm_struct *mm, pgd_t *pgd);
void pgcache_free_p4d(p4d_t *p4d);
pgd_t *pgcache_alloc_pgd(struct mm_struct *mm);
bool pgcache_free_pgd(struct mm_struct *mm, pgd_t *pgd);

int pgc_prototypes(void);
int pgc_census(void);
int pgc_hooks_init(void);
void pgc_hooks_exit(void);
int pgc_shrink_init(void);
void pgc_shrink_exit(void);
int pgc_sysfs_init(void);
void pgc_sysfs_exit(void);
int pgc_selftest(void);

#endif
