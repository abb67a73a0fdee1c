// memhog: memory of known contents, filled, left alone and touched again: what swap, zswap and KSM
// (mm/swapfile.c, mm/zswap.c, mm/ksm.c) make of duplicate, zero, compressible and random pages. Every page
// that comes back is compared with what was written. A companion that only computes shows what the management
// of memory takes from others.
#include <errno.h>
#include <glib.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/cpus.h"
#include "bench/memory.h"
#include "bench/timing.h"
#include "stats/hist.h"

static const struct bench_param params[] = {
    {"size", "128M", "BYTES", "memory that is filled"},
    {"duplicate", "0.25", "RATIO", "part of its pages that are alike"},
    {"distinct", "64", "N", "how many different contents these have"},
    {"zero", "0", "RATIO", "part that is all zero"},
    {"compressible", "0.5", "RATIO", "part that compresses; what is left is random"},
    {"entropy", "0.25", "RATIO", "how much of a compressible page is random"},
    {"mergeable", "yes", "yes|no", "offer the memory to KSM, with madvise(2)"},
    {"idle", "3", "SECONDS", "pause between filling and touching"},
    {"touches", "2", "N", "how often all of it is touched again, in random order"},
    {"writes", "0.1", "RATIO", "part of the touched pages that are written, which makes them unique"},
    {"companion", "yes", "yes|no", "a thread beside it that only computes"},
    {"warm", "1", "SECONDS", "how long the companion runs alone first, to know its speed"},
    {}};

enum kind { DUPLICATE, ZERO, COMPRESSIBLE, RANDOM, KINDS };
static const char *const kind_names[KINDS] = {"duplicate", "zero", "compressible", "random"};

#define WORDS (BASE_PAGE / sizeof(uint64_t))

struct hog {
	struct bench_run *run;
	struct memory memory;
	size_t pages, by_kind[KINDS];
	double upto[KINDS]; // where each kind ends in 0..1
	size_t random_words;
	uint64_t seed, distinct;
	uint32_t *written; // how often each page was written after it was filled
	uint64_t wrong;
};

// --- contents

// splitmix64: any word of any page, without the ones before it (Steele et al., 2014).
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static enum kind kind_of(const struct hog *h, size_t page)
{
	double at = (double)(mix(h->seed ^ page) >> 11) * 0x1p-53;
	enum kind k = 0;

	while (k < RANDOM && at >= h->upto[k])
		k++;
	return k;
}

// What the word is that was written when memory was filled.
static uint64_t word_of(const struct hog *h, enum kind kind, size_t page, size_t word)
{
	switch (kind) {
	case ZERO:
		return 0;
	case DUPLICATE:
		return mix(h->seed + 1 + mix(page) % h->distinct * WORDS + word);
	case COMPRESSIBLE:
		return word < h->random_words ? mix(~h->seed ^ (page * WORDS + word)) : page;
	default:
		return mix(~h->seed ^ (page * WORDS + word));
	}
}

static uint64_t *page_at(const struct hog *h, size_t page)
{
	return (uint64_t *)(h->memory.start + page * BASE_PAGE);
}

static void fill_page(const struct hog *h, size_t page)
{
	uint64_t *words = page_at(h, page);
	enum kind kind = kind_of(h, page);

	for (size_t w = 0; w < WORDS; w++)
		words[w] = word_of(h, kind, page, w);
}

static bool page_is_right(const struct hog *h, size_t page)
{
	const uint64_t *words = page_at(h, page);
	enum kind kind = kind_of(h, page);
	// a write changes the last word only
	uint64_t differ = words[WORDS - 1] ^ word_of(h, kind, page, WORDS - 1) ^
			  (h->written[page] ? mix(page ^ (uint64_t)h->written[page] << 40) : 0);

	for (size_t w = 0; w < WORDS - 1; w++)
		differ |= words[w] ^ word_of(h, kind, page, w);
	return !differ;
}

static void write_page(struct hog *h, size_t page)
{
	h->written[page]++;
	page_at(h, page)[WORDS - 1] =
	    word_of(h, kind_of(h, page), page, WORDS - 1) ^ mix(page ^ (uint64_t)h->written[page] << 40);
}

// --- the companion

struct companion {
	pthread_t thread;
	bool runs;
	atomic_bool end;
	_Atomic uint64_t rounds; // of a loop of fixed length
	clockid_t cpu;
	double warm_rate;
};

struct companion_mark {
	uint64_t rounds, cpu_ns, ns;
};

static void *compute(void *arg)
{
	struct companion *c = arg;
	volatile uint64_t x = 1;

	cpus_pin(0);
	while (!c->end) {
		for (int i = 0; i < 2000; i++)
			x = mix(x);
		c->rounds++;
	}
	return NULL;
}

static struct companion_mark companion_mark(const struct companion *c)
{
	return (struct companion_mark){c->runs ? c->rounds : 0, c->runs ? timing_clock_of(c->cpu) : 0,
				       timing_clock()};
}

static void phase_figure(struct hog *h, const char *phase, const char *what, double value, const char *unit,
			 const char *better)
{
	g_autofree char *name = g_strdup_printf("%s.%s", phase, what);

	bench_metric(h->run, name, value, unit, better);
}

// Its speed in the phase against when it was alone, and how much of the time it was on its CPU.
static void companion_tell(struct hog *h, struct companion *c, const char *phase,
			   const struct companion_mark *from)
{
	struct companion_mark to = companion_mark(c);
	double ns = (double)(to.ns - from->ns), rate = (double)(to.rounds - from->rounds) / ns;

	phase_figure(h, phase, "time", ns, "ns", "less");
	if (!c->runs || ns <= 0)
		return;
	if (c->warm_rate > 0)
		phase_figure(h, phase, "companion_speed", rate / c->warm_rate, "ratio", "more");
	else
		c->warm_rate = rate;
	phase_figure(h, phase, "companion_on_cpu", (double)(to.cpu_ns - from->cpu_ns) / ns, "ratio", "more");
}

static void pause_for(const struct hog *h, double seconds)
{
	uint64_t end = timing_clock() + (uint64_t)(seconds * 1e9);

	while (timing_clock() < end && !bench_stopped(h->run)) {
		struct timespec t = {0, (long)MIN(end - timing_clock(), 50000000)};

		nanosleep(&t, NULL);
	}
}

static int companion_start(struct hog *h, struct companion *c)
{
	struct companion_mark from;
	int rc;

	if (strcmp(bench_text(h->run, "companion"), "yes"))
		return 0;
	rc = pthread_create(&c->thread, NULL, compute, c);
	if (rc)
		return err_set(-rc, "can't start a thread: %s", g_strerror(rc));
	c->runs = true;
	if (pthread_getcpuclockid(c->thread, &c->cpu))
		return err_set(-ENOSYS, "a thread's CPU clock can't be had");
	pause_for(h, 0.05);
	bench_mark(h->run, "warm");
	from = companion_mark(c);
	pause_for(h, bench_real(h->run, "warm"));
	companion_tell(h, c, "warm", &from);
	return 0;
}

static void companion_stop(struct companion *c)
{
	if (!c->runs)
		return;
	c->end = true;
	pthread_join(c->thread, NULL);
}

// --- what has become of the memory

static void status_tell(struct hog *h, const char *phase, const char *what, const char *key,
			const char *better)
{
	g_autofree char *text = NULL, *name = g_strdup_printf("%s.%s", phase, what);
	const char *at = NULL;

	if (g_file_get_contents("/proc/self/status", &text, NULL, NULL))
		at = strstr(text, key);
	if (at)
		bench_metric(h->run, name, (double)g_ascii_strtoll(at + strlen(key), NULL, 10) * 1024,
			     "bytes", better);
	else
		bench_cannot(h->run, name, "/proc/self/status has no %s", key);
}

static void memory_tell(struct hog *h, const char *phase)
{
	g_autofree char *merged = NULL, *name = g_strdup_printf("%s.merged", phase);

	status_tell(h, phase, "resident", "VmRSS:", "neither");
	status_tell(h, phase, "swapped", "VmSwap:", "less");
	if (g_file_get_contents("/proc/self/ksm_merging_pages", &merged, NULL, NULL))
		bench_metric(h->run, name, g_ascii_strtod(merged, NULL), "pages", "more");
	else
		bench_cannot(h->run, name,
			     "no /proc/self/ksm_merging_pages: it came with Linux 5.19, and CONFIG_KSM");
}

// --- phases

static void add_time(struct hog *h, const char *what, enum kind kind, uint64_t cycles)
{
	g_autofree char *name = g_strdup_printf("%s.%s", what, kind_names[kind]);

	hist_add(bench_hist(h->run, name), (uint64_t)llround(timing_ns(bench_timing(h->run), cycles)));
}

// The first access is timed: it is what faults.
static void fill(struct hog *h)
{
	for (size_t page = 0; page < h->pages && !bench_stopped(h->run); page++) {
		volatile uint64_t *first = page_at(h, page);
		uint64_t from = timing_begin();
		unsigned cpu;

		*first = 0;
		add_time(h, "fill", kind_of(h, page), timing_end(&cpu) - from);
		fill_page(h, page);
		h->by_kind[kind_of(h, page)]++;
	}
}

static void touch(struct hog *h, size_t page, bool write)
{
	volatile uint64_t *first = page_at(h, page);
	uint64_t from = timing_begin();
	unsigned cpu;

	(void)*first;
	add_time(h, "touch", kind_of(h, page), timing_end(&cpu) - from);
	h->wrong += !page_is_right(h, page);
	if (write)
		write_page(h, page);
}

// All pages once each: i * odd + start, modulo the power of two at or above their number, leaving out what is
// beyond.
static void touch_all(struct hog *h, uint64_t round)
{
	uint64_t size = 1, step = mix(h->seed + round) | 1, start = mix(h->seed ^ round);
	double writes = bench_real(h->run, "writes");

	while (size < h->pages)
		size *= 2;
	for (uint64_t i = 0; i < size && !bench_stopped(h->run); i++) {
		size_t page = (i * step + start) & (size - 1);

		if (page < h->pages)
			touch(h, page, (double)(mix(start ^ page) >> 11) * 0x1p-53 < writes);
	}
}

static void live(struct hog *h, struct companion *c)
{
	struct companion_mark from = companion_mark(c);
	int64_t touches = bench_int(h->run, "touches");

	bench_mark(h->run, "fill");
	fill(h);
	companion_tell(h, c, "fill", &from);
	memory_tell(h, "fill");
	from = companion_mark(c);
	bench_mark(h->run, "idle");
	pause_for(h, bench_real(h->run, "idle"));
	companion_tell(h, c, "idle", &from);
	memory_tell(h, "idle");
	from = companion_mark(c);
	bench_mark(h->run, "touch");
	for (int64_t i = 0; i < touches && !bench_stopped(h->run); i++)
		touch_all(h, (uint64_t)i);
	companion_tell(h, c, "touch", &from);
	memory_tell(h, "touch");
}

// --- the whole

static int read_shares(struct hog *h)
{
	double sum = 0;

	for (enum kind k = 0; k < RANDOM; k++)
		h->upto[k] = sum += bench_real(h->run, kind_names[k]);
	return sum > 1 + 1e-9
		   ? err_set(-EINVAL, "--duplicate, --zero and --compressible are more than 1 together")
		   : 0;
}

static int set_up(struct hog *h)
{
	size_t bytes = (size_t)bench_int(h->run, "size") / BASE_PAGE * BASE_PAGE;
	int rc = read_shares(h);

	h->pages = bytes / BASE_PAGE;
	h->seed = mix((uint64_t)bench_int(h->run, "seed"));
	h->distinct = (uint64_t)MAX(bench_int(h->run, "distinct"), 1);
	h->random_words = (size_t)(bench_real(h->run, "entropy") * (double)WORDS);
	if (!rc)
		rc = memory_map(&h->memory, MEMORY_ANON, bytes);
	if (rc)
		return rc;
	h->written = g_new0(uint32_t, h->pages);
	if (!strcmp(bench_text(h->run, "mergeable"), "yes") &&
	    madvise(h->memory.start, h->memory.bytes, MADV_MERGEABLE))
		bench_cannot(h->run, "merging", "madvise(MADV_MERGEABLE): %s", g_strerror(errno));
	return 0;
}

static void tell(struct hog *h)
{
	uint64_t minor, major;

	for (enum kind k = 0; k < KINDS; k++) {
		g_autofree char *name = g_strdup_printf("pages.%s", kind_names[k]);

		bench_metric(h->run, name, (double)h->by_kind[k], "pages", "neither");
	}
	memory_faults(&minor, &major);
	bench_metric(h->run, "major_faults", (double)major, "count", "less");
	bench_metric(h->run, "wrong_pages", (double)h->wrong, "pages", "less");
}

static int run(struct bench_run *b)
{
	struct hog h = {.run = b, .memory = {.fd = -1}};
	struct companion c = {};
	int rc = set_up(&h);

	if (!rc)
		rc = companion_start(&h, &c);
	if (!rc && c.runs && cpus_count() > 1)
		cpus_pin(1); // not where the companion is
	if (!rc) {
		live(&h, &c);
		tell(&h);
		if (h.wrong)
			rc = err_set(-EIO, "%" G_GUINT64_FORMAT " pages came back with other contents",
				     h.wrong);
	}
	companion_stop(&c);
	memory_unmap(&h.memory);
	g_free(h.written);
	return rc;
}

const struct bench bench_memhog = {
    "memhog", "memory of known contents, filled and touched again: for swap, zswap and KSM", params, run,
    true};
