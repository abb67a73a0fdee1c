// NUMA hint faults: the kernel makes pages inaccessible now and then, to see by the fault which node uses
// them (kernel/sched/fair.c: task_numa_work; mm/memory.c: do_numa_page). No system call asks for that:
// mbind's MPOL_MF_LAZY has never been open to users. But the pass is done by the task itself, on its way back
// from a timer interrupt, over all of its memory at once. So: spin until a sentinel page faults, then touch
// the others one by one, each timed. Whether an access was a fault tells the thread's own count of faults.
//
// Pages are on the node that touches them: the fault is that of access tracking alone, nothing is migrated.
#include "bench/hint.h"

#include <errno.h>
#include <glib.h>
#include <numa.h>
#include <numaif.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"
#include "bench/timing.h"

#define PAGES 16384 // what a pass makes inaccessible at most is scan_size_mb, 256 MiB
#define MOST_WAIT_NS 10000000000ull
#define NUMA_BALANCING_NORMAL 1 // bit of the sysctl; without it the nodes of the top tier are left alone
#ifndef MPOL_F_NUMA_BALANCING
#define MPOL_F_NUMA_BALANCING (1 << 13)
#endif

struct hint {
	struct memory memory;
	size_t at;                      // the next page; the last one is the sentinel
	uint64_t faults, plain, passes; // accesses that were hint faults, that were none; passes seen
	pthread_t second;
	sem_t end;
};

static bool faults(struct bench_run *run, volatile char *page, uint64_t *cycles)
{
	uint64_t before, after, major, from;

	memory_faults(&before, &major);
	from = bench_begin(run);
	(void)*page;
	*cycles = bench_end(run, from);
	memory_faults(&after, &major);
	return after != before;
}

static bool wait_for_pass(struct bench_run *run, struct hint *h, uint64_t until)
{
	volatile char *sentinel = h->memory.start + (PAGES - 1) * BASE_PAGE;
	uint64_t cycles;

	while (!faults(run, sentinel, &cycles))
		if (bench_stopped(run) || timing_clock() > until)
			return false;
	h->faults++;
	h->passes++;
	h->at = 0;
	return true;
}

// One fault, the next one; the rest of the last pass's first.
static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct hint *h = ctx;
	uint64_t until = timing_clock() + MOST_WAIT_NS;

	for (;;) {
		if (h->at == PAGES - 1 && !wait_for_pass(run, h, until))
			return BENCH_NO_MORE;
		if (faults(run, h->memory.start + h->at++ * BASE_PAGE, cycles))
			break;
		h->plain++;
	}
	h->faults++;
	return 0;
}

// --- may it be?

static bool possible(struct bench_run *run)
{
	g_autofree char *mode = NULL;

	if (!g_file_get_contents("/proc/sys/kernel/numa_balancing", &mode, NULL, NULL)) {
		bench_cannot(run, "hint", "this kernel has no NUMA balancing (CONFIG_NUMA_BALANCING)");
		return false;
	}
	if (numa_available() < 0) {
		bench_cannot(run, "hint", "this kernel has no NUMA system calls");
		return false;
	}
	if (atoi(mode) & NUMA_BALANCING_NORMAL)
		return true;
	bench_cannot(run, "hint",
		     "kernel.numa_balancing is %d%s; for the time of the run, "
		     "--system NAME,sysctl.kernel.numa_balancing=1 turns it on",
		     atoi(mode), numa_num_configured_nodes() > 1 ? "" : ", this machine has one NUMA node");
	return false;
}

static uint64_t kernels_count(void)
{
	g_autofree char *text = NULL;
	const char *at;

	if (!g_file_get_contents("/proc/vmstat", &text, NULL, NULL))
		return 0;
	at = strstr(text, "\nnuma_hint_faults ");
	return at ? g_ascii_strtoull(at + strlen("\nnuma_hint_faults "), NULL, 10) : 0;
}

// --- memory

static void *wait_for_end(void *arg)
{
	while (sem_wait(arg) && errno == EINTR)
		;
	return NULL;
}

// Bound to this node, whatever policy the run has, and eligible all the same (since 5.12; before, the kernel
// looks at memory without a policy only).
static void bind_here(const struct hint *h)
{
	struct bitmask *here = numa_allocate_nodemask();
	int node = numa_node_of_cpu(sched_getcpu());

	numa_bitmask_setbit(here, (unsigned)MAX(node, 0));
	mbind(h->memory.start, h->memory.bytes, MPOL_BIND | MPOL_F_NUMA_BALANCING, here->maskp,
	      here->size + 1, 0);
	numa_free_nodemask(here);
}

static int set_up(struct hint *h)
{
	int rc = memory_map(&h->memory, MEMORY_ANON, PAGES * BASE_PAGE);

	if (rc)
		return rc;
	bind_here(h);
	memory_write(&h->memory);
	// of a process with one thread the kernel leaves pages alone that are on the thread's node
	sem_init(&h->end, 0, 0);
	if (pthread_create(&h->second, NULL, wait_for_end, &h->end)) {
		memory_unmap(&h->memory);
		return err_set(-EAGAIN, "can't start a thread");
	}
	return 0;
}

static void tear_down(struct hint *h)
{
	sem_post(&h->end);
	pthread_join(h->second, NULL);
	sem_destroy(&h->end);
	memory_unmap(&h->memory);
}

int hint_run(struct bench_run *run)
{
	const struct bench_op op = {"hint", sample, 1, "fault", false};
	struct hint h = {.at = PAGES - 1};
	uint64_t before;
	int rc;

	if (!possible(run))
		return 0;
	rc = set_up(&h);
	if (rc)
		return rc;
	before = kernels_count();
	// the first pass is not part of the measuring's time limit
	if (wait_for_pass(run, &h, timing_clock() + MOST_WAIT_NS))
		rc = bench_measure(run, &op, &h, NULL);
	else
		bench_cannot(run, "hint",
			     "no pass of NUMA balancing came within %d s "
			     "(/sys/kernel/debug/sched/numa_balancing/scan_*)",
			     (int)(MOST_WAIT_NS / 1000000000));
	bench_metric(run, "hint.faults", (double)h.faults, "count", "neither");
	bench_metric(run, "hint.passes", (double)h.passes, "count", "neither");
	bench_metric(run, "hint.plain", (double)h.plain, "count", "neither");
	bench_metric(run, "hint.kernel_faults", (double)(kernels_count() - before), "count", "neither");
	tear_down(&h);
	return rc;
}
