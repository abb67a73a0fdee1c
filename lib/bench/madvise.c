// madvise: the advices that move or free memory, on a range of written pages (mm/madvise.c).
#include <errno.h>
#include <glib.h>
#include <sys/mman.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static const struct bench_param params[] = {{"pages", "256", "N", "pages of the range"}, {}};

struct advice {
	struct memory memory;
	int advice;
};

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct advice *a = ctx;
	uint64_t from;
	int rc;

	if (a->advice == MADV_POPULATE_WRITE)
		memory_drop(&a->memory);
	else
		memory_write(&a->memory);
	from = bench_begin(run);
	rc = madvise(a->memory.start, a->memory.bytes, a->advice);
	*cycles = bench_end(run, from);
	if (rc)
		return -errno;
	return a->advice == MADV_PAGEOUT ? memory_must_be_swapped(&a->memory) : 0;
}

static int run(struct bench_run *b)
{
	static const struct {
		const char *name, *needs;
		int advice;
	} advices[] = {{"dontneed", "", MADV_DONTNEED},
		       {"free", "", MADV_FREE},
		       {"cold", "Linux 5.4", MADV_COLD},
		       {"pageout", "Linux 5.4", MADV_PAGEOUT},
		       {"populate_write", "Linux 5.14", MADV_POPULATE_WRITE}};
	int64_t pages = bench_int(b, "pages");
	struct advice a = {};
	int rc;

	if (pages < 1 || pages > 1 << 24)
		return err_set(-EINVAL, "--pages must be from 1 to 16777216");
	rc = memory_map(&a.memory, MEMORY_ANON, (size_t)pages * BASE_PAGE);
	for (size_t i = 0; i < G_N_ELEMENTS(advices) && !rc && !bench_stopped(b); i++) {
		const struct bench_op op = {advices[i].name, sample, (double)pages, "page",
					    advices[i].advice == MADV_PAGEOUT}; // it waits for the swap

		a.advice = advices[i].advice;
		if (a.advice == MADV_PAGEOUT && !memory_have_swap()) {
			bench_cannot(b, advices[i].name, "no swap is on (swapon(8))");
			continue;
		}
		rc = bench_measure(b, &op, &a, NULL);
		if (rc == -EINVAL) {
			bench_cannot(b, advices[i].name, "this kernel does not know the advice (%s)",
				     advices[i].needs);
			rc = 0;
		} else if (rc) {
			rc = err_set(rc, "madvise %s: %s", advices[i].name, g_strerror(-rc));
		}
	}
	memory_unmap(&a.memory);
	return rc;
}

const struct bench bench_madvise = {
    "madvise", "giving memory back, cooling, paging out and populating it by advice", params, run, false};
