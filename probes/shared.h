// What the BPF programs and lib/probe share: map layouts and the constants that are patched into clones.
#ifndef MMPROF_PROBES_SHARED_H
#define MMPROF_PROBES_SHARED_H

#include "probes/class.h"
#include "probes/hist.h"

// A template program is loaded once and cloned for each function or tracepoint; a clone's constants are
// 64-bit immediates that lib/probe/bpf.c replaces before it loads the clone. The verifier then sees plain
// constants: no map look-up, no attach cookie (fentry has none before 5.19).
#define PATCH_MAGIC 0x6d6d7072ull // "mmpr"
#define PATCH_ID 0                // the probe's number
#define PATCH_BY 1                // tracepoint argument that breaks the count down, PATCH_NO_ARG for none
#define PATCH_SUM 2               // tracepoint argument that is summed, PATCH_NO_ARG for none
#define PATCH_SUCCESS 3           // mmap_lock: where `write` and `success` stand in this kernel
#define PATCH_MASK 4              // of the argument that breaks the count down, which bits count
#define PATCH_COUNT 5
#define PATCH_NO_ARG 255

// One switch for all programs of all kinds, so that a run begins and ends for all of them at once.
struct control {
	unsigned long long workload_id; // of the workload's cgroup
	unsigned long long workload;    // address of its struct cgroup, learned when first seen
	int workload_level;             // its depth in the hierarchy
	unsigned int enabled;
};

// One CPU's histogram. Buckets wrap at 2^32: user space reads them at least once a second and adds up the
// differences. inv_min is ~min, so that zeroed memory is an empty histogram.
struct cpu_hist {
	unsigned long long count, sum, inv_min, max;
	unsigned int buckets[HIST_BUCKETS];
	unsigned int unused;
};

// What one function's probe could not account for, per CPU.
struct cpu_loss {
	unsigned long long
	    unmatched_exit; // returned, but its entry was not seen (entered before the run, or missed)
	unsigned long long missed_exit; // entered, but its return was not seen
	unsigned long long table_full;  // too many calls in progress at once
	unsigned long long no_slot;     // all histogram slots are taken
};

// Calls in progress: START_BUCKETS * START_WAYS of them find room at most, 1 MiB in all.
#define START_BITS 15
#define START_BUCKETS (1 << START_BITS)
#define START_WAYS 2
#define MAX_PROBES 512

struct start {
	unsigned long long key, ns; // key 0: free
};

// Tracepoint counters.
struct count_key {
	unsigned int probe, class;
	long long by;
};

struct count_value {
	unsigned long long count;
	long long sum;
	unsigned long long all; // times the summed argument was ~0: TLB_FLUSH_ALL in tlb:tlb_flush
};

// Ways of page-table pages.
#define PTPATH_DEPTH 12
enum ptpath_loss { PTPATH_TABLE_FULL, PTPATH_NO_STACK, PTPATH_LOSSES };

struct ptpath_key {
	unsigned int class, release;
	unsigned long long stack[PTPATH_DEPTH]; // all 0: there was none
};

// mmap_lock.
enum lock_part { LOCK_READ_WAIT, LOCK_WRITE_WAIT, LOCK_READ_HOLD, LOCK_WRITE_HOLD, LOCK_PARTS };
#define LOCK_PART_NAMES                                                                                      \
	{                                                                                                    \
		"read wait", "write wait", "read hold", "write hold"                                         \
	}

enum lock_event {
	LOCK_READ_OK,
	LOCK_READ_FAILED, // a trylock that failed, or a killable wait that was killed: the tracepoints don't
			  // tell which
	LOCK_WRITE_OK,
	LOCK_WRITE_FAILED,
	LOCK_DOWNGRADE,
	LOCK_UNPAIRED_ACQUIRE, // its start was before the run
	LOCK_UNPAIRED_RELEASE, // taken before the run, or by another task
	LOCK_HOLD_OVERFLOW,    // more than LOCK_HOLDS mmap_locks held by one task
	LOCK_NO_STORAGE,
	LOCK_EVENTS,
};

#define LOCK_HOLDS 4

struct lock_counts {
	unsigned long long events[LOCK_EVENTS];
};

struct lock_hold {
	unsigned long long mm, since_ns;
	unsigned int write, unused;
};

struct task_lock {
	unsigned long long wait_mm, wait_since_ns;
	struct lock_hold holds[LOCK_HOLDS];
};

#endif
