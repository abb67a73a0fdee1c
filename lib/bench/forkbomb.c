// forkbomb: PROCS processes every PERIOD for DURATION; see the notes that the project grew from. Each child
// touches some memory, if told to, and exits. Forks are on a schedule of absolute times; what is late or
// can't be had is counted, and every child is reaped.
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/ptlevels.h"
#include "bench/timing.h"
#include "stats/hist.h"

static const struct bench_param params[] = {
    {"procs", "128", "N", "processes forked in each period"},
    {"period", "0.5", "SECONDS", "time from one start to the next"},
    {"duration", "120", "SECONDS", "how long"},
    {"touch", "0", "BYTES", "memory that each child writes to before it exits"},
    {}};

#define SLOTS 65536 // by the pid's lower bits

// What a child leaves behind, in memory shared with the parent.
struct slot {
	uint64_t exit_ns; // CLOCK_MONOTONIC_RAW just before _exit
	pid_t pid;
};

struct bomb {
	struct bench_run *run;
	struct slot *slots;
	struct ptlevels *child_levels;
	int64_t procs, touch;
	uint64_t forks, reaped, failed_again, failed_memory, late, failed_children, unstamped;
	struct hist *fork_hist, *exit_hist, *reap_hist, *late_hist;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

// --- before anything is forked

static int64_t number_in(const char *path)
{
	g_autofree char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !g_ascii_isdigit(*text))
		return INT64_MAX; // "max", or no such limit
	return g_ascii_strtoll(text, NULL, 10);
}

// The smallest pids.max from our cgroup up to the root.
static int64_t cgroup_pids_max(void)
{
	g_autofree char *text = NULL;
	int64_t least = INT64_MAX;
	char *path, *end;

	if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL))
		return least;
	path = strstr(text, "0::");
	if (!path)
		return least;
	path += 3;
	path[strcspn(path, "\n")] = 0;
	for (;;) {
		g_autofree char *file = g_strdup_printf("/sys/fs/cgroup%s/pids.max", path);

		least = MIN(least, number_in(file));
		end = strrchr(path, '/');
		if (!end || end == path)
			break;
		*end = 0;
	}
	return least;
}

static int64_t memory_available(void)
{
	g_autofree char *text = NULL;
	const char *at;

	if (!g_file_get_contents("/proc/meminfo", &text, NULL, NULL))
		return INT64_MAX;
	at = strstr(text, "MemAvailable:");
	return at ? g_ascii_strtoll(at + strlen("MemAvailable:"), NULL, 10) * 1024 : INT64_MAX;
}

static int check(struct bomb *b)
{
	int64_t pids = MIN(number_in("/proc/sys/kernel/pid_max"), cgroup_pids_max());
	struct rlimit limit;

	if (b->procs < 1 || b->procs > SLOTS / 2)
		return err_set(-EINVAL, "--procs must be from 1 to %d", SLOTS / 2);
	if (getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && geteuid() != 0)
		pids = MIN(pids, (int64_t)limit.rlim_cur);
	if (b->procs + 8 > pids)
		bench_cannot(b->run, "all forks",
			     "the limit of processes here is %" PRId64 ": forks beyond it fail and are "
			     "counted",
			     pids);
	if (b->touch && b->procs > memory_available() / 2 / b->touch)
		return err_set(-ENOMEM,
			       "--procs %" PRId64 " times --touch %" PRId64
			       " is more than half of the memory available",
			       b->procs, b->touch);
	return 0;
}

// --- children

static void child(struct bomb *b, bool look)
{
	struct slot *slot = &b->slots[getpid() % SLOTS];

	if (b->touch) {
		char *p =
		    mmap(NULL, (size_t)b->touch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			_exit(1);
		for (int64_t i = 0; i < b->touch; i += 4096)
			p[i] = 1;
	}
	if (look && ptlevels_read(b->child_levels))
		_exit(1);
	slot->pid = getpid();
	slot->exit_ns = clock_ns(CLOCK_MONOTONIC_RAW);
	_exit(0);
}

static void one_fork(struct bomb *b, bool look)
{
	uint64_t from = timing_begin();
	pid_t pid = fork();
	unsigned cpu;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child(b, look);
	}
	if (pid < 0) {
		*(errno == ENOMEM ? &b->failed_memory : &b->failed_again) += 1;
		return;
	}
	hist_add(b->fork_hist, (uint64_t)timing_ns(bench_timing(b->run), timing_end(&cpu) - from));
	b->forks++;
}

static void reaped(struct bomb *b, pid_t pid, int status, uint64_t now)
{
	struct slot *slot = &b->slots[pid % SLOTS];

	b->reaped++;
	b->failed_children += !WIFEXITED(status) || WEXITSTATUS(status);
	if (slot->pid != pid) { // another child's pid has the same lower bits, or it never got there
		b->unstamped++;
		return;
	}
	hist_add(b->exit_hist, now > slot->exit_ns ? now - slot->exit_ns : 0);
	slot->pid = 0;
}

// One child, if one has ended: false when none has.
static bool reap_one(struct bomb *b)
{
	uint64_t from = timing_begin(), took;
	int status;
	unsigned cpu;
	pid_t pid = waitpid(-1, &status, WNOHANG);

	if (pid <= 0)
		return false;
	took = timing_end(&cpu) - from;
	hist_add(b->reap_hist, (uint64_t)timing_ns(bench_timing(b->run), took));
	reaped(b, pid, status, clock_ns(CLOCK_MONOTONIC_RAW));
	return true;
}

// Reaps what ends until `until` (CLOCK_MONOTONIC); SIGCHLD wakes it.
static void reap_until(struct bomb *b, uint64_t until)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (!bench_stopped(b->run)) {
		uint64_t now;
		struct timespec left;

		while (reap_one(b))
			;
		now = clock_ns(CLOCK_MONOTONIC);
		if (now >= until)
			return;
		left = (struct timespec){(time_t)((until - now) / 1000000000),
					 (long)((until - now) % 1000000000)};
		sigtimedwait(&set, NULL, &left);
	}
}

static void reap_all(struct bomb *b)
{
	while (b->reaped < b->forks) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return;
		reaped(b, pid, status, clock_ns(CLOCK_MONOTONIC_RAW));
	}
}

// --- the schedule

static void explode(struct bomb *b)
{
	uint64_t period = (uint64_t)(bench_real(b->run, "period") * 1e9), start = clock_ns(CLOCK_MONOTONIC);
	uint64_t end = start + (uint64_t)(bench_real(b->run, "duration") * 1e9);

	for (uint64_t due = start; due < end && !bench_stopped(b->run); due += period) {
		uint64_t now;

		reap_until(b, due);
		now = clock_ns(CLOCK_MONOTONIC);
		hist_add(b->late_hist, now > due ? now - due : 0);
		b->late += now > due + period;
		for (int64_t i = 0; i < b->procs && !bench_stopped(b->run); i++)
			one_fork(b, i == 0);
	}
	reap_until(b, end);
}

static void level_metrics(struct bomb *b, const char *when, const struct ptlevels *l)
{
	static const char *const names[] = {"pgd", "p4d", "pud", "pmd", "pte"};

	for (int i = 0; i < PTLEVELS; i++) {
		g_autofree char *name = g_strdup_printf("%s.%s", when, names[i]);

		if (l->pages[i] < 0)
			bench_cannot(b->run, name, "%s", "this CPU has no such level");
		else
			bench_metric(b->run, name, (double)l->pages[i], "pages", "neither");
	}
}

static void tell(struct bomb *b, double seconds, const struct rusage *self, const struct rusage *children)
{
	struct ptlevels stable;
	double cpu = (double)(self->ru_utime.tv_sec + self->ru_stime.tv_sec + children->ru_utime.tv_sec +
			      children->ru_stime.tv_sec) +
		     (double)(self->ru_utime.tv_usec + self->ru_stime.tv_usec + children->ru_utime.tv_usec +
			      children->ru_stime.tv_usec) /
			 1e6;

	bench_metric(b->run, "forks", (double)b->forks, "count", "more");
	bench_metric(b->run, "reaped", (double)b->reaped, "count", "more");
	bench_metric(b->run, "rate", (double)b->forks / seconds, "forks/s", "more");
	bench_metric(b->run, "cpu", cpu / seconds, "CPUs", "less");
	bench_metric(b->run, "missed_deadlines", (double)b->late, "count", "less");
	bench_loss(b->run, "fork_failed_limit", b->failed_again, "forks refused: process limit (EAGAIN)");
	bench_loss(b->run, "fork_failed_memory", b->failed_memory, "forks refused: no memory (ENOMEM)");
	bench_loss(b->run, "children_failed", b->failed_children, "children that did not end as they should");
	bench_loss(b->run, "exits_not_timed", b->unstamped, "children whose exit stamp was not found");
	if (b->child_levels->ok)
		level_metrics(b, "child", b->child_levels);
	else
		bench_cannot(b->run, "child page-table levels", "no child could read its pagemap");
	if (ptlevels_read(&stable) == 0)
		level_metrics(b, "stable", &stable);
}

static int run(struct bench_run *r)
{
	struct bomb b = {.run = r, .procs = bench_int(r, "procs"), .touch = bench_int(r, "touch")};
	struct rusage self, children;
	uint64_t start;
	sigset_t set;
	int rc = check(&b);

	if (rc)
		return rc;
	b.slots = mmap(NULL, SLOTS * sizeof(struct slot) + sizeof(struct ptlevels), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b.slots == MAP_FAILED)
		return err_set(-errno, "mmap: %m");
	b.child_levels = (struct ptlevels *)(b.slots + SLOTS);
	b.fork_hist = bench_hist(r, "fork");
	b.exit_hist = bench_hist(r, "exit_to_reaped");
	b.reap_hist = bench_hist(r, "reap");
	b.late_hist = bench_hist(r, "lateness");
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	start = clock_ns(CLOCK_MONOTONIC);
	bench_mark(r, "forking");
	explode(&b);
	bench_mark(r, "reaping");
	reap_all(&b);
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	tell(&b, (double)(clock_ns(CLOCK_MONOTONIC) - start) / 1e9, &self, &children);
	munmap(b.slots, SLOTS * sizeof(struct slot) + sizeof(struct ptlevels));
	return 0;
}

const struct bench bench_forkbomb = {
    "forkbomb", "processes forked on a schedule, each of which exits at once", params, run, true};
