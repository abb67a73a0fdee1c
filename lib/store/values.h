// One thing of many runs, as a comparison needs it: a probe's totals, a series' ends, a number that the user
// or the workload gave. Lists as in store_read.h; what a run lacks has no row.
#ifndef MMPROF_STORE_VALUES_H
#define MMPROF_STORE_VALUES_H

#include "store/store_read.h"

// A probe of a run and one of its histograms; count STORE_NULL: it has none of this part and class. A run has
// as many rows as probes of this name (several backends) times classes.
struct store_total_row {
	int64_t run, probe;
	const char *status, *why, *class;
	int64_t count, sum_ns, min_ns, max_ns;
};
// class NULL: all. By run and probe.
int store_read_totals(struct store *store, const char *probe, const char *part, const char *class,
		      GArray **totals);

// The histograms themselves; runs without one have no row.
struct store_buckets_row {
	int64_t run, probe;
	int64_t count, sum_ns, min_ns, max_ns;
	uint64_t buckets[HIST_BUCKETS];
};
int store_read_buckets(struct store *store, const char *probe, const char *part, const char *class,
		       GArray **hists);

// A counting probe of a run: events and the sum of their argument over the keys of this name (NULL: all) and
// class (NULL: all). rows 0: nothing counted.
struct store_tally_row {
	int64_t run, probe;
	const char *status, *why, *sum_unit;
	int64_t count, sum;
	int64_t rows, no_count, no_sum; // how many rows that is, and how many of them have no figure
};
int store_read_tallies(struct store *store, const char *probe, const char *part, const char *key,
		       const char *class, GArray **tallies);

// A series of a run: its first and last value and their times.
struct store_ends_row {
	int64_t run, series;
	const char *unit;
	int64_t counter, first, last, first_ns, last_ns;
};
int store_read_ends(struct store *store, const char *name, GArray **ends);

// Of one series of one run: least, most, and the mean over time: a value holds until the next one, the last
// until the run's end (its elapsed_ns; STORE_NULL: not known).
struct store_level {
	int64_t least, most;
	double mean;
};
int store_read_level(struct store *store, int64_t series, int64_t end_ns, struct store_level *level);

struct store_number_row {
	int64_t run;
	double value;
	const char *unit, *better;
};
// Of --extract; of --tag, where the tag is a number.
int store_read_extracts(struct store *store, const char *name, GArray **numbers);
int store_read_tag_numbers(struct store *store, const char *key, GArray **numbers);

// Runs in which probes of this name lost calls: how many, beside how many they saw. What ftrace lost may have
// been any of its probes'.
struct store_lossy_row {
	int64_t run, lost, seen;
};
int store_read_lossy(struct store *store, const char *probe, GArray **lossy);

// What there is: names of series with their unit and kind; of probes with parts and keys; of extracts; of
// tags that are numbers.
struct store_name_row {
	const char *name, *part, *key, *unit, *kind; // those that apply
	int64_t counter;
};
enum store_names { STORE_SERIES, STORE_HISTS, STORE_COUNTS, STORE_EXTRACTS, STORE_TAGS };
int store_read_names(struct store *store, enum store_names what, GArray **names);

// Is there a probe of this name in any run, and of what kind? *kind is NULL when there is none.
int store_find_probe(struct store *store, const char *name, const char **kind);

// Does any run have this part of the probe and this key (NULL: any) of its events, or none to be known from:
// was it never attached?
int store_has_part(struct store *store, const char *probe, const char *part, const char *key, bool events,
		   bool *has);

// Likewise a series, as the first run that has it says; *unit is NULL when there is none.
int store_find_series(struct store *store, const char *name, const char **unit, bool *counter);

#endif
