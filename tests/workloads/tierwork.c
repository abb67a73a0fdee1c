// Memory whose every page carries a pattern that can be checked, for tests of memory tiering.
//   tierwork hot MIB HOT-PERCENT SECONDS [THP]  starts on the slow node; nearly all accesses go to a part of
//   it tierwork moving MIB HOT-PERCENT SECONDS     the hot part moves to the other half after half of the
//   time tierwork chaos MIB SECONDS [JOBS]           fork, exit, munmap, mprotect, mlock, huge pages, swap
//   while in use
// Prints a line each second: hot part in fast memory, cold part, pages checked, wrong ones. 1 when any was
// wrong.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul
#define WORDS (PAGE / sizeof(uint64_t))
#define HUGE (2ul << 20)
#define FAST 0
#define SLOW 1

static uint64_t seed = 88172645463325252ull, checked, wrong;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 11;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// --- where memory is

static void allocate_on(int node) // -1: anywhere
{
	unsigned long mask = 1ul << node;

	if (syscall(SYS_set_mempolicy, node < 0 ? 0 : 2, node < 0 ? NULL : &mask, node < 0 ? 0 : 64))
		perror("set_mempolicy");
}

// Percent of these pages on a node.
static int share(char *memory, uint64_t from, uint64_t n, int node)
{
	enum { BATCH = 4096 };
	static void *at[BATCH];
	static int where[BATCH];
	uint64_t there = 0, known = 0, done, part;

	for (done = 0; done < n; done += part) {
		part = n - done < BATCH ? n - done : BATCH;
		for (uint64_t i = 0; i < part; i++)
			at[i] = memory + (from + done + i) * PAGE;
		if (syscall(SYS_move_pages, 0, part, at, NULL, where, 0))
			return -1;
		for (uint64_t i = 0; i < part; i++) {
			known += where[i] >= 0;
			there += where[i] == node;
		}
	}
	return known ? (int)(there * 100 / known) : -1;
}

// --- the pattern: which page, how often written, and both mixed, at the page's begin, middle and end

static uint64_t mix(uint64_t a, uint64_t b)
{
	return (a + 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull ^ b * 0x94d049bb133111ebull;
}

static void write_page(char *memory, uint64_t page)
{
	volatile uint64_t *w = (uint64_t *)(memory + page * PAGE);
	uint64_t count;

	w[0] = page; // first, because a read of fresh memory maps the zero page
	count = w[1] + 1;
	w[1] = count;
	w[WORDS / 2] = mix(page, count);
	w[WORDS - 1] = ~mix(page, count);
}

static void check_page(char *memory, uint64_t page)
{
	volatile uint64_t *w = (uint64_t *)(memory + page * PAGE);
	uint64_t m = mix(page, w[1]);

	checked++;
	if (w[0] == page && w[WORDS / 2] == m && w[WORDS - 1] == ~m)
		return;
	if (wrong++ < 5)
		printf("# page %lu wrong: %lx %lx %lx %lx\n", page, w[0], w[1], w[WORDS / 2], w[WORDS - 1]);
}

static void check_all(char *memory, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		check_page(memory, i);
}

static char *map(uint64_t bytes, bool huge)
{
	char *at = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	at = (char *)(((uintptr_t)at + HUGE - 1) & ~(HUGE - 1));
	madvise(at, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return at;
}

// --- a hot part

static void use(char *memory, uint64_t pages, uint64_t from, uint64_t hot, double until)
{
	while (now() < until)
		for (int i = 0; i < 200; i++) {
			uint64_t page = rnd() % 100 ? from + rnd() % hot : rnd() % pages;

			check_page(memory, page);
			if (rnd() % 2)
				write_page(memory, page);
		}
}

static int hot_part(uint64_t mib, uint64_t percent, int seconds, bool moving, bool huge, int until)
{
	uint64_t pages = mib << 8, hot = pages * percent / 100, from = 0;
	char *memory = map(pages * PAGE, huge);
	double start;
	int fast = 0;

	allocate_on(SLOW);
	for (uint64_t i = 0; i < pages; i++)
		write_page(memory, i);
	allocate_on(-1);
	start = now();
	for (int s = 1; s <= seconds && fast < until; s++) {
		if (moving && s > seconds / 2)
			from = pages / 2;
		use(memory, pages, from, hot, start + s);
		fast = share(memory, from, hot, FAST);
		printf("%d hot_fast=%d cold_fast=%d checked=%lu wrong=%lu\n", s, fast,
		       share(memory, from ? 0 : hot, from ? from : pages - hot, FAST), checked, wrong);
		fflush(stdout);
	}
	check_all(memory, pages);
	return wrong != 0;
}

// --- for nomad's shadows: read often, so promoted; then left alone, while others take up fast memory; then
// checked

static int shadows(uint64_t mib, int seconds)
{
	uint64_t pages = mib << 8, others = (mib * 2) << 8;
	char *memory = map(pages * PAGE, false), *other = map(others * PAGE, false);
	double start = now();
	int fast, i;

	allocate_on(SLOW);
	for (uint64_t p = 0; p < pages; p++)
		write_page(memory, p);
	allocate_on(-1);
	while (now() < start + seconds / 3.0)
		check_all(memory, pages);
	fast = share(memory, 0, pages, FAST);
	for (i = 0; now() < start + seconds; i++)
		for (uint64_t p = 0; p < others; p++)
			write_page(other, p);
	printf("fast=%d then=%d ", fast, share(memory, 0, pages, FAST));
	check_all(memory, pages);
	for (uint64_t p = 0; p < pages; p += 2) // a write after a return, and one more look
		write_page(memory, p);
	check_all(memory, pages);
	printf("checked=%lu wrong=%lu\n", checked, wrong);
	return wrong != 0;
}

// --- chaos: each round one thing is done to memory that is otherwise in use

static void touch_some(char *memory, uint64_t pages, int n)
{
	while (n--) {
		uint64_t page = rnd() % 4 ? rnd() % (pages / 4 + 1) : rnd() % pages;

		check_page(memory, page);
		write_page(memory, page);
	}
}

static void forked(char *memory, uint64_t pages)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		seed ^= (uint64_t)getpid() << 32;
		touch_some(memory, pages, 2000);
		_exit(wrong != 0);
	}
	touch_some(memory, pages, 1000);
	if (pid > 0 && rnd() % 3 == 0)
		kill(pid, SIGKILL); // dies while its pages may be moving
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		wrong++;
}

static void unmapped(char *memory, uint64_t pages)
{
	uint64_t n = 1 + rnd() % 600, from = rnd() % pages;

	n = from + n > pages ? pages - from : n;
	munmap(memory + from * PAGE, n * PAGE);
	if (mmap(memory + from * PAGE, n * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		exit(2);
	allocate_on(rnd() % 2);
	for (uint64_t i = from; i < from + n; i++)
		write_page(memory, i);
	allocate_on(-1);
}

static void protected(char *memory, uint64_t pages)
{
	uint64_t from = rnd() % pages, n = pages - from < 300 ? pages - from : 300;

	mprotect(memory + from * PAGE, n * PAGE, PROT_READ);
	for (uint64_t i = 0; i < n; i++)
		check_page(memory, from + i);
	mprotect(memory + from * PAGE, n * PAGE, PROT_READ | PROT_WRITE);
}

static void locked(char *memory, uint64_t pages)
{
	uint64_t from = rnd() % pages, n = pages - from < 200 ? pages - from : 200;

	mlock(memory + from * PAGE, n * PAGE);
	touch_some(memory, pages, 500);
	munlock(memory + from * PAGE, n * PAGE);
}

static void advised(char *memory, uint64_t pages)
{
	static const int advice[] = {MADV_HUGEPAGE,     MADV_NOHUGEPAGE, 20 /* COLD */,   21 /* PAGEOUT */,
				     25 /* COLLAPSE */, MADV_MERGEABLE,  MADV_UNMERGEABLE};
	uint64_t from = rnd() % pages & ~511ul, n = pages - from < 1024 ? pages - from : 1024;

	madvise(memory + from * PAGE, n * PAGE, advice[rnd() % (sizeof(advice) / sizeof(*advice))]);
}

static void moved(char *memory, uint64_t pages)
{
	uint64_t n = pages < 256 ? pages : 256, from = rnd() % (pages - n + 1);
	char *at = memory + from * PAGE,
	     *other = mmap(NULL, n * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	// fails where it is more than one mapping by now
	if (mremap(at, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) == MAP_FAILED) {
		munmap(other, n * PAGE);
		return;
	}
	if (mremap(other, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == MAP_FAILED) {
		perror("mremap");
		exit(2);
	}
}

static int chaos(uint64_t mib, int seconds)
{
	static void (*const what[])(char *, uint64_t) = {forked, unmapped, protected, locked, advised, moved};
	uint64_t pages = mib << 8, rounds = 0;
	char *memory = map(pages * PAGE, rnd() % 2);
	double end = now() + seconds;

	allocate_on(SLOW);
	for (uint64_t i = 0; i < pages; i++)
		write_page(memory, i);
	allocate_on(-1);
	for (; now() < end; rounds++) {
		touch_some(memory, pages, 3000);
		what[rnd() % (sizeof(what) / sizeof(*what))](memory, pages);
	}
	check_all(memory, pages);
	printf("rounds=%lu checked=%lu wrong=%lu\n", rounds, checked, wrong);
	return wrong != 0;
}

static int chaos_jobs(uint64_t mib, int seconds, int jobs)
{
	int status, bad = 0;

	for (int i = 0; i < jobs; i++) {
		if (fork())
			continue;
		seed += (uint64_t)(i + 1) << 40;
		exit(chaos(mib, seconds));
	}
	while (wait(&status) > 0)
		bad |= !WIFEXITED(status) || WEXITSTATUS(status);
	return bad;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if ((!strcmp(mode, "hot") || !strcmp(mode, "moving")) && argc >= 5)
		return hot_part(strtoul(argv[2], NULL, 0), strtoul(argv[3], NULL, 0), atoi(argv[4]),
				*mode == 'm', argc > 5 && !strcmp(argv[5], "thp"),
				argc > 6 ? atoi(argv[6]) : 101);
	if (!strcmp(mode, "shadows") && argc >= 4)
		return shadows(strtoul(argv[2], NULL, 0), atoi(argv[3]));
	if (!strcmp(mode, "chaos") && argc >= 4)
		return chaos_jobs(strtoul(argv[2], NULL, 0), atoi(argv[3]), argc > 4 ? atoi(argv[4]) : 2);
	fprintf(stderr, "usage: tierwork hot|moving MIB HOT-PERCENT SECONDS [thp] | shadows MIB SECONDS | "
			"chaos MIB SECONDS [JOBS]\n");
	return 2;
}
