// bw_mem: memory bandwidth by NUMA node, as lmbench defines it: rd sums one 4-byte word of each 16 bytes, wr
// stores it, cp copies it; all bytes count, cp's once; a megabyte is 10^6 of them.
#include <errno.h>
#include <glib.h>
#include <numa.h>
#include <string.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/limits.h"

static const struct bench_param params[] = {{"size", "64M", "BYTES", "memory that is moved in a sample"},
					    {"nodes", "all", "NODES", "NUMA nodes, e.g. 0,1"},
					    {}};

// One word of each four, as lmbench: a cache line is moved whole all the same.
#define STEP 4

struct block {
	int32_t *from, *to;
	size_t words;
	void (*move)(struct block *b);
};

static void do_read(struct block *b)
{
	int32_t sum = 0;

	for (size_t i = 0; i < b->words; i += 8 * STEP)
		for (size_t k = 0; k < 8; k++)
			sum += b->from[i + k * STEP];
	__asm__ volatile("" : : "r"(sum) : "memory");
}

static void do_write(struct block *b)
{
	for (size_t i = 0; i < b->words; i += 8 * STEP)
		for (size_t k = 0; k < 8; k++)
			b->from[i + k * STEP] = 1;
	__asm__ volatile("" : : "r"(b->from) : "memory");
}

static void do_copy(struct block *b)
{
	for (size_t i = 0; i < b->words; i += 8 * STEP)
		for (size_t k = 0; k < 8; k++)
			b->to[i + k * STEP] = b->from[i + k * STEP];
	__asm__ volatile("" : : "r"(b->to) : "memory");
}

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct block *b = ctx;
	uint64_t from = bench_begin(run);

	b->move(b);
	*cycles = bench_end(run, from);
	return 0;
}

static int measure(struct bench_run *b, unsigned node, size_t bytes)
{
	static const struct {
		const char *name;
		void (*move)(struct block *b);
	} moves[] = {{"rd", do_read}, {"wr", do_write}, {"cp", do_copy}};
	struct block block = {numa_alloc_onnode(bytes, (int)node), numa_alloc_onnode(bytes, (int)node),
			      bytes / sizeof(int32_t), NULL};
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
	size_t bytes = (size_t)bench_int(b, "size") / 512 * 512;
	const char *list = bench_text(b, "nodes");
	struct bitmask *nodes = numa_available() < 0 ? NULL : numa_parse_nodestring(list);
	int rc = 0;

	if (!nodes)
		return err_set(-EINVAL, "--nodes \"%s\": no such NUMA nodes here", list);
	if (!bytes)
		rc = err_set(-EINVAL, "--size must be 512 bytes or more");
	if (!rc && limits_room(2 * (uint64_t)bytes))
		rc = err_add(-ENOMEM, "--size, twice");
	for (unsigned n = 0; n < nodes->size && !rc; n++)
		if (numa_bitmask_isbitset(nodes, n) && numa_node_size64((int)n, NULL) > 0)
			rc = measure(b, n, bytes);
	numa_free_nodemask(nodes);
	return rc;
}

const struct bench bench_bw_mem = {"bw_mem", "memory bandwidth by NUMA node: read, write, copy (lmbench)",
				   params, run, false};
