// lat_mem_rd: load latency by size of the memory walked and by NUMA node, as lmbench defines it: a chain of
// dependent loads, one a cache line, in an order that no prefetcher knows (here random; lmbench strides).
#include <errno.h>
#include <glib.h>
#include <numa.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/limits.h"
#include "bench/memory.h"

static const struct bench_param params[] = {
    {"size", "64M", "BYTES", "largest memory that is walked"},
    {"nodes", "all", "NODES", "NUMA nodes, e.g. 0,1"},
    {"sizes", "largest", "all|largest", "all powers of two from 4 KiB, or the largest"},
    {}};

#define LINE 64
#define HOPS 10000

struct chain {
	char *memory;
	void **at;
};

// One random cycle through all lines (Sattolo's shuffle).
static void link_lines(struct chain *c, size_t bytes, uint64_t seed)
{
	size_t n = bytes / LINE;
	uint32_t *order = g_new(uint32_t, n);

	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (size_t i = n - 1; i > 0; i--) {
		size_t k;
		uint32_t one = order[i];

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		k = (size_t)((seed >> 33) % i);
		order[i] = order[k];
		order[k] = one;
	}
	for (size_t i = 0; i < n; i++)
		*(void **)(c->memory + (size_t)order[i] * LINE) =
		    c->memory + (size_t)order[(i + 1) % n] * LINE;
	c->at = (void **)(c->memory + (size_t)order[0] * LINE);
	g_free(order);
}

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct chain *c = ctx;
	void **p = c->at;
	uint64_t from = bench_begin(run);

	for (int i = 0; i < HOPS; i += 8)
		for (int k = 0; k < 8; k++)
			p = *p;
	__asm__ volatile("" : : "r"(p) : "memory");
	*cycles = bench_end(run, from);
	c->at = p;
	return 0;
}

static int measure(struct bench_run *b, unsigned node, size_t bytes)
{
	g_autofree char *name = g_strdup_printf("node%u.%zuK", node, bytes >> 10);
	const struct bench_op op = {name, sample, HOPS, "load", false};
	struct chain c = {.memory = numa_alloc_onnode(bytes, (int)node)};
	int rc;

	if (!c.memory)
		return err_set(-ENOMEM, "%zu bytes on node %u: no memory", bytes, node);
	link_lines(&c, bytes, (uint64_t)bench_int(b, "seed"));
	rc = bench_measure(b, &op, &c, NULL);
	numa_free(c.memory, bytes);
	return rc;
}

static int run(struct bench_run *b)
{
	size_t largest = (size_t)bench_int(b, "size"), size;
	const char *list = bench_text(b, "nodes");
	struct bitmask *nodes = numa_available() < 0 ? NULL : numa_parse_nodestring(list);
	int rc = 0;

	if (!nodes)
		return err_set(-EINVAL, "--nodes \"%s\": no such NUMA nodes here", list);
	if (largest < 8 * LINE || largest > 1ul << 38) {
		numa_free_nodemask(nodes);
		return err_set(-EINVAL, "--size must be from 512 bytes to 256 GiB");
	}
	rc = limits_room(largest + largest / LINE * sizeof(uint32_t)); // and the order of its lines
	if (rc)
		rc = err_add(rc, "--size");
	for (unsigned n = 0; n < nodes->size && !rc; n++) {
		if (!numa_bitmask_isbitset(nodes, n) || numa_node_size64((int)n, NULL) <= 0)
			continue;
		for (size = !strcmp(bench_text(b, "sizes"), "all") ? 4096 : largest; size <= largest && !rc;
		     size *= 2)
			rc = bench_stopped(b) ? 0 : measure(b, n, size);
	}
	numa_free_nodemask(nodes);
	return rc;
}

const struct bench bench_lat_mem_rd = {"lat_mem_rd", "load latency by NUMA node and size (lmbench)", params,
				       run, false};
