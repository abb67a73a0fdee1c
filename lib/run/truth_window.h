// Windows of the truth, one after another: the heat of each page of the workload, what is stored of it (table
// truth_window, series "truth.*"), and how far each sampler's view in that time was from it ("truth.view.*").
#ifndef MMPROF_RUN_TRUTH_WINDOW_H
#define MMPROF_RUN_TRUTH_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define TRUTH_UNIX_TIME                                                                                      \
	1000000000000000000 // ns: a view's time from there on is Unix time, less: since the run's begin

struct store;
struct truth_page;
struct truth_window;

// The first window begins at the run's begin. fast_pages: that fast memory has.
// unix_begin_ns: when the run began, for views that have Unix times. -errno with an err chain: the
// store's. Free *out in any case.
int truth_window_open(struct store *store, int64_t run, int64_t window_ns, double hot_share,
		      uint64_t fast_pages, int64_t unix_begin_ns, struct truth_window **out);
void truth_window_free(struct truth_window *w);
int truth_window_begin(struct truth_window *w);         // counters are 0 at the run's begin
int64_t truth_window_end(const struct truth_window *w); // ns after the run's begin

// Accesses of the whole guest.
void truth_window_count(struct truth_window *w, uint64_t reads, uint64_t writes);
// Of a page of the workload, in `tier` (0: fast); heat: what counts as such; doubt: whether it is that
// page's.
void truth_window_add(struct truth_window *w, const struct truth_page *p, uint64_t pid, uint64_t page,
		      int tier, uint64_t heat, bool doubt);
// Stores it and begins the next. fast_now: the workload's pages in fast memory. -errno: the store's.
int truth_window_close(struct truth_window *w, uint64_t fast_now);
// Lets it end at end_ns, if that is inside of it. False: it has not begun then.
bool truth_window_cut(struct truth_window *w, int64_t end_ns);
// After the last one: its levels held until its end. -errno: the store's.
int truth_window_finish(struct truth_window *w);

#endif
