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
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/limits.h"
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
	pid_t self;
	struct slot *slots;
	struct ptlevels *child_levels;
	int64_t procs, touch;
	uint64_t periods, due, forks, reaped, failed_again, failed_memory, late, failed_children, unstamped;
	struct hist *fork_hist, *exit_hist, *reap_hist, *late_hist;
};

// --- before anything is forked

static int check(struct bomb *b)
{
	struct limit processes = limits_processes(), memory = limits_memory();

	if (b->procs < 1 || b->procs > SLOTS / 2)
		return err_set(-EINVAL, "--procs must be from 1 to %d", SLOTS / 2);
	if (bench_real(b->run, "period") < 0.001)
		return err_set(-EINVAL, "--period must be 0.001 or more");
	if (b->procs + 8 > processes.value)
		bench_cannot(b->run, "all forks",
			     "the limit of processes here is %" PRId64 " (%s): forks beyond it fail and are "
			     "counted",
			     processes.value, processes.from);
	if (b->touch && b->procs > memory.value / 2 / b->touch)
		return err_set(-ENOMEM,
			       "--procs %" PRId64 " times --touch %" PRId64
			       " is more than half of the %" PRId64 " bytes left of %s",
			       b->procs, b->touch, memory.value, memory.from);
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
	if (look) { // another period's child may look at the same time
		struct ptlevels own;

		if (ptlevels_read(&own))
			_exit(1);
		*b->child_levels = own;
	}
	slot->pid = getpid();
	slot->exit_ns = timing_clock();
	_exit(0);
}

static void one_fork(struct bomb *b, bool look)
{
	uint64_t from = timing_begin();
	pid_t pid = fork();
	unsigned cpu;

	if (pid == 0) {
		bench_die_with(b->self);
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
	reaped(b, pid, status, timing_clock());
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
		now = timing_clock_of(CLOCK_MONOTONIC);
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
		reaped(b, pid, status, timing_clock());
	}
}

// --- the schedule

// When it is over, which is late by so much.
static uint64_t wait_for(struct bomb *b, uint64_t due)
{
	uint64_t now;

	reap_until(b, due);
	now = timing_clock_of(CLOCK_MONOTONIC);
	hist_add(b->late_hist, now > due ? now - due : 0);
	return now;
}

static void explode(struct bomb *b)
{
	uint64_t period = (uint64_t)(bench_real(b->run, "period") * 1e9),
		 start = timing_clock_of(CLOCK_MONOTONIC);
	uint64_t end = start + (uint64_t)(bench_real(b->run, "duration") * 1e9);

	for (uint64_t due = start; due < end && !bench_stopped(b->run); due += period) {
		uint64_t now = wait_for(b, due);

		b->late += now > due + period;
		b->periods++;
		b->due += (uint64_t)b->procs;
		for (int64_t i = 0; i < b->procs && !bench_stopped(b->run); i++)
			one_fork(b, i == 0);
	}
	wait_for(b, end);
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

	bench_metric(b->run, "periods", (double)b->periods, "count", "more");
	bench_metric(b->run, "due", (double)b->due, "count", "more");
	bench_metric(b->run, "forks", (double)b->forks, "count", "more");
	bench_metric(b->run, "reaped", (double)b->reaped, "count", "more");
	bench_metric(b->run, "rate", (double)b->forks / seconds, "forks/s", "more");
	bench_metric(b->run, "cpu", cpu / seconds, "CPUs", "less");
	bench_metric(b->run, "missed_deadlines", (double)b->late, "count", "less");
	if (b->late)
		bench_cannot(b->run, "the schedule",
			     "%" PRIu64 " of %" PRIu64
			     " periods began later than a period: this machine is too "
			     "slow for --procs every --period",
			     b->late, b->periods);
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
	struct bomb b = {
	    .run = r, .self = getpid(), .procs = bench_int(r, "procs"), .touch = bench_int(r, "touch")};
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
	start = timing_clock_of(CLOCK_MONOTONIC);
	bench_mark(r, "forking");
	explode(&b);
	bench_mark(r, "reaping");
	reap_all(&b);
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	tell(&b, (double)(timing_clock_of(CLOCK_MONOTONIC) - start) / 1e9, &self, &children);
	munmap(b.slots, SLOTS * sizeof(struct slot) + sizeof(struct ptlevels));
	return 0;
}

const struct bench bench_forkbomb = {
    "forkbomb", "processes forked on a schedule, each of which exits at once", params, run, true};
