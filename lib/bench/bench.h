// A microbenchmark: a struct in a file of its own, listed once in table.c. It runs in a process of its own,
// as the workload of a run (`mmprof bench NAME` is `mmprof record` of it), and gives its results back through
// functions here; they become metrics, histograms, marks and "not measured" rows of that run.
#ifndef MMPROF_BENCH_BENCH_H
#define MMPROF_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_run;
struct hist;
struct timing;

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
// A latency histogram, in ns, made at the first call; its metrics are bench.BENCHMARK.NAME.p99 and so on.
struct hist *bench_hist(struct bench_run *run, const char *name);

enum { BENCH_NO_MORE = 1 };

// One operation, timed again and again until the median is known to --precision or --limit is reached.
struct bench_op {
	const char *name;
	// Does it once and gives the TSC cycles (or ns of the clock that stands in) that it took, from
	// timing_begin() to timing_end(); what must be prepared goes before, outside of the timed part.
	// BENCH_NO_MORE: there is nothing more to time, the samples until now are all.
	int (*sample)(struct bench_run *run, void *ctx, uint64_t *cycles);
	double units;     // how many things a sample does: figures are of one
	const char *unit; // what that is: "page", "fault"
	bool sleeps;      // it waits for others: a context switch or a migration in it is part of it
};

// Stores NAME (median, ns a unit), NAME.cycles, NAME.samples, NAME.precision, the histogram NAME, and in the
// ledger how many samples were warm-up or were disturbed by a context switch or a migration. *median_ns may
// be NULL.
int bench_measure(struct bench_run *run, const struct bench_op *op, void *ctx, double *median_ns);

#endif
