// Reads a benchmark's results and stores them; see results.h.
#include "run/results.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "probes/hist.h"
#include "store/store.h"

#define LINE_MAX_BYTES (1 << 20)
#define FACT_PREFIX "pin."
#define MOST_FACTS 32
#define MOST_FACT_BYTES 1000

struct results {
	char *bench;
	int workload_fd, fd;
	GString *line;
	bool too_long; // the rest of this line is skipped
	uint64_t malformed;
	GHashTable *facts; // key → value
};

int results_new(const char *bench, struct results **results)
{
	struct results *r;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return err_set(-errno, "pipe: %m");
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFD, 0);
	r = g_new0(struct results, 1);
	r->bench = g_strdup(bench);
	r->fd = fds[0];
	r->workload_fd = fds[1];
	r->line = g_string_new(NULL);
	r->facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	*results = r;
	return 0;
}

int results_workload_fd(const struct results *r)
{
	return r->workload_fd;
}

int results_fd(const struct results *r)
{
	return r->fd;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void results_started(struct results *r)
{
	close_fd(&r->workload_fd);
}

// --- one line

static int take_metric(const struct results *r, json_t *j, struct store *store, int64_t run)
{
	const char *name = NULL, *unit = NULL, *better = NULL;
	g_autofree char *full = NULL, *source = NULL;
	double value = NAN;

	if (json_unpack(j, "{s:s, s:F, s:s, s:s}", "metric", &name, "value", &value, "unit", &unit, "better",
			&better) ||
	    !isfinite(value) ||
	    (strcmp(better, "less") && strcmp(better, "more") && strcmp(better, "neither")))
		return -EBADMSG;
	full = g_strdup_printf("bench.%s.%s", r->bench, name);
	source = g_strdup_printf("benchmark %s", r->bench);
	return store_metric(store, run, full, value, *unit ? unit : NULL, better, source);
}

static bool take_buckets(json_t *list, uint64_t *buckets, uint64_t count)
{
	uint64_t sum = 0;
	json_t *pair;
	size_t i;

	json_array_foreach(list, i, pair)
	{
		json_int_t bucket = json_integer_value(json_array_get(pair, 0));
		json_int_t n = json_integer_value(json_array_get(pair, 1));

		if (bucket < 0 || bucket >= HIST_BUCKETS || n < 0)
			return false;
		buckets[bucket] += (uint64_t)n;
		sum += (uint64_t)n;
	}
	return sum == count;
}

static int take_hist(const struct results *r, json_t *j, struct store *store, int64_t run)
{
	g_autofree uint64_t *buckets = g_new0(uint64_t, HIST_BUCKETS);
	const char *name = NULL, *clock = NULL;
	json_int_t count = -1, sum = -1, min = -1, max = -1;
	g_autofree char *full = NULL;
	json_t *list = NULL;
	int64_t probe;
	int rc;

	if (json_unpack(j, "{s:s, s:I, s:I, s:I, s:I, s:s, s:o}", "hist", &name, "count", &count, "sum", &sum,
			"min", &min, "max", &max, "clock", &clock, "buckets", &list) ||
	    count < 0 || sum < 0 || min < 0 || max < min || !take_buckets(list, buckets, (uint64_t)count))
		return -EBADMSG;
	full = g_strdup_printf("bench.%s.%s", r->bench, name);
	const struct store_probe p = {.name = full,
				      .kind = "bench",
				      .backend = clock,
				      .status = "attached",
				      .what = "timed by the benchmark"};
	const struct store_hist h = {.part = "",
				     .class = "workload",
				     .count = (uint64_t)count,
				     .sum_ns = (uint64_t)sum,
				     .min_ns = (uint64_t)min,
				     .max_ns = (uint64_t)max,
				     .buckets = buckets};

	rc = store_probe(store, run, &p, &probe);
	return rc ? rc : store_hist(store, probe, &h);
}

static int take_fact(const struct results *r, const char *key, const char *value)
{
	if (!g_str_has_prefix(key, FACT_PREFIX) || strlen(key) > MOST_FACT_BYTES ||
	    strlen(value) > MOST_FACT_BYTES || g_hash_table_size(r->facts) >= MOST_FACTS)
		return -EBADMSG;
	g_hash_table_replace(r->facts, g_strdup(key), g_strdup(value));
	return 0;
}

// It was when the benchmark says: the line may have waited. Both clocks are CLOCK_MONOTONIC.
static int take_mark(const char *name, int64_t at_us, struct store *store, int64_t run, int64_t start_ns)
{
	if (at_us < 0 || at_us > g_get_monotonic_time())
		return -EBADMSG;
	return store_mark(store, run, MAX(at_us * 1000 - start_ns, 0), name);
}

static int take_line(const struct results *r, json_t *j, struct store *store, int64_t run, int64_t start_ns)
{
	const char *a = NULL, *b = NULL;
	json_int_t n = -1;

	if (json_object_get(j, "metric"))
		return take_metric(r, j, store, run);
	if (json_object_get(j, "hist"))
		return take_hist(r, j, store, run);
	if (!json_unpack(j, "{s:s, s:s}", "fact", &a, "value", &b))
		return take_fact(r, a, b);
	if (!json_unpack(j, "{s:s, s:I}", "mark", &a, "at_us", &n))
		return take_mark(a, n, store, run, start_ns);
	if (!json_unpack(j, "{s:s, s:s}", "not_measured", &a, "why", &b))
		return store_not_measured(store, run, a, b);
	if (!json_unpack(j, "{s:s, s:I, s:s}", "loss", &a, "count", &n, "detail", &b) && n >= 0)
		return store_loss(store, run, 0, a, (uint64_t)n, b);
	return -EBADMSG;
}

static int end_line(struct results *r, struct store *store, int64_t run, int64_t start_ns)
{
	json_t *j = r->too_long ? NULL : json_loadb(r->line->str, r->line->len, 0, NULL);
	int rc = json_is_object(j) ? take_line(r, j, store, run, start_ns) : -EBADMSG;

	json_decref(j);
	g_string_truncate(r->line, 0);
	r->too_long = false;
	if (rc != -EBADMSG)
		return rc;
	r->malformed++;
	return 0;
}

static int take(struct results *r, const char *bytes, size_t n, struct store *store, int64_t run,
		int64_t start_ns)
{
	int rc = 0;

	while (n && !rc) {
		const char *end = memchr(bytes, '\n', n);
		size_t part = end ? (size_t)(end - bytes) : n;

		if (r->line->len + part > LINE_MAX_BYTES)
			r->too_long = true;
		if (!r->too_long)
			g_string_append_len(r->line, bytes, (gssize)part);
		if (end) {
			rc = end_line(r, store, run, start_ns);
			part++;
		}
		bytes += part;
		n -= part;
	}
	return rc;
}

int results_read(struct results *r, struct store *store, int64_t run, int64_t start_ns)
{
	char bytes[65536];
	int rc = 0;

	while (!rc && r->fd >= 0) {
		ssize_t n = read(r->fd, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 0;
		if (n == 0)
			close_fd(&r->fd);
		else
			rc = take(r, bytes, (size_t)n, store, run, start_ns);
	}
	return rc;
}

int results_finish(struct results *r, struct store *store, int64_t run, int64_t start_ns)
{
	int rc = results_read(r, store, run, start_ns);

	if (!rc && r->line->len)
		rc = end_line(r, store, run, start_ns);
	return rc ? rc
		  : store_loss(store, run, 0, "malformed_results", r->malformed,
			       "lines of the benchmark that could not be understood");
}

void results_facts(const struct results *r, void (*fact)(void *ctx, const char *key, const char *value),
		   void *ctx)
{
	GHashTableIter iter;
	void *key, *value;

	g_hash_table_iter_init(&iter, r->facts);
	while (g_hash_table_iter_next(&iter, &key, &value))
		fact(ctx, key, value);
}

void results_free(struct results *r)
{
	if (!r)
		return;
	close_fd(&r->fd);
	close_fd(&r->workload_fd);
	g_string_free(r->line, TRUE);
	g_free(r->bench);
	g_hash_table_unref(r->facts);
	g_free(r);
}
