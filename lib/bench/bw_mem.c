// bw_mem: memory bandwidth by NUMA node, as lmbench defines it: rd sums words, wr stores words, cp copies; a
// megabyte is 10^6 bytes, and cp counts each byte once.
#include <errno.h>
#include <glib.h>
#include <numa.h>
#include <string.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/timing.h"

static const struct bench_param params[] = {{"size", "64M", "BYTES", "memory that is moved in a sample"},
					    {"nodes", "all", "NODES", "NUMA nodes, e.g. 0,1"},
					    {}};

struct block {
	uint64_t *from, *to;
	size_t words;
	void (*move)(struct block *b);
};

static void do_read(struct block *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < b->words; i += 8)
		sum += b->from[i] + b->from[i + 1] + b->from[i + 2] + b->from[i + 3] + b->from[i + 4] +
		       b->from[i + 5] + b->from[i + 6] + b->from[i + 7];
	__asm__ volatile("" : : "r"(sum) : "memory");
}

static void do_write(struct block *b)
{
	for (size_t i = 0; i < b->words; i++)
		b->from[i] = i;
	__asm__ volatile("" : : "r"(b->from) : "memory");
}

static void do_copy(struct block *b)
{
	memcpy(b->to, b->from, b->words * 8);
	__asm__ volatile("" : : "r"(b->to) : "memory");
}

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct block *b = ctx;
	uint64_t from = timing_begin();
	unsigned cpu;

	(void)run;
	b->move(b);
	*cycles = timing_end(&cpu) - from;
	return 0;
}

static int measure(struct bench_run *b, unsigned node, size_t bytes)
{
	static const struct {
		const char *name;
		void (*move)(struct block *b);
	} moves[] = {{"rd", do_read}, {"wr", do_write}, {"cp", do_copy}};
	struct block block = {numa_alloc_onnode(bytes, (int)node), numa_alloc_onnode(bytes, (int)node),
			      bytes / 8, NULL};
	int rc =
	    block.from && block.to ? 0 : err_set(-ENOMEM, "%zu bytes on node %u: no memory", 2 * bytes, node);

	for (size_t i = 0; i < G_N_ELEMENTS(moves) && !rc && !bench_stopped(b); i++) {
		g_autofree char *name = g_strdup_printf("node%u.%s", node, moves[i].name);
		g_autofree char *rate = g_strdup_printf("%s.rate", name);
		const struct bench_op op = {name, sample, 1, "pass", false};
		double ns = 0;

		block.move = moves[i].move;
		if (!i) {
			memset(block.from, 1, bytes);
			memset(block.to, 1, bytes);
		}
		rc = bench_measure(b, &op, &block, &ns);
		if (!rc && ns > 0)
			bench_metric(b, rate, (double)bytes / ns * 1e3, "MB/s", "more");
	}
	if (block.from)
		numa_free(block.from, bytes);
	if (block.to)
		numa_free(block.to, bytes);
	return rc;
}

static int run(struct bench_run *b)
{
	size_t bytes = (size_t)bench_int(b, "size") / 64 * 64;
	const char *list = bench_text(b, "nodes");
	struct bitmask *nodes = numa_available() < 0 ? NULL : numa_parse_nodestring(list);
	int rc = 0;

	if (!nodes)
		return err_set(-EINVAL, "--nodes \"%s\": no such NUMA nodes here", list);
	if (!bytes)
		rc = err_set(-EINVAL, "--size must be 64 bytes or more");
	for (unsigned n = 0; n < nodes->size && !rc; n++)
		if (numa_bitmask_isbitset(nodes, n) && numa_node_size64((int)n, NULL) > 0)
			rc = measure(b, n, bytes);
	numa_free_nodemask(nodes);
	return rc;
}

const struct bench bench_bw_mem = {"bw_mem", "memory bandwidth by NUMA node: read, write, copy (lmbench)",
				   params, run, false};
