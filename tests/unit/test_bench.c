// Benchmarks where there is less than they are used to: every one where reading the TSC is forbidden, and on
// one CPU; each in a process of its own. Such a process can't be had by exec: the dynamic linker reads the
// TSC itself.
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>

#include "bench/bench.h"

#define FORBIDDEN 77

static const char *const forkbomb_args[] = {"duration=0.3", "period=0.1", "procs=8", "limit=0.02", NULL};
static const char *const hotset_args[] = {"size=1048576", "phase=0.05", "phases=1", "threads=2", NULL};
static const char *const fork_cow_args[] = {"memory=1048576", "limit=0.02", NULL};
static const char *const size_args[] = {"size=1048576", "limit=0.02", NULL};
static const char *const threads_args[] = {"threads=3", "limit=0.02", NULL};
static const char *const memhog_args[] = {"size=1048576", "idle=0.02", "warm=0.02", "touches=1", NULL};
static const char *const other_args[] = {"limit=0.02", NULL};

static const char *const *args_of(const char *name)
{
	static const struct {
		const char *name;
		const char *const *args;
	} special[] = {{"forkbomb", forkbomb_args}, {"hotset", hotset_args},   {"fork_cow", fork_cow_args},
		       {"bw_mem", size_args},       {"lat_mem_rd", size_args}, {"fault", threads_args},
		       {"tlb", threads_args},       {"memhog", memhog_args}};

	for (size_t i = 0; i < G_N_ELEMENTS(special); i++)
		if (!strcmp(name, special[i].name))
			return special[i].args;
	return other_args;
}

static void no_tsc(void)
{
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV))
		_exit(FORBIDDEN);
}

static void one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		_exit(FORBIDDEN);
}

// What it wrote, NULL when it could not be made so. g_free.
static char *results_of(const char *name, void (*make_it_so)(void))
{
	g_autofree char *text = NULL;
	int fd = memfd_create("results", MFD_CLOEXEC), status;
	pid_t pid = fork();
	off_t n;

	assert_true(fd >= 0 && pid >= 0);
	if (pid == 0) {
		make_it_so();
		_exit(bench_main(name, args_of(name), fd) ? 2 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		print_error("%s: signal %d\n", name, WTERMSIG(status));
	assert_true(WIFEXITED(status));
	n = lseek(fd, 0, SEEK_END);
	text = g_malloc0((gsize)n + 1);
	assert_int_equal(pread(fd, text, (size_t)n, 0), n);
	close(fd);
	if (WEXITSTATUS(status) == FORBIDDEN)
		return NULL;
	if (WEXITSTATUS(status)) // it says so itself
		assert_non_null(strstr(text, "\"not_measured\""));
	return g_steal_pointer(&text);
}

static double number_in(const char *text, const char *metric)
{
	g_autofree char *start = g_strdup_printf("{\"metric\":\"%s\",\"value\":", metric);
	const char *at = strstr(text, start);

	return at ? g_ascii_strtod(at + strlen(start), NULL) : -1;
}

static void check_forkbomb(const char *text)
{
	assert_true(number_in(text, "due") == 24);
	assert_true(number_in(text, "forks") == 24);
	assert_true(number_in(text, "reaped") == 24);
}

static void without_the_tsc(void **state)
{
	(void)state;
	for (const struct bench *const *b = bench_table; *b; b++) {
		g_autofree char *text = results_of((*b)->name, no_tsc);

		if (!text)
			skip();
		assert_non_null(strstr(text, "forbidden to this process"));
		assert_null(strstr(text, "\"rdtsc\""));
		assert_null(strstr(text, ".cycles\""));
		if (!strcmp((*b)->name, "forkbomb"))
			check_forkbomb(text);
		if (!strcmp((*b)->name, "lat_proc")) { // its children exec a program, whose ld.so dies of it
			assert_true(number_in(text, "fork") > 0);
			assert_true(strstr(text, "may have read the TSC") || number_in(text, "exec") > 0);
		}
	}
}

static void on_one_cpu(void **state)
{
	(void)state;
	for (const struct bench *const *b = bench_table; *b; b++) {
		g_autofree char *text = results_of((*b)->name, one_cpu);

		if (!text)
			skip();
		assert_non_null(strstr(text, "{\"metric\":\"timing.hz\""));
		assert_true(strstr(text, "there is one CPU only") || strstr(text, "\"TSC cycles\""));
		if (!strcmp((*b)->name, "forkbomb"))
			check_forkbomb(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_the_tsc),
	    cmocka_unit_test(on_one_cpu),
	};

#ifdef __SANITIZE_ADDRESS__
	// Its allocator looks at the clock through the vDSO and would wait for itself in its handler of
	// SIGSEGV, and its shadow memory of 20 TiB takes forkbomb's look at the pagemap minutes. cmocka's own
	// skip is a "not ok".
	puts("1..0 # SKIP the address sanitizer's run-time reads the TSC itself");
	return 0;
#endif
	return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
