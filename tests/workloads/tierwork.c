// Memory whose every page carries a pattern that can be checked, for tests of memory tiering.
//
//   tierwork hot MIB HOT-PERCENT SECONDS [thp]: starts on the slow node; a part gets nearly all accesses
//   tierwork moving MIB HOT-PERCENT SECONDS: the hot part moves to the other half after half of the time, or
//   when it is
//                in fast memory
//   tierwork still MIB SECONDS: written once on the slow node, then left alone
//   tierwork full COLD-MIB HOT-MIB SECONDS LEAST-%: huge pages, those in fast memory not used, those in slow
//   memory all
//                the time, until so many are in fast memory
//   tierwork shadows MIB SECONDS: read often until SIGUSR1, then left alone while others take up fast memory,
//                until most is gone from there; SECONDS for each at most
//   tierwork given MIB SECONDS: read often, then written and given away (MADV_FREE) while being promoted
//   tierwork chaos MIB SECONDS [JOBS]: whatever can happen to memory happens while it is in use
//
// Prints a line each second: hot part in fast memory, cold part, pages checked, wrong ones. 1 when any
// was wrong.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
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

static _Thread_local uint64_t seed = 88172645463325252ull, checked, wrong;

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

// --- the pattern: what is written, how often, and both mixed, at the page's begin, middle and end

struct meta {
	uint32_t what, version; // of the page's contents, as last written
};

// Memory and what must be in it, which is kept where nobody moves it: a page that is older than it should be
// is wrong, too.
struct area {
	char *memory;
	struct meta *meta;
	uint64_t pages;
};

static uint64_t mix(uint64_t a, uint64_t b)
{
	return (a + 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull ^ b * 0x94d049bb133111ebull;
}

static volatile uint64_t *words(const struct area *a, uint64_t page)
{
	return (uint64_t *)(a->memory + page * PAGE);
}

static void write_as(struct area *a, uint64_t page, struct meta m)
{
	volatile uint64_t *w = words(a, page);

	w[0] = m.what + 1ull;
	w[1] = m.version;
	w[WORDS / 2] = mix(m.what, m.version);
	w[WORDS - 1] = ~mix(m.what, m.version);
	a->meta[page] = m;
}

static void write_page(struct area *a, uint64_t page)
{
	write_as(a, page, (struct meta){a->meta[page].what, a->meta[page].version + 1});
}

static void check_page(struct area *a, uint64_t page)
{
	volatile uint64_t *w = words(a, page);
	struct meta m = a->meta[page];

	checked++;
	if (w[0] == m.what + 1ull && w[1] == m.version && w[WORDS / 2] == mix(m.what, m.version) &&
	    w[WORDS - 1] == ~mix(m.what, m.version))
		return;
	if (wrong++ < 5)
		printf("# page %lu wrong: %lx %lx %lx %lx, not %x in version %x\n", page, w[0], w[1],
		       w[WORDS / 2], w[WORDS - 1], m.what + 1, m.version);
}

static void check_all(struct area *a)
{
	for (uint64_t i = 0; i < a->pages; i++)
		check_page(a, i);
}

static void *get(uint64_t bytes, int flags)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at != MAP_FAILED)
		return at;
	perror("mmap");
	exit(2);
}

static struct area map(uint64_t mib, bool huge)
{
	struct area a = {.pages = mib << 8};
	char *at = get(a.pages * PAGE + HUGE, MAP_PRIVATE);

	a.memory = (char *)(((uintptr_t)at + HUGE - 1) & ~(HUGE - 1));
	a.meta = get(a.pages * sizeof(*a.meta), MAP_SHARED);
	for (uint64_t i = 0; i < a.pages; i++)
		a.meta[i].what = (uint32_t)i;
	madvise(a.memory, a.pages * PAGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return a;
}

static void fill_part(struct area *a, uint64_t from, uint64_t n, int node)
{
	allocate_on(node);
	for (uint64_t i = from; i < from + n; i++)
		write_page(a, i);
	allocate_on(-1);
}

static void fill(struct area *a, int node)
{
	fill_part(a, 0, a->pages, node);
}

// --- a hot part

static void use(struct area *a, uint64_t from, uint64_t hot, double until)
{
	while (now() < until)
		for (int i = 0; i < 200; i++) {
			uint64_t page = rnd() % 100 ? from + rnd() % hot : rnd() % a->pages;

			check_page(a, page);
			if (rnd() % 2)
				write_page(a, page);
		}
}

static int hot_part(uint64_t mib, uint64_t percent, int seconds, bool moving, bool huge, int until)
{
	struct area a = map(mib, huge);
	uint64_t hot = a.pages * percent / 100, from = 0;
	double start;
	int fast = 0;

	fill(&a, SLOW);
	start = now();
	for (int s = 1; s <= seconds && (fast < until || (moving && !from)); s++) {
		if (moving && (fast >= until || s > seconds / 2))
			from = a.pages / 2;
		use(&a, from, hot, start + s);
		fast = share(a.memory, from, hot, FAST);
		printf("%d hot_fast=%d cold_fast=%d checked=%lu wrong=%lu\n", s, fast,
		       share(a.memory, from ? 0 : hot, from ? from : a.pages - hot, FAST), checked, wrong);
		fflush(stdout);
	}
	check_all(&a);
	return wrong != 0;
}

static int full(uint64_t cold_mib, uint64_t hot_mib, int seconds, int until)
{
	struct area cold = map(cold_mib, true), hot = map(hot_mib, true);
	int fast = 0;
	double start;

	fill(&cold, FAST);
	fill(&hot, SLOW);
	start = now();
	for (int s = 1; s <= seconds && fast < until; s++) {
		use(&hot, 0, hot.pages, start + s);
		fast = share(hot.memory, 0, hot.pages, FAST);
		printf("%d hot_fast=%d cold_fast=%d checked=%lu wrong=%lu\n", s, fast,
		       share(cold.memory, 0, cold.pages, FAST), checked, wrong);
		fflush(stdout);
	}
	check_all(&cold);
	check_all(&hot);
	return wrong != 0;
}

static int still(uint64_t mib, int seconds)
{
	struct area a = map(mib, false);

	fill(&a, SLOW);
	printf("filled\n");
	fflush(stdout);
	sleep((unsigned int)seconds);
	check_all(&a);
	return wrong != 0;
}

// --- for nomad's shadows: read often, so promoted; left alone, while others take up fast memory; checked

static volatile sig_atomic_t told;

static void tell(int signal)
{
	told = signal;
}

static int shadows(uint64_t mib, int seconds)
{
	struct area a = map(mib, false), others = map(mib * 2, false);
	double start;
	int fast;

	signal(SIGUSR1, tell);
	fill(&a, SLOW);
	start = now();
	while (!told && now() < start + seconds)
		check_all(&a);
	fast = share(a.memory, 0, a.pages, FAST);
	start = now();
	while (share(a.memory, 0, a.pages, FAST) > 10 && now() < start + seconds)
		for (uint64_t p = 0; p < others.pages; p++)
			write_page(&others, p);
	printf("fast=%d then=%d ", fast, share(a.memory, 0, a.pages, FAST));
	check_all(&a);
	for (uint64_t p = 0; p < a.pages; p += 2) // a write after a return, and one more look
		write_page(&a, p);
	check_all(&a);
	printf("checked=%lu wrong=%lu\n", checked, wrong);
	return wrong != 0;
}

// --- chaos: each round one thing is done to memory that is otherwise in use

static void touch_some(struct area *a, int n)
{
	while (n--) {
		uint64_t page = rnd() % 4 ? rnd() % (a->pages / 4 + 1) : rnd() % a->pages;

		check_page(a, page);
		write_page(a, page);
	}
}

// So many pages at most, somewhere.
static uint64_t some(const struct area *a, uint64_t most, uint64_t *from)
{
	*from = rnd() % a->pages;
	return a->pages - *from < most ? a->pages - *from : most;
}

static void forked(struct area *a)
{
	uint64_t bytes = a->pages * sizeof(*a->meta);
	struct meta *own = a->meta, *childs = get(bytes, MAP_SHARED);
	pid_t pid;
	int status = 0;

	memcpy(childs, own, bytes);
	pid = fork();
	if (!pid) {
		a->meta = childs;
		seed ^= (uint64_t)getpid() << 32;
		touch_some(a, 2000);
		if (!wrong && rnd() % 4 == 0) // all of it goes, and other memory comes
			execl("/proc/self/exe", "tierwork", "hot", "2", "50", "1", "small", "0", NULL);
		_exit(wrong != 0);
	}
	touch_some(a, 1000);
	if (pid > 0 && rnd() % 3 == 0)
		kill(pid, SIGKILL); // dies while its pages may be moving
	waitpid(pid, &status, 0);
	munmap(childs, bytes);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		wrong++;
}

// New pages at the same place, with nothing advised.
static void renew(struct area *a, uint64_t from, uint64_t n)
{
	munmap(a->memory + from * PAGE, n * PAGE);
	if (mmap(a->memory + from * PAGE, n * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		exit(2);
}

static void unmapped(struct area *a)
{
	uint64_t from, n = some(a, 1 + rnd() % 600, &from);

	renew(a, from, n);
	fill_part(a, from, n, rnd() % 2);
}

static void protected(struct area *a)
{
	uint64_t from, n = some(a, 300, &from);

	mprotect(a->memory + from * PAGE, n * PAGE, PROT_READ);
	for (uint64_t i = 0; i < n; i++)
		check_page(a, from + i);
	mprotect(a->memory + from * PAGE, n * PAGE, PROT_READ | PROT_WRITE);
}

static void locked(struct area *a)
{
	uint64_t from, n = some(a, 200, &from);

	mlock(a->memory + from * PAGE, n * PAGE);
	touch_some(a, 500);
	munlock(a->memory + from * PAGE, n * PAGE);
}

// Whole huge pages, or parts of them, which have to be split.
static void advised(struct area *a)
{
	static const int advice[] = {MADV_HUGEPAGE,     MADV_NOHUGEPAGE, 20 /* COLD */,   21 /* PAGEOUT */,
				     25 /* COLLAPSE */, MADV_MERGEABLE,  MADV_UNMERGEABLE};
	uint64_t from, n = some(a, 1024, &from);

	if (rnd() % 2)
		from &= ~511ul;
	madvise(a->memory + from * PAGE, n * PAGE, advice[rnd() % (sizeof(advice) / sizeof(*advice))]);
}

// Pages that KSM may merge, and that are written one by one later.
static void alike(struct area *a)
{
	uint64_t from, n = some(a, 512, &from);

	for (uint64_t i = from; i < from + n; i++)
		write_as(a, i, (struct meta){.what = ~1u, .version = 1});
	madvise(a->memory + from * PAGE, n * PAGE, MADV_MERGEABLE);
}

// What was given away is there as it was, or zero; never as it once was.
static void check_given(struct area *a, uint64_t from, uint64_t n)
{
	volatile uint64_t *w;

	for (uint64_t i = from; i < from + n; i++) {
		w = words(a, i);
		if (w[0] | w[1] | w[WORDS / 2] | w[WORDS - 1])
			check_page(a, i);
	}
}

static void freed(struct area *a)
{
	uint64_t from, n = some(a, 300, &from);

	if (madvise(a->memory + from * PAGE, n * PAGE, MADV_FREE))
		return;
	usleep(20000);
	check_given(a, from, n);
	for (uint64_t i = from; i < from + n; i++)
		write_page(a, i);
}

// Two ranges change places; one alone goes away and comes back where the other is more than one mapping by
// now.
static void moved(struct area *a)
{
	uint64_t n = a->pages / 2 < 256 ? a->pages / 2 : 256, bytes = n * PAGE,
		 one = rnd() % (a->pages / 2 - n + 1), two = a->pages / 2 + rnd() % (a->pages / 2 - n + 1);
	char *x = a->memory + one * PAGE, *y = a->memory + two * PAGE,
	     *other = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool changed;

	if (mremap(x, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, other) == MAP_FAILED) {
		munmap(other, bytes);
		return;
	}
	changed = mremap(y, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, x) != MAP_FAILED;
	if (mremap(other, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, changed ? y : x) == MAP_FAILED) {
		perror("mremap");
		exit(2);
	}
	for (uint64_t i = 0; i < n && changed; i++) {
		struct meta m = a->meta[one + i];

		a->meta[one + i] = a->meta[two + i];
		a->meta[two + i] = m;
	}
}

// A thread of the same process, whose memory nothing is done to, but which is in use while all else happens.
struct writer {
	struct area a;
	atomic_bool done;
	uint64_t wrong;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;

	while (!w->done)
		touch_some(&w->a, 300);
	check_all(&w->a);
	w->wrong = wrong;
	return NULL;
}

static int chaos(uint64_t mib, int seconds, bool huge)
{
	static void (*const what[])(struct area *) = {forked,  unmapped, protected, locked,
						      advised, alike,    freed,     moved};
	struct area a = map(mib, huge);
	uint64_t rounds = 0;
	struct writer w = {.a = map(mib / 8, false)};
	pthread_t thread;
	double end;

	fill(&a, SLOW);
	fill(&w.a, SLOW);
	if (pthread_create(&thread, NULL, write_on, &w))
		return 2;
	for (end = now() + seconds; now() < end || rounds < 8; rounds++) { // some, however slow the machine
		touch_some(&a, 3000);
		what[rnd() % (sizeof(what) / sizeof(*what))](&a);
	}
	w.done = true;
	pthread_join(thread, NULL);
	check_all(&a);
	wrong += w.wrong;
	printf("rounds=%lu checked=%lu wrong=%lu\n", rounds, checked, wrong);
	return wrong != 0;
}

// Pages that are promoted, as they are read again and again, are written and given away at once, a few at a
// time, so that many are in the middle of their promotion.
static int given(uint64_t mib, int seconds)
{
	struct area a = map(mib, false);
	uint64_t rounds = 0, some_pages = 32;
	double end = now() + seconds, warm;

	for (; now() < end; rounds++) {
		renew(&a, 0, a.pages);
		madvise(a.memory, a.pages * PAGE, MADV_NOHUGEPAGE);
		fill(&a, SLOW);
		for (warm = now() + 0.3; now() < warm;)
			check_all(&a);
		for (uint64_t i = 0; i < a.pages; i += some_pages) {
			for (uint64_t k = i; k < i + some_pages; k++)
				write_page(&a, k);
			madvise(a.memory + i * PAGE, some_pages * PAGE, MADV_FREE);
		}
		usleep(300000);
		check_given(&a, 0, a.pages);
	}
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
		exit(chaos(mib, seconds, i % 2));
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
	if (!strcmp(mode, "full") && argc >= 6)
		return full(strtoul(argv[2], NULL, 0), strtoul(argv[3], NULL, 0), atoi(argv[4]),
			    atoi(argv[5]));
	if (!strcmp(mode, "still") && argc >= 4)
		return still(strtoul(argv[2], NULL, 0), atoi(argv[3]));
	if (!strcmp(mode, "shadows") && argc >= 4)
		return shadows(strtoul(argv[2], NULL, 0), atoi(argv[3]));
	if (!strcmp(mode, "given") && argc >= 4)
		return given(strtoul(argv[2], NULL, 0), atoi(argv[3]));
	if (!strcmp(mode, "chaos") && argc >= 4)
		return chaos_jobs(strtoul(argv[2], NULL, 0), atoi(argv[3]), argc > 4 ? atoi(argv[4]) : 2);
	fprintf(stderr, "usage: tierwork hot|moving MIB HOT-PERCENT SECONDS [thp] | "
			"full COLD-MIB HOT-MIB SECONDS LEAST | still|shadows|given MIB SECONDS | chaos MIB "
			"SECONDS [JOBS]\n");
	return 2;
}
