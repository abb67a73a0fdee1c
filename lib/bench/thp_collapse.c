// thp_collapse: turning 512 base pages into a huge one with madvise(MADV_COLLAPSE), and splitting it again by
// protecting one page of it (mm/khugepaged.c, mm/huge_memory.c).
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static const struct bench_param params[] = {{}};

#define MOST_TRIES 100 // EAGAIN: a page was just being looked at by someone else

struct collapse {
	struct memory memory;
	bool split;
};

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct collapse *c = ctx;
	char *p = c->memory.start;
	uint64_t from;

	// base pages again: dropped, and faulted in without huge pages
	madvise(p, HUGE_PAGE, MADV_DONTNEED);
	madvise(p, HUGE_PAGE, MADV_NOHUGEPAGE);
	memory_write(&c->memory);
	madvise(p, HUGE_PAGE, MADV_HUGEPAGE);
	from = bench_begin(run);
	for (int left = MOST_TRIES; madvise(p, HUGE_PAGE, MADV_COLLAPSE); from = bench_begin(run))
		if ((errno != EAGAIN && errno != EBUSY) || !--left)
			return -errno;
	*cycles = bench_end(run, from);
	if (!c->split)
		return 0;
	from = bench_begin(run);
	mprotect(p + BASE_PAGE, BASE_PAGE, PROT_READ);
	*cycles = bench_end(run, from);
	mprotect(p + BASE_PAGE, BASE_PAGE, PROT_READ | PROT_WRITE);
	return 0;
}

static int run(struct bench_run *b)
{
	const struct bench_op collapse = {"collapse", sample, 1, "huge page", true}, // waits for each CPU
	    split = {"split", sample, 1, "huge page", false};
	struct collapse c = {};
	int rc = memory_map(&c.memory, MEMORY_ANON, HUGE_PAGE);

	if (!rc)
		rc = bench_measure(b, &collapse, &c, NULL);
	c.split = true;
	if (!rc)
		rc = bench_measure(b, &split, &c, NULL);
	memory_unmap(&c.memory);
	if (rc == -EINVAL)
		bench_cannot(b, "thp_collapse",
			     "this kernel has no madvise(MADV_COLLAPSE) (Linux 6.1), or huge pages are off");
	else if (rc == -EAGAIN || rc == -ENOMEM || rc == -EBUSY)
		bench_cannot(b, "thp_collapse", "the kernel could not make a huge page: %s", g_strerror(-rc));
	else
		return rc;
	return 0;
}

const struct bench bench_thp_collapse = {
    "thp_collapse", "collapsing base pages into a huge page, and splitting it", params, run, false};
