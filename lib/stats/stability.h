// Is a series of runs what an interval takes it for, draws from one distribution? Three ways in which it is
// not. Pure functions. `x` is in run order. Each test is made so that a steady series of normally distributed
// values is called unsteady in at most STABILITY_ALPHA of cases.
#ifndef MMPROF_STATS_STABILITY_H
#define MMPROF_STATS_STABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STABILITY_ALPHA 0.01

// Drift with run order: Mann and Kendall's test. tau: -1 falling .. 1 rising; p two-sided, NAN for fewer
// than 5.
struct drift {
	double tau, p;
};
struct drift stability_drift(const double *x, size_t n);

// Two modes: Hartigan and Hartigan's dip (Annals of Statistics 13, 1985), its p from `seed`ed draws from the
// uniform distribution, as many as it takes to tell whether p is below STABILITY_ALPHA.
// When all values are whole numbers, each stands for +-1/2 around it, else few different counts had a mode
// each. NAN for fewer than 8.
struct modes {
	double dip, p, split; // split: a value between the two modes
};
struct modes stability_modes(const double *x, size_t n, uint64_t seed);

// Marks values far from the median in units of the median absolute deviation; returns how many. None of fewer
// than 5. When most values are equal, those that are more than 1 % of the median off; whole numbers again
// stand for +-1/2. Skewed values have more: of lognormal ones (sigma 0.3) 3 % of series of 10, 12 % of 40.
size_t stability_outliers(const double *x, size_t n, bool *out);

#endif
