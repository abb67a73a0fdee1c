// Metrics of a probe: PROBE/PART=KEY@CLASS.STAT; see metric.h. A run that has the probe under several
// backends is counted once, by the first that was attached.
#include "metric/internal.h"

#include <stdlib.h>

#include "probes/class.h"
#include "probes/shared.h"
#include "stats/hist.h"

enum stat { COUNT, TOTAL, MEAN, MIN, MAX, SUM, PERCENTILE, STATS };
static const char *const stat_names[STATS] = {"count", "total", "mean", "min", "max", "sum", "p"};

struct probe {
	char *name, *part, *key, *class; // key, class NULL: all
	enum stat stat;
	double percentile;
	bool counts; // a counting probe's events, not a latency
};

// --- the name

static bool parse_stat(const char *word, struct probe *p)
{
	char *end = NULL;

	for (p->stat = COUNT; p->stat < PERCENTILE; p->stat++)
		if (!strcmp(word, stat_names[p->stat]))
			return true;
	if (*word != 'p' || !g_ascii_isdigit(word[1]))
		return false;
	p->percentile = g_ascii_strtod(word + 1, &end);
	return !*end && p->percentile >= 0 && p->percentile <= 100;
}

// Cuts `text` at the last `mark` in it; returns what followed, or NULL.
static char *cut(char *text, char mark)
{
	char *at = strrchr(text, mark);

	if (!at)
		return NULL;
	*at = 0;
	return at + 1;
}

// The statistic is what follows the first dot after which one stands: "p99.9" has a dot of its own.
static struct probe *parse(const char *name)
{
	struct probe *p = g_new0(struct probe, 1);
	g_autofree char *text = g_strdup(name), *class = NULL;
	char *dot = strchr(text, '.'), *word;

	while (dot && !parse_stat(dot + 1, p))
		dot = strchr(dot + 1, '.');
	if (!dot) {
		g_free(p);
		return NULL;
	}
	*dot = 0;
	word = cut(text, '@');
	p->class = word ? strcmp(word, "all") ? g_strdup(word) : NULL : g_strdup("workload");
	p->key = g_strdup(cut(text, '='));
	p->part = g_strdup(cut(text, '/') ?: "");
	p->name = g_strdup(text);
	return p;
}

static void free_data(void *data)
{
	struct probe *p = data;

	if (!p)
		return;
	g_free(p->name);
	g_free(p->part);
	g_free(p->key);
	g_free(p->class);
	g_free(p);
}

// --- what it is

// A lock has both: times in the parts "... wait" and "... hold", counts in the others and wherever a key is
// named.
static bool counts_events(const struct probe *p, const char *kind)
{
	if (!strcmp(kind, "tp") || !strcmp(kind, "ptpath"))
		return true;
	return !strcmp(kind, "lock") &&
	       (p->key || !(g_str_has_suffix(p->part, " wait") || g_str_has_suffix(p->part, " hold")));
}

static const char *what_of(const struct probe *p)
{
	static const char *const latency[STATS] = {
	    "calls", "time in all calls",         "mean latency", "least latency", "greatest latency",
	    "",      "latency at this percentile"};
	const char *whose = p->class ? p->class : "all classes";

	if (p->counts)
		return metric_text("%s, %s", p->stat == COUNT ? "events" : "sum over the events", whose);
	return metric_text("%s, %s", latency[p->stat], whose);
}

static void fill(struct metric *m, const struct probe *p, const char *sum_unit)
{
	bool time = !p->counts && p->stat != COUNT;

	m->unit_name = time ? "ns" : p->stat == COUNT ? "count" : sum_unit ? g_intern_string(sum_unit) : "";
	m->unit = metric_unit_of(m->unit_name);
	m->better = time || (p->key && strstr(p->key, "fail")) ? METRIC_LESS : METRIC_NEITHER;
	m->what = what_of(p);
}

static int sum_unit_of(struct store *store, const struct probe *p, const char **unit)
{
	g_autoptr(GArray) tallies = NULL;
	int rc = p->counts && p->stat == SUM
		     ? store_read_tallies(store, p->name, p->part, p->key, p->class, &tallies)
		     : 0;

	*unit = NULL;
	for (guint i = 0; tallies && i < tallies->len && !*unit; i++)
		*unit = g_array_index(tallies, struct store_tally_row, i).sum_unit;
	return rc;
}

static int check_class(const struct probe *p)
{
	static const char *const classes[] = CLASS_NAMES;
	g_autoptr(GString) all = g_string_new("all");

	for (int i = 0; i < CLASS_COUNT; i++) {
		if (!p->class || !strcmp(p->class, classes[i]))
			return 0;
		g_string_append_printf(all, ", %s", classes[i]);
	}
	return err_set(-EINVAL, "\"%s\" is no class of tasks: %s", p->class, all->str);
}

// A misspelt part or key would have counted nothing: a measured 0. What needs not have happened to be known:
// all that a function or a tracepoint does, and a lock's times.
static int check_part(struct store *store, const struct metric *m, const struct probe *p, const char *kind)
{
	static const char *const lock_parts[] = LOCK_PART_NAMES;
	bool lock = !strcmp(kind, "lock"), has = !*p->part && !p->key && !lock && strcmp(kind, "ptpath");
	int rc = 0;

	for (int i = 0; i < LOCK_PARTS && lock && !p->counts; i++)
		has |= !strcmp(p->part, lock_parts[i]);
	if (!has)
		rc = store_has_part(store, p->name, p->part, p->key, p->counts, &has);
	return rc || has
		   ? rc
		   : err_set(-ENODATA, "%s: no run of this database has such a part or key of the probe %s",
			     m->name, p->name);
}

static int find(struct store *store, struct metric *m)
{
	struct probe *p = parse(m->name);
	const char *kind = NULL, *unit = NULL;
	int rc = p ? store_find_probe(store, p->name, &kind) : -ENOENT;

	if (!rc && !kind)
		rc = -ENOENT;
	if (!rc) {
		p->counts = counts_events(p, kind);
		if (p->counts != (p->stat == SUM) && p->stat != COUNT)
			rc = err_set(-EINVAL, "%s %s: it has no \"%s\"", p->name,
				     p->counts ? "counts events" : "is timed", stat_names[p->stat]);
	}
	if (!rc)
		rc = check_class(p);
	if (!rc)
		rc = check_part(store, m, p, kind);
	if (!rc)
		rc = sum_unit_of(store, p, &unit);
	if (rc) {
		free_data(p);
		return rc;
	}
	fill(m, p, unit);
	m->data = p;
	return 0;
}

// --- its values

static const char *why_none(const char *status, const char *why)
{
	return why ? why : !strcmp(status, "alias") ? "other probes stand for it" : "it was not attached";
}

// The first attached probe of each run is the one that counts: is this row of it?
static bool of_first(int64_t *first, int64_t probe)
{
	if (!*first)
		*first = probe;
	return *first == probe;
}

struct total {
	int64_t probe;
	double count, sum, least, most;
};

#define TOO_GREAT "it is above 2^63 - 1: the loss ledger has it"

static double number(int64_t value)
{
	return value == STORE_NULL ? NAN : (double)value;
}

static void add(struct total *t, const struct store_total_row *row)
{
	double least = number(row->min_ns), most = number(row->max_ns);

	if (!row->class || row->count == 0)
		return;
	t->least = !t->count || !(least >= t->least) ? least : t->least;
	t->most = !t->count || !(most <= t->most) ? most : t->most;
	t->count += number(row->count);
	t->sum += number(row->sum_ns);
}

static double of_total(const struct total *t, enum stat stat)
{
	switch (stat) {
	case COUNT:
		return t->count;
	case TOTAL:
		return t->sum;
	case MEAN:
		return t->count ? t->sum / t->count : NAN;
	default:
		return !t->count ? NAN : stat == MIN ? t->least : t->most;
	}
}

#define NO_CALL "it was attached but not called"

static int totals(struct store *store, const struct probe *p, const GArray *runs, double *values,
		  const char **why)
{
	g_autoptr(GHashTable) places = metric_places(runs);
	g_autofree struct total *sums = g_new0(struct total, runs->len + 1);
	g_autoptr(GArray) rows = NULL;
	int rc = store_read_totals(store, p->name, p->part, p->class, &rows);

	for (guint i = 0; !rc && i < rows->len; i++) {
		const struct store_total_row *row = &g_array_index(rows, struct store_total_row, i);
		int place = metric_place(places, row->run);

		if (place < 0)
			continue;
		if (strcmp(row->status, "attached"))
			why[place] = why_none(row->status, row->why);
		else if (of_first(&sums[place].probe, row->probe))
			add(&sums[place], row);
	}
	for (guint i = 0; i < runs->len; i++) {
		if (!sums[i].probe)
			continue;
		values[i] = of_total(&sums[i], p->stat);
		why[i] = sums[i].count ? TOO_GREAT : NO_CALL;
	}
	return rc;
}

// A percentile over several histograms (classes) is that of their sum.
static int percentiles(struct store *store, const struct probe *p, const GArray *runs, double *values,
		       const char **why)
{
	g_autoptr(GHashTable) places = metric_places(runs);
	g_autofree int64_t *first = g_new0(int64_t, runs->len + 1);
	g_autofree struct hist *sum = g_new0(struct hist, 1), *one = g_new0(struct hist, 1);
	g_autoptr(GArray) rows = NULL;
	int64_t run = 0; // whose histograms are in `sum`
	int rc = totals(store, p, runs, values, why);

	for (guint i = 0; i < runs->len; i++)
		values[i] = NAN;
	if (!rc)
		rc = store_read_buckets(store, p->name, p->part, p->class, &rows);
	for (guint i = 0; !rc && i < rows->len; i++) {
		const struct store_buckets_row *row = &g_array_index(rows, struct store_buckets_row, i);
		int place = metric_place(places, row->run);

		if (place < 0 || row->count <= 0 || !of_first(&first[place], row->probe))
			continue;
		if (run != row->run)
			memset(sum, 0, sizeof(*sum));
		run = row->run;
		*one =
		    (struct hist){(uint64_t)row->count, 0, (uint64_t)row->min_ns, (uint64_t)row->max_ns, {}};
		memcpy(one->buckets, row->buckets, sizeof(one->buckets));
		hist_merge(sum, one);
		values[place] = (double)hist_percentile(sum, p->percentile);
	}
	return rc;
}

static int tallies(struct store *store, const struct probe *p, const GArray *runs, double *values,
		   const char **why)
{
	g_autoptr(GHashTable) places = metric_places(runs);
	g_autofree int64_t *first = g_new0(int64_t, runs->len + 1);
	g_autoptr(GArray) rows = NULL;
	int rc = store_read_tallies(store, p->name, p->part, p->key, p->class, &rows);

	for (guint i = 0; !rc && i < rows->len; i++) {
		const struct store_tally_row *row = &g_array_index(rows, struct store_tally_row, i);
		int place = metric_place(places, row->run);
		bool known = p->stat == COUNT ? !row->no_count : !row->no_sum;

		if (place < 0)
			continue;
		if (strcmp(row->status, "attached"))
			why[place] = why_none(row->status, row->why);
		else if (of_first(&first[place], row->probe) && !known)
			why[place] = p->stat == COUNT ? TOO_GREAT : "not all of its events have a sum";
		else if (first[place] == row->probe)
			values[place] = !row->rows         ? 0
					: p->stat == COUNT ? (double)row->count
							   : (double)row->sum;
	}
	return rc;
}

static int values(struct store *store, const struct metric *m, const GArray *runs, double *values,
		  const char **why)
{
	const struct probe *p = m->data;

	for (guint i = 0; i < runs->len; i++)
		why[i] = "the run did not have this probe";
	if (p->counts)
		return tallies(store, p, runs, values, why);
	return p->stat == PERCENTILE ? percentiles(store, p, runs, values, why)
				     : totals(store, p, runs, values, why);
}

// --- what there is

static void list_one(GPtrArray *metrics, const struct store_name_row *n, bool counts, const char *stat)
{
	const char *part = n->part && *n->part ? n->part : NULL;
	struct metric m = {.name = metric_text("%s%s%s%s%s.%s", n->name, part ? "/" : "", part ? part : "",
					       n->key ? "=" : "", n->key ? n->key : "", stat)};
	struct probe *p = parse(m.name);

	if (!p)
		return;
	p->counts = counts;
	fill(&m, p, n->unit);
	metric_listed(metrics, &m);
	free_data(p);
}

static int list(struct store *store, GPtrArray *metrics)
{
	static const char *const latency[] = {"count", "total", "mean", "p50", "p99"};
	g_autoptr(GArray) hists = NULL, counts = NULL;
	int rc = store_read_names(store, STORE_HISTS, &hists);

	if (!rc)
		rc = store_read_names(store, STORE_COUNTS, &counts);
	if (rc)
		return rc;
	for (guint i = 0; i < hists->len; i++)
		for (size_t s = 0; s < G_N_ELEMENTS(latency); s++)
			list_one(metrics, &g_array_index(hists, struct store_name_row, i), false, latency[s]);
	for (guint i = 0; i < counts->len; i++) {
		const struct store_name_row *n = &g_array_index(counts, struct store_name_row, i);

		list_one(metrics, n, true, "count");
		if (n->counter == 1 && n->unit)
			list_one(metrics, n, true, "sum");
	}
	return 0;
}

const struct metric_kind metric_probe = {
    .find = find, .values = values, .free_data = free_data, .list = list};
