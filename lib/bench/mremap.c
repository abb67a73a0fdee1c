// mremap: moving a populated mapping: page tables are moved, not pages (mm/mremap.c: move_page_tables).
#include <errno.h>
#include <sys/mman.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/limits.h"
#include "bench/memory.h"

static const struct bench_param params[] = {{"pages", "512", "N", "pages of the mapping"}, {}};

struct mover {
	size_t bytes;
	char *places[2], *now;
	int at;
};

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct mover *m = ctx;
	uint64_t from;
	void *moved;

	m->at = !m->at;
	from = bench_begin(run);
	moved = mremap(m->now, m->bytes, m->bytes, MREMAP_MAYMOVE | MREMAP_FIXED, m->places[m->at]);
	*cycles = bench_end(run, from);
	if (moved == MAP_FAILED)
		return err_set(-errno, "mremap: %m");
	m->now = moved;
	return 0;
}

// `aligned`: both places begin at a 2 MiB boundary, so that whole PMD entries can be moved.
static int measure(struct bench_run *b, const char *name, size_t pages, size_t offset)
{
	const struct bench_op op = {name, sample, (double)pages, "page", false};
	struct mover m = {.bytes = pages * BASE_PAGE};
	size_t room = 2 * (m.bytes + 2 * HUGE_PAGE);
	char *base = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int rc;

	if (base == MAP_FAILED)
		return err_set(-errno, "mmap: %m");
	m.places[0] = (char *)(((uintptr_t)base + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	m.places[1] =
	    (char *)(((uintptr_t)m.places[0] + m.bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1)) + offset;
	m.now = mmap(m.places[0], m.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		     -1, 0);
	if (m.now == MAP_FAILED) {
		rc = err_set(-errno, "mmap of %zu bytes: %m", m.bytes);
		munmap(base, room);
		return rc;
	}
	madvise(m.now, m.bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < m.bytes; i += BASE_PAGE)
		m.now[i] = 1;
	rc = bench_measure(b, &op, &m, NULL);
	munmap(base, room);
	return rc;
}

static int run(struct bench_run *b)
{
	int64_t pages = bench_int(b, "pages");
	int rc;

	if (pages < 1 || pages > 1 << 24)
		return err_set(-EINVAL, "--pages must be from 1 to 16777216");
	rc = limits_room((uint64_t)pages * BASE_PAGE);
	if (rc)
		return err_add(rc, "--pages");
	rc = measure(b, "aligned", (size_t)pages, 0);
	return rc ? rc : measure(b, "unaligned", (size_t)pages, BASE_PAGE);
}

const struct bench bench_mremap = {"mremap", "moving a populated mapping to another address", params, run,
				   false};
