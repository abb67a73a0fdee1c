// How a program in the lab's guest talks to the lab's plugin (scripts/plugin): it stores LABCALL_MAGIC, as
// the constant of one instruction, into the first word of a struct labcall. The plugin sees that store, reads
// the rest of the struct in the guest's memory and writes its answer there before the next instruction runs.
// No privilege is needed. Anywhere else it is a store like any other, and `status` stays 0.
#ifndef MMPROF_HOST_LABCALL_H
#define MMPROF_HOST_LABCALL_H

#include <stdint.h>

#define LABCALL_MAGIC 0x6d6d7072
#define LABCALL_KEY 0x6c6162206d6d7072ull // the struct's second word
#define LABCALL_VERSION 1
#define LABCALL_TIERS 2
#define LABCALL_RANGES 6

enum labcall_command {
	LABCALL_HELLO = 1, // who is there: out.hello
	LABCALL_READ,      // counters since the start of the guest: out.read
	LABCALL_SYNC, // puts `kind`, `clock` and `text` into the truth file with the time of this instant
};

enum labcall_sync { LABCALL_RUN_BEGINS = 1, LABCALL_RUN_ENDS, LABCALL_SNAPSHOT, LABCALL_NOTE };

enum labcall_features {
	LABCALL_TRUTH = 1, // --truth: accesses are counted by page
	LABCALL_CACHE = 2, // the cache model runs
	LABCALL_SLOW = 4,  // accesses that miss the cache are charged their tier's latency and bandwidth
	LABCALL_COUNT = 8, // --count: instructions are counted
	LABCALL_HELD = 16, // the guest's clock stands still while the host runs others
};

struct labcall_counts {
	uint64_t user_instructions, kernel_instructions; // with LABCALL_COUNT
	uint64_t reads, writes;                          // memory accesses
	uint64_t fills[LABCALL_TIERS];                   // lines that the cache model fetched from each tier
	uint64_t write_backs[LABCALL_TIERS];
	struct {
		uint64_t instructions, calls; // its own, without what it calls; of its first instruction
	} range[LABCALL_RANGES];              // those of --count-range
};

struct labcall {
	uint64_t door, key;
	uint32_t command, status; // status: LABCALL_VERSION when it was answered
	// in, for LABCALL_SYNC
	uint32_t kind, unused;
	uint64_t clock_ns[2]; // the guest's CLOCK_MONOTONIC and CLOCK_REALTIME
	uint64_t frame;       // page frame number of this struct, 0: not known
	char text[48];        // NUL-terminated
	union {
		struct {
			uint64_t features, cache_bytes, interval_ns;
			uint32_t cache_ways, cache_line;
			uint64_t latency_ns[LABCALL_TIERS], bytes_per_s[LABCALL_TIERS]; // 0: not charged
		} hello;
		struct {
			struct labcall_counts cpu, all; // of the CPU that asks, of all
		} read;
		uint64_t sync_ns; // when that was, in the truth file's time
	} out;
} __attribute__((aligned(512))); // never over the end of a page

static inline void labcall(struct labcall *call)
{
	call->key = LABCALL_KEY;
	call->status = 0;
#if defined(__x86_64__)
	// no prefix before and nothing between: the plugin looks at this one instruction
	__asm__ volatile("movq %1, %0" : "=m"(call->door) : "i"(LABCALL_MAGIC) : "memory");
#else
	call->door = LABCALL_MAGIC;
#endif
}

#endif
