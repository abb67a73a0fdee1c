// hotset: random reads and writes over memory with a known hot part, by many threads: the workload that
// tiering systems are judged by (GUPS and zipfian after the artifacts of HeMem, SOSP '21, and Nomad, OSDI
// '24). It knows which pages are hot, so it can say which part of them, and of its accesses, is in fast
// memory (move_pages(2)).
#include <errno.h>
#include <glib.h>
#include <math.h>
#include <numa.h>
#include <numaif.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/limits.h"
#include "bench/recovery.h"
#include "bench/residency.h"
#include "bench/timing.h"
#include "stats/hist.h"

static const struct bench_param params[] = {
    {"size", "256M", "BYTES", "memory that is accessed"},
    {"hot", "0.1", "RATIO", "hot part of it"},
    {"hot-share", "0.9", "RATIO", "part of the accesses that go to the hot part (skew uniform)"},
    {"skew", "uniform", "uniform|zipf", "how accesses are spread: evenly within hot and cold, or by rank"},
    {"theta", "0.99", "RATIO", "skew of zipf"},
    {"motion", "still", "still|moving", "does the hot part move on at the start of each phase?"},
    {"reads", "0.5", "RATIO", "part of the accesses that only read"},
    {"threads", "1", "N", "how many access it"},
    {"start", "any", "NODES", "NUMA node that its memory is on at first; then it is free to move"},
    {"phases", "3", "N", "how often figures are taken"},
    {"phase", "2", "SECONDS", "length of a phase"},
    {"sample", "64", "N", "every so many accesses one is timed"},
    {}};

#define PAGE 4096
#define LINE 64
#define MAX_THREADS 1024

struct zipf {
	double theta, zetan, eta, alpha;
	uint64_t n;
};

struct hotset {
	struct bench_run *run;
	char *memory;
	uint64_t pages, hot_pages, hot_from; // the hot part begins at this page and wraps round
	uint32_t *order;                     // zipf: rank → page, so that hot pages are scattered
	struct zipf zipf;
	double hot_share, reads;
	uint64_t fast;            // nodes, as bits; 0: memory here is of one tier
	struct recovery recovery; // after each motion
	uint64_t sample_every;
	int threads;
	atomic_int begun;   // threads
	volatile int phase; // -1: end; -2: not yet
};

struct worker {
	struct hotset *set;
	pthread_t thread;
	uint64_t seed, accesses, hot_accesses, sum;
	struct hist hist;
} __attribute__((aligned(128)));

// xorshift64*: good enough to choose pages, and cheap (Vigna, 2016).
static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}

static double next_real(uint64_t *state)
{
	return (double)(next_random(state) >> 11) * 0x1p-53;
}

// --- zipf, after Gray et al., "Quickly generating billion-record synthetic databases" (SIGMOD '94), as YCSB
// uses it

static void zipf_init(struct zipf *z, uint64_t n, double theta)
{
	double zeta2 = 1 + pow(0.5, theta);

	z->n = n;
	z->theta = theta;
	z->zetan = 0;
	for (uint64_t i = 1; i <= n; i++)
		z->zetan += 1 / pow((double)i, theta);
	z->alpha = 1 / (1 - theta);
	z->eta = (1 - pow(2.0 / (double)n, 1 - theta)) / (1 - zeta2 / z->zetan);
}

static uint64_t zipf_next(const struct zipf *z, uint64_t *state)
{
	double u = next_real(state), uz = u * z->zetan;
	uint64_t rank;

	if (uz < 1)
		return 0;
	if (uz < 1 + pow(0.5, z->theta))
		return 1;
	rank = (uint64_t)((double)z->n * pow(z->eta * u - z->eta + 1, z->alpha));
	return MIN(rank, z->n - 1);
}

// --- which page

static uint64_t page_of(struct hotset *s, uint64_t *seed, bool *hot)
{
	uint64_t k;

	if (s->order) {
		k = zipf_next(&s->zipf, seed);
		*hot = k < s->hot_pages;
		return s->order[(k + s->hot_from) % s->pages];
	}
	*hot = next_real(seed) < s->hot_share || s->hot_pages == s->pages;
	if (*hot)
		k = next_random(seed) % s->hot_pages;
	else
		k = s->hot_pages + next_random(seed) % (s->pages - s->hot_pages);
	return (k + s->hot_from) % s->pages;
}

// The i-th hottest page.
static uint64_t hot_page(const struct hotset *s, uint64_t i)
{
	uint64_t k = (i + s->hot_from) % s->pages;

	return s->order ? s->order[k] : k;
}

static inline uint64_t touch(volatile uint64_t *word, bool read)
{
	uint64_t value = *word;

	if (!read)
		*word = value + 1;
	return value;
}

static void access_one(struct worker *w)
{
	struct hotset *s = w->set;
	bool hot, read = next_real(&w->seed) < s->reads;
	uint64_t page = page_of(s, &w->seed, &hot);
	uint64_t line = next_random(&w->seed) % (PAGE / LINE);
	volatile uint64_t *word = (volatile uint64_t *)(s->memory + page * PAGE + line * LINE);

	w->accesses++;
	w->hot_accesses += hot;
	if (w->accesses % s->sample_every) {
		w->sum += touch(word, read);
	} else {
		uint64_t from = timing_begin();
		unsigned cpu;

		w->sum += touch(word, read);
		hist_add(&w->hist,
			 (uint64_t)llround(timing_ns(bench_timing(s->run), timing_end(&cpu) - from)));
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int phase;

	w->set->begun++;
	while ((phase = w->set->phase) == -2)
		sched_yield();
	while (phase >= 0 && w->set->phase == phase)
		for (int i = 0; i < 256; i++)
			access_one(w);
	return NULL;
}

// --- where the pages are

#define DRAWN 65536 // accesses whose pages are looked at: their share is within 0.4 % then (95 %)

struct draw {
	struct hotset *set;
	uint64_t seed;
};

static void *any_address(const void *ctx, uint64_t i)
{
	const struct hotset *s = ctx;

	return s->memory + i * PAGE;
}

static void *hot_address(const void *ctx, uint64_t i)
{
	const struct hotset *s = ctx;

	return s->memory + hot_page(s, i) * PAGE;
}

// Pages as accesses choose them.
static void *drawn_address(const void *ctx, uint64_t i G_GNUC_UNUSED)
{
	struct draw *d = (struct draw *)ctx; // its numbers go on
	bool hot;

	return d->set->memory + page_of(d->set, &d->seed, &hot) * PAGE;
}

static int look(const struct hotset *s, bool hot_only, struct residency *r)
{
	return residency_look(hot_only ? hot_address : any_address, s, hot_only ? s->hot_pages : s->pages,
			      s->fast, r);
}

static void phase_metric(struct hotset *s, int phase, const char *what, double value, const char *unit,
			 const char *better)
{
	g_autofree char *one = g_strdup_printf("phase%d.%s", phase + 1, what);
	g_autofree char *last = g_strdup_printf("%s", what); // the last phase's stays

	bench_metric(s->run, one, value, unit, better);
	bench_metric(s->run, last, value, unit, better);
}

static void tell_residency(struct hotset *s, int phase)
{
	struct draw draw = {s, (uint64_t)phase * 2654435761u + 1};
	struct residency hot, all, drawn;

	if (!s->fast) {
		bench_cannot(s->run, "hot_fast_share",
			     "all memory here is of one tier: there is no fast memory to be in");
		return;
	}
	if (look(s, true, &hot) || look(s, false, &all) ||
	    residency_look(drawn_address, &draw, DRAWN, s->fast, &drawn)) {
		bench_cannot(s->run, "hot_fast_share", "move_pages(2) can't be asked: %s", g_strerror(errno));
		return;
	}
	phase_metric(s, phase, "hot_fast_share", (double)hot.fast / (double)hot.pages, "ratio", "more");
	phase_metric(s, phase, "fast_share", (double)all.fast / (double)all.pages, "ratio", "more");
	phase_metric(s, phase, "access_fast_share", (double)drawn.fast / (double)drawn.pages, "ratio",
		     "more");
	phase_metric(s, phase, "not_in_memory", (double)all.unknown, "pages", "less");
}

// The hot part goes on to where it was not; how much of it was in fast memory is what must come back.
static void move_on(struct hotset *s)
{
	struct residency hot;

	if (s->fast && !look(s, true, &hot))
		recovery_moved(&s->recovery, (double)hot.fast / (double)hot.pages);
	s->hot_from = (s->hot_from + s->hot_pages) % s->pages;
}

static void tell_recovery(struct hotset *s)
{
	const struct recovery *r = &s->recovery;
	double mean;

	if (!r->moves)
		return;
	bench_metric(s->run, "moves_followed", (double)r->recovered / (double)r->moves, "ratio", "more");
	if (recovery_mean(r, &mean))
		bench_metric(s->run, "recovery", mean * 1e9, "ns", "less");
	else
		bench_cannot(
		    s->run, "recovery",
		    "after %u of %u moves the hot set's share of fast memory was not back to %.0f %% of what "
		    "it had been within the phase of %g s; %u began with next to nothing there",
		    r->moves - r->recovered - r->nothing, r->moves, 100 * RECOVERY_PART,
		    bench_real(s->run, "phase"), r->nothing);
}

// --- phases

// So long, or until a signal comes. After a motion the hot part is looked for ten times a second until it is
// back.
static void wait_phase(struct hotset *s)
{
	double length = bench_real(s->run, "phase"), passed;
	guint64 from = timing_clock();
	struct residency hot;

	while (!bench_stopped(s->run) && (passed = (double)(timing_clock() - from) / 1e9) < length) {
		g_usleep((gulong)(1e6 * MIN(0.1, length - passed)));
		if (s->recovery.waiting && !look(s, true, &hot))
			recovery_seen(&s->recovery, (double)(timing_clock() - from) / 1e9,
				      (double)hot.fast / (double)hot.pages);
	}
}

static int run_phase(struct hotset *s, struct worker *workers, int phase)
{
	uint64_t accesses = 0, hot = 0;
	g_autofree char *mark = g_strdup_printf("phase %d", phase + 1);
	int started = 0, rc = 0;
	double seconds;
	gint64 from;

	if (phase && !strcmp(bench_text(s->run, "motion"), "moving"))
		move_on(s);
	s->phase = -2;
	s->begun = 0;
	while (!rc && started < s->threads) {
		rc = pthread_create(&workers[started].thread, NULL, work, &workers[started]);
		started += !rc;
	}
	while (!rc && s->begun < s->threads)
		g_usleep(100);
	from = (gint64)(timing_clock() / 1000);
	if (!rc) {
		bench_mark(s->run, mark);
		s->phase = phase;
		wait_phase(s);
	}
	s->phase = -1;
	for (int i = 0; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		accesses += workers[i].accesses;
		hot += workers[i].hot_accesses;
		hist_merge(bench_hist(s->run, "access"), &workers[i].hist);
		memset(&workers[i].hist, 0, sizeof(workers[i].hist));
		workers[i].accesses = workers[i].hot_accesses = 0;
	}
	if (rc)
		return err_set(-rc, "can't start %d threads: %s", s->threads, g_strerror(rc));
	seconds = (double)((gint64)(timing_clock() / 1000) - from) / 1e6;
	phase_metric(s, phase, "throughput", (double)accesses / seconds, "accesses/s", "more");
	phase_metric(s, phase, "hot_access_share", (double)hot / (double)MAX(accesses, 1), "ratio",
		     "neither");
	tell_residency(s, phase);
	return 0;
}

static void shuffle(uint32_t *order, uint64_t n, uint64_t seed)
{
	for (uint64_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (uint64_t i = n; i > 1; i--) {
		uint64_t k = next_random(&seed) % i;
		uint32_t one = order[i - 1];

		order[i - 1] = order[k];
		order[k] = one;
	}
}

// The policy of where pages are made; gone again when they are, or NUMA balancing would leave them there.
static int bind_to(const struct hotset *s, const char *nodes)
{
	struct bitmask *mask = numa_available() < 0 ? NULL : numa_parse_nodestring(nodes);
	int rc = 0;

	if (!mask)
		return err_set(-EINVAL, "--start: \"%s\" names NUMA nodes that are not here", nodes);
	if (mbind(s->memory, s->pages * PAGE, MPOL_BIND, mask->maskp, mask->size + 1, 0))
		rc = err_set(-errno, "--start %s: mbind: %m", nodes);
	numa_free_nodemask(mask);
	return rc;
}

static int fill(struct hotset *s)
{
	const char *start = bench_text(s->run, "start");
	bool bound = strcmp(start, "any") != 0;
	int rc = bound ? bind_to(s, start) : 0;

	if (rc)
		return rc;
	bench_mark(s->run, "fill");
	for (uint64_t i = 0; i < s->pages; i++) // the cold part first comes to where it would be by itself
		s->memory[i * PAGE] = 1;
	if (bound && mbind(s->memory, s->pages * PAGE, MPOL_DEFAULT, NULL, 0, 0))
		return err_set(-errno, "--start: mbind: %m");
	return 0;
}

static int set_up(struct hotset *s)
{
	uint64_t size = (uint64_t)bench_int(s->run, "size");
	int rc;

	s->pages = size / PAGE;
	s->hot_pages = MAX(1, (uint64_t)((double)s->pages * bench_real(s->run, "hot")));
	s->threads = (int)bench_int(s->run, "threads");
	s->fast = residency_fast_nodes();
	s->hot_share = bench_real(s->run, "hot-share");
	s->reads = bench_real(s->run, "reads");
	s->sample_every = MAX(1, (uint64_t)bench_int(s->run, "sample"));
	if (s->pages < 2 || s->pages > UINT32_MAX)
		return err_set(-EINVAL, "--size must be from 8 KiB to 16 TiB");
	if (s->threads < 1 || s->threads > MAX_THREADS)
		return err_set(-EINVAL, "--threads must be from 1 to %d", MAX_THREADS);
	rc = limits_room(size);
	if (rc)
		return err_add(rc, "--size");
	s->memory = mmap(NULL, s->pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->memory == MAP_FAILED)
		return err_set(-errno, "mmap of --size: %m");
	if (!strcmp(bench_text(s->run, "skew"), "zipf")) {
		if (bench_real(s->run, "theta") >= 1)
			return err_set(-EINVAL, "--theta must be below 1");
		zipf_init(&s->zipf, s->pages, bench_real(s->run, "theta"));
		s->order = g_new(uint32_t, s->pages);
		shuffle(s->order, s->pages, (uint64_t)bench_int(s->run, "seed") * 2654435761u + 1);
	}
	return fill(s);
}

static int run(struct bench_run *r)
{
	struct hotset s = {.run = r};
	struct worker *workers = NULL;
	int rc = set_up(&s);

	if (!rc) {
		workers = g_aligned_alloc0((gsize)s.threads, sizeof(*workers), 128);
		for (int i = 0; i < s.threads; i++) {
			workers[i].set = &s;
			workers[i].seed =
			    (uint64_t)bench_int(r, "seed") * 0x9e3779b97f4a7c15ull + (uint64_t)i + 1;
		}
		bench_metric(r, "pages", (double)s.pages, "pages", "neither");
		bench_metric(r, "hot_pages", (double)s.hot_pages, "pages", "neither");
	}
	for (int p = 0; !rc && p < bench_int(r, "phases") && !bench_stopped(r); p++)
		rc = run_phase(&s, workers, p);
	tell_recovery(&s);
	g_aligned_free(workers);
	g_free(s.order);
	if (s.memory && s.memory != MAP_FAILED)
		munmap(s.memory, s.pages * PAGE);
	return rc;
}

const struct bench bench_hotset = {
    "hotset", "random accesses with a known hot part, by many threads: the tiering workload", params, run,
    true};
