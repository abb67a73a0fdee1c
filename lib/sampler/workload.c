// What the workload holds: resident and swapped bytes, processes and threads, summed over its processes, so
// that shared pages count once for each; and its cgroup's charge where the memory controller is. Follows
// fs/proc/task_mmu.c (task_statm, task_mem) and mm/memcontrol.c.
//
// How exact RSS is depends on the kernel: up to 6.1 each thread holds back up to 64 events; from 6.2 to 6.15
// each CPU up to max(32, 2 * CPUs) pages; from 6.16 on it is exact. smaps_rollup would be, but walks the page
// tables.
#include "base/err.h"
#include "sampler/procs.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

SAMPLER_FUNCTIONS(workload);

struct workload {
	struct procs *procs;
	struct budget resident, details;
	struct text text;
	bool no_memory_files;
	struct absent *absent;
};

int workload_sampler_open(const struct sample_target *target, void **state)
{
	struct workload *w = g_new0(struct workload, 1);

	(void)target;
	w->procs = procs_new();
	w->details.min_interval_ms = 500; // /proc/PID/status takes three times as long as statm
	*state = w;
	return 0;
}

static const char *load(struct workload *w, pid_t pid, const char *file)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return text_load(&w->text, sampler_root, path) < 0 ? NULL : w->text.data;
}

static void put_resident(struct workload *w, const struct sample_target *target, struct sink *sink)
{
	size_t n, alive = 0;
	int64_t pages = 0, size, resident, page_bytes = sysconf(_SC_PAGESIZE);
	const pid_t *pids = procs_refresh(w->procs, target, &n);

	for (size_t i = 0; i < n; i++) {
		const char *p = load(w, pids[i], "statm");

		if (!p || !(p = parse_i64(p, &size)) || !parse_i64(p, &resident))
			continue;
		pages += resident;
		alive++;
	}
	if (!alive)
		return;
	sink->put(sink, "workload.rss", "bytes", SERIES_GAUGE, pages * page_bytes);
	sink->put(sink, "workload.processes", "count", SERIES_GAUGE, (int64_t)alive);
}

static void put_details(struct workload *w, struct sink *sink)
{
	static const struct {
		const char *key, *series, *unit;
		int64_t scale;
	} rows[] = {
	    {"Threads:", "workload.threads", "count", 1},
	    {"RssAnon:", "workload.rss.anon", "bytes", 1024},
	    {"RssFile:", "workload.rss.file", "bytes", 1024},
	    {"RssShmem:", "workload.rss.shmem", "bytes", 1024},
	    {"VmSwap:", "workload.swap", "bytes", 1024},
	    {"HugetlbPages:", "workload.hugetlb", "bytes", 1024},
	};
	int64_t sums[G_N_ELEMENTS(rows)] = {0}, value;
	size_t n, alive = 0;
	const pid_t *pids = procs_last(w->procs, &n);

	for (size_t i = 0; i < n; i++) {
		const char *text = load(w, pids[i], "status");

		alive += text != NULL;
		for (size_t k = 0; text && k < G_N_ELEMENTS(rows); k++)
			if (parse_keyed(text, rows[k].key, &value))
				sums[k] += value * rows[k].scale;
	}
	for (size_t k = 0; alive && k < G_N_ELEMENTS(rows); k++)
		sink->put(sink, rows[k].series, rows[k].unit, SERIES_GAUGE, sums[k]);
}

static void put_cgroup(struct workload *w, const char *dir, struct sink *sink)
{
	static const char *const files[][2] = {{"/memory.current", "workload.cgroup.memory"},
					       {"/memory.swap.current", "workload.cgroup.swap"}};
	int64_t value;

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		int r = text_load(&w->text, dir, files[i][0]);

		if (r < 0)
			absent_add(
			    &w->absent, files[i][1],
			    "%s%s: %s: the memory controller isn't in the v2 hierarchy (boot with "
			    "cgroup_no_v1=memory, or enable it in the parent's cgroup.subtree_control)",
			    dir, files[i][0], g_strerror(-r));
		else if (parse_i64(w->text.data, &value))
			sink->put(sink, files[i][1], "bytes", SERIES_GAUGE, value);
	}
}

int workload_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct workload *w = state;

	if (target->root_pid > 0 && budget_begin(&w->resident, target)) {
		put_resident(w, target, sink);
		budget_end(&w->resident);
	}
	if (target->root_pid > 0 && budget_begin(&w->details, target)) {
		put_details(w, sink);
		if (target->cgroup_dir && !w->no_memory_files)
			put_cgroup(w, target->cgroup_dir, sink);
		budget_end(&w->details);
	}
	absent_say(&w->absent, sink);
	return 0;
}

void workload_sampler_close(void *state)
{
	struct workload *w = state;

	procs_free(w->procs);
	text_free(&w->text);
	absent_free(&w->absent);
	g_free(w);
}
