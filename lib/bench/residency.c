// Where pages are; see residency.h.
#include "bench/residency.h"

#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <numa.h>
#include <numaif.h>
#include <stdio.h>
#include <string.h>

static uint64_t bits_of(struct bitmask *mask)
{
	uint64_t nodes = 0;

	for (unsigned i = 0; i < 64 && i < mask->size; i++)
		nodes |= numa_bitmask_isbitset(mask, i) ? 1ull << i : 0;
	return nodes;
}

static struct bitmask *read_nodes(const char *path)
{
	g_autofree char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !*g_strstrip(text))
		return NULL;
	return numa_parse_nodestring(text);
}

uint64_t residency_fast_nodes(void)
{
	struct bitmask *told = read_nodes("/sys/kernel/mm/tiering/fast_node");
	g_autoptr(GDir) dir = g_dir_open("/sys/devices/virtual/memory_tiering", 0, NULL);
	const char *name;
	long fastest = LONG_MAX;
	uint64_t nodes = 0;
	int n = 0;

	if (told) {
		nodes = bits_of(told);
		numa_free_nodemask(told);
		return nodes;
	}
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = NULL;
		struct bitmask *mask;
		long tier;

		if (sscanf(name, "memory_tier%ld", &tier) != 1)
			continue;
		path = g_strdup_printf("/sys/devices/virtual/memory_tiering/%s/nodelist", name);
		mask = read_nodes(path);
		if (!mask)
			continue;
		n++;
		if (tier < fastest) {
			fastest = tier;
			nodes = bits_of(mask);
		}
		numa_free_nodemask(mask);
	}
	return n > 1 ? nodes : 0;
}

int residency_look(void *(*at)(const void *ctx, uint64_t i), const void *ctx, uint64_t n, uint64_t fast,
		   struct residency *r)
{
	enum { BATCH = 1024 };
	void *page[BATCH];
	int where[BATCH];

	memset(r, 0, sizeof(*r));
	for (uint64_t i = 0; i < n; i += BATCH) {
		unsigned long k = MIN(BATCH, n - i);

		for (unsigned long j = 0; j < k; j++)
			page[j] = at(ctx, i + j);
		if (move_pages(0, k, page, NULL, where, 0))
			return -errno;
		for (unsigned long j = 0; j < k; j++) {
			r->pages++;
			r->unknown += where[j] < 0;
			r->fast += where[j] >= 0 && where[j] < 64 && (fast >> where[j] & 1);
		}
	}
	return 0;
}
