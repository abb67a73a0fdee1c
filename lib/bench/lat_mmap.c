// lat_mmap and lat_pagefault, as lmbench defines them. lat_mmap: mapping a file, writing a byte in each 16
// KiB of its first tenth, and unmapping it. lat_pagefault: reading all pages of a mapped file that is in the
// page cache, in random order, and unmapping it, less the unmapping of an untouched one: of one page, though
// a fault maps others around it, whatever is advised (mm/memory.c: should_fault_around).
#include <errno.h>
#include <glib.h>
#include <sys/mman.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"

static const struct bench_param params[] = {{"size", "4M", "BYTES", "size of the file"}, {}};

#define STEP 16384
#define PART 10

struct file {
	struct memory memory;
	size_t pages;
	uint32_t *order;
	uint64_t faults, touched;
};

static char *map(const struct file *f, int prot)
{
	return mmap(NULL, f->memory.bytes, prot, MAP_SHARED, f->memory.fd, 0);
}

static int mmap_sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	const struct file *f = ctx;
	uint64_t from = bench_begin(run);
	char *p = map(f, PROT_READ | PROT_WRITE);

	if (p == MAP_FAILED)
		return err_set(-errno, "mmap: %m");
	for (size_t i = 0; i < f->memory.bytes / PART; i += STEP)
		((volatile char *)p)[i] = 1;
	munmap(p, f->memory.bytes);
	*cycles = bench_end(run, from);
	return 0;
}

// What unmapping costs where nothing was touched.
static int unmap_untouched(struct bench_run *run, const struct file *f, uint64_t *cycles)
{
	char *p = map(f, PROT_READ);
	uint64_t from;

	if (p == MAP_FAILED)
		return err_set(-errno, "mmap: %m");
	from = bench_begin(run);
	munmap(p, f->memory.bytes);
	*cycles = bench_end(run, from);
	return 0;
}

static int fault_sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct file *f = ctx;
	uint64_t from, untouched = 0, before, after, major, sum = 0;
	int rc = unmap_untouched(run, f, &untouched);
	char *p = rc ? MAP_FAILED : map(f, PROT_READ);

	if (p == MAP_FAILED)
		return rc ? rc : err_set(-errno, "mmap: %m");
	memory_faults(&before, &major);
	before += major;
	from = bench_begin(run);
	for (size_t i = 0; i < f->pages; i++)
		sum += (uint64_t)((volatile char *)p)[f->order[i] * BASE_PAGE];
	munmap(p, f->memory.bytes);
	*cycles = bench_end(run, from);
	*cycles -= MIN(*cycles, untouched);
	memory_faults(&after, &major);
	f->faults += after + major - before;
	f->touched += f->pages;
	return sum ? 0 : err_set(-EIO, "the file is empty");
}

static int open_file(struct bench_run *b, struct file *f)
{
	size_t bytes = (size_t)bench_int(b, "size") / STEP * STEP;
	g_autoptr(GRand) random = g_rand_new_with_seed((guint32)bench_int(b, "seed"));
	int rc;

	if (!bytes || bytes / BASE_PAGE > G_MAXINT32)
		return err_set(-EINVAL, "--size must be from 16 KiB to 8 TiB");
	rc = memory_map(&f->memory, MEMORY_FILE, bytes);
	if (rc)
		return rc;
	f->pages = bytes / BASE_PAGE;
	f->order = g_new(uint32_t, f->pages);
	for (size_t i = 0; i < f->pages; i++) { // Fisher and Yates' shuffle, from the inside out
		size_t k = (size_t)g_rand_int_range(random, 0, (gint32)i + 1);

		f->order[i] = f->order[k];
		f->order[k] = (uint32_t)i;
	}
	return 0;
}

static int measure(struct bench_run *b, struct file *f, const struct bench_op *op)
{
	int rc = bench_measure(b, op, f, NULL);

	memory_unmap(&f->memory);
	g_free(f->order);
	return rc;
}

static int run_mmap(struct bench_run *b)
{
	const struct bench_op op = {"mmap", mmap_sample, 1, "mapping", false};
	struct file f = {};
	int rc = open_file(b, &f);

	return rc ? rc : measure(b, &f, &op);
}

static int run_fault(struct bench_run *b)
{
	struct file f = {};
	int rc = open_file(b, &f);
	const struct bench_op op = {"pagefault", fault_sample, (double)f.pages, "page", false};

	if (!rc)
		rc = measure(b, &f, &op);
	if (!rc && f.touched)
		bench_metric(b, "faults_per_page", (double)f.faults / (double)f.touched, "ratio", "neither");
	return rc;
}

const struct bench bench_lat_mmap = {"lat_mmap", "mapping a file, writing to it and unmapping it (lmbench)",
				     params, run_mmap, false};
const struct bench bench_lat_pagefault = {"lat_pagefault", "faulting in the pages of a mapped file (lmbench)",
					  params, run_fault, false};
