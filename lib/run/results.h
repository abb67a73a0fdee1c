// What a benchmark gives back: one JSON object a line through a pipe (lib/bench/bench.c writes them). They
// come from a process that may run as another user, so each is checked like any other input.
#ifndef MMPROF_RUN_RESULTS_H
#define MMPROF_RUN_RESULTS_H

#include <stdint.h>

struct results;
struct store;

// `bench` is the benchmark's name: metrics are stored as bench.BENCH.NAME, histograms as probes of
// the same names.
int results_new(const char *bench, struct results **results);

// The benchmark's end of the pipe, to be inherited; closed by results_started(). The other end, for poll(2);
// -1 once closed.
int results_workload_fd(const struct results *results);
void results_started(struct results *results);
int results_fd(const struct results *results);

// Stores what is there now. `start_ns`: the workload's start, by CLOCK_MONOTONIC. 0 or the store's errors;
// what is malformed is counted in the loss ledger.
int results_read(struct results *results, struct store *store, int64_t run, int64_t start_ns);

// Facts of the run that came until now, each "pin.*".
void results_facts(const struct results *results, void (*fact)(void *ctx, const char *key, const char *value),
		   void *ctx);

// At the end: the rest, and what was malformed.
int results_finish(struct results *results, struct store *store, int64_t run, int64_t start_ns);
void results_free(struct results *results);

#endif
