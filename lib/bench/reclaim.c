// reclaim: what allocating costs when each page must be reclaimed first: page-cache pages of a file are read
// in a cgroup whose memory.high is below their number (mm/memcontrol.c, mm/vmscan.c: direct reclaim).
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"
#include "bench/timing.h"
#include "host/read.h"

static const struct bench_param params[] = {{"size", "64M", "BYTES", "memory that is used over and over"},
					    {"high", "0.5", "RATIO", "memory.high, as a part of it"},
					    {}};

struct reclaim {
	struct memory memory;
	size_t at, chunk;
};

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct reclaim *r = ctx;
	uint64_t from, sum = 0;
	unsigned cpu;

	(void)run;
	from = timing_begin();
	for (size_t i = 0; i < r->chunk; i += BASE_PAGE)
		sum += (uint64_t)((volatile char *)r->memory.start)[r->at + i];
	*cycles = timing_end(&cpu) - from;
	// its pages are unmapped, so that the next time they are faulted in from what the cache still has
	madvise(r->memory.start + r->at, r->chunk, MADV_DONTNEED);
	r->at = (r->at + r->chunk) % r->memory.bytes;
	return sum ? 0 : err_set(-EIO, "the file is empty");
}

// Our own cgroup's memory.high. The run's cgroup goes away with it, so nothing has to be put back there.
static int set_high(const char *value)
{
	g_autofree char *own = host_own_cgroup(), *path = NULL;
	int fd;

	if (!own)
		return -ENOENT;
	if (!strstr(own, "mmprof"))
		return -EPERM; // not a cgroup of our own
	path = g_strdup_printf("/sys/fs/cgroup%s/memory.high", own);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0) {
		close(fd);
		return -errno;
	}
	close(fd);
	return 0;
}

static int measure(struct bench_run *b, const char *name, size_t bytes)
{
	struct reclaim r = {.chunk = MIN(bytes, 64 * BASE_PAGE)};
	const struct bench_op op = {name, sample, (double)r.chunk / BASE_PAGE, "page", false};
	int rc = memory_map(&r.memory, MEMORY_FILE, bytes / r.chunk * r.chunk);

	if (!rc)
		rc = bench_measure(b, &op, &r, NULL);
	memory_unmap(&r.memory);
	return rc;
}

static int run(struct bench_run *b)
{
	size_t bytes = (size_t)bench_int(b, "size") / BASE_PAGE * BASE_PAGE;
	g_autofree char *high = NULL;
	int rc;

	if (bytes < 1 << 20)
		return err_set(-EINVAL, "--size must be 1 MiB or more");
	rc = measure(b, "cached", bytes);
	if (rc)
		return rc;
	high = g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)((double)bytes * bench_real(b, "high")));
	rc = set_high(high);
	if (rc) {
		bench_cannot(b, "reclaimed", "memory.high of the run's cgroup can't be set: %s",
			     g_strerror(-rc));
		return 0;
	}
	rc = measure(b, "reclaimed", bytes);
	set_high("max");
	return rc;
}

const struct bench bench_reclaim = {"reclaim", "page faults that have to reclaim a page first (memory.high)",
				    params, run, false};
