// Each online NUMA node: its meminfo in bytes, numastat and vmstat counters. Follows drivers/base/node.c. A
// node that comes or goes during a run (CXL memory) is noticed at the next reading.
#include "base/err.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

SAMPLER_FUNCTIONS(nodes);

#define NODE_DIR "/sys/devices/system/node"

struct nodes {
	int online_fd;
	struct text online; // the list that `files` was made from
	struct text now;
	GPtrArray *files; // struct keyed
	struct absent *absent;
};

static void classify_meminfo(struct key *key)
{
	key->kind = SERIES_GAUGE;
}

static void classify_numastat(struct key *key)
{
	key->kind = SERIES_COUNTER;
}

static void classify_vmstat(struct key *key)
{
	vmstat_classify(key);
	if (!strncmp(key->name, "numa_", 5))
		key->prefix = NULL; // the same as numastat
}

static void open_node(struct nodes *nodes, int node)
{
	static const struct {
		const char *file, *series;
		keyed_classify *classify;
	} parts[] = {
	    {"meminfo", "", classify_meminfo},
	    {"numastat", "", classify_numastat},
	    {"vmstat", "vmstat.", classify_vmstat},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autofree char *path = g_strdup_printf(NODE_DIR "/node%d/%s", node, parts[i].file);
		g_autofree char *series = g_strdup_printf("node%d.%s", node, parts[i].series);
		g_autofree char *prefix =
		    i == 0 ? g_strdup_printf("Node %d ", node) : g_strdup(""); // meminfo's lines
		int error;
		struct keyed *file = keyed_open(path, prefix, series, parts[i].classify, &error);

		if (file)
			g_ptr_array_add(nodes->files, file);
		else
			absent_add(&nodes->absent, path, "%s: %s", path, g_strerror(-error));
	}
}

// "0-1,4": opens every node of the list.
static void open_nodes(struct nodes *nodes)
{
	int64_t first, last;

	g_ptr_array_set_size(nodes->files, 0);
	for (const char *p = nodes->online.data; (p = parse_i64(p, &first)); p += *p == ',') {
		last = first;
		if (*p == '-' && !(p = parse_i64(p + 1, &last)))
			break;
		for (int64_t n = first; n <= last; n++)
			open_node(nodes, (int)n);
	}
}

int nodes_sampler_open(const struct sample_target *target, void **state)
{
	int fd = text_open(sampler_root, NODE_DIR "/online");

	(void)target;
	if (fd < 0)
		return err_set(fd, NODE_DIR "/online: %s: the kernel is built without CONFIG_NUMA",
			       g_strerror(-fd));
	struct nodes *nodes = g_new0(struct nodes, 1);
	nodes->online_fd = fd;
	nodes->files = g_ptr_array_new_with_free_func((GDestroyNotify)keyed_close);
	*state = nodes;
	return 0;
}

int nodes_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct nodes *nodes = state;
	int r = text_read(&nodes->now, nodes->online_fd);

	(void)target;
	if (r < 0)
		return err_set(r, "read " NODE_DIR "/online: %s", g_strerror(-r));
	if (!nodes->online.data || strcmp(nodes->online.data, nodes->now.data)) {
		struct text old = nodes->online;

		nodes->online = nodes->now;
		nodes->now = old;
		open_nodes(nodes);
	}
	absent_say(&nodes->absent, sink);
	for (guint i = 0; i < nodes->files->len; i++)
		keyed_read(nodes->files->pdata[i], sink); // a node may just be leaving
	return 0;
}

void nodes_sampler_close(void *state)
{
	struct nodes *nodes = state;

	close(nodes->online_fd);
	text_free(&nodes->online);
	text_free(&nodes->now);
	g_ptr_array_free(nodes->files, TRUE);
	absent_free(&nodes->absent);
	g_free(nodes);
}
