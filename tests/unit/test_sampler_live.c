// Samplers against the running kernel: what they must say of a child whose memory is known, of processes that
// die while they are looked at, and that they say nothing twice.
#include "sampler_sink.h"

#include "base/err.h"
#include "sampler/spin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 48 };

static pid_t held;
static int go[2], done[2];
static char *made; // the cgroup of a test

static int let_go(void **state)
{
	int r = 0;

	(void)state;
	if (held > 0) {
		kill(held, SIGKILL);
		waitpid(held, NULL, 0);
	}
	held = 0;
	for (int i = 0; i < 2 && go[1]; i++)
		close(go[i]), close(done[i]);
	go[1] = 0;
	for (int i = 0; made && i < 200 && (r = rmdir(made)) < 0; i++) // the grandchild may be dying still
		usleep(10000);
	g_clear_pointer(&made, g_free);
	return r;
}

static char *touch(size_t bytes)
{
	char *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		abort();
	madvise(area, bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < bytes; i += 4096)
		area[i] = 1;
	return area;
}

// A child with a hostile name and a child of its own, which touches MIB when told to. *inner is the child's
// child. In the cgroup `dir` if there is one.
static pid_t hold(const char *dir, pid_t *inner)
{
	assert_int_equal(pipe(go) | pipe(done), 0);
	pid_t child = fork();
	if (child == 0) {
		if (dir) {
			g_autofree char *procs = g_strconcat(dir, "/cgroup.procs", NULL);
			FILE *f = fopen(procs, "w");
			if (!f || fprintf(f, "%d", getpid()) < 0 || fclose(f))
				_exit(1);
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "a) R 1\n2 (x");
		pid_t grandchild = fork(), self = getpid();
		if (grandchild == 0) {
			char c;
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (write(done[1], &self, sizeof(self)) != sizeof(self) || read(go[0], &c, 1) != 1)
				_exit(1);
			touch((size_t)MIB << 20);
			if (write(done[1], &self, sizeof(self)) != sizeof(self))
				_exit(1);
		} else {
			waitpid(grandchild, NULL, 0);
		}
		for (;;)
			pause();
	}
	held = child;
	assert_int_equal(read(done[0], inner, sizeof(*inner)), sizeof(*inner));
	return child;
}

static void let_touch(void)
{
	pid_t inner;

	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(read(done[0], &inner, sizeof(inner)), sizeof(inner));
}

// A reading that a budget left out comes later.
static void look_until(const char *name, void *state, const struct sample_target *target, const char *series)
{
	for (int i = 0; i < 300; i++) {
		look(name, state, target);
		if (g_hash_table_contains(values, series))
			return;
		usleep(10000);
	}
	fail_msg("%s never came", series);
}

static void all_at_once(void **state)
{
	static const char *const units[] = {"count", "pages", "bytes", "ns", "hz"};
	int open = 0;

	(void)state;
	for (const struct sampler *s = sampler_table; s->name; s++) {
		struct sample_target target = {0};
		GHashTableIter iter;
		gpointer name, value;
		void *st;

		assert_true(strlen(s->what) > 20 && strlen(s->what) < 200);
		if (s->open(&target, &st) < 0) {
			assert_true(strlen(err_text()) > 20);
			continue;
		}
		open++;
		g_hash_table_remove_all(missing);
		for (int i = 0; i < 3; i++) { // what is missing is said once: say_missing() fails otherwise
			look(s->name, st, &target);
			target.root_pid = getpid();
		}
		g_hash_table_iter_init(&iter, values);
		while (g_hash_table_iter_next(&iter, &name, &value)) {
			bool known = false;
			for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
				known |= !strcmp(((struct value *)value)->unit, units[i]);
			assert_true(known);
		}
		s->close(st);
	}
	assert_true(open >= 10);
}

static void faults_are_counted(void **state)
{
	(void)state;
	void *s = start("vmstat");
	look("vmstat", s, NULL);
	int64_t before = get("vmstat.pgfault")->value;
	munmap(touch((size_t)MIB << 20), (size_t)MIB << 20);
	look("vmstat", s, NULL);
	assert_in_range(get("vmstat.pgfault")->value - before, MIB * 256, MIB * 256 + 1000000);
	find("vmstat")->close(s);
}

static void check_child(const char *dir)
{
	pid_t inner;
	pid_t child = hold(dir, &inner);
	struct sample_target target = {.root_pid = child, .cgroup_dir = dir};
	void *w = start("workload"), *pt = start("pagetables"), *cpu = start("cputime");

	look("workload", w, &target);
	assert_int_equal(get("workload.processes")->value, 2);
	assert_int_equal(get("workload.threads")->value, 2);
	int64_t before = get("workload.rss")->value, anon = get("workload.rss.anon")->value,
		bytes = (int64_t)MIB << 20;
	assert_in_range(before, anon, before);
	let_touch();
	look_until("workload", w, &target, "workload.rss");
	int64_t rss = get("workload.rss")->value;
	assert_in_range(rss - before, bytes - (1 << 20), bytes + (1 << 20));
	look_until("workload", w, &target, "workload.rss.anon"); // twice a second
	assert_in_range(get("workload.rss.anon")->value - anon, bytes - (1 << 20), bytes + (1 << 20));
	look("pagetables", pt, &target);
	assert_in_range(get("pagetables.workload")->value, MIB / 2 * 4096, 64 << 20);
	look("cputime", cpu, &target);
	int64_t user = get("cpu.workload.user")->value, system = get("cpu.workload.system")->value;

	kill(inner, SIGKILL); // a process of the workload dies: what it held is gone, its time is not
	while (kill(inner, 0) == 0)
		usleep(1000);
	look_until("workload", w, &target, "workload.rss");
	assert_in_range(rss - get("workload.rss")->value, bytes, rss);
	assert_int_equal(get("workload.processes")->value, 1);
	look_until("cputime", cpu, &target, "cpu.workload.user");
	assert_in_range(get("cpu.workload.user")->value, user, INT64_MAX);
	assert_in_range(get("cpu.workload.system")->value, system, INT64_MAX);
	assert_in_range(get("cpu.workload.user")->value + get("cpu.workload.system")->value, 1, INT64_MAX);

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	held = 0;
	look("workload", w, &target); // the last reading: nobody there, no error
	assert_int_equal(g_hash_table_size(values), 0);
	look("cputime", cpu, &target);
	assert_in_range(get("cpu.workload.user")->value, user, INT64_MAX);
	find("workload")->close(w);
	find("pagetables")->close(pt);
	find("cputime")->close(cpu);
}

static void child_by_tree(void **state)
{
	(void)state;
	check_child(NULL);
}

static void child_by_cgroup(void **state)
{
	static const char *const roots[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(roots); i++) {
		g_autofree char *dir = g_strdup_printf("%s/mmprof-test-%d", roots[i], getpid());
		g_autofree char *stat = g_strconcat(dir, "/cpu.stat", NULL);

		if (mkdir(dir, 0755) < 0)
			continue;
		made = g_steal_pointer(&dir);
		if (access(stat, R_OK) == 0) {
			check_child(made);
			return;
		}
		let_go(NULL);
	}
	print_message("no cgroup v2 that can be written: not tested\n");
	skip();
}

// Processes that come and go while they are looked at.
static void crowd(void **state)
{
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			for (int i = 0; i < 20; i++)
				if (fork() == 0)
					_exit(0);
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
		}
	}
	struct sample_target target = {.root_pid = child};
	static const char *const names[] = {"workload", "pagetables", "residency", "cputime"};
	void *states[G_N_ELEMENTS(names)];
	int64_t last = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		states[i] = start(names[i]);
	for (int round = 0; round < 40; round++) {
		for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
			look(names[i], states[i], &target);
		const struct value *v = g_hash_table_lookup(values, "cpu.workload.system");
		if (v) {
			assert_in_range(v->value, last, INT64_MAX);
			last = v->value;
		}
		usleep(5000);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		find(names[i])->close(states[i]);
}

static void residency_is_rss(void **state)
{
	pid_t inner;
	struct sample_target target = {0};
	void *s;
	int64_t sum = 0;
	GHashTableIter iter;
	gpointer value;

	(void)state;
	if (find("residency")->open(&target, &s) < 0) {
		print_message("%s: not tested\n", err_text());
		skip();
	}
	target.root_pid = hold(NULL, &inner);
	let_touch();
	look("residency", s, &target);
	g_hash_table_iter_init(&iter, values);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		sum += ((struct value *)value)->value;
	void *w = start("workload");
	look("workload", w, &target);
	int64_t rss = get("workload.rss")->value;
	assert_in_range(sum, rss - (1 << 20), rss + (1 << 20));
	find("workload")->close(w);
	find("residency")->close(s);
}

// The clock by a spin is one that a CPU can have, and is the same twice.
static void spin_is_a_clock(void **state)
{
	int64_t one, two;

	(void)state;
	if (spin_check()) {
		print_message("%s\n", err_text());
		skip();
	}
	one = spin_hz();
	two = spin_hz();
	assert_in_range(one, 300000000, 8000000000);
	assert_in_range(two, one / 2, one * 2);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    cmocka_unit_test(all_at_once),
	    cmocka_unit_test(faults_are_counted),
	    cmocka_unit_test_teardown(child_by_tree, let_go),
	    cmocka_unit_test_teardown(child_by_cgroup, let_go),
	    cmocka_unit_test(crowd),
	    cmocka_unit_test(spin_is_a_clock),
	    cmocka_unit_test_teardown(residency_is_rss, let_go),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(void)
{
	alarm(60); // a child that couldn't start would be waited for
	return with_sink(tests);
}
