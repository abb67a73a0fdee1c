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

#define MOST_WINDOWS 1000000

struct join {
	struct store *store;
	const struct store_run_row *run;
	const struct truth_join_options *options;
	struct truth_join_result *result;
	struct truth *truth;
	struct truth_places *places;
	struct truth_window *window;
	bool fills;                           // heat is what missed the cache
	double begin_truth, begin_run, slope; // run's time = begin_run + (truth's - begin_truth) * slope
	int64_t end_run, unix_begin_ns;
	uint64_t all_accesses, own_accesses, heat, doubt;
};

// --- time

struct marks {
	bool begun, ended;
	double truth[2], run[2];
	int64_t unix_begin_ns;
};

static int find_marks(struct join *j, struct marks *m)
{
	struct truth_event e;
	int rc;

	while ((rc = truth_next(j->truth, &e)) > 0) {
		int i = e.kind == LABCALL_RUN_ENDS;

		if (e.type != TRUTH_SYNC || (e.kind != LABCALL_RUN_BEGINS && !i) ||
		    strcmp(e.text, j->run->uuid))
			continue;
		m->truth[i] = (double)e.t_ns;
		m->run[i] = (double)e.clock_ns[0];
		if (!i)
			m->unix_begin_ns = (int64_t)(e.clock_ns[1] - e.clock_ns[0]);
		*(i ? &m->ended : &m->begun) = true;
	}
	truth_rewind(j->truth);
	if (rc)
		return rc;
	return m->begun
		   ? 0
		   : err_set(-ENOENT,
			     "%s: run %" PRIi64 " (%.8s) was not recorded in this guest, or without --truth",
			     j->options->path, j->run->id, j->run->uuid);
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
	j->slope = 1;
	j->end_run = INT64_MAX;
	if (!m.ended)
		return 0;
	j->end_run = (int64_t)m.run[1];
	if (m.truth[1] > m.truth[0] && m.run[1] > m.run[0]) {
		j->slope = (m.run[1] - m.run[0]) / (m.truth[1] - m.truth[0]);
		j->result->clock_error_ns =
		    llabs((int64_t)((m.run[1] - m.run[0]) - (m.truth[1] - m.truth[0])));
	}
	if (j->slope < 0.9 || j->slope > 1.1)
		return err_set(-EBADMSG,
			       "%s: the guest's clock and the emulator's went apart by a factor of %.3f",
			       j->options->path, j->slope);
	return 0;
}

static int64_t run_time(const struct join *j, uint64_t truth_ns)
{
	return (int64_t)(j->begin_run + ((double)truth_ns - j->begin_truth) * j->slope);
}

static void add_page(struct join *j, const struct truth_page *p, int64_t t_ns)
{
	bool doubt;
	const struct truth_place *place = truth_places_find(j->places, p->frame, t_ns, &doubt);
	uint64_t accesses = p->reads + p->writes, heat = j->fills ? p->read_fills + p->write_fills : accesses;

	if (!place)
		return;
	truth_window_add(j->window, p, place->pid, place->page, truth_tier(j->truth, p->frame), heat, doubt);
	j->heat += heat;
	j->own_accesses += accesses;
	j->doubt += doubt ? heat : 0;
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
	if (t_ns / j->options->window_ns > MOST_WINDOWS)
		return err_set(-EBADMSG, "%s: an interval %" PRIi64 " s after the run's begin",
			       j->options->path, t_ns / 1000000000);
	while (!rc && t_ns >= truth_window_end(j->window))
		rc = end_window(j);
	if (!rc)
		rc = truth_places_advance(j->places, t_ns);
	if (rc)
		return rc;
	truth_window_count(j->window, e->reads, e->writes);
	j->all_accesses += e->reads + e->writes;
	for (size_t i = 0; i < e->n_pages; i++)
		add_page(j, &e->pages[i], t_ns);
	return 0;
}

static int walk(struct join *j)
{
	struct truth_event e;
	int rc = truth_window_begin(j->window), more = 0;

	while (!rc && (more = truth_next(j->truth, &e)) > 0) {
		if (e.type == TRUTH_INTERVAL)
			rc = add_interval(j, &e);
	}
	if (!rc && more < 0)
		rc = more;
	return rc ? rc : end_window(j);
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
