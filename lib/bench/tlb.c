// tlb: what a TLB shootdown costs the one who asks for it, by how many threads run in the address space and
// how many pages are flushed: munmap, mprotect, madvise(MADV_DONTNEED, MADV_FREE), migration
// (arch/x86/mm/tlb.c).
#include <errno.h>
#include <glib.h>
#include <numaif.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/cpus.h"
#include "bench/memory.h"

static const struct bench_param params[] = {
    {"pages", "1", "N", "pages flushed by a call"},
    {"threads", "2", "N", "threads of the address space, the measured one included"},
    {}};

struct tlb {
	struct memory memory;
	size_t pages;
	void **at;
	int *nodes, *status;
	int (*call)(struct tlb *t);
};

static int do_mprotect(struct tlb *t)
{
	return mprotect(t->memory.start, t->memory.bytes, PROT_READ);
}

static int do_dontneed(struct tlb *t)
{
	return madvise(t->memory.start, t->memory.bytes, MADV_DONTNEED);
}

static int do_free(struct tlb *t)
{
	return madvise(t->memory.start, t->memory.bytes, MADV_FREE);
}

static int do_munmap(struct tlb *t)
{
	return munmap(t->memory.start, t->memory.bytes);
}

static int do_migrate(struct tlb *t)
{
	return move_pages(0, t->pages, t->at, t->nodes, t->status, MPOL_MF_MOVE) < 0 ? -1 : 0;
}

static void set_target(struct tlb *t, int node)
{
	for (size_t i = 0; i < t->pages; i++)
		t->nodes[i] = node;
}

static int count_moved(const struct tlb *t)
{
	size_t stayed = 0;

	for (size_t i = 0; i < t->pages; i++)
		stayed += t->status[i] != t->nodes[i];
	return stayed ? err_set(BENCH_NOT_SO, "%zu of %zu pages stayed where they were", stayed, t->pages)
		      : 0;
}

// As it was before the call: writable base pages; on node 0 if they are to go to node 1.
static int restore(struct tlb *t)
{
	if (t->call == do_munmap) {
		if (mmap(t->memory.start, t->memory.bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			return err_set(-errno, "mmap: %m");
		madvise(t->memory.start, t->memory.bytes, MADV_NOHUGEPAGE);
	}
	if (t->call == do_mprotect && mprotect(t->memory.start, t->memory.bytes, PROT_READ | PROT_WRITE))
		return err_set(-errno, "mprotect: %m");
	memory_write(&t->memory);
	if (t->call != do_migrate)
		return 0;
	set_target(t, 0);
	if (do_migrate(t))
		return err_set(-errno, "move_pages: %m");
	set_target(t, 1);
	return 0;
}

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct tlb *t = ctx;
	uint64_t from;
	int rc = restore(t);

	if (rc)
		return rc;
	from = bench_begin(run);
	rc = t->call(t);
	*cycles = bench_end(run, from);
	if (rc)
		return err_set(-errno, "the call that flushes failed: %m");
	return t->call == do_migrate ? count_moved(t) : 0;
}

// The other threads spin in the same address space, so that their CPUs have to be told.
static volatile bool stop;
static volatile int running;

static void *spin(void *arg)
{
	cpus_pin(GPOINTER_TO_INT(arg));
	__sync_add_and_fetch(&running, 1);
	while (!stop)
		__builtin_ia32_pause();
	return arg;
}

static int measure_all(struct bench_run *b, struct tlb *t)
{
	static const struct {
		const char *name;
		int (*call)(struct tlb *t);
	} ops[] = {{"munmap", do_munmap},
		   {"mprotect", do_mprotect},
		   {"madvise_dontneed", do_dontneed},
		   {"madvise_free", do_free},
		   {"migrate", do_migrate}};
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(ops) && !rc && !bench_stopped(b); i++) {
		const struct bench_op op = {ops[i].name, sample, 1, "call",
					    ops[i].call == do_migrate}; // which waits for each CPU

		t->call = ops[i].call;
		if (t->call == do_migrate &&
		    !g_file_test("/sys/devices/system/node/node1", G_FILE_TEST_IS_DIR)) {
			bench_cannot(b, "migrate", "this machine has one NUMA node");
			continue;
		}
		rc = bench_measure(b, &op, t, NULL);
		if (!rc)
			rc = restore(t);
	}
	return rc;
}

static int run(struct bench_run *b)
{
	int n = (int)bench_int(b, "threads") - 1, started = 0, rc;
	struct tlb t = {.pages = (size_t)bench_int(b, "pages")};
	g_autofree pthread_t *threads = NULL;

	if (n < 0 || n > 1023)
		return err_set(-EINVAL, "--threads must be from 1 to 1024");
	if (!t.pages || t.pages > 1 << 20)
		return err_set(-EINVAL, "--pages must be from 1 to 1048576");
	threads = g_new0(pthread_t, n + 1);
	rc = memory_map(&t.memory, MEMORY_ANON, t.pages * BASE_PAGE);
	if (rc)
		return rc;
	t.at = g_new(void *, t.pages);
	t.nodes = g_new0(int, t.pages);
	t.status = g_new0(int, t.pages);
	for (size_t i = 0; i < t.pages; i++)
		t.at[i] = t.memory.start + i * BASE_PAGE;
	stop = false;
	while (started < n && !pthread_create(&threads[started], NULL, spin, GINT_TO_POINTER(started + 1)))
		started++;
	if (started < n)
		bench_cannot(b, "all threads", "only %d of %d threads could be started", started + 1, n + 1);
	if (started >= cpus_count())
		bench_cannot(b, "each thread on a CPU of its own", "%d threads on %d CPUs", started + 1,
			     cpus_count());
	while (running < started)
		g_usleep(100);
	rc = measure_all(b, &t);
	stop = true;
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	g_free(t.at);
	g_free(t.nodes);
	g_free(t.status);
	memory_unmap(&t.memory);
	return rc;
}

const struct bench bench_tlb = {"tlb", "TLB shootdowns, by threads and pages", params, run, false};
