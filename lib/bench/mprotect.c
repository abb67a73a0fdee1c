// mprotect(2) of one page and of a range: the page tables are changed and the TLB is flushed (mm/mprotect.c).
#include <errno.h>
#include <sys/mman.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"

static const struct bench_param params[] = {{"pages", "256", "N", "pages of the range"}, {}};

// One direction is timed: the pages lose a right, which has to be flushed from the TLB. They get it back,
// and are written again, outside of that.
static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	const struct memory *m = ctx;
	uint64_t from;
	int rc;

	memory_write(m);
	from = bench_begin(run);
	rc = mprotect(m->start, m->bytes, PROT_READ);
	*cycles = bench_end(run, from);
	return rc || mprotect(m->start, m->bytes, PROT_READ | PROT_WRITE) ? err_set(-errno, "mprotect: %m")
									  : 0;
}

static int run(struct bench_run *b)
{
	int64_t pages = bench_int(b, "pages");
	const struct bench_op one = {"page", sample, 1, "call", false},
			      all = {"range", sample, (double)pages, "page", false};
	struct memory range, page;
	int rc;

	if (pages < 1 || pages > 1 << 24)
		return err_set(-EINVAL, "--pages must be from 1 to 16777216");
	rc = memory_map(&range, MEMORY_ANON, (size_t)pages * BASE_PAGE);
	if (rc)
		return rc;
	page = range;
	page.bytes = BASE_PAGE;
	rc = bench_measure(b, &one, &page, NULL);
	if (!rc)
		rc = bench_measure(b, &all, &range, NULL);
	memory_unmap(&range);
	return rc;
}

const struct bench bench_mprotect = {"mprotect", "taking the right to write from mapped pages", params, run,
				     false};
