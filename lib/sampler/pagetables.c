// Bytes that page tables take: the machine's (and with SecPageTables those of KVM and IOMMUs), and the
// workload's as the sum of VmPTE over its processes, all levels. Follows mm/memory.c, fs/proc/task_mmu.c
// (task_mem) and mm/memcontrol.c. VmPTE is exact; it counts a table shared by hugetlb PMD sharing once for
// each process, which the cgroup's own number does not.
#include "base/err.h"
#include "sampler/procs.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

SAMPLER_FUNCTIONS(pagetables);

struct pagetables {
	struct keyed *meminfo;
	struct procs *procs;
	struct budget budget;
	struct text text;
	bool no_memory_stat;
	struct absent *absent;
};

static void classify(struct key *key)
{
	if (strcmp(key->name, "PageTables") && strcmp(key->name, "SecPageTables"))
		key->prefix = NULL;
}

int pagetables_sampler_open(const struct sample_target *target, void **state)
{
	int error;
	struct keyed *meminfo = keyed_open("/proc/meminfo", "", "pagetables.system.", classify, &error);

	(void)target;
	if (!meminfo)
		return err_set(error, "/proc/meminfo: %s: is /proc mounted?", g_strerror(-error));
	struct pagetables *pt = g_new0(struct pagetables, 1);
	pt->meminfo = meminfo;
	pt->procs = procs_new();
	*state = pt;
	return 0;
}

static void put_processes(struct pagetables *pt, const struct sample_target *target, struct sink *sink)
{
	int64_t sum = 0, value;
	size_t n, alive = 0;
	const pid_t *pids = procs_refresh(pt->procs, target, &n);

	for (size_t i = 0; i < n; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/%d/status", pids[i]);
		if (text_load(&pt->text, sampler_root, path) < 0 ||
		    !parse_keyed(pt->text.data, "VmPTE:", &value))
			continue;
		sum += value * 1024;
		alive++;
	}
	if (alive)
		sink->put(sink, "pagetables.workload", "bytes", SERIES_GAUGE, sum);
}

static void put_cgroup(struct pagetables *pt, const char *dir, struct sink *sink)
{
	int r = text_load(&pt->text, dir, "/memory.stat");
	int64_t value;

	pt->no_memory_stat = r < 0;
	if (r < 0)
		absent_add(&pt->absent, "pagetables.workload.cgroup",
			   "%s/memory.stat: %s: the memory controller isn't in the v2 hierarchy (boot with "
			   "cgroup_no_v1=memory, or enable it in the parent's cgroup.subtree_control)",
			   dir, g_strerror(-r));
	else if (parse_keyed(pt->text.data, "pagetables ", &value))
		sink->put(sink, "pagetables.workload.cgroup", "bytes", SERIES_GAUGE, value);
	else
		absent_add(&pt->absent, "pagetables.workload.cgroup",
			   "%s/memory.stat has no pagetables line: it came with Linux 5.11", dir);
	if (r == 0 && parse_keyed(pt->text.data, "sec_pagetables ", &value))
		sink->put(sink, "pagetables.workload.cgroup.secondary", "bytes", SERIES_GAUGE, value);
}

int pagetables_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct pagetables *pt = state;
	int r = keyed_read(pt->meminfo, sink);

	if (target->root_pid > 0 && budget_begin(&pt->budget, target)) {
		put_processes(pt, target, sink);
		if (target->cgroup_dir && !pt->no_memory_stat)
			put_cgroup(pt, target->cgroup_dir, sink);
		budget_end(&pt->budget);
	}
	absent_say(&pt->absent, sink);
	return r < 0 ? err_set(r, "read /proc/meminfo: %s", g_strerror(-r)) : 0;
}

void pagetables_sampler_close(void *state)
{
	struct pagetables *pt = state;

	keyed_close(pt->meminfo);
	procs_free(pt->procs);
	text_free(&pt->text);
	absent_free(&pt->absent);
	g_free(pt);
}
