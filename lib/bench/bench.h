// A microbenchmark: a struct in a file of its own, listed once in table.c. It runs in a process of its own,
// as the workload of a run (`mmprof bench NAME` is `mmprof record` of it), and gives its results back through
// functions here; they become metrics, histograms, marks and "not measured" rows of that run.
#ifndef MMPROF_BENCH_BENCH_H
#define MMPROF_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/timing.h"

struct bench_run;
struct hist;

struct bench_param {
	const char *name;     // --NAME
	const char *fallback; // its value when it is not given
	const char *form; // "N", "BYTES", "SECONDS", "RATIO", "NODES", or the words it may be: "still|moving"
	const char *what;
};

struct bench {
	const char *name, *what;
	const struct bench_param *params;  // ends with a NULL name
	int (*run)(struct bench_run *run); // 0 or -errno with an err chain
	bool spread; // its processes go where the scheduler puts them; else it is pinned to one CPU
};

// All of them, ends with NULL; one by name, or NULL.
extern const struct bench *const bench_table[];
const struct bench *bench_find(const char *name);

// Parameters that every benchmark has: limit, precision, seed.
extern const struct bench_param bench_common_params[];

// A benchmark's parameter, its own or a common one, or NULL.
const struct bench_param *bench_param_find(const struct bench *bench, const char *name);

// Is `value` of the parameter's form? -EINVAL with an err chain. Numbers may have K, M, G (powers of 1024)
// where they are BYTES.
int bench_param_check(const struct bench_param *param, const char *value);

// The workload's side: runs `name` with arguments "param=value" and writes the results, one JSON object a
// line, to `fd` (-1: for people, to standard output). The exit status.
int bench_main(const char *name, const char *const *args, int fd);

// --- for a benchmark's run()

int64_t bench_int(const struct bench_run *run, const char *param); // N, BYTES
double bench_real(const struct bench_run *run, const char *param); // SECONDS, RATIO
const char *bench_text(const struct bench_run *run, const char *param);
const struct timing *bench_timing(const struct bench_run *run);
bool bench_stopped(
    const struct bench_run *run); // SIGINT, SIGTERM, SIGHUP or SIGQUIT came: end soon, clean up

// A figure. better: "less", "more", "neither". Its metric is bench.BENCHMARK.NAME.
void bench_metric(struct bench_run *run, const char *name, double value, const char *unit,
		  const char *better);
// What could not be measured, and exactly why.
void bench_cannot(struct bench_run *run, const char *what, const char *why, ...)
    __attribute__((format(printf, 3, 4)));
// Something that the figures lack or that was set aside, for the loss ledger; 0 says that it was looked for.
void bench_loss(struct bench_run *run, const char *kind, uint64_t count, const char *detail);
// A fact of the run, "pin.*", which replaces what the recording mmprof found itself.
void bench_fact(struct bench_run *run, const char *key, const char *value);
// A phase begins now.
void bench_mark(struct bench_run *run, const char *phase);
// In a child just forked: it ends when its parent does, also when that is gone already.
void bench_die_with(pid_t parent);
// A latency histogram, in ns, made at the first call; its metrics are bench.BENCHMARK.NAME.p99 and so on.
struct hist *bench_hist(struct bench_run *run, const char *name);

// What a sample may return beside 0 and -errno. BENCH_NO_MORE: there is nothing more to time, the samples
// until now are all. BENCH_NOT_SO, with an err chain that says why: what was to be timed did not happen, so
// that this is not a sample of it; it is counted apart.
enum { BENCH_NO_MORE = 1, BENCH_NOT_SO = 2 };

// One operation, timed again and again until the median is known to --precision or --limit is reached.
struct bench_op {
	const char *name;
	// Does it once and gives the TSC cycles (or ns of the clock that stands in) that it took, from
	// bench_begin() to bench_end(); what must be prepared or put back goes before or behind.
	int (*sample)(struct bench_run *run, void *ctx, uint64_t *cycles);
	double units;     // how many things a sample does: figures are of one; a sample may set it anew
	const char *unit; // what that is: "page", "fault"
	bool sleeps;      // it waits for others: a context switch or a migration in it is part of it
};

// The ends of what a sample times. What disturbs it, or is counted of it, between them is the sample's;
// what happens outside is not.
void bench_before(struct bench_run *run);
void bench_after(struct bench_run *run);

static inline uint64_t bench_begin(struct bench_run *run)
{
	bench_before(run);
	return timing_begin();
}

static inline uint64_t bench_end(struct bench_run *run, uint64_t from)
{
	unsigned cpu;
	uint64_t cycles = timing_end(&cpu) - from;

	bench_after(run);
	return cycles;
}

// Stores NAME (median, ns a unit), NAME.cycles, NAME.samples, NAME.precision, the histogram NAME if a sample
// does one thing only, and in the ledger how many samples were warm-up, were disturbed by a context switch or
// a migration, or were none. *median_ns may be NULL; it stays as it is when there was nothing to time.
int bench_measure(struct bench_run *run, const struct bench_op *op, void *ctx, double *median_ns);

#endif
