// The join; see truth.h. The run marked its begin and its end in the truth file with its own clock; in
// between it is a line. Which page a frame is: truth_places.h. What becomes of it: truth_window.h.
#include "run/truth.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/truth.h"
#include "host/labcall.h"
#include "run/truth_places.h"
#include "run/truth_window.h"
#include "store/store.h"
#include "store/store_read.h"
#include "store/truth.h"

#define MOST_WINDOWS 100000

struct join {
	struct store *store;
	const struct store_run_row *run;
	const struct truth_join_options *options;
	struct truth_join_result *result;
	struct truth *truth;
	struct truth_places *places;
	struct truth_window *window;
	bool fills;                               // heat is what missed the cache
	double begin_truth, begin_run, slope;     // run's time = begin_run + (truth's - begin_truth) * slope
	int64_t end_run, last_run, unix_begin_ns; // last_run: where the last interval ends
	uint64_t all_accesses, page_accesses, page_fills, own_accesses, heat, doubt;
};

// --- time

#define MOST_CLOCK_NS (1ll << 60) // that a mark can say

struct marks {
	bool begun, ended; // ended: there is a later one
	double truth[2], run[2];
	int64_t unix_begin_ns;
};

static int keep_mark(const struct join *j, struct marks *m, const struct truth_event *e)
{
	int i = e->kind != LABCALL_RUN_BEGINS;

	if (e->clock_ns[0] > MOST_CLOCK_NS || e->clock_ns[1] > INT64_MAX ||
	    (!i && e->clock_ns[1] < e->clock_ns[0]))
		return err_set(-EBADMSG, "%s: a damaged mark", j->options->path);
	m->truth[i] = (double)e->t_ns;
	m->run[i] = (double)e->clock_ns[0];
	if (!i)
		m->unix_begin_ns = (int64_t)(e->clock_ns[1] - e->clock_ns[0]);
	*(i ? &m->ended : &m->begun) = true;
	return 0;
}

static bool is_mark(const struct join *j, const struct truth_event *e)
{
	return e->type == TRUTH_SYNC && !strcmp(e->text, j->run->uuid) &&
	       (e->kind == LABCALL_RUN_BEGINS || e->kind == LABCALL_RUN_ENDS || e->kind == LABCALL_SNAPSHOT);
}

// The first and the last of the run: where it was never ended, that is its last snapshot.
static int find_marks(struct join *j, struct marks *m)
{
	struct truth_event e;
	int rc, bad = 0;

	while (!bad && (rc = truth_next(j->truth, &e)) > 0)
		if (is_mark(j, &e))
			bad = keep_mark(j, m, &e);
	truth_rewind(j->truth);
	if (bad || (rc && rc != -ENODATA))
		return bad ? bad : rc;
	if (!m->begun)
		return err_set(
		    -ENOENT, "%s: run %" PRIi64 " (%.8s) was not recorded in this guest, or without --truth",
		    j->options->path, j->run->id, j->run->uuid);
	return m->ended ? 0
			: err_set(-ENODATA,
				  "%s: run %" PRIi64
				  " has no second mark: how its clock relates to the file's was not measured",
				  j->options->path, j->run->id);
}

static int relate_clocks(struct join *j)
{
	struct marks m = {0};
	int rc = find_marks(j, &m);

	if (rc)
		return rc;
	j->begin_truth = m.truth[0];
	j->begin_run = m.run[0];
	j->unix_begin_ns = m.unix_begin_ns;
	j->end_run = (int64_t)m.run[1];
	j->slope = m.truth[1] > m.truth[0] ? (m.run[1] - m.run[0]) / (m.truth[1] - m.truth[0]) : 0;
	j->result->clock_error_ns = llabs((int64_t)((m.run[1] - m.run[0]) - (m.truth[1] - m.truth[0])));
	if (!(j->slope > 0.9 && j->slope < 1.1))
		return err_set(-EBADMSG,
			       "%s: the guest's clock and the emulator's went apart by a factor of %.3f",
			       j->options->path, j->slope);
	return 0;
}

static int64_t run_time(const struct join *j, uint64_t truth_ns)
{
	return (int64_t)(j->begin_run + ((double)truth_ns - j->begin_truth) * j->slope);
}

// --- the walk

// All sums over the run are of these: none is greater than what fits.
static int add_checked(struct join *j, uint64_t *sum, uint64_t a, uint64_t b)
{
	if (__builtin_add_overflow(*sum, a, sum) || __builtin_add_overflow(*sum, b, sum) || *sum > INT64_MAX)
		return err_set(-EBADMSG, "%s: more accesses than there can be", j->options->path);
	return 0;
}

static int add_page(struct join *j, const struct truth_page *p, int64_t t_ns)
{
	bool doubt;
	const struct truth_place *place = truth_places_find(j->places, p->frame, t_ns, &doubt);
	uint64_t accesses = p->reads + p->writes, heat = j->fills ? p->read_fills + p->write_fills : accesses;
	int rc = add_checked(j, &j->page_accesses, p->reads, p->writes);

	rc = rc ? rc : add_checked(j, &j->page_fills, p->read_fills, p->write_fills);
	if (!place || rc)
		return rc;
	truth_window_add(j->window, p, place->pid, place->page, truth_tier(j->truth, p->frame), heat, doubt);
	j->heat += heat;
	j->own_accesses += accesses;
	j->doubt += doubt ? heat : 0;
	return 0;
}

static int end_window(struct join *j)
{
	j->result->windows++;
	return truth_window_close(j->window, truth_places_fast(j->places));
}

// vCPUs end their intervals at different moments: what comes late for a window is counted in the next.
static int add_interval(struct join *j, const struct truth_event *e)
{
	int64_t t_ns = run_time(j, e->t_ns / 2 + e->end_ns / 2);
	int rc = 0;

	if (t_ns < 0 || t_ns >= j->end_run)
		return 0;
	j->last_run = MAX(j->last_run, run_time(j, e->end_ns));
	while (!rc && t_ns >= truth_window_end(j->window))
		rc = end_window(j);
	if (!rc)
		rc = truth_places_advance(j->places, t_ns);
	if (!rc)
		rc = add_checked(j, &j->all_accesses, e->reads, e->writes);
	if (rc)
		return rc;
	truth_window_count(j->window, e->reads, e->writes);
	for (size_t i = 0; i < e->n_pages && !rc; i++)
		rc = add_page(j, &e->pages[i], t_ns);
	return rc;
}

// What the plugin says of itself at the end.
static int add_end(struct join *j, const struct truth_event *e)
{
	j->result->whole = true;
	if (e->failed)
		return err_set(-EBADMSG,
			       "%s: %" PRIu64 " of %" PRIu64
			       " physical addresses were not as the guest's kernel has them: its counts are "
			       "of other pages",
			       j->options->path, e->failed, e->checks);
	return store_loss(j->store, j->run->id, 0, "truth_lost", MIN(e->lost, INT64_MAX),
			  "records of the truth file that could not be written: their accesses are missing");
}

// The last window ends with the run, or where the file does.
static int end_walk(struct join *j)
{
	int64_t end = j->result->whole ? j->end_run : MIN(j->end_run, j->last_run);
	int rc = 0;

	while (!rc && end >= truth_window_end(j->window))
		rc = end_window(j);
	if (!rc && truth_window_cut(j->window, end))
		rc = end_window(j);
	return rc ? rc : truth_window_finish(j->window);
}

static int walk(struct join *j)
{
	struct truth_event e;
	int rc = truth_window_begin(j->window), more = 0;

	while (!rc && (more = truth_next(j->truth, &e)) > 0) {
		if (e.type == TRUTH_INTERVAL)
			rc = add_interval(j, &e);
		else if (e.type == TRUTH_END)
			rc = add_end(j, &e);
	}
	if (!rc && more < 0 && more != -ENODATA)
		rc = more;
	return rc ? rc : end_walk(j);
}

// --- what is missing

static int say_losses(struct join *j)
{
	uint64_t outside = j->all_accesses > j->page_accesses ? j->all_accesses - j->page_accesses : 0;
	int rc = store_loss(j->store, j->run->id, 0, "truth_outside", outside,
			    "accesses of the guest during the run to pages that the emulator does not know");

	j->result->outside = outside;
	if (!rc && !j->result->whole)
		rc = store_not_measured(j->store, j->run->id, STORE_TRUTH_END,
					"the truth file has no end, as the guest was killed: what came after "
					"its last whole record is missing, and whether records were lost or "
					"addresses wrong is not known");
	return rc;
}

static int prepare(struct join *j)
{
	const struct truth_header *h = truth_header(j->truth);
	uint64_t fast_pages = 0;
	int rc = relate_clocks(j);

	j->fills = h->cache_bytes > 0;
	for (unsigned i = 0; i < h->ranges; i++)
		fast_pages += h->range[i].tier ? 0 : h->range[i].bytes >> h->page_shift;
	if (!rc)
		rc = truth_places_open(j->store, j->run->id, j->truth, &j->places);
	if (!rc) // what its frames are used for then is not the workload's
		j->end_run = MIN(j->end_run,
				 j->run->elapsed_ns > 0 ? j->run->elapsed_ns : truth_places_end(j->places));
	if (!rc && j->end_run / j->options->window_ns > MOST_WINDOWS)
		rc = err_set(-EBADMSG, "%s: a run of %" PRIi64 " s is longer than can be joined",
			     j->options->path, j->end_run / 1000000000);
	if (!rc)
		rc = truth_window_open(j->store, j->run->id, j->options->window_ns, j->options->hot_share,
				       fast_pages, j->unix_begin_ns, &j->window);
	return rc;
}

static int join(struct join *j)
{
	struct store_truth t = {.interval_ns = (int64_t)truth_header(j->truth)->interval_ns,
				.window_ns = j->options->window_ns};
	int rc = prepare(j);

	if (rc)
		return rc;
	t.clock_error_ns = j->result->clock_error_ns;
	t.heat = j->fills ? "fills" : "accesses";
	rc = store_begin(j->store);
	if (!rc)
		rc = store_truth(j->store, j->run->id, &t);
	if (!rc)
		rc = walk(j);
	if (!rc)
		rc = say_losses(j);
	if (rc) {
		store_rollback(j->store);
		return rc;
	}
	j->result->snapshots = truth_places_read(j->places);
	j->result->own_share = j->all_accesses ? (double)j->own_accesses / (double)j->all_accesses : 0;
	j->result->doubt_share = j->heat ? (double)j->doubt / (double)j->heat : 0;
	return store_commit(j->store);
}

int truth_join(struct store *store, const struct store_run_row *run, const struct truth_join_options *options,
	       struct truth_join_result *result)
{
	struct join j = {.store = store, .run = run, .options = options, .result = result};
	int rc = truth_open(options->path, &j.truth);

	rc = rc ? rc : join(&j);
	truth_places_free(j.places);
	truth_window_free(j.window);
	truth_free(j.truth);
	return rc;
}
