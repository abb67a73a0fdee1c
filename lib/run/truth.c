// The join; see truth.h.
//
// Time: the run marked its begin and its end in the truth file with its own clock; in between it is a line.
// Pages: an interval's counts are by physical frame. A frame is looked up in the snapshots before and after
// the interval. Both say the same page: sure. They differ, or one knows the frame and the other does not (the
// page was allocated, freed or moved in between): the page is taken from the snapshot that is nearer, or that
// has one, and the accesses are counted as in doubt too. Neither: they are not the workload's.
#include "run/truth.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/truth.h"
#include "host/labcall.h"
#include "stats/hotness.h"
#include "store/store.h"
#include "store/store_read.h"
#include "store/truth.h"

#define MOST_WINDOWS 1000000

struct place { // who has a frame
	uint64_t frame, pid, page;
};

struct snapshot { // all processes of one moment
	int64_t t_ns, end_ns;
	GHashTable *by_frame; // struct place, of `places`
	GArray *places;
	uint64_t fast; // pages in the fast tier
};

struct heat { // of a page in the window
	struct store_heat sum;
	uint64_t score; // a sampler's
};

struct join {
	struct store *store;
	const struct store_run_row *run;
	const struct truth_join_options *options;
	struct truth_join_result *result;
	struct truth *truth;
	uint64_t fast_pages;                  // that fast memory has
	bool fills;                           // heat is what missed the cache
	double begin_truth, begin_run, slope; // run's time = begin_run + (truth's - begin_truth) * slope
	int64_t end_run;
	GArray *list; // struct store_snapshot, all
	guint next;   // of list
	struct snapshot *before, *after;
	struct store_window window;
	GHashTable *pages; // struct heat by itself (pid, page)
	GArray *views;
	guint next_view;
	uint64_t all_accesses, own_accesses, heat, doubt;
	int64_t fast, slow, oracle; // heat so far
	int64_t accesses, in_doubt;
};

// --- time

struct marks {
	bool begun, ended;
	double truth[2], run[2];
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

// --- snapshots

static void free_snapshot(struct snapshot *s)
{
	if (!s)
		return;
	g_hash_table_unref(s->by_frame);
	g_array_unref(s->places);
	g_free(s);
}

static int add_process(struct join *j, const struct store_snapshot *of, struct snapshot *s)
{
	g_autoptr(GArray) places = NULL;
	int rc = store_read_places(j->store, j->run->id, of, &places);

	for (guint i = 0; !rc && i < places->len; i++) {
		const struct store_place *p = &g_array_index(places, struct store_place, i);
		struct place place = {p->frame, (uint64_t)of->pid, p->page};

		g_array_append_val(s->places, place);
		s->fast += truth_tier(j->truth, p->frame) == 0;
	}
	return rc;
}

// The next one of the list; *out NULL at its end.
static int next_snapshot(struct join *j, struct snapshot **out)
{
	struct snapshot *s;
	int64_t t_ns;
	int rc = 0;

	*out = NULL;
	if (j->next >= j->list->len)
		return 0;
	s = g_new0(struct snapshot, 1);
	s->by_frame = g_hash_table_new(g_int64_hash, g_int64_equal);
	s->places = g_array_new(FALSE, FALSE, sizeof(struct place));
	t_ns = g_array_index(j->list, struct store_snapshot, j->next).t_ns;
	s->t_ns = t_ns;
	for (; !rc && j->next < j->list->len; j->next++) {
		const struct store_snapshot *one = &g_array_index(j->list, struct store_snapshot, j->next);

		if (one->t_ns != t_ns)
			break;
		s->end_ns = one->t_ns + one->took_ns;
		rc = add_process(j, one, s);
	}
	for (guint i = 0; i < s->places->len; i++) // a shared page belongs to one of those that have it
		g_hash_table_insert(s->by_frame, &g_array_index(s->places, struct place, i).frame,
				    &g_array_index(s->places, struct place, i));
	j->result->snapshots++;
	*out = s;
	return rc;
}

static int advance_snapshots(struct join *j, int64_t t_ns)
{
	int rc = 0;

	while (!rc && j->after && j->after->t_ns <= t_ns) {
		free_snapshot(j->before);
		j->before = j->after;
		rc = next_snapshot(j, &j->after);
	}
	return rc;
}

static const struct place *look_up(const struct join *j, uint64_t frame, int64_t t_ns, bool *doubt)
{
	const struct place *b = j->before ? g_hash_table_lookup(j->before->by_frame, &frame) : NULL;
	const struct place *a = j->after ? g_hash_table_lookup(j->after->by_frame, &frame) : NULL;

	*doubt = !a || !b || a->pid != b->pid || a->page != b->page;
	if (!a || !b)
		return a ?: b;
	return t_ns - j->before->t_ns < j->after->t_ns - t_ns ? b : a;
}

// --- a window

static guint hash_heat(gconstpointer p)
{
	const struct heat *h = p;

	return (guint)(h->sum.page * 0x9e3779b97f4a7c15ull >> 32) ^ (guint)h->sum.pid;
}

static gboolean same_heat(gconstpointer a, gconstpointer b)
{
	const struct heat *x = a, *y = b;

	return x->sum.page == y->sum.page && x->sum.pid == y->sum.pid;
}

static struct heat *heat_of(GHashTable *pages, uint64_t pid, uint64_t page)
{
	const struct heat key = {.sum = {.pid = pid, .page = page}};
	struct heat *h = g_hash_table_lookup(pages, &key);

	if (!h) {
		h = g_memdup2(&key, sizeof(key));
		g_hash_table_add(pages, h);
	}
	return h;
}

static GPtrArray *keys_of(GHashTable *pages)
{
	GPtrArray *keys = g_ptr_array_sized_new(g_hash_table_size(pages));
	GHashTableIter iter;
	void *key;

	g_hash_table_iter_init(&iter, pages);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(keys, key);
	return keys;
}

static uint64_t total(const struct heat *h)
{
	return h->sum.fast_fills + h->sum.slow_fills;
}

static gint hottest_first(gconstpointer a, gconstpointer b)
{
	uint64_t x = total(*(struct heat *const *)a), y = total(*(struct heat *const *)b);

	return (x < y) - (x > y);
}

static gint by_page(gconstpointer a, gconstpointer b)
{
	const struct store_heat *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->page > y->page) - (x->page < y->page);
}

static int put(struct join *j, const char *name, const char *unit, bool counter, int64_t t_ns, int64_t value)
{
	int64_t series;
	int rc = store_series(j->store, j->run->id, name, unit, counter, &series);

	return rc ? rc : store_sample(j->store, series, t_ns, value, true);
}

struct hot {
	guint pages, fast; // the hot set; those of it that are in fast memory
	int64_t oracle;    // heat that the hottest pages have, as many as fast memory can hold
	guint in_fast;     // the workload's pages that are there
};

static bool in_fast(const struct heat *h)
{
	return h->sum.fast_fills > h->sum.slow_fills;
}

static struct hot find_hot(const struct join *j, GPtrArray *sorted)
{
	const struct snapshot *s = j->before ?: j->after;
	int64_t all = j->window.fast + j->window.slow, sum = 0;
	struct hot hot = {0};

	// what was used of it in between may be more than the snapshot saw
	for (guint i = 0; i < sorted->len; i++)
		hot.in_fast += in_fast(sorted->pdata[i]);
	hot.in_fast = MAX(hot.in_fast, s ? s->fast : 0);
	for (guint i = 0; i < sorted->len; i++) {
		const struct heat *h = sorted->pdata[i];

		if (!total(h))
			break;
		if ((double)sum < j->options->hot_share * (double)all) {
			hot.pages++;
			hot.fast += in_fast(h);
		}
		sum += (int64_t)total(h);
		if (i < j->fast_pages)
			hot.oracle += (int64_t)total(h);
	}
	return hot;
}

static int64_t ppm(int64_t part, int64_t of)
{
	return (int64_t)(1e6 * (double)part / (double)of);
}

static int put_counters(struct join *j, int64_t t_ns)
{
	const struct {
		const char *name;
		int64_t value;
	} counters[] = {
	    {"truth.fast", j->fast},          {"truth.slow", j->slow},
	    {"truth.oracle_fast", j->oracle}, {"truth.oracle_slow", j->fast + j->slow - j->oracle},
	    {"truth.accesses", j->accesses},  {"truth.doubt", j->in_doubt}};
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(counters) && !rc; i++)
		rc = put(j, counters[i].name, "count", true, t_ns, counters[i].value);
	return rc;
}

static int put_shares(struct join *j, const struct hot *hot, int64_t t_ns)
{
	int64_t all = j->window.fast + j->window.slow;
	int rc = 0;

	if (all)
		rc = put(j, "truth.fast_share", "ratio_ppm", false, t_ns, ppm(j->window.fast, all));
	if (all && !rc)
		rc = put(j, "truth.oracle_share", "ratio_ppm", false, t_ns, ppm(hot->oracle, all));
	if (hot->pages && !rc)
		rc = put(j, "truth.hot_fast_share", "ratio_ppm", false, t_ns, ppm(hot->fast, hot->pages));
	return rc;
}

// A counter is what it was at the window's end, a level what it was from the window's begin on.
static int put_window(struct join *j, const struct hot *hot, guint touched)
{
	const struct store_window *w = &j->window;
	int rc;

	j->fast += w->fast;
	j->slow += w->slow;
	j->oracle += hot->oracle;
	j->accesses += w->accesses;
	j->in_doubt += w->doubt;
	rc = put_counters(j, w->end_ns);
	rc = rc ? rc : put_shares(j, hot, w->t_ns);
	rc = rc ? rc : put(j, "truth.hot", "pages", false, w->t_ns, hot->pages);
	rc = rc ? rc : put(j, "truth.hot_fast", "pages", false, w->t_ns, hot->fast);
	rc = rc ? rc : put(j, "truth.touched", "pages", false, w->t_ns, touched);
	return rc ? rc : put(j, "truth.in_fast", "pages", false, w->t_ns, hot->in_fast);
}

// --- samplers against the window

static int put_view(struct join *j, const struct store_view_row *view, guint hot)
{
	g_autoptr(GPtrArray) all = keys_of(j->pages);
	g_autofree struct hotness_page *pages = g_new0(struct hotness_page, all->len + 1);
	struct hotness h;
	int rc = 0;

	for (guint i = 0; i < all->len; i++) {
		const struct heat *p = all->pdata[i];

		pages[i] =
		    (struct hotness_page){(double)total(p), (double)p->sum.fast_fills, (double)p->score};
	}
	h = stats_hotness(pages, all->len, hot);
	const struct {
		const char *name;
		double value;
	} figures[] = {{"precision", h.precision}, {"recall", h.recall}, {"rank", h.rank}, {"bias", h.bias}};

	for (size_t i = 0; i < G_N_ELEMENTS(figures) && !rc; i++) {
		g_autofree char *name = g_strdup_printf("truth.view.%s.%s", view->name, figures[i].name);

		rc = put(j, name, "ratio_ppm", false, view->t_ns, (int64_t)(1e6 * figures[i].value));
	}
	return rc;
}

static int judge_views(struct join *j, GPtrArray *by_heat, guint hot)
{
	int rc = 0;

	for (; !rc && j->next_view < j->views->len; j->next_view++) {
		const struct store_view_row *v =
		    &g_array_index(j->views, struct store_view_row, j->next_view);
		g_autoptr(GArray) scores = NULL;

		if (v->t_ns >= j->window.end_ns)
			break;
		if (v->t_ns < j->window.t_ns)
			continue;
		rc = store_read_scores(j->store, j->run->id, v, &scores);
		for (guint i = 0; !rc && i < by_heat->len; i++)
			((struct heat *)by_heat->pdata[i])->score = 0;
		for (guint i = 0; !rc && i < scores->len; i++) {
			const struct store_score *s = &g_array_index(scores, struct store_score, i);

			heat_of(j->pages, s->pid, s->page)->score = s->score;
		}
		if (rc)
			break;
		rc = put_view(j, v, hot);
	}
	return rc;
}

static int end_window(struct join *j)
{
	g_autoptr(GPtrArray) sorted = keys_of(j->pages);
	g_autoptr(GArray) heats = g_array_sized_new(FALSE, FALSE, sizeof(struct store_heat), sorted->len);
	struct hot hot;
	int rc;

	for (guint i = 0; i < sorted->len; i++)
		g_array_append_val(heats, ((struct heat *)sorted->pdata[i])->sum);
	g_array_sort(heats, by_page);
	g_ptr_array_sort(sorted, hottest_first);
	hot = find_hot(j, sorted);
	rc = store_truth_window(j->store, j->run->id, &j->window, heats);
	if (!rc)
		rc = put_window(j, &hot, sorted->len);
	if (!rc)
		rc = judge_views(j, sorted, hot.pages);
	j->result->windows++;
	g_hash_table_remove_all(j->pages);
	j->window = (struct store_window){.t_ns = j->window.end_ns,
					  .end_ns = j->window.end_ns + j->options->window_ns};
	return rc;
}

static void add_page(struct join *j, const struct truth_page *p, int64_t t_ns)
{
	bool doubt;
	const struct place *place = look_up(j, p->frame, t_ns, &doubt);
	uint64_t accesses = p->reads + p->writes, heat = j->fills ? p->read_fills + p->write_fills : accesses;
	struct heat *h;

	if (!place)
		return;
	h = heat_of(j->pages, place->pid, place->page);
	h->sum.reads += p->reads;
	h->sum.writes += p->writes;
	if (truth_tier(j->truth, p->frame) == 0) {
		h->sum.fast_fills += heat;
		j->window.fast += (int64_t)heat;
	} else {
		h->sum.slow_fills += heat;
		j->window.slow += (int64_t)heat;
	}
	j->window.accesses += (int64_t)accesses;
	j->window.doubt += doubt ? (int64_t)heat : 0;
	j->heat += heat;
	j->own_accesses += accesses;
	j->doubt += doubt ? heat : 0;
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
	while (!rc && t_ns >= j->window.end_ns)
		rc = end_window(j);
	if (!rc)
		rc = advance_snapshots(j, t_ns);
	if (rc)
		return rc;
	j->window.reads += (int64_t)e->reads;
	j->window.writes += (int64_t)e->writes;
	j->all_accesses += e->reads + e->writes;
	for (size_t i = 0; i < e->n_pages; i++)
		add_page(j, &e->pages[i], t_ns);
	return 0;
}

static int walk(struct join *j)
{
	struct truth_event e;
	int rc = next_snapshot(j, &j->after), more = 0;

	j->window.end_ns = j->options->window_ns;
	while (!rc && (more = truth_next(j->truth, &e)) > 0) {
		if (e.type == TRUTH_INTERVAL)
			rc = add_interval(j, &e);
	}
	if (!rc && more < 0)
		rc = more;
	return rc ? rc : end_window(j);
}

static int join(struct join *j)
{
	const struct truth_header *h = truth_header(j->truth);
	struct store_truth t = {.interval_ns = (int64_t)h->interval_ns, .window_ns = j->options->window_ns};
	int rc = relate_clocks(j);

	if (!rc)
		rc = store_read_snapshots(j->store, j->run->id, &j->list);
	if (!rc && !j->list->len)
		rc = err_set(-ENOENT,
			     "run %" PRIi64
			     " has no snapshots of its pages: was it shorter than the interval?",
			     j->run->id);
	if (!rc)
		rc = store_read_views(j->store, j->run->id, &j->views);
	if (rc)
		return rc;
	j->fills = h->cache_bytes > 0;
	for (unsigned i = 0; i < h->ranges; i++)
		j->fast_pages += h->range[i].tier ? 0 : h->range[i].bytes >> h->page_shift;
	t.clock_error_ns = j->result->clock_error_ns;
	t.heat = j->fills ? "fills" : "accesses";
	rc = store_begin(j->store);
	if (!rc)
		rc = store_truth(j->store, j->run->id, &t);
	if (!rc)
		rc = put_counters(j, 0);
	if (!rc)
		rc = walk(j);
	if (rc) {
		store_rollback(j->store);
		return rc;
	}
	j->result->own_share = j->all_accesses ? (double)j->own_accesses / (double)j->all_accesses : 0;
	j->result->doubt_share = j->heat ? (double)j->doubt / (double)j->heat : 0;
	return store_commit(j->store);
}

int truth_join(struct store *store, const struct store_run_row *run, const struct truth_join_options *options,
	       struct truth_join_result *result)
{
	struct join j = {.store = store, .run = run, .options = options, .result = result};
	int rc = truth_open(options->path, &j.truth);

	if (rc)
		return rc;
	j.pages = g_hash_table_new_full(hash_heat, same_heat, g_free, NULL);
	rc = join(&j);
	free_snapshot(j.before);
	free_snapshot(j.after);
	g_hash_table_unref(j.pages);
	if (j.list)
		g_array_unref(j.list);
	if (j.views)
		g_array_unref(j.views);
	truth_free(j.truth);
	return rc;
}
