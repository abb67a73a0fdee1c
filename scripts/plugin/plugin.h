// What the parts of the lab's plugin share. The guest's memory accesses go through access.c: where is it
// (space.c), does it miss the last-level cache (cache.h), what does that cost (charge.h), and whose page is
// it (truth.c). Threads: each vCPU's callbacks run on its own thread with --smp multi, all on one with
// single. A struct cpu belongs to its vCPU's thread; the cache and the tiers are shared without a lock, so
// that two CPUs that miss in one set at the same instant may both fetch a line; counts are per CPU and exact.
#ifndef MMPROF_PLUGIN_PLUGIN_H
#define MMPROF_PLUGIN_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <x86intrin.h>

#include "base/truth_format.h"
#include "host/labcall.h"

#define MOST_CPUS 64
#define L1_LINES 512
#define STREAMS_SHIFT 6
#define NO_FRAME UINT64_MAX

struct page_count { // of one page in one interval
	uint32_t reads, writes, read_fills, write_fills;
};

struct cpu {
	struct labcall_counts counts;
	uint64_t outside;          // accesses that are of no known range
	uint64_t waited, forgiven; // TSC ticks: for the tiers; not, to make up for stolen time
	uint64_t done;             // TSC when its last access was served
	uint32_t until_check;      // accesses until it looks at the clock
	uint32_t last_span;
	uint64_t *l1; // line << 1 | dirty, by line: hits that need not ask the shared cache
	uint32_t stream[1 << STREAMS_SHIFT]; // next line of each, by page
	// for the truth file
	struct page_count *pages;      // by frame
	uint64_t *touched;             // bit map of frames
	struct labcall_counts flushed; // counts at the interval's start
	uint64_t from, idle;           // TSC of the interval's start; when it went idle, 0: it runs
} __attribute__((aligned(128)));

struct options {
	bool cache, slow, count;
	bool threads; // each CPU has its own
	const char *truth;
	uint64_t interval_ns;
	uint64_t cache_bytes;
	uint32_t cache_ways, cache_line, cache_line_shift;
	struct {
		uint64_t start, end; // guest-virtual; counted apart
	} code[LABCALL_RANGES];
	uint32_t codes;
	uint32_t ranges, cpus;
	struct truth_range range[TRUTH_RANGES];
	uint64_t latency_ns[TRUTH_TIERS], bytes_per_s[TRUTH_TIERS];
};

extern struct options options;
extern struct cpu cpus[MOST_CPUS];

// Ends QEMU with one line that scripts/lab shows.
void plugin_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

// --- clock.c: time that the host took, in TSC ticks
void clock_begin(void);              // once the machine runs
bool clock_is_held(void);            // by clock_look()
uint64_t clock_stolen(uint64_t now); // from this thread, since it asked last
void clock_look(void);               // takes that off the guest's clock
uint64_t time_now(void);             // the guest's time as a TSC: without what was taken off; never goes back

// --- time: the TSC, and ns since the plugin was loaded
extern uint64_t time_zero;      // TSC
extern double time_ns_per_tick; // measured when the plugin is loaded
void time_init(void);
static inline uint64_t time_ns(uint64_t tsc)
{
	return tsc <= time_zero ? 0 : (uint64_t)((double)(tsc - time_zero) * time_ns_per_tick);
}
static inline uint64_t time_ticks(double ns)
{
	return (uint64_t)(ns / time_ns_per_tick);
}

// --- space.c: host address → guest-physical
struct span { // host addresses [from, from + bytes) are guest-physical [from + delta, ...)
	uint64_t from, bytes, delta;
	uint32_t tier;
};
extern struct span spans[TRUTH_RANGES];
extern unsigned spans_known;
// Slow path: learns spans from the kernel's direct map. -1: not known (yet).
int space_find(uint64_t host, uint64_t vaddr);
void space_check(uint64_t vaddr, uint64_t physical); // from time to time
extern uint64_t space_checks, space_failed;
uint64_t space_frames(void); // frames up to the end of the last range

// --- truth.c
void truth_begin(void);
void truth_flush(struct cpu *c, uint64_t now); // ends the CPU's interval
// A mark; ends the interval of the vCPU that sets it, and where one thread emulates all, of all.
void truth_sync(uint64_t now, unsigned vcpu, const struct labcall *call, uint64_t frame);
void truth_end(void);
extern uint64_t truth_interval_ticks;

// --- access.c
struct qemu_plugin_insn;
void access_init(void);
void access_cpu(struct cpu *c);
void access_translate(struct qemu_plugin_insn *insn);

// --- call.c
void call_serve(unsigned vcpu, uint64_t host, uint64_t physical);

#endif
