// A window of the truth; see truth_window.h.
#include "run/truth_window.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#include "base/truth.h"
#include "stats/hotness.h"
#include "store/store.h"
#include "store/store_read.h"
#include "store/truth.h"

struct heat { // of a page in the window
	struct store_heat sum;
	uint64_t score; // a sampler's
};

struct level { // of a series: the value that it has until end_ns
	int64_t series, value, end_ns;
};

struct sampler { // from its first view to its last, in the run's time
	const char *name;
	int64_t first_ns, last_ns;
};

struct truth_window {
	struct store *store;
	int64_t run, window_ns;
	double hot_share;
	uint64_t fast_pages; // that fast memory has
	struct store_window now;
	GHashTable *pages;  // struct heat by itself (pid, page)
	GArray *views;      // struct store_view_row
	GArray *samplers;   // struct sampler
	GHashTable *levels; // struct level by its series
	int64_t unix_begin_ns;
	struct {
		int64_t fast, slow, oracle, accesses, in_doubt;
	} so_far;
};

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

static int put_counter(struct truth_window *w, const char *name, int64_t t_ns, int64_t value)
{
	int64_t series;
	int rc = store_series(w->store, w->run, name, "count", true, &series);

	return rc ? rc : store_sample(w->store, series, t_ns, value, true);
}

// What it was from the window's begin on.
static int put_level(struct truth_window *w, const char *name, const char *unit, int64_t value)
{
	struct level level = {.value = value, .end_ns = w->now.end_ns}, *l;
	int rc = store_series(w->store, w->run, name, unit, false, &level.series);

	if (rc)
		return rc;
	l = g_memdup2(&level, sizeof(level));
	g_hash_table_replace(w->levels, &l->series, l);
	return store_sample(w->store, level.series, w->now.t_ns, value, true);
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

static struct hot find_hot(const struct truth_window *w, GPtrArray *sorted, uint64_t fast_now)
{
	int64_t all = w->now.fast + w->now.slow, sum = 0;
	struct hot hot = {0};

	// what was used of it in between may be more than the snapshot saw
	for (guint i = 0; i < sorted->len; i++)
		hot.in_fast += in_fast(sorted->pdata[i]);
	hot.in_fast = MAX(hot.in_fast, fast_now);
	for (guint i = 0; i < sorted->len; i++) {
		const struct heat *h = sorted->pdata[i];

		if (!total(h))
			break;
		if ((double)sum < w->hot_share * (double)all) {
			hot.pages++;
			hot.fast += in_fast(h);
		}
		sum += (int64_t)total(h);
		if (i < w->fast_pages)
			hot.oracle += (int64_t)total(h);
	}
	return hot;
}

static int64_t ppm(int64_t part, int64_t of)
{
	return (int64_t)(1e6 * (double)part / (double)of);
}

static int put_counters(struct truth_window *w, int64_t t_ns)
{
	const struct {
		const char *name;
		int64_t value;
	} counters[] = {{"truth.fast", w->so_far.fast},
			{"truth.slow", w->so_far.slow},
			{"truth.oracle_fast", w->so_far.oracle},
			{"truth.oracle_slow", w->so_far.fast + w->so_far.slow - w->so_far.oracle},
			{"truth.accesses", w->so_far.accesses},
			{"truth.doubt", w->so_far.in_doubt}};
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(counters) && !rc; i++)
		rc = put_counter(w, counters[i].name, t_ns, counters[i].value);
	return rc;
}

static int put_shares(struct truth_window *w, const struct hot *hot)
{
	int64_t all = w->now.fast + w->now.slow;
	int rc = 0;

	if (all)
		rc = put_level(w, "truth.fast_share", "ratio_ppm", ppm(w->now.fast, all));
	if (all && !rc)
		rc = put_level(w, "truth.oracle_share", "ratio_ppm", ppm(hot->oracle, all));
	if (hot->pages && !rc)
		rc = put_level(w, "truth.hot_fast_share", "ratio_ppm", ppm(hot->fast, hot->pages));
	return rc;
}

// A counter is what it was at the window's end, a level what it was from the window's begin on.
static int put_window(struct truth_window *w, const struct hot *hot, guint touched)
{
	const struct store_window *now = &w->now;
	int rc;

	w->so_far.fast += now->fast;
	w->so_far.slow += now->slow;
	w->so_far.oracle += hot->oracle;
	w->so_far.accesses += now->accesses;
	w->so_far.in_doubt += now->doubt;
	rc = put_counters(w, now->end_ns);
	rc = rc ? rc : put_shares(w, hot);
	rc = rc ? rc : put_level(w, "truth.hot", "pages", hot->pages);
	rc = rc ? rc : put_level(w, "truth.hot_fast", "pages", hot->fast);
	rc = rc ? rc : put_level(w, "truth.touched", "pages", touched);
	return rc ? rc : put_level(w, "truth.in_fast", "pages", hot->in_fast);
}

// --- samplers against the window

static int put_view(struct truth_window *w, const char *sampler, guint hot)
{
	g_autoptr(GPtrArray) all = keys_of(w->pages);
	g_autofree struct hotness_page *pages = g_new0(struct hotness_page, all->len + 1);
	struct hotness h;
	size_t n = 0;
	int rc = 0;

	for (guint i = 0; i < all->len; i++) {
		const struct heat *p = all->pdata[i];

		if (p->score || p->sum.reads || p->sum.writes || total(p)) // else another sampler's
			pages[n++] = (struct hotness_page){(double)total(p), (double)p->sum.fast_fills,
							   (double)p->score};
	}
	h = stats_hotness(pages, n, hot);
	const struct {
		const char *name;
		double value;
	} figures[] = {{"precision", h.precision}, {"recall", h.recall}, {"rank", h.rank}, {"bias", h.bias}};

	for (size_t i = 0; i < G_N_ELEMENTS(figures) && !rc; i++) {
		g_autofree char *name = g_strdup_printf("truth.view.%s.%s", sampler, figures[i].name);

		if (!isnan(figures[i].value))
			rc = put_level(w, name, "ratio_ppm", (int64_t)(1e6 * figures[i].value));
	}
	return rc;
}

static void forget_scores(GHashTable *pages)
{
	GHashTableIter iter;
	void *key;

	g_hash_table_iter_init(&iter, pages);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		((struct heat *)key)->score = 0;
}

static int add_scores(struct truth_window *w, const struct store_view_row *view)
{
	g_autoptr(GArray) scores = NULL;
	int rc = store_read_scores(w->store, w->run, view, &scores);

	for (guint i = 0; !rc && i < scores->len; i++) {
		const struct store_score *s = &g_array_index(scores, struct store_score, i);

		struct heat *h = heat_of(w->pages, s->pid, s->page);

		h->score += MIN(s->score, UINT64_MAX - h->score);
	}
	return rc;
}

static int64_t time_of(const struct truth_window *w, const struct store_view_row *view)
{
	return view->t_ns >= TRUTH_UNIX_TIME ? view->t_ns - w->unix_begin_ns : view->t_ns;
}

// What it said in the window, all together, which may be nothing.
static int judge_sampler(struct truth_window *w, const struct sampler *sampler, guint hot)
{
	int rc = 0;

	forget_scores(w->pages); // another sampler's
	for (guint i = 0; !rc && i < w->views->len; i++) {
		const struct store_view_row *view = &g_array_index(w->views, struct store_view_row, i);
		int64_t t_ns = time_of(w, view);

		if (t_ns >= w->now.t_ns && t_ns < w->now.end_ns && !strcmp(view->name, sampler->name))
			rc = add_scores(w, view);
	}
	return rc ? rc : put_view(w, sampler->name, hot);
}

static int judge_samplers(struct truth_window *w, guint hot)
{
	int rc = 0;

	for (guint i = 0; !rc && i < w->samplers->len; i++) {
		const struct sampler *s = &g_array_index(w->samplers, struct sampler, i);

		if (s->first_ns < w->now.end_ns && s->last_ns >= w->now.t_ns)
			rc = judge_sampler(w, s, hot);
	}
	return rc;
}

static void find_samplers(struct truth_window *w)
{
	for (guint i = 0; i < w->views->len; i++) {
		const struct store_view_row *view = &g_array_index(w->views, struct store_view_row, i);
		struct sampler new = {view->name, INT64_MAX, INT64_MIN}, *s = NULL;
		guint k = 0;

		while (k < w->samplers->len &&
		       strcmp(g_array_index(w->samplers, struct sampler, k).name, view->name))
			k++;
		if (k == w->samplers->len)
			g_array_append_val(w->samplers, new);
		s = &g_array_index(w->samplers, struct sampler, k);
		s->first_ns = MIN(s->first_ns, time_of(w, view));
		s->last_ns = MAX(s->last_ns, time_of(w, view));
	}
}

// --- from outside

int64_t truth_window_end(const struct truth_window *w)
{
	return w->now.end_ns;
}

int truth_window_close(struct truth_window *w, uint64_t fast_now)
{
	g_autoptr(GPtrArray) sorted = keys_of(w->pages);
	g_autoptr(GArray) heats = g_array_sized_new(FALSE, FALSE, sizeof(struct store_heat), sorted->len);
	struct hot hot;
	int rc;

	for (guint i = 0; i < sorted->len; i++)
		g_array_append_val(heats, ((struct heat *)sorted->pdata[i])->sum);
	g_array_sort(heats, by_page);
	g_ptr_array_sort(sorted, hottest_first);
	hot = find_hot(w, sorted, fast_now);
	rc = store_truth_window(w->store, w->run, &w->now, heats);
	if (!rc)
		rc = put_window(w, &hot, sorted->len);
	if (!rc)
		rc = judge_samplers(w, hot.pages);
	g_hash_table_remove_all(w->pages);
	w->now = (struct store_window){.t_ns = w->now.end_ns, .end_ns = w->now.end_ns + w->window_ns};
	return rc;
}

bool truth_window_cut(struct truth_window *w, int64_t end_ns)
{
	w->now.end_ns = MIN(w->now.end_ns, end_ns);
	return w->now.end_ns > w->now.t_ns;
}

int truth_window_finish(struct truth_window *w)
{
	GHashTableIter iter;
	void *value;
	int rc = 0;

	g_hash_table_iter_init(&iter, w->levels);
	while (!rc && g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct level *l = value;

		rc = store_sample(w->store, l->series, l->end_ns, l->value, true);
	}
	return rc;
}

void truth_window_count(struct truth_window *w, uint64_t reads, uint64_t writes)
{
	w->now.reads += (int64_t)reads;
	w->now.writes += (int64_t)writes;
}

void truth_window_add(struct truth_window *w, const struct truth_page *p, uint64_t pid, uint64_t page,
		      int tier, uint64_t heat, bool doubt)
{
	struct heat *h = heat_of(w->pages, pid, page);

	h->sum.reads += p->reads;
	h->sum.writes += p->writes;
	*(tier == 0 ? &h->sum.fast_fills : &h->sum.slow_fills) += heat;
	*(tier == 0 ? &w->now.fast : &w->now.slow) += (int64_t)heat;
	w->now.accesses += (int64_t)(p->reads + p->writes);
	w->now.doubt += doubt ? (int64_t)heat : 0;
}

int truth_window_open(struct store *store, int64_t run, int64_t window_ns, double hot_share,
		      uint64_t fast_pages, int64_t unix_begin_ns, struct truth_window **out)
{
	struct truth_window *w = g_new0(struct truth_window, 1);
	int rc;

	w->store = store;
	w->run = run;
	w->window_ns = window_ns;
	w->hot_share = hot_share;
	w->fast_pages = fast_pages;
	w->unix_begin_ns = unix_begin_ns;
	w->now.end_ns = window_ns;
	w->pages = g_hash_table_new_full(hash_heat, same_heat, g_free, NULL);
	w->levels = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	w->samplers = g_array_new(FALSE, FALSE, sizeof(struct sampler));
	*out = w;
	rc = store_read_views(store, run, &w->views);
	if (!rc)
		find_samplers(w);
	return rc;
}

int truth_window_begin(struct truth_window *w)
{
	return put_counters(w, 0);
}

void truth_window_free(struct truth_window *w)
{
	if (!w)
		return;
	g_hash_table_unref(w->pages);
	g_hash_table_unref(w->levels);
	g_array_unref(w->samplers);
	if (w->views)
		g_array_unref(w->views);
	g_free(w);
}
