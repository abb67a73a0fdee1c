// How good a sampler's view of pages' heat is, against the truth. Pure arithmetic.
#ifndef MMPROF_STATS_HOTNESS_H
#define MMPROF_STATS_HOTNESS_H

#include <stddef.h>

struct hotness_page {
	double heat, fast_heat; // the truth; the part of it that fast memory served
	double score;           // the sampler's view, in its own measure; 0: not seen
};

struct hotness {          // NaN: there is none, as nothing was hot or seen, or all alike
	double precision; // of the pages that it took for the hottest, as many as are hot, the part that are
	double recall;    // of the hot pages, the part among those
	double rank;      // Spearman's correlation of score and heat over all pages, ties averaged
	double bias;      // share of its scores that are of fast memory, less the share of heat that is
};

// `hot`: so many of the pages with the most heat are hot.
struct hotness stats_hotness(const struct hotness_page *pages, size_t n, size_t hot);

#endif
