/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tiering moves the pages of some processes between fast and slow memory. A sampler tells which
 * pages were accessed, the book remembers them, a policy judges, the mover moves. docs/tiering.md
 * has the design; the rules kept everywhere:
 *
 *  - A page is known by (process, virtual page). The pfn is a hint: it is checked under the page
 *    table's lock, and no reference is held to a page between two pieces of work (but shadows,
 *    which are ours alone).
 *  - A folio is off the LRU only within one call of the mover, which gives each one back.
 *  - mmap_lock, then the book's lock. Neither is held while pages are migrated.
 *  - samples: total = kept + each drop; moves: tried = moved + each failure.
 */
#ifndef TIERING_H
#define TIERING_H

#include <linux/atomic.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/sched/mm.h>
#include "vmap.h"

enum tier_id { TIER_FAST, TIER_SLOW, TIERS };

/* --- counters: each is a file of this name in its directory of sysfs */

#define TIER_SAMPLES(X)                                                                           \
	X(total)        /* accesses that the sampler reported */                                  \
	X(kept_fast)    /* of those, given to the policy: in fast memory */                       \
	X(kept_slow)    /* ... in slow memory */                                                  \
	X(drop_invalid) /* no page is mapped there (any more) */                                  \
	X(drop_vma) /* not private anonymous memory, or locked, or shared with another process */ \
	X(drop_trylock)    /* mmap_lock was held by others */                                     \
	X(drop_queue_full) /* came faster than they were processed */                             \
	X(drop_table_full) /* more pages than max_pages, or no memory for their entries */        \
	X(rounds)          /* times all processes were looked at */                               \
	X(scanned)         /* page-table entries looked at */                                     \
	X(skip_trylock)    /* parts of a round skipped: mmap_lock was held by others */           \
	X(hint_unmapped)   /* pages made to fault (hint) */

#define TIER_MOVES(X)                                                                      \
	X(tried)          /* base pages */                                                 \
	X(promoted)       /* of those, found in fast memory after their move */            \
	X(demoted)        /* ... in slow memory */                                         \
	X(fail_gone)      /* the process, or the mapping, is gone */                       \
	X(fail_stale)     /* another page is mapped there by now, or it moved by itself */ \
	X(fail_vma)       /* not private anonymous memory any more, or locked */           \
	X(fail_shared)    /* mapped by another process too */                              \
	X(fail_lru)       /* could not be taken off the LRU */                             \
	X(fail_nomem)     /* no free page there, for it or for one before it */            \
	X(fail_migrate)   /* the kernel could not move it: in use */                       \
	X(fail_bounced)   /* moved, but not there afterwards */                            \
	X(fail_dirty)     /* nomad: written to while it was copied */                      \
	X(exchanges)      /* pairs: one demoted for one promoted */                        \
	X(batches)        /* calls of the mover */                                         \
	X(drains)         /* lru_add_drain_all() */                                        \
	X(backoffs)       /* pages left alone for a while since they failed */             \
	X(tpm_promoted)   /* nomad: promoted by transactional copy */                      \
	X(shadow_demoted) /* nomad: demoted by mapping the shadow again, without a copy */ \
	X(shadow_made)                                                                     \
	X(shadow_stale)  /* thrown away: the page was written to, moved or unmapped */     \
	X(shadow_shrunk) /* thrown away: memory was short */

#define TIER_PHASES(X)       \
	X(sampling_ns)       \
	X(classification_ns) \
	X(migration_ns)

/* clang-format off */
enum tier_stat {
#define X(name) SAMPLES_##name,
	TIER_SAMPLES(X)
#undef X
#define X(name) MOVES_##name,
	TIER_MOVES(X)
#undef X
#define X(name) PHASES_##name,
	TIER_PHASES(X)
#undef X
	TIER_NSTATS
};
/* clang-format on */

extern atomic64_t tier_stats[TIER_NSTATS];

static inline void tier_count(enum tier_stat what, u64 n)
{
	atomic64_add(n, &tier_stats[what]);
}

static inline u64 tier_stat(enum tier_stat what)
{
	return atomic64_read(&tier_stats[what]);
}

/* --- parameters: module parameters give the first values, sysfs changes them */

struct tier_params {
	unsigned int scan_ms; /* one round each so often */
	/* of one processor, all threads together; 0: without limit */
	unsigned int cpu_budget_permille;
	unsigned int migrate_mbps; /* copied; 0: without limit */
	unsigned int migrate_ms;   /* the mover looks for work each so often */
	unsigned int batch;        /* base pages that one call of the mover takes, per direction */
	unsigned int hysteresis;   /* ours: an exchange must gain so much frequency */
	unsigned int decay_rounds; /* ours: frequencies are halved each so many rounds */
	/* of fast memory, kept free for the kernel and for exchange */
	unsigned int reserve_permille;
	unsigned int max_pages;    /* entries; 0: as many as there are pages in both tiers */
	unsigned int sketch_width; /* 0: half as many as max_pages */
	unsigned int pebs_period;
	/* memtis: counts are halved each so many samples; 0: 20 a page in fast memory */
	unsigned int cooling;
	/* memtis: the threshold is computed each so many samples; 0: a 20th of cooling */
	unsigned int adaptation;
	unsigned int shadow_permille; /* nomad: of slow memory, for shadows at most */
	/* for tests: nomad waits so long between copying pages and mapping the copies */
	unsigned int pause_ms;
	unsigned int flush; /* abit: flush the TLB after clearing accessed bits */
};

extern struct tier_params tier_params;

/* --- tiers.c: which nodes are fast and slow, and what is free there */

extern nodemask_t tier_nodes[TIERS];

int tier_tiers_init(void);
int tier_set_nodes(enum tier_id tier, const char *list);
/* -1: the node is of no tier */
int tier_of_node(int nid);
/* The node of this tier with most free memory, that has some left */
int tier_pick_node(enum tier_id tier, int from);
u64 tier_total(enum tier_id tier);
/* Base pages that may still be allocated there, above watermarks and reserve; may be negative. */
s64 tier_room(enum tier_id tier);
u64 tier_reserve(void);

/*
 * --- target.c: whose pages. Processes are found anew each round and known by a number of their
 * own.
 */

struct tier_mm {
	struct list_head list, dropped;
	struct mm_struct *mm; /* its struct is held, its memory is not */
	u16 id;
	u8 complete; /* the last round that looked at all of it */
	bool wanted;
};

int tier_target_init(void);
void tier_target_exit(void);
int tier_target_set_cgroup(const char *glob);
int tier_target_set_pid(int pid);
ssize_t tier_target_show_cgroup(char *buf);
int tier_target_pid(void);
/* Only the sampler's thread changes the list; it reads it without a lock. */
void tier_target_refresh(void);
struct tier_mm *tier_target_next(struct tier_mm *after);
unsigned int tier_target_count(void);
/* From any thread: the mm with mmget() done, NULL when it is gone. */
struct mm_struct *tier_target_get(u16 id);
/* In atomic context, with preemption disabled: the number of this target, or 0. */
u16 tier_target_id_of(struct mm_struct *mm);
u8 tier_target_complete(u16 id);

/* --- walk.c: the page tables */

/* A page of private anonymous memory as it is mapped. */
struct tier_page {
	u64 vpn, pfn;
	u8 order;
	bool young;
	enum tier_stat drop; /* SAMPLES_kept_fast: it is good; else why it is not ours */
};

struct tier_walk {
	bool young[TIERS]; /* of which tiers to take the accessed bits */
	/* some pages, without a page table's lock, but with mmap_lock */
	void (*pages)(struct tier_walk *w, const struct tier_page *page, unsigned int n);
	unsigned int n, cleared;
	u64 scanned;
	struct tier_page page[PTRS_PER_PTE];
};

bool tier_vma_ours(struct vm_area_struct *vma);
/* mmap_lock is held; the range is within one mapping that is ours. */
int tier_walk_range(struct tier_walk *w, struct mm_struct *mm, unsigned long start,
		    unsigned long end);

/*
 * One page: what is mapped there, with the lock of its page table held on success
 * (tier_spot_unlock).
 */
struct tier_spot {
	struct vm_area_struct *vma;
	pmd_t *pmd;
	pte_t *pte; /* NULL: a huge page */
	spinlock_t *ptl;
	struct folio *folio;
};

/* 0, or why not: MOVES_fail_* */
enum tier_stat tier_spot_lock(struct tier_spot *s, struct mm_struct *mm, u64 vpn);
void tier_spot_unlock(struct tier_spot *s);
/* 0: it may be moved; else why not: MOVES_fail_* */
enum tier_stat tier_spot_why_not(const struct tier_spot *s, u64 vpn);

/* --- book.c: all pages known, and what became of a sample */

extern struct mutex tier_book_lock;
extern struct vmap tier_book;

int tier_book_init(void);
void tier_book_exit(void);
/* With the book's lock: pages as they were found, each accessed `weight` times where young. */
void tier_book_pages(u16 mm, const struct tier_page *page, unsigned int n, unsigned int weight);
/*
 * With the book's lock: forgets pages of processes whose round is complete, that were not seen in
 * it.
 */
void tier_book_sweep(u8 round);
void tier_book_forget_mms(const unsigned long *ids); /* a bit for each */
void tier_book_forget_all(void);
void tier_book_reset(void);
u64 tier_book_pages_in(enum tier_id tier); /* base pages */
u64 tier_book_bytes(void);
void tier_book_set_tier(struct vmap_entry *e, enum tier_id tier);
extern u8 tier_round;

/* --- mover.c */

struct tier_job {
	u64 key, pfn;
	u32 id;
	u8 order;
	u8 to;
	u16 clock;
	enum tier_stat result; /* MOVES_promoted, MOVES_demoted, or MOVES_fail_* */
};

#define TIER_BATCH_MAX 512

struct tier_batch {
	struct tier_job job[2 * TIER_BATCH_MAX];
	unsigned int n_demote, n;
	unsigned int pages[2]; /* base pages, by direction (`to`) */
	unsigned int exchanges;
};

/* With the book's lock: adds a page to the batch; false: it is full. */
bool tier_batch_add(struct tier_batch *b, u32 id, enum tier_id to);
void tier_mover_run(struct tier_batch *b);
/*
 * Moves jobs of one process to one tier; fills in their results and new pfns. The policy may have
 * its own.
 */
void tier_move(struct mm_struct *mm, struct tier_job *job, unsigned int n, enum tier_id to);
struct folio *tier_alloc_folio(int nid, unsigned int order);

/* remap.c: nomad's transactional copy */
void tier_remap_promote(struct mm_struct *mm, struct tier_job *job, unsigned int n);
void tier_remap_demote(struct mm_struct *mm, struct tier_job *job, unsigned int n);
/* shadow.c */
int tier_shadow_init(void);
void tier_shadow_exit(void);
int tier_shadow_put(u16 mm, u64 pfn, struct folio *shadow);
struct folio *tier_shadow_take(u64 pfn);
void tier_shadow_forget_mm(u16 mm);
unsigned long tier_shadow_count(void);
void tier_shadow_flush(void);

/* --- policies */

struct tier_policy {
	const char *name;
	int (*init)(void);
	void (*exit)(void);
	/*
	 * All of these with the book's lock. A page was found, and accessed so often since. fresh:
	 * not known before.
	 */
	int (*seen)(u32 id, struct vmap_entry *e, unsigned int weight, bool fresh);
	void (*gone)(u32 id, struct vmap_entry *e); /* before it is forgotten */
	void (*round)(void);                        /* after each round of the sampler */
	void (*pick)(struct tier_batch *b);
	void (*done)(u32 id, struct vmap_entry *e, const struct tier_job *job, bool moved);
	/* NULL: tier_move */
	void (*move)(struct mm_struct *mm, struct tier_job *job, unsigned int n, enum tier_id to);
	u64 (*bytes)(void);
	const struct attribute_group *gauges; /* in its own directory, named like the policy */
};

extern const struct tier_policy tier_ours, tier_memtis, tier_nomad;
extern const struct tier_policy *tier_policy;
const struct tier_policy *tier_policy_find(const char *name);
u64 tier_sample_weight(u8 order); /* memtis: what one sample counts */

/* A file with a number of a policy's, read with the book's lock; 0 while another policy runs. */
#define TIER_POLICY_GAUGE(policy, name, value)                                             \
	static ssize_t name##_show(struct kobject *k, struct kobj_attribute *a, char *buf) \
	{                                                                                  \
		u64 n;                                                                     \
                                                                                           \
		mutex_lock(&tier_book_lock);                                               \
		n = tier_policy == &tier_##policy ? (value) : 0;                           \
		mutex_unlock(&tier_book_lock);                                             \
		return sysfs_emit(buf, "%llu\n", n);                                       \
	}                                                                                  \
	static struct kobj_attribute attr_##name = __ATTR_RO(name);

/* --- samplers */

struct tier_sampler {
	const char *name;
	int (*start)(void); /* -EOPNOTSUPP, with a line in the log: not on this machine */
	void (*stop)(void);
	/* accessed bits of these tiers are samples; others are told by the sampler itself */
	bool young[TIERS];
	void (*round)(struct tier_mm *m); /* each process, before its census; may be NULL */
};

extern const struct tier_sampler tier_abit, tier_hint, tier_pebs;
extern const struct tier_sampler *tier_sampler; /* the one that runs */
int tier_sampler_start(const char *name);       /* "auto": the best that starts */
void tier_sampler_stop(void);
bool tier_sampler_known(const char *name);
/*
 * Each part of the process' memory that is ours, with mmap_lock, under the CPU budget; false: not
 * all could be had. The memory is held only while a part is worked on, not while we wait for
 * credit: who exits meanwhile frees it himself.
 */
typedef void (*tier_part_fn)(struct vm_area_struct *vma, unsigned long start, unsigned long end);
bool tier_sampler_parts(struct tier_mm *m, tier_part_fn fn);
/* One round: all processes, under the CPU budget. */
void tier_sampler_round(void);
void tier_sampler_idle(void);

/* Accesses by address, from interrupts, to be processed by the sampler's thread. */
int tier_queue_init(void);
void tier_queue_exit(void);
void tier_queue_put(u16 mm, u64 vpn);
void tier_queue_drain(void);

/* --- threads.c: starting, stopping, budgets */

int tier_threads_init(void);
void tier_threads_exit(void);
/* Stops both threads, sets what is not NULL, and starts them again. */
int tier_set_up(const char *policy, const char *sampler);
int tier_set_enabled(bool on);
bool tier_is_enabled(void);
void tier_budgets_changed(void);
/* Waits for credit; false: the thread shall stop. */
bool tier_cpu_wait(void);
void tier_cpu_spend(u64 ns);
void tier_bandwidth_spend(u64 bytes);
const char *tier_sampler_wanted(void);

int tier_params_check(void);
int tier_sysfs_init(void);
void tier_sysfs_exit(void);
u64 tier_overhead(void);

#endif
