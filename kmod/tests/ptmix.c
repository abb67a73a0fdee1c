/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes and drops page tables of all levels in all the ways that processes have, and looks whether
 * memory holds what was written: a table that is handed out twice, too early or dirty shows as
 * wrong content or as a crash.
 *
 *   ptmix mix SECONDS PROCESSES
 * ends early when the file $PTMIX_STOP appears; exit status 1: wrong content; the operations done
 * are printed
 *   ptmix hold PROCESSES CMD...
 * keeps so many idle processes while CMD runs; its exit status
 *   ptmix turns PAGES ROUNDS
 * in turns, a process with so many pte tables and next to no memory, and one with so many pages and
 * few tables; exit status 1: one was killed
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define MIB (1UL << 20)

static uint64_t seed;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void wrong(const char *what)
{
	fprintf(stderr, "ptmix: wrong content: %s\n", what);
	_exit(1);
}

/* Somewhere with few neighbours, so that upper tables come and go too; above 47 bits if there are
 * five levels. */
static char *map(size_t size)
{
	int bits = rnd() % 8 ? 46 : 55;
	char *at = (char *)((rnd() & ((1UL << bits) - 1)) & ~(PAGE - 1));
	char *p = mmap(at, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		_exit(2);
	return p;
}

static void fill(char *p, size_t size, size_t step, uint64_t key)
{
	for (size_t i = 0; i < size; i += step)
		*(uint64_t *)(p + i) = key + i;
}

static void check(const char *p, size_t size, size_t step, uint64_t key, const char *what)
{
	for (size_t i = 0; i < size; i += step)
		if (*(const uint64_t *)(p + i) != key + i)
			wrong(what);
}

static void op_map(void)
{
	size_t size = (1 + rnd() % 8) * MIB, step = PAGE << rnd() % 8;
	uint64_t key = rnd();
	char *p = map(size), *q;

	fill(p, size, step, key);
	mprotect(p, size, PROT_READ);
	check(p, size, step, key, "mprotect");
	mprotect(p + size / 2, PAGE, PROT_READ | PROT_WRITE);
	mprotect(p, size, PROT_READ | PROT_WRITE);
	q = mremap(p, size, 2 * size, MREMAP_MAYMOVE);
	if (q == MAP_FAILED)
		_exit(2);
	check(q, size, step, key, "mremap");
	madvise(q, size / 2, MADV_DONTNEED);
	if (*(uint64_t *)q)
		wrong("madvise");
	munmap(q, 2 * size);
}

static void op_huge(void)
{
	uint64_t key = rnd();
	char *p = map(6 * MIB), *a = (char *)(((uintptr_t)p + 2 * MIB - 1) & ~(2 * MIB - 1));

	madvise(a, 4 * MIB, MADV_HUGEPAGE);
	fill(a, 4 * MIB, 16 * PAGE, key);
	mprotect(a + MIB, PAGE, PROT_READ); /* splits */
	check(a, 4 * MIB, 16 * PAGE, key, "huge page");
	munmap(p, 6 * MIB);
}

/* Ends with a child that did not end well. */
static void reap(pid_t pid)
{
	int status;

	if (pid > 0 && waitpid(pid, &status, 0) == pid && status)
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

static void op_fork(void)
{
	uint64_t key = rnd();
	char *p = map(MIB);
	pid_t pid;

	fill(p, MIB, PAGE, key);
	pid = fork();
	if (!pid) {
		check(p, MIB, PAGE, key, "child's copy");
		fill(p, MIB, PAGE, ~key);
		check(p, MIB, PAGE, ~key, "child's own");
		if (rnd() % 4 == 0)
			execl("/bin/true", "true", (char *)NULL);
		_exit(0);
	}
	reap(pid);
	check(p, MIB, PAGE, key, "parent's");
	munmap(p, MIB);
}

static void *touch(void *p)
{
	for (size_t i = 0; i < 64 * MIB; i += 2 * MIB)
		((volatile char *)p)[i] = 1;
	return NULL;
}

/* Two threads that want the same tables at once. */
static void op_race(void)
{
	char *p = map(64 * MIB);
	pthread_t thread;

	madvise(p, 64 * MIB, MADV_NOHUGEPAGE);
	if (!pthread_create(&thread, NULL, touch, p)) {
		touch(p);
		pthread_join(thread, NULL);
	}
	munmap(p, 64 * MIB);
}

/* A process with an LDT of up to sixteen pages, which page-table isolation maps into its tables. */
static void use_ldt(void)
{
	struct user_desc d = {.entry_number = rnd() % LDT_ENTRIES, .limit = 1, .seg_32bit = 1};
	static uint64_t table[LDT_ENTRIES];

	d.base_addr = rnd() >> 32;
	if (syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)))
		_exit(4);
	if (syscall(SYS_modify_ldt, 0, table, sizeof(table)) < (long)(8 * d.entry_number + 8))
		wrong("LDT's size");
	if ((table[d.entry_number] >> 16 & 0xffffff) != (d.base_addr & 0xffffff))
		wrong("LDT");
}

static void op_ldt(void)
{
	char *p, *a;
	pid_t pid = fork();

	if (!pid) {
		use_ldt();
		if (rnd() % 2) /* and a child that has a copy of it */
			reap(fork());
		_exit(0);
	}
	reap(pid);
	/* where its table has entries, ours must have none */
	p = map(4 * MIB);
	a = (char *)(((uintptr_t)p + 2 * MIB - 1) & ~(2 * MIB - 1));
	madvise(p, 4 * MIB, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < 32 * PAGE; i += PAGE) {
		a[i] = 1;
		if (a[i + 8] || a[i + PAGE - 1])
			wrong("new page");
	}
	munmap(p, 4 * MIB);
}

static uint64_t worker(time_t end)
{
	void (*const op[])(void) = {op_map, op_map, op_huge, op_fork, op_fork, op_race, op_ldt};
	const char *stop = getenv("PTMIX_STOP");
	uint64_t n = 0;

	for (; time(NULL) < end && !(stop && !access(stop, F_OK)); n++)
		op[rnd() % (sizeof(op) / sizeof(op[0]))]();
	return n;
}

static int mix(int seconds, int processes)
{
	time_t end = time(NULL) + seconds;
	uint64_t total = 0, n;
	int fd[2], status, result = 0;

	if (pipe(fd))
		return 2;
	for (int i = 0; i < processes; i++) {
		if (fork())
			continue;
		seed = 88172645463325252ULL * (i + 1) + getpid();
		n = worker(end);
		_exit(write(fd[1], &n, sizeof(n)) != sizeof(n));
	}
	close(fd[1]);
	while (read(fd[0], &n, sizeof(n)) == sizeof(n))
		total += n;
	while (wait(&status) > 0)
		if (status)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 3;
	printf("%lu\n", (unsigned long)total);
	return result;
}

static int hold(int processes, char **argv)
{
	pid_t *pid = calloc(processes, sizeof(*pid)), command;
	int status = 1;

	for (int i = 0; pid && i < processes; i++) {
		pid[i] = fork();
		if (!pid[i])
			for (;;)
				pause();
	}
	usleep(100000);
	command = fork();
	if (!command) {
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(command, &status, 0);
	for (int i = 0; pid && i < processes; i++)
		if (pid[i] > 0)
			kill(pid[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void many_tables(int n)
{
	char *p = map(n * 2 * MIB);

	madvise(p, n * 2 * MIB, MADV_NOHUGEPAGE);
	for (int i = 0; i < n; i++) /* read: all the page of zeroes */
		(void)*(volatile char *)(p + i * 2 * MIB);
}

static void many_pages(int n)
{
	fill(map(n * PAGE), n * PAGE, PAGE, 1);
}

static int turns(int pages, int rounds)
{
	void (*const use[])(int) = {many_tables, many_pages};
	int status;

	seed = getpid();
	for (int i = 0; i < 2 * rounds; i++) {
		if (!fork()) {
			use[i % 2](pages);
			_exit(0);
		}
		if (wait(&status) < 0 || status)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "mix"))
		return mix(atoi(argv[2]), atoi(argv[3]));
	if (argc >= 4 && !strcmp(argv[1], "hold"))
		return hold(atoi(argv[2]), argv + 3);
	if (argc == 4 && !strcmp(argv[1], "turns"))
		return turns(atoi(argv[2]), atoi(argv[3]));
	fprintf(stderr, "usage: ptmix mix SECONDS PROCESSES | ptmix hold PROCESSES CMD... | "
			"ptmix turns PAGES ROUNDS\n");
	return 2;
}
