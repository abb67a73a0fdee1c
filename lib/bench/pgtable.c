// pgtable: what the page-table pages themselves cost: the first touch in a range that has no PTE, PMD or PUD
// page yet, beside a touch that needs none; and taking down a sparse address space (mm/memory.c, mm/mmap.c:
// free_pgtables).
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"
#include "bench/ptlevels.h"

static const struct bench_param params[] = {{"tables", "64", "N", "page-table pages that a sample makes"},
					    {}};

// Touches one page in each of n ranges of `stride` bytes: strides of 4 KiB need no new table, of 2 MiB a PTE
// page each, of 1 GiB a PMD page too, of 512 GiB a PUD page too.
struct sparse {
	size_t stride, n;
	int tables; // that each touch needs
	bool tear_down;
};

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct sparse *s = ctx;
	size_t bytes = s->stride * s->n;
	uint64_t from, made;
	char *p =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return err_set(-errno, "mmap of %zu GiB of address space: %m", bytes >> 30);
	madvise(p, bytes, MADV_NOHUGEPAGE);
	made = ptlevels_bytes();
	from = bench_begin(run);
	for (size_t i = 0; i < s->n; i++)
		((volatile char *)p)[i * s->stride] = 1;
	*cycles = bench_end(run, from);
	made = (ptlevels_bytes() - made) / BASE_PAGE;
	if (s->tear_down)
		from = bench_begin(run);
	munmap(p, bytes);
	if (s->tear_down)
		*cycles = bench_end(run, from);
	return made < s->n * (size_t)s->tables
		   ? err_set(BENCH_NOT_SO, "%" PRIu64 " page-table pages were made, not %zu", made,
			     s->n * (size_t)s->tables)
		   : 0;
}

static int run(struct bench_run *b)
{
	static const struct {
		const char *fill, *tear_down, *cost;
		size_t stride;
	} levels[] = {{"touch.page", "unmap.page", NULL, BASE_PAGE},
		      {"touch.pte", "unmap.pte", "pte_page", 1ul << 21},
		      {"touch.pmd", "unmap.pmd", "pmd_page", 1ul << 30},
		      {"touch.pud", "unmap.pud", "pud_page", 1ul << 39}};
	size_t n = (size_t)bench_int(b, "tables");
	double before = 0;
	int rc = 0;

	if (n < 1 || n > 4096)
		return err_set(-EINVAL, "--tables must be from 1 to 4096");
	for (size_t i = 0; i < G_N_ELEMENTS(levels) && !rc; i++) {
		// 128 TiB of address space hold 256 ranges of 512 GiB
		struct sparse s = {levels[i].stride, levels[i].stride >= 1ul << 39 ? MIN(n, 64) : n, (int)i,
				   false};
		struct bench_op op = {levels[i].fill, sample, (double)s.n, "touch", false};
		double now = 0;

		rc = bench_measure(b, &op, &s, &now);
		if (!rc && levels[i].cost && before > 0 && now > before)
			bench_metric(b, levels[i].cost, now - before, "ns", "less");
		else if (!rc && levels[i].cost)
			bench_cannot(b, levels[i].cost, "it is the difference of two figures of which %s",
				     before > 0 && now > 0 ? "the one with more tables is no larger"
							   : "one is missing");
		before = now;
		s.tear_down = true;
		op.name = levels[i].tear_down;
		if (!rc)
			rc = bench_measure(b, &op, &s, NULL);
	}
	return rc;
}

const struct bench bench_pgtable = {"pgtable", "making and freeing page-table pages, by level", params, run,
				    false};
