// The cells of an experiment, each a run of one workload under one system, and their order: in each round
// every pair of a system and a workload comes once, shuffled, so that a drift of the machine can't become a
// difference between systems. Arithmetic only: the same on every machine.
#ifndef MMPROF_RUN_MATRIX_H
#define MMPROF_RUN_MATRIX_H

#include <glib.h>
#include <stdint.h>

#define MATRIX_MAX_CELLS 1000000

struct cell {
	int number; // from 1, in the order of execution
	int round;  // from 1; 0: a warm-up before this cell
	int system, workload;
};

// All cells in order: GArray of struct cell.
GArray *matrix_cells(int systems, int workloads, int rounds, uint64_t seed);

// What is to be run for these cells: first `warmup` rounds of warm-ups, one for each pair among them, each
// with the number of its pair's first cell; then the cells.
GArray *matrix_with_warmups(const GArray *cells, int warmup);

// Those of `cells` that a list of numbers names, "3,5-7", in order. -EINVAL with an err chain for a list that
// can't be understood or names a cell that is not there.
int matrix_select(const GArray *cells, const char *list, GArray **chosen);

#endif
