// Which page a frame was at a moment; see truth_places.h.
#include "run/truth_places.h"

#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "base/truth.h"
#include "store/store.h"
#include "store/store_read.h"
#include "store/truth.h"

struct snapshot { // all processes of one moment
	int64_t t_ns;
	GHashTable *by_frame; // struct truth_place, of `places`
	GArray *places;
	uint64_t fast; // pages in the fast tier
};

struct truth_places {
	struct store *store;
	int64_t run;
	const struct truth *truth;
	GArray *list; // struct store_snapshot, all
	guint next;   // of list
	uint64_t read;
	struct snapshot *before, *after;
};

static void free_snapshot(struct snapshot *s)
{
	if (!s)
		return;
	g_hash_table_unref(s->by_frame);
	g_array_unref(s->places);
	g_free(s);
}

static int add_process(struct truth_places *p, const struct store_snapshot *of, struct snapshot *s)
{
	g_autoptr(GArray) places = NULL;
	int rc = store_read_places(p->store, p->run, of, &places);

	for (guint i = 0; !rc && i < places->len; i++) {
		const struct store_place *one = &g_array_index(places, struct store_place, i);
		struct truth_place place = {one->frame, (uint64_t)of->pid, one->page};

		g_array_append_val(s->places, place);
		s->fast += truth_tier(p->truth, one->frame) == 0;
	}
	return rc;
}

// The next one of the list; *out NULL at its end.
static int next_snapshot(struct truth_places *p, struct snapshot **out)
{
	struct snapshot *s;
	int64_t t_ns;
	int rc = 0;

	*out = NULL;
	if (p->next >= p->list->len)
		return 0;
	s = g_new0(struct snapshot, 1);
	s->by_frame = g_hash_table_new(g_int64_hash, g_int64_equal);
	s->places = g_array_new(FALSE, FALSE, sizeof(struct truth_place));
	t_ns = g_array_index(p->list, struct store_snapshot, p->next).t_ns;
	s->t_ns = t_ns;
	for (; !rc && p->next < p->list->len; p->next++) {
		const struct store_snapshot *one = &g_array_index(p->list, struct store_snapshot, p->next);

		if (one->t_ns != t_ns)
			break;
		rc = add_process(p, one, s);
	}
	for (guint i = 0; i < s->places->len; i++) // a shared page belongs to one of those that have it
		g_hash_table_insert(s->by_frame, &g_array_index(s->places, struct truth_place, i).frame,
				    &g_array_index(s->places, struct truth_place, i));
	p->read++;
	*out = s;
	return rc;
}

int truth_places_advance(struct truth_places *p, int64_t t_ns)
{
	int rc = 0;

	while (!rc && p->after && p->after->t_ns <= t_ns) {
		free_snapshot(p->before);
		p->before = p->after;
		rc = next_snapshot(p, &p->after);
	}
	return rc;
}

const struct truth_place *truth_places_find(const struct truth_places *p, uint64_t frame, int64_t t_ns,
					    bool *doubt)
{
	const struct truth_place *b = p->before ? g_hash_table_lookup(p->before->by_frame, &frame) : NULL;
	const struct truth_place *a = p->after ? g_hash_table_lookup(p->after->by_frame, &frame) : NULL;

	*doubt = !a || !b || a->pid != b->pid || a->page != b->page;
	if (!a || !b)
		return a ?: b;
	return (uint64_t)t_ns - (uint64_t)p->before->t_ns < (uint64_t)p->after->t_ns - (uint64_t)t_ns ? b : a;
}

uint64_t truth_places_fast(const struct truth_places *p)
{
	const struct snapshot *s = p->before ?: p->after;

	return s ? s->fast : 0;
}

int64_t truth_places_end(const struct truth_places *p)
{
	return g_array_index(p->list, struct store_snapshot, p->list->len - 1).t_ns;
}

uint64_t truth_places_read(const struct truth_places *p)
{
	return p->read;
}

int truth_places_open(struct store *store, int64_t run, const struct truth *truth, struct truth_places **out)
{
	struct truth_places *p = g_new0(struct truth_places, 1);
	int rc = store_read_snapshots(store, run, &p->list);

	p->store = store;
	p->run = run;
	p->truth = truth;
	*out = p;
	if (!rc && !p->list->len)
		rc = err_set(
		    -ENOENT,
		    "run %" PRIi64 " has no snapshots of its pages: was it shorter than the interval?", run);
	return rc ? rc : next_snapshot(p, &p->after);
}

void truth_places_free(struct truth_places *p)
{
	if (!p)
		return;
	free_snapshot(p->before);
	free_snapshot(p->after);
	if (p->list)
		g_array_unref(p->list);
	g_free(p);
}
