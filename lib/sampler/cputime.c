// CPU time by class, as counters in ns: the machine's (/proc/stat), kernel threads' by name (kthreads.c), the
// workload's (its cgroup's cpu.stat, which every v2 cgroup has, the cpu controller or not). Follows
// fs/proc/stat.c, kernel/sched/cputime.c and kernel/cgroup/rstat.c.
//
// How exact: kernel threads and the workload's total are measured at each switch, to the ns. The machine's
// split, and the workload's into user and system, are counted at the tick under CONFIG_TICK_CPU_ACCOUNTING
// (the usual): each tick (1 to 10 ms) goes whole to what it interrupts, so over n ticks a share p is off by
// about sqrt(p (1 - p) / n), and work that runs in step with the tick isn't seen at all. irq and softirq are
// likewise unless CONFIG_IRQ_TIME_ACCOUNTING. /proc/stat itself shows hundredths of a second.
#include "base/err.h"
#include "sampler/kthreads.h"
#include "sampler/procs.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

SAMPLER_FUNCTIONS(cputime);

static const char *const classes[] = {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"};

struct cputime {
	int stat_fd, cgroup_fd;
	bool cgroup_tried;
	struct kthreads *kthreads;
	struct procs *procs;
	struct budget machine, threads, workload;
	int64_t total[G_N_ELEMENTS(classes)], tree_user, tree_system; // the highest yet
	struct text text;
	struct absent *absent;
};

int cputime_sampler_open(const struct sample_target *target, void **state)
{
	int fd = text_open(sampler_root, "/proc/stat");

	(void)target;
	if (fd < 0)
		return err_set(fd, "/proc/stat: %s: is /proc mounted?", g_strerror(-fd));
	struct cputime *cpu = g_new0(struct cputime, 1);
	cpu->stat_fd = fd;
	cpu->cgroup_fd = -1;
	cpu->procs = procs_new();
	cpu->kthreads = kthreads_new();
	if (!cpu->kthreads)
		absent_add(
		    &cpu->absent, "cpu.kswapd and other kernel threads",
		    "/proc/2 isn't kthreadd: mmprof runs in a pid namespace of its own; run it outside of "
		    "the container");
	*state = cpu;
	return 0;
}

// idle and iowait may run backwards by themselves (proc_stat(5)); a counter of ours doesn't.
static int64_t forward(int64_t *highest, int64_t now)
{
	*highest = MAX(*highest, now);
	return *highest;
}

static int put_machine(struct cputime *cpu, struct sink *sink)
{
	int64_t tick_ns = 1000000000LL / sysconf(_SC_CLK_TCK);
	int r = text_read(&cpu->text, cpu->stat_fd);

	if (r < 0)
		return r;
	const char *p = cpu->text.data + strspn(cpu->text.data, "cpu");
	for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
		char name[32];
		int64_t ticks;

		if (!(p = parse_i64(p, &ticks)))
			return -EINVAL;
		g_snprintf(name, sizeof(name), "cpu.total.%s", classes[i]);
		sink->put(sink, name, "ns", SERIES_COUNTER, forward(&cpu->total[i], ticks * tick_ns));
	}
	return 0;
}

static void put_cgroup(struct cputime *cpu, const char *dir, struct sink *sink)
{
	static const char *const rows[][2] = {{"usage_usec", "cpu.workload.total"},
					      {"user_usec", "cpu.workload.user"},
					      {"system_usec", "cpu.workload.system"}};
	int64_t us;

	if (!cpu->cgroup_tried) {
		cpu->cgroup_tried = true;
		cpu->cgroup_fd = text_open(dir, "/cpu.stat");
		if (cpu->cgroup_fd < 0)
			absent_add(&cpu->absent, "cpu.workload", "%s/cpu.stat: %s", dir,
				   g_strerror(-cpu->cgroup_fd));
	}
	if (cpu->cgroup_fd < 0 || text_read(&cpu->text, cpu->cgroup_fd) < 0)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (parse_keyed(cpu->text.data, rows[i][0], &us))
			sink->put(sink, rows[i][1], "ns", SERIES_COUNTER, us * 1000);
}

// Without a cgroup: the sum over the process tree, in hundredths of a second. Children that were never waited
// for are lost with their last interval.
static void put_tree(struct cputime *cpu, const struct sample_target *target, struct sink *sink)
{
	int64_t user, system;
	size_t n;

	procs_refresh(cpu->procs, target, &n);
	procs_cpu_ns(cpu->procs, &user, &system);
	sink->put(sink, "cpu.workload.user", "ns", SERIES_COUNTER, forward(&cpu->tree_user, user));
	sink->put(sink, "cpu.workload.system", "ns", SERIES_COUNTER, forward(&cpu->tree_system, system));
}

static void put_kthreads(struct cputime *cpu, bool look, struct sink *sink)
{
	const char *name;
	int64_t ns;

	kthreads_update(cpu->kthreads, look);
	for (int i = 0; (name = kthreads_class(cpu->kthreads, i, &ns)); i++)
		sink->put(sink, name, "ns", SERIES_COUNTER, ns);
}

int cputime_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct cputime *cpu = state;
	int r = 0;

	if (budget_begin(&cpu->machine, target)) {
		r = put_machine(cpu, sink);
		budget_end(&cpu->machine);
	}
	if (cpu->kthreads && budget_begin(&cpu->threads, target)) {
		put_kthreads(cpu, target->root_pid == 0, sink);
		budget_end(&cpu->threads);
	}
	if (target->cgroup_dir) {
		put_cgroup(cpu, target->cgroup_dir, sink);
	} else if (budget_begin(&cpu->workload, target)) {
		put_tree(cpu, target, sink);
		budget_end(&cpu->workload);
	}
	absent_say(&cpu->absent, sink);
	return r < 0 ? err_set(r, "read /proc/stat: %s", g_strerror(-r)) : 0;
}

void cputime_sampler_close(void *state)
{
	struct cputime *cpu = state;

	close(cpu->stat_fd);
	if (cpu->cgroup_fd >= 0)
		close(cpu->cgroup_fd);
	kthreads_free(cpu->kthreads);
	procs_free(cpu->procs);
	text_free(&cpu->text);
	absent_free(&cpu->absent);
	g_free(cpu);
}
