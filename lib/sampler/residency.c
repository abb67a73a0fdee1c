// On which NUMA nodes the workload's pages are, in bytes, from /proc/PID/numa_maps of each of its processes;
// shared pages count once for each. Follows fs/proc/task_mmu.c (show_numa_map): the kernel walks every page
// table entry under mmap_lock for reading, about 10 ms for each GiB of small pages, and a thread of the
// workload that maps or unmaps meanwhile waits. Hence a second at least between readings, and more when they
// are dear.
#include "base/err.h"
#include "sampler/procs.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

SAMPLER_FUNCTIONS(residency);

enum { NODES_MAX = 1024, TEXT_KEEP = 1 << 20 };

struct residency {
	struct procs *procs;
	struct budget budget;
	struct text text;
	struct absent *absent;
	int64_t bytes[NODES_MAX];
	bool exists[NODES_MAX]; // nodes that have a series, zeros included
};

int residency_sampler_open(const struct sample_target *target, void **state)
{
	struct text text = {0};
	int64_t first, last;
	int r = text_load(&text, sampler_root, "/proc/self/numa_maps");

	(void)target;
	if (r < 0) {
		text_free(&text);
		return err_set(r, "/proc/self/numa_maps: %s%s", g_strerror(-r),
			       r == -ENOENT ? ": the kernel is built without CONFIG_NUMA" : "");
	}
	struct residency *res = g_new0(struct residency, 1);
	res->procs = procs_new();
	if (text_load(&text, sampler_root, "/sys/devices/system/node/online") == 0) {
		for (const char *p = text.data; (p = parse_i64(p, &first)); p += *p == ',') {
			last = first;
			if (*p == '-' && !(p = parse_i64(p + 1, &last)))
				break;
			for (int64_t n = first; n <= last && n < NODES_MAX; n++)
				res->exists[n] = true;
		}
	}
	text_free(&text);
	*state = res;
	return 0;
}

// One mapping: "7f.. default file=/x anon=3 N0=2 N1=1 kernelpagesize_kB=4". The kernel escapes blanks and '='
// in file names, so that none can look like a node.
static void add_line(struct residency *res, const char *line, const char *end)
{
	const char *size = memmem(line, (size_t)(end - line), " kernelpagesize_kB=", 19);
	int64_t kb, node, pages;

	if (!size || !parse_i64(size + 19, &kb))
		return;
	for (const char *p = line; (p = memmem(p, (size_t)(end - p), " N", 2));) {
		p += 2;
		const char *q = parse_i64(p, &node);
		if (!q || *q != '=' || !parse_i64(q + 1, &pages) || node < 0 || node >= NODES_MAX)
			continue;
		res->bytes[node] += pages * kb * 1024;
		res->exists[node] = true;
	}
}

// Whether the process could be read.
static bool add_process(struct residency *res, pid_t pid)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/numa_maps", pid);
	int r = text_load(&res->text, sampler_root, path);
	if (r == -EACCES || r == -EPERM)
		absent_add(&res->absent, "workload.node",
			   "%s: %s: run as root or as the workload's user (CAP_SYS_PTRACE)", path,
			   g_strerror(-r));
	if (r < 0)
		return false;
	for (const char *line = res->text.data, *end; *line; line = end + (*end == '\n')) {
		end = strchrnul(line, '\n');
		add_line(res, line, end);
	}
	return res->text.len > 0;
}

int residency_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct residency *res = state;
	size_t n, alive = 0;

	if (target->root_pid <= 0 || !budget_begin(&res->budget, target))
		return SAMPLER_NOT_NOW;
	memset(res->bytes, 0, sizeof(res->bytes));
	const pid_t *pids = procs_refresh(res->procs, target, &n);
	for (size_t i = 0; i < n; i++)
		alive += add_process(res, pids[i]);
	for (int node = 0; alive && node < NODES_MAX; node++) {
		char name[32];

		if (!res->exists[node])
			continue;
		snprintf(name, sizeof(name), "workload.node%d", node);
		sink->put(sink, name, "bytes", SERIES_GAUGE, res->bytes[node]);
	}
	if (res->text.size > TEXT_KEEP) // a process with very many mappings
		text_free(&res->text);
	budget_end(&res->budget);
	absent_say(&res->absent, sink);
	return 0;
}

void residency_sampler_close(void *state)
{
	struct residency *res = state;

	procs_free(res->procs);
	text_free(&res->text);
	absent_free(&res->absent);
	g_free(res);
}
