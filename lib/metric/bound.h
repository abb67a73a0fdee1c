// A bound that a comparison must keep, for tests: 'elapsed:ours>tpp*1.05' is broken when ours takes more
// than 1.05 times what tpp takes, with evidence. The right side may also be a number: 'fast_share:ours<0.8',
// 'handle_mm_fault.p99:ours>10us'.
#ifndef MMPROF_METRIC_BOUND_H
#define MMPROF_METRIC_BOUND_H

#include <stdbool.h>

#include "metric/selection.h"

struct store;

struct bound {
	char *metric, *system, *other; // other NULL: `factor` is the number itself, in base units
	bool above;                    // broken when system > right side; else when <
	double factor;
};

// -EINVAL with an err chain that says what the form is. bound_clear() in either case.
int bound_parse(const char *text, struct bound *bound);
void bound_clear(struct bound *bound);

enum bound_state {
	BOUND_KEPT,    // no evidence that it is broken
	BOUND_TOO_FEW, // so few runs that nothing could have shown it
	BOUND_BROKEN,  // with evidence: p < 0.05 (Holm over the workloads), and the interval agrees
	BOUND_NO_DATA, // one side has no runs
};

// Judges the worst workload. *why says in a line what was found; g_free it.
int bound_check(struct store *store, const struct bound *bound, const struct selection_options *options,
		enum bound_state *state, char **why);

#endif
