// CPU time of kernel threads by class: reclaim, compaction, migration, sampling. Each thread's time is its
// process CPU clock (kernel/time/posix-cpu-timers.c), to the nanosecond, the running slice included, for one
// system call without a file. Threads come and go: a class' total grows by what each thread has grown, so it
// never runs backwards; what a thread does between the last reading and its death is lost, at most one
// interval of it.
#include "sampler/kthreads.h"
#include "sampler/procs.h"
#include "sampler/read.h"

#include <dirent.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// By the beginning of the thread's name; the first row that fits decides.
static const struct {
	const char *prefix, *series;
} classes[] = {
    {"kswapd", "cpu.kswapd"},         // mm/vmscan.c
    {"kcompactd", "cpu.kcompactd"},   // mm/compaction.c
    {"khugepaged", "cpu.khugepaged"}, // mm/khugepaged.c
    {"ksmd", "cpu.ksmd"},             // mm/ksm.c
    {"kdamond", "cpu.kdamond"},       // mm/damon/core.c
    {"kmigraterd", "cpu.kmigraterd"}, // MEMTIS: promotion and demotion
    {"ksamplingd", "cpu.ksamplingd"}, // MEMTIS: drains the PEBS buffers
    {"ktiering_", "cpu.ktiering"},    // kmod/tiering: sampling, migration
    {"kpromoted", "cpu.kpromoted"},   // MULTI-CLOCK; the pghot patches
    {"kmigrated", "cpu.kmigrated"},   // the pghot patches
    {"kscand", "cpu.kscand"},         // the kscand patches: PTE A-bit scanning
    {"ht-", "cpu.demeter"},           // Demeter: ht-main, ht-policy, ht-migration
    {"oom_reaper", "cpu.oom_reaper"}, // mm/oom_kill.c
    {"migration/", "cpu.migration"},  // the CPU stopper; moves tasks, not pages
    {"ksoftirqd/", "cpu.ksoftirqd"},  // kernel/softirq.c
    {"kworker", "cpu.kworker"},       // writeback, vmstat folding, Nomad's promotion
    {"", "cpu.kthread_other"},
};

struct kthread {
	int64_t ns, start;
	int class;
};

struct kthreads {
	GHashTable *threads; // pid -> struct kthread
	int64_t total[G_N_ELEMENTS(classes)];
	int64_t looked_ns;
};

static int class_of(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
		if (g_str_has_prefix(name, classes[i].prefix))
			return (int)i;
	return G_N_ELEMENTS(classes) - 1;
}

// Time on a CPU in ns since the thread was born, or -1.
static int64_t thread_ns(pid_t pid)
{
	struct timespec t;

	if (*sampler_root) { // a tree of files has no clocks
		struct text text = {0};
		char path[40];
		int64_t ns = -1;

		snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
		if (text_load(&text, sampler_root, path) < 0 || !parse_i64(text.data, &ns))
			ns = -1;
		text_free(&text);
		return ns;
	}
	// MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of include/linux/posix-timers.h; clock_getcpuclockid(3)
	// would ask the kernel once more.
	return clock_gettime((clockid_t)(~(unsigned)pid << 3 | 2), &t) ? -1
								       : t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void meet(pid_t pid, void *arg)
{
	struct kthreads *k = arg;
	struct kthread *thread = g_hash_table_lookup(k->threads, GINT_TO_POINTER(pid));
	struct proc_stat stat;

	if (thread || proc_stat_read(pid, &stat) < 0 || !(stat.flags & PROC_KTHREAD))
		return;
	// All of its time counts: whoever is met later was born after the first look.
	thread = g_new0(struct kthread, 1);
	thread->start = stat.start;
	thread->class = class_of(stat.comm);
	g_hash_table_insert(k->threads, GINT_TO_POINTER(pid), thread);
}

// kthreadd is the parent of them all. Where the kernel has no list of children, every process is asked. The
// list may leave out a living one while others die, so that who isn't in it isn't taken for dead.
static void look_around(struct kthreads *k)
{
	if (proc_children(2, meet, k) < 0) {
		g_autofree char *path = g_strconcat(sampler_root, "/proc", NULL);
		DIR *d = opendir(path);
		struct dirent *e;

		while (d && (e = readdir(d)))
			if (atoi(e->d_name) > 0)
				meet(atoi(e->d_name), k);
		if (d)
			closedir(d);
	}
	k->looked_ns = monotonic_ns();
}

// Whether `pid` still is the thread that was met: its pid may have been given to someone else since. Kernel
// threads are of session 0 and nobody else stays in it, which is forty times cheaper to ask than its birth.
// What passes is another kernel thread that took over the pid within a second and has run for longer already.
static bool same_thread(pid_t pid, const struct kthread *thread)
{
	struct proc_stat stat;

	if (!*sampler_root)
		return getsid(pid) == 0;
	return proc_stat_read(pid, &stat) == 0 && stat.start == thread->start;
}

// Whether the thread still lives.
static bool update_thread(struct kthreads *k, pid_t pid, struct kthread *thread)
{
	int64_t ns = thread_ns(pid);

	if (ns == thread->ns)
		return true;
	if (ns < thread->ns || !same_thread(pid, thread))
		return false;
	k->total[thread->class] += ns - thread->ns;
	thread->ns = ns;
	return true;
}

struct kthreads *kthreads_new(void)
{
	struct proc_stat stat;

	if (proc_stat_read(2, &stat) < 0 || strcmp(stat.comm, "kthreadd") || !(stat.flags & PROC_KTHREAD))
		return NULL;
	struct kthreads *k = g_new0(struct kthreads, 1);
	k->threads = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	return k;
}

void kthreads_update(struct kthreads *k, int look)
{
	GHashTableIter iter;
	gpointer pid, thread;

	// First the time of those that are known, so that a short-lived one is read before it is missed.
	g_hash_table_iter_init(&iter, k->threads);
	while (g_hash_table_iter_next(&iter, &pid, &thread))
		if (!update_thread(k, GPOINTER_TO_INT(pid), thread))
			g_hash_table_iter_remove(&iter);
	if (!look && k->looked_ns && monotonic_ns() - k->looked_ns < 1000000000LL)
		return;
	look_around(k);
	g_hash_table_iter_init(&iter, k->threads);
	while (g_hash_table_iter_next(&iter, &pid, &thread))
		if (!((struct kthread *)thread)->ns && !update_thread(k, GPOINTER_TO_INT(pid), thread))
			g_hash_table_iter_remove(&iter);
}

const char *kthreads_class(const struct kthreads *k, int i, int64_t *ns)
{
	if (i >= (int)G_N_ELEMENTS(classes))
		return NULL;
	*ns = k->total[i];
	return classes[i].series;
}

void kthreads_free(struct kthreads *k)
{
	if (!k)
		return;
	g_hash_table_destroy(k->threads);
	g_free(k);
}
