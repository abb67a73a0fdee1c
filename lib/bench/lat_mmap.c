// lat_mmap and lat_pagefault, as lmbench defines them. lat_mmap: mapping a file, touching one page in each 16
// KiB of it, and unmapping it. lat_pagefault: a fault on a page of a mapped file that is in the page cache.
#include <errno.h>
#include <glib.h>
#include <sys/mman.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"
#include "bench/timing.h"

static const struct bench_param params[] = {{"size", "4M", "BYTES", "size of the file"}, {}};

static int mmap_sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	const struct memory *file = ctx;
	uint64_t from = timing_begin(), sum = 0;
	unsigned cpu;
	char *p = mmap(NULL, file->bytes, PROT_READ, MAP_SHARED, file->fd, 0);

	(void)run;
	if (p == MAP_FAILED)
		return err_set(-errno, "mmap: %m");
	for (size_t i = 0; i < file->bytes; i += 16384)
		sum += (uint64_t)((volatile char *)p)[i];
	munmap(p, file->bytes);
	*cycles = timing_end(&cpu) - from;
	return sum ? 0 : err_set(-EIO, "the file is empty");
}

static int fault_sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	const struct memory *file = ctx;
	uint64_t from, sum = 0;
	unsigned cpu;
	char *p = mmap(NULL, file->bytes, PROT_READ, MAP_SHARED, file->fd, 0);

	(void)run;
	if (p == MAP_FAILED)
		return err_set(-errno, "mmap: %m");
	madvise(p, file->bytes, MADV_RANDOM); // no fault-around: each page is a fault of its own
	from = timing_begin();
	for (size_t i = 0; i < file->bytes; i += BASE_PAGE)
		sum += (uint64_t)((volatile char *)p)[i];
	*cycles = timing_end(&cpu) - from;
	munmap(p, file->bytes);
	return sum ? 0 : err_set(-EIO, "the file is empty");
}

static int measure(struct bench_run *b, const char *name, const char *unit,
		   int (*sample)(struct bench_run *, void *, uint64_t *), bool per_page)
{
	size_t bytes = (size_t)bench_int(b, "size") / 16384 * 16384;
	const struct bench_op op = {name, sample, per_page ? (double)bytes / BASE_PAGE : 1, unit, false};
	struct memory file;
	int rc;

	if (!bytes)
		return err_set(-EINVAL, "--size must be 16 KiB or more");
	rc = memory_map(&file, MEMORY_FILE, bytes);
	if (!rc)
		rc = bench_measure(b, &op, &file, NULL);
	memory_unmap(&file);
	return rc;
}

static int run_mmap(struct bench_run *b)
{
	return measure(b, "mmap", "mapping", mmap_sample, false);
}

static int run_fault(struct bench_run *b)
{
	return measure(b, "pagefault", "fault", fault_sample, true);
}

const struct bench bench_lat_mmap = {"lat_mmap", "mapping, touching and unmapping a file (lmbench)", params,
				     run_mmap, false};
const struct bench bench_lat_pagefault = {"lat_pagefault", "faulting in a page of a mapped file (lmbench)",
					  params, run_fault, false};
