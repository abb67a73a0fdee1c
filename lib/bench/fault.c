// fault: what a page fault costs, by kind of memory, alone or with other threads or processes that fault too
// (mm/memory.c). With a shared mm they contend for mmap_lock and, since 6.4, per-VMA locks.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/cpus.h"
#include "bench/hint.h"
#include "bench/memory.h"

static const struct bench_param params[] = {
    {"kinds", "all", "LIST", "which: anon,zero,file,shared,cow,thp,swapin,hint, or all"},
    {"pages", "256", "N", "pages faulted in by a sample"},
    {"threads", "1", "N", "faulting at the same time, the measured one included"},
    {"mm", "shared", "shared|private", "the others are threads of this process, or processes of their own"},
    {}};

struct fault {
	struct memory memory;
	size_t pages;
	int (*prepare)(struct fault *f);
	uint64_t (*touch)(const struct memory *m);
	bool huge;
	uint64_t faults, touched;
	struct bench_op op; // whose units are the faults that the kernel counted
};

static uint64_t write_all(const struct memory *m)
{
	memory_write(m);
	return 0;
}

static int drop(struct fault *f)
{
	return memory_drop(&f->memory);
}

// Write-protected by a fork whose child has ended: the fault finds the page its own again, or copies it while
// the child lives. Here the child lives on until the sample is over.
static pid_t holder;

static int share(struct fault *f)
{
	pid_t self = getpid();

	memory_write(&f->memory);
	if (holder > 0) {
		kill(holder, SIGKILL);
		waitpid(holder, NULL, 0);
	}
	holder = fork();
	if (holder < 0)
		return err_set(-errno, "fork: %m");
	if (holder == 0) {
		bench_die_with(self);
		for (;;)
			pause();
	}
	return 0;
}

static void end_holder(void)
{
	if (holder > 0) {
		kill(holder, SIGKILL);
		waitpid(holder, NULL, 0);
	}
	holder = 0;
}

static int drop_huge(struct fault *f)
{
	madvise(f->memory.start, f->memory.bytes, MADV_HUGEPAGE);
	return memory_drop(&f->memory);
}

static uint64_t write_first_of_huge(const struct memory *m)
{
	for (size_t i = 0; i < m->bytes; i += HUGE_PAGE)
		((volatile char *)m->start)[i] = 1;
	return 0;
}

// Where the kernel gave base pages instead, the last of them is still to be faulted in.
static bool all_huge(const struct memory *m)
{
	uint64_t before, after, major;

	memory_faults(&before, &major);
	for (size_t i = HUGE_PAGE - 1; i < m->bytes; i += HUGE_PAGE)
		((volatile char *)m->start)[i] = 1;
	memory_faults(&after, &major);
	return after == before;
}

static int swap_out(struct fault *f)
{
	memory_write(&f->memory);
	if (madvise(f->memory.start, f->memory.bytes, MADV_PAGEOUT))
		return err_set(-errno, "madvise(MADV_PAGEOUT): %m");
	return memory_must_be_swapped(&f->memory);
}

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct fault *f = ctx;
	uint64_t before, after, major, from;
	int rc = f->prepare(f);

	if (rc)
		return rc;
	bench_begin(run); // after a fork, what this writes must be faulted in too
	memory_faults(&before, &major);
	before += major;
	from = bench_begin(run);
	f->touch(&f->memory);
	*cycles = bench_end(run, from);
	memory_faults(&after, &major);
	after += major;
	if (after == before)
		return err_set(BENCH_NOT_SO, "no page had to be faulted in");
	if (f->huge && !all_huge(&f->memory))
		return err_set(BENCH_NOT_SO, "the kernel gave base pages, not huge ones");
	f->op.units = (double)(after - before);
	f->faults += after - before;
	f->touched += f->pages;
	return 0;
}

// --- the others

struct others {
	pthread_t *threads;
	pid_t *pids;
	int n;
	bool private;
	volatile bool stop;
	volatile int running;
	size_t bytes;
};

static void *other(void *arg)
{
	struct others *o = arg;
	struct memory m;

	cpus_pin(__sync_add_and_fetch(&o->running, 1));
	if (memory_map(&m, MEMORY_ANON, o->bytes))
		return NULL;
	while (!o->stop) {
		memory_write(&m);
		memory_drop(&m);
	}
	memory_unmap(&m);
	return NULL;
}

static int start_others(struct bench_run *b, struct others *o)
{
	pid_t self = getpid();

	o->n = (int)bench_int(b, "threads") - 1;
	o->private = !strcmp(bench_text(b, "mm"), "private");
	o->bytes = (size_t)bench_int(b, "pages") * BASE_PAGE;
	o->threads = g_new0(pthread_t, o->n + 1);
	o->pids = g_new0(pid_t, o->n + 1);
	for (int i = 0; i < o->n; i++) {
		if (!o->private) {
			if (pthread_create(&o->threads[i], NULL, other, o))
				return err_set(-EAGAIN, "can't start %d threads", o->n);
			continue;
		}
		o->pids[i] = fork();
		if (o->pids[i] < 0)
			return err_set(-errno, "fork: %m");
		if (o->pids[i] == 0) {
			bench_die_with(self);
			o->running = i; // of its own copy
			other(o);
			_exit(0);
		}
	}
	return 0;
}

static void stop_others(struct others *o)
{
	o->stop = true;
	for (int i = 0; i < o->n; i++) {
		if (o->private && o->pids[i] > 0) {
			kill(o->pids[i], SIGKILL);
			waitpid(o->pids[i], NULL, 0);
		} else if (!o->private && o->threads[i]) {
			pthread_join(o->threads[i], NULL);
		}
	}
	g_free(o->threads);
	g_free(o->pids);
}

// --- the kinds

static const struct kind {
	const char *name;
	enum memory_kind memory;
	size_t page;
	int (*prepare)(struct fault *f);
	uint64_t (*touch)(const struct memory *m);
	bool swap;
} kinds[] = {{"anon", MEMORY_ANON, BASE_PAGE, drop, write_all, false},
	     {"zero", MEMORY_ANON, BASE_PAGE, drop, memory_read, false},
	     {"file", MEMORY_FILE, BASE_PAGE, drop, memory_read, false},
	     {"shared", MEMORY_SHARED, BASE_PAGE, drop, write_all, false},
	     {"cow", MEMORY_ANON, BASE_PAGE, share, write_all, false},
	     {"thp", MEMORY_ANON, HUGE_PAGE, drop_huge, write_first_of_huge, false},
	     {"swapin", MEMORY_ANON, BASE_PAGE, swap_out, memory_read, true}};

static bool have_thp(void)
{
	g_autofree char *text = NULL;

	return g_file_get_contents("/sys/kernel/mm/transparent_hugepage/enabled", &text, NULL, NULL) &&
	       !strstr(text, "[never]");
}

static int run_kind(struct bench_run *b, const struct kind *k)
{
	size_t pages = (size_t)bench_int(b, "pages");
	struct fault f = {.prepare = k->prepare,
			  .touch = k->touch,
			  .huge = k->page == HUGE_PAGE,
			  .op = {k->name, sample, 1, "fault", k->swap}};
	g_autofree char *per = g_strdup_printf("%s.faults_per_page", k->name);
	int rc;

	if (k->swap && !memory_have_swap()) {
		bench_cannot(b, k->name, "no swap is on (swapon(8))");
		return 0;
	}
	if (k->page == HUGE_PAGE && !have_thp()) {
		bench_cannot(b, k->name, "transparent huge pages are off");
		return 0;
	}
	f.pages = k->page == HUGE_PAGE ? MAX(1, pages / 64) : pages;
	rc = memory_map(&f.memory, k->memory, f.pages * k->page);
	if (!rc)
		rc = bench_measure(b, &f.op, &f, NULL);
	end_holder();
	memory_unmap(&f.memory);
	if (!rc &&
	    f.touched) // 1: each page took one fault; less: the kernel mapped others around it in the same
		bench_metric(b, per, (double)f.faults / (double)f.touched, "ratio", "neither");
	return rc;
}

// "anon,hint", or "all"
static int check_kinds(char **list)
{
	for (char **name = list; *name; name++) {
		bool known = !strcmp(*name, "all") || !strcmp(*name, "hint");

		for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
			known |= !strcmp(*name, kinds[i].name);
		if (!known)
			return err_set(-EINVAL, "--kinds: there is no kind of fault \"%s\"", *name);
	}
	return *list ? 0 : err_set(-EINVAL, "--kinds names none");
}

static bool wanted(char **list, const char *kind)
{
	return g_strv_contains((const char *const *)list, "all") ||
	       g_strv_contains((const char *const *)list, kind);
}

static int run(struct bench_run *b)
{
	g_auto(GStrv) list = g_strsplit(bench_text(b, "kinds"), ",", -1);
	struct others o = {};
	int rc = check_kinds(list);

	if (rc)
		return rc;

	if (bench_int(b, "pages") < 1 || bench_int(b, "pages") > 1 << 24)
		return err_set(-EINVAL, "--pages must be from 1 to 16777216");
	if (bench_int(b, "threads") < 1 || bench_int(b, "threads") > 1024)
		return err_set(-EINVAL, "--threads must be from 1 to 1024");
	rc = start_others(b, &o);
	// first, as the kernel takes longer from pass to pass the longer a process runs
	if (!rc && wanted(list, "hint"))
		rc = hint_run(b);
	for (size_t i = 0; i < G_N_ELEMENTS(kinds) && !rc && !bench_stopped(b); i++)
		if (wanted(list, kinds[i].name))
			rc = run_kind(b, &kinds[i]);
	stop_others(&o);
	return rc;
}

const struct bench bench_fault = {
    "fault", "page faults by kind: anonymous, file, shared, copy-on-write, huge, swapped out, NUMA hint",
    params, run, false};
