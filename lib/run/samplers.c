// Runs the samplers of lib/sampler on a schedule; see samplers.h.
#include "run/samplers.h"

#include <glib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "store/store.h"

struct entry {
	const struct sampler *sampler;
	void *state;
	int64_t due_ns, spent_ns, before_ns; // what the reading before cost
	int64_t read_ns, unread_ns;          // the last reading that was one; the longest time between two
	int readings;
};

struct samplers {
	struct sink sink; // first: put() and missing() get a pointer to it
	struct store *store;
	int64_t run, t_ns, interval_ns;
	bool last;
	int rc; // the first error of the store
	const struct sample_target *target;
	GHashTable *series; // name → id
	GHashTable *missing;
	GArray *entries;
};

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void put(struct sink *sink, const char *name, const char *unit, enum series_kind kind, int64_t value)
{
	struct samplers *s = (struct samplers *)sink;
	int64_t *id = g_hash_table_lookup(s->series, name);

	if (s->rc)
		return;
	if (!id) {
		id = g_new(int64_t, 1);
		s->rc = store_series(s->store, s->run, name, unit, kind == SERIES_COUNTER, id);
		if (s->rc) {
			g_free(id);
			return;
		}
		g_hash_table_insert(s->series, g_strdup(name), id);
	}
	s->rc = store_sample(s->store, *id, s->t_ns, value, s->last);
}

static void missing(struct sink *sink, const char *what, const char *why)
{
	struct samplers *s = (struct samplers *)sink;

	if (!s->rc && g_hash_table_add(s->missing, g_strdup(what)))
		s->rc = store_not_measured(s->store, s->run, what, why);
}

// Each of the ten or so samplers that cost anything gets a tenth of what all may take.
int64_t samplers_pause_ns(int64_t cost_ns, int64_t before_ns, double percent)
{
	return (int64_t)((double)MIN(cost_ns, before_ns) * 10 * 100 / percent);
}

struct samplers *samplers_open(struct store *store, int64_t run, const struct sample_target *target,
			       int interval_ms)
{
	struct samplers *s = g_new0(struct samplers, 1);

	s->sink = (struct sink){put, missing};
	s->store = store;
	s->run = run;
	s->target = target;
	s->interval_ns = (int64_t)interval_ms * 1000000;
	s->series = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	s->missing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	s->entries = g_array_new(FALSE, TRUE, sizeof(struct entry));
	for (const struct sampler *k = sampler_table; k->name; k++) {
		struct entry e = {.sampler = k, .due_ns = INT64_MIN};

		if (k->open(target, &e.state))
			missing(&s->sink, k->name, err_text());
		else
			g_array_append_val(s->entries, e);
	}
	return s;
}

static void read_one(struct samplers *s, struct entry *e)
{
	int64_t from = cpu_ns(), cost, pause;
	bool first = e->due_ns == INT64_MIN; // which makes the series' rows, before the workload starts
	int rc = e->sampler->read(e->state, s->target, &s->sink);

	if (rc < 0)
		missing(&s->sink, e->sampler->name, err_text());
	cost = cpu_ns() - from;
	e->spent_ns += cost;
	if (rc == 0) {
		e->readings++;
		e->unread_ns = MAX(e->unread_ns, s->t_ns - e->read_ns);
		e->read_ns = s->t_ns;
	}
	pause = MAX(s->interval_ns, (int64_t)e->sampler->min_interval_ms * 1000000);
	pause = MAX(pause, samplers_pause_ns(cost, e->before_ns, s->target->percent));
	e->before_ns = first ? 0 : cost;
	e->due_ns = s->t_ns + pause - s->interval_ns / 2; // the tick that comes nearest
}

int samplers_read(struct samplers *s, int64_t t_ns, bool all, bool last)
{
	s->t_ns = t_ns;
	s->last = last;
	for (guint i = 0; i < s->entries->len; i++) {
		struct entry *e = &g_array_index(s->entries, struct entry, i);

		if (all || e->due_ns <= t_ns)
			read_one(s, e);
	}
	return s->rc;
}

static void put_own(struct samplers *s, const struct entry *e, const char *what, const char *unit,
		    int64_t value)
{
	g_autofree char *name = g_strdup_printf("self.sampler.%s.%s", e->sampler->name, what);

	put(&s->sink, name, unit, SERIES_GAUGE, value);
}

int samplers_close(struct samplers *s)
{
	int rc = s->rc;

	for (guint i = 0; i < s->entries->len; i++) {
		struct entry *e = &g_array_index(s->entries, struct entry, i);

		put_own(s, e, "readings", "count", e->readings);
		put_own(s, e, "cpu", "ns", e->spent_ns);
		put_own(s, e, "unread", "ns", MAX(e->unread_ns, s->t_ns - e->read_ns));
		e->sampler->close(e->state);
	}
	rc = rc ? rc : s->rc;
	g_array_unref(s->entries);
	g_hash_table_unref(s->series);
	g_hash_table_unref(s->missing);
	g_free(s);
	return rc;
}
