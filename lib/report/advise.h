// What pgcache's parameters should be for a workload: a formula with few inputs, from a recorded run or
// given. docs/pgcache.md says what the parameters do.
#ifndef MMPROF_REPORT_ADVISE_H
#define MMPROF_REPORT_ADVISE_H

#include <stdbool.h>

struct doc;
struct store;
struct store_run_row;

enum advise_level { ADVISE_PGD, ADVISE_P4D, ADVISE_PUD, ADVISE_PMD, ADVISE_PTE, ADVISE_LEVELS };

struct advise_inputs {
	double processes;    // of the workload at once, at its peak
	double memory_bytes; // that each of them touches
	double background;   // page-table pages of the machine without the workload
	bool five_levels;
};

struct advise {
	double each[ADVISE_LEVELS];       // tables of a process
	double peak[ADVISE_LEVELS];       // of all at once: what their end frees
	double background[ADVISE_LEVELS]; // what then remains in use
	unsigned ratio[ADVISE_LEVELS];
	unsigned long size_kib;
};

// The inputs that a run has: those that it has not stay as they are. -ENOENT with an err chain when processes
// or memory were not sampled.
int advise_read_run(struct store *store, const struct store_run_row *run, struct advise_inputs *inputs);

// A process needs one pgd; on the way down one p4d (of five levels), two puds and three pmds for its two ends
// of the address space, one pmd more for each GiB and one pte for each 2 MiB of its memory, and some ptes for
// its program and libraries. What all processes free when they end is to be kept: ratio = peak / background,
// and the size is that of the level which needs most of its share (1:1:1:4:16).
void advise_compute(const struct advise_inputs *inputs, struct advise *advise);

struct doc *advise_doc(const struct advise_inputs *inputs, const struct advise *advise);

#endif
