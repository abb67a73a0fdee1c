// Mann and Whitney's rank test of two samples, and corrections for many tests. Pure functions.
#ifndef MMPROF_STATS_RANK_H
#define MMPROF_STATS_RANK_H

#include <stdbool.h>
#include <stddef.h>

struct rank_test {
	double u;     // pairs in which b's value is the greater, ties counting half
	double p;     // two-sided; NAN when a sample is empty
	double delta; // Cliff's delta, (wins of b - wins of a) / pairs: -1 all of b below a .. 1 all above
	bool exact;   // from the permutation distribution (ties included), not the normal approximation
};

struct rank_test rank_compare(const double *a, size_t n_a, const double *b, size_t n_b);

// The smallest p that samples of these sizes can give: 2 / C(n_a + n_b, n_a).
double rank_least_p(size_t n_a, size_t n_b);

// Adjusts p values in place for their number; NANs are no tests and stay. Holm (1979): chance of any false
// alarm; Benjamini and Hochberg (1995): share of false alarms among the alarms.
void rank_holm(double *p, size_t n);
void rank_benjamini_hochberg(double *p, size_t n);

#endif
