// mprotect(2) of one page and of a range: the page tables are changed and the TLB is flushed (mm/mprotect.c).
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/timing.h"

static const struct bench_param params[] = {{"pages", "256", "N", "pages of the range"}, {}};

struct range {
	char *start;
	size_t bytes;
	int prot;
};

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct range *r = ctx;
	uint64_t from;
	unsigned cpu;

	(void)run;
	r->prot ^= PROT_WRITE;
	from = timing_begin();
	if (mprotect(r->start, r->bytes, r->prot))
		return err_set(-errno, "mprotect: %m");
	*cycles = timing_end(&cpu) - from;
	if (r->prot & PROT_WRITE) // the pages are writable again before the next one takes that away
		for (size_t i = 0; i < r->bytes; i += 4096)
			r->start[i]++;
	return 0;
}

static int run(struct bench_run *b)
{
	size_t bytes = (size_t)bench_int(b, "pages") * 4096;
	struct range one, all;
	const struct bench_op ops[] = {{"page", sample, 1, "call", false},
				       {"range", sample, (double)bench_int(b, "pages"), "page", false}};
	char *start;
	int rc;

	if (!bytes)
		return err_set(-EINVAL, "--pages must be 1 or more");
	start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED)
		return err_set(-errno, "mmap of %zu bytes: %m", bytes);
	madvise(start, bytes, MADV_NOHUGEPAGE);
	memset(start, 1, bytes);
	one = (struct range){start, 4096, PROT_READ | PROT_WRITE};
	all = (struct range){start, bytes, PROT_READ | PROT_WRITE};
	rc = bench_measure(b, &ops[0], &one, NULL);
	mprotect(start, bytes, PROT_READ | PROT_WRITE);
	if (!rc)
		rc = bench_measure(b, &ops[1], &all, NULL);
	munmap(start, bytes);
	return rc;
}

const struct bench bench_mprotect = {"mprotect", "changing the protection of mapped pages, writable and back",
				     params, run, false};
