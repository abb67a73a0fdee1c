// reclaim: what allocating costs when each page must be reclaimed first: page-cache pages of a file are read
// in a cgroup whose memory.high is below their number (mm/memcontrol.c, mm/vmscan.c: direct reclaim).
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/kfile.h"
#include "bench/bench.h"
#include "bench/memory.h"
#include "host/read.h"

static const struct bench_param params[] = {{"size", "64M", "BYTES", "memory that is used over and over"},
					    {"high", "0.5", "RATIO", "memory.high, as a part of it"},
					    {}};

struct reclaim {
	struct memory memory;
	size_t at, chunk;
	char *stat;  // memory.stat of our cgroup, when pages must be reclaimed
	double part; // of the pages touched that must be, at the least
	uint64_t stolen, touched;
};

// Our own cgroup's file. NULL: not a cgroup of our own. g_free.
static char *own_file(const char *name)
{
	g_autofree char *own = host_own_cgroup();

	return own && strstr(own, "mmprof") ? g_strdup_printf("/sys/fs/cgroup%s/%s", own, name) : NULL;
}

// Pages reclaimed in the cgroup so far, by whomever.
static uint64_t stolen_pages(const char *stat)
{
	g_autofree char *text = NULL;
	const char *at;

	if (!g_file_get_contents(stat, &text, NULL, NULL) || !(at = strstr(text, "\npgsteal ")))
		return 0;
	return g_ascii_strtoull(at + strlen("\npgsteal "), NULL, 10);
}

// Reclaim goes by batches, so that the pages of one sample may be those that an earlier one had freed: what
// counts is that it keeps up. What memory has room for stays and need not be read again; half of what does
// not must have been reclaimed.
static int must_be_reclaimed(struct reclaim *r)
{
	uint64_t stolen = stolen_pages(r->stat) - r->stolen;

	r->touched += r->chunk / BASE_PAGE;
	return (double)stolen >= (double)r->touched * r->part / 2
		   ? 0
		   : err_set(BENCH_NOT_SO,
			     "only %" PRIu64 " pages were reclaimed while %" PRIu64
			     " were touched; the file's system is %s (TMPDIR), and there is %s swap",
			     stolen, r->touched, memory_file_system(&r->memory),
			     memory_have_swap() ? "a" : "no");
}

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct reclaim *r = ctx;
	uint64_t from, sum = 0;

	from = bench_begin(run);
	for (size_t i = 0; i < r->chunk; i += BASE_PAGE)
		sum += (uint64_t)((volatile char *)r->memory.start)[r->at + i];
	*cycles = bench_end(run, from);
	// its pages are unmapped, so that the next time they are faulted in from what the cache still has
	madvise(r->memory.start + r->at, r->chunk, MADV_DONTNEED);
	r->at = (r->at + r->chunk) % r->memory.bytes;
	if (!sum)
		return err_set(-EIO, "the file is empty");
	return r->stat ? must_be_reclaimed(r) : 0;
}

// The run's cgroup goes away with it, so nothing has to be put back there.
static int set_high(const char *value)
{
	g_autofree char *path = own_file("memory.high");

	return path ? kfile_write(path, 0, value) : -EPERM;
}

// From now on there is room for `high` of it; the rest is reclaimed at once, if it can be. Only now: who
// makes a file beyond the limit is made to wait.
static int begin_reclaim(struct reclaim *r, double high)
{
	g_autofree char *bytes = g_strdup_printf("%.0f", (double)r->memory.bytes * high);
	int rc;

	fsync(r->memory.fd); // else it would have to be written first
	rc = set_high(bytes);
	r->part = 1 - high;
	r->stat = own_file("memory.stat");
	r->stolen = rc ? 0 : stolen_pages(r->stat);
	return rc;
}

// high: memory.high as a part of the file; 1: there is room for all.
static int measure(struct bench_run *b, const char *name, size_t bytes, double high)
{
	struct reclaim r = {.chunk = MIN(bytes, 64 * BASE_PAGE)};
	// it waits for what it reads
	const struct bench_op op = {name, sample, (double)r.chunk / BASE_PAGE, "page", high < 1};
	int rc = memory_map(&r.memory, MEMORY_FILE, bytes / r.chunk * r.chunk),
	    refused = !rc && high < 1 ? begin_reclaim(&r, high) : 0;

	if (refused)
		bench_cannot(b, name, "memory.high of the run's cgroup can't be set: %s",
			     g_strerror(-refused));
	else if (!rc)
		rc = bench_measure(b, &op, &r, NULL);
	if (!rc && r.touched)
		bench_metric(b, "reclaimed_share",
			     (double)(stolen_pages(r.stat) - r.stolen) / (double)r.touched, "ratio",
			     "neither");
	if (high < 1)
		set_high("max");
	g_free(r.stat);
	memory_unmap(&r.memory);
	return rc;
}

static int run(struct bench_run *b)
{
	size_t bytes = (size_t)bench_int(b, "size") / BASE_PAGE * BASE_PAGE;
	double high = bench_real(b, "high");
	int rc;

	if (bytes < 1 << 20)
		return err_set(-EINVAL, "--size must be 1 MiB or more");
	if (high > 0.95)
		return err_set(-EINVAL, "--high must be 0.95 or less: with more there is nothing to reclaim");
	rc = measure(b, "cached", bytes, 1);
	return rc ? rc : measure(b, "reclaimed", bytes, high);
}

const struct bench bench_reclaim = {"reclaim", "page faults that have to reclaim a page first (memory.high)",
				    params, run, false};
