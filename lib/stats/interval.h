// Point estimates with 95 % intervals by bootstrap. Pure functions; the random numbers come from a seed, so
// that the same figures always give the same interval.
#ifndef MMPROF_STATS_INTERVAL_H
#define MMPROF_STATS_INTERVAL_H

#include <stddef.h>
#include <stdint.h>

// low and high are NAN when there are too few values for an interval that deserves its name.
struct interval {
	double value, low, high;
};

// NAN for none. `x` need not be sorted.
double stats_median(const double *x, size_t n);

// The median of x and its interval.
struct interval stats_median_interval(const double *x, size_t n, uint64_t seed);

// median(x) / median(base) - 1, e.g. -0.05 for 5 % less, each side resampled on its own. NAN in all when
// median(base) is 0 (or has another sign than x's).
struct interval stats_change_interval(const double *base, size_t n_base, const double *x, size_t n,
				      uint64_t seed);

// The fewest values that an interval is given for.
#define STATS_LEAST_N 5

#endif
