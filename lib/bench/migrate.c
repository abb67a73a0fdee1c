// migrate: move_pages(2) between two NUMA nodes, page by page and in a batch (mm/migrate.c).
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <numa.h>
#include <numaif.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"

static const struct bench_param params[] = {{"pages", "256", "N", "pages of a batch"},
					    {"from", "0", "N", "NUMA node"},
					    {"to", "1", "N", "NUMA node"},
					    {}};

struct mover {
	struct memory memory;
	unsigned long pages;
	void **at;
	int *nodes, *status;
	int ends[2];
	uint64_t moved, failed; // to the second; either way
};

static int move(struct bench_run *run, struct mover *m, int node, uint64_t *cycles)
{
	uint64_t from, stayed = 0;

	for (unsigned long i = 0; i < m->pages; i++)
		m->nodes[i] = node;
	from = bench_begin(run);
	if (move_pages(0, m->pages, m->at, m->nodes, m->status, MPOL_MF_MOVE) < 0)
		return err_set(-errno, "move_pages: %m");
	*cycles = bench_end(run, from);
	for (unsigned long i = 0; i < m->pages; i++)
		stayed += m->status[i] != node;
	m->moved += node == m->ends[1] ? m->pages - stayed : 0;
	m->failed += stayed;
	return stayed ? err_set(BENCH_NOT_SO, "%" PRIu64 " of %lu pages stayed where they were", stayed,
				m->pages)
		      : 0;
}

// There is timed, the way back is not.
static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct mover *m = ctx;
	uint64_t back;
	int rc = move(run, m, m->ends[0], &back);

	return rc ? rc : move(run, m, m->ends[1], cycles);
}

static int check(const struct bench_run *b, int *ends)
{
	static const char *const names[] = {"from", "to"};

	for (int i = 0; i < 2; i++) {
		ends[i] = (int)bench_int(b, names[i]);
		if (numa_available() < 0 || ends[i] > numa_max_node() ||
		    !numa_bitmask_isbitset(numa_all_nodes_ptr, (unsigned)ends[i]))
			return err_set(-ENODEV, "--%s %d: there is no such NUMA node here", names[i],
				       ends[i]);
	}
	return ends[0] != ends[1] ? 0 : err_set(-EINVAL, "--from and --to must be two nodes");
}

static int measure(struct bench_run *b, const char *name, struct mover *m, unsigned long pages)
{
	const struct bench_op op = {name, sample, (double)pages, "page", true}; // each CPU is waited for

	m->pages = pages;
	return bench_measure(b, &op, m, NULL);
}

static int run(struct bench_run *b)
{
	struct mover m = {};
	int64_t pages = bench_int(b, "pages");
	int rc = check(b, m.ends);

	if (rc == -ENODEV) {
		bench_cannot(b, "migrate", "%s", err_text());
		return 0;
	}
	if (!rc && (pages < 1 || pages > 1 << 20))
		rc = err_set(-EINVAL, "--pages must be from 1 to 1048576");
	if (!rc)
		rc = memory_map(&m.memory, MEMORY_ANON, (size_t)pages * BASE_PAGE);
	if (rc)
		return rc;
	memory_write(&m.memory);
	m.at = g_new(void *, pages);
	m.nodes = g_new0(int, pages);
	m.status = g_new0(int, pages);
	for (int64_t i = 0; i < pages; i++)
		m.at[i] = m.memory.start + i * (int64_t)BASE_PAGE;
	rc = measure(b, "single", &m, 1);
	if (!rc)
		rc = measure(b, "batch", &m, (unsigned long)pages);
	if (!rc) {
		bench_metric(b, "moved", (double)m.moved, "pages", "neither");
		bench_loss(b, "not_migrated", m.failed, "pages that move_pages(2) left where they were");
	}
	g_free(m.at);
	g_free(m.nodes);
	g_free(m.status);
	memory_unmap(&m.memory);
	return rc;
}

const struct bench bench_migrate = {"migrate", "migrating pages between NUMA nodes, one by one and batched",
				    params, run, false};
