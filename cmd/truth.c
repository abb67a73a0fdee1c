// `mmprof truth`: what the lab's plugin saw (scripts/lab --truth FILE): shows such a file, and joins it to a
// run.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/truth.h"
#include "cmd/query.h"
#include "host/labcall.h"
#include "run/truth.h"
#include "store/store_read.h"
#include "store/truth.h"

static int truth(int argc, const char **argv);
const struct command cmd_truth = {"truth", "exact memory accesses that the lab saw", truth};

static void give(struct doc_section *s, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void give(struct doc_section *s, const char *what, const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = g_strdup_vprintf(fmt, args);
	va_end(args);
	doc_row(s);
	doc_text(s, "%s", what);
	doc_text(s, "%s", text);
}

static void show_header(struct doc_section *s, const struct truth *t)
{
	static const char *const tier[] = {"fast", "slow"};
	const struct truth_header *h = truth_header(t);
	g_autoptr(GDateTime) start =
	    g_date_time_new_from_unix_local((gint64)(h->started_unix_ns / 1000000000));
	g_autofree char *when = start ? g_date_time_format(start, "%Y-%m-%d %H:%M:%S") : g_strdup("?");

	give(s, "begun", "%s", when);
	give(s, "interval", "%" PRIu64 " ms", h->interval_ns / 1000000);
	give(s, "processors", "%" PRIu32, h->cpus);
	if (h->cache_bytes)
		give(s, "cache", "%" PRIu64 " KiB, %" PRIu32 " ways, lines of %" PRIu32 " bytes",
		     h->cache_bytes >> 10, h->cache_ways, h->cache_line);
	for (int i = 0; i < TRUTH_TIERS; i++)
		if (h->latency_ns[i])
			give(s, tier[i], "%" PRIu64 " ns, %" PRIu64 " bytes/s", h->latency_ns[i],
			     h->bytes_per_s[i]);
	for (unsigned i = 0; i < h->ranges; i++)
		give(s, "memory", "%#" PRIx64 " + %" PRIu64 " MiB: %s", h->range[i].start,
		     h->range[i].bytes >> 20, tier[h->range[i].tier]);
}

static int show_events(struct doc_section *s, struct truth *t)
{
	struct truth_event e, sum = {0};
	uint64_t intervals = 0, pages = 0, mapped = 0, syncs = 0, moved = 0;
	bool whole = false;
	int rc;

	while ((rc = truth_next(t, &e)) > 0) {
		whole = e.type == TRUTH_END;
		if (e.type == TRUTH_SYNC) {
			syncs++;
			moved += e.told_frame && e.frame != e.told_frame;
		}
		if (whole)
			sum.t_ns = e.t_ns, sum.outside = e.outside, sum.checks = e.checks,
			sum.failed = e.failed, sum.waited_ns = e.waited_ns, sum.lost = e.lost;
		if (e.type != TRUTH_INTERVAL)
			continue;
		intervals++;
		pages += e.n_pages;
		sum.reads += e.reads;
		sum.writes += e.writes;
		for (size_t i = 0; i < e.n_pages; i++)
			mapped += e.pages[i].reads + e.pages[i].writes;
		for (int i = 0; i < TRUTH_TIERS; i++) {
			sum.fills[i] += e.fills[i];
			sum.write_backs[i] += e.write_backs[i];
		}
	}
	if (rc == -ENODATA) // in the middle of a record: the guest was killed
		rc = 0;
	give(s, "intervals", "%" PRIu64 " with %" PRIu64 " pages", intervals, pages);
	give(s, "reads", "%" PRIu64, sum.reads);
	give(s, "writes", "%" PRIu64, sum.writes);
	give(s, "of known pages", "%" PRIu64, mapped);
	give(s, "fills", "%" PRIu64 " fast, %" PRIu64 " slow", sum.fills[0], sum.fills[1]);
	give(s, "write-backs", "%" PRIu64 " fast, %" PRIu64 " slow", sum.write_backs[0], sum.write_backs[1]);
	give(s, "marks", "%" PRIu64 ", %" PRIu64 " of them with another page frame than the guest said",
	     syncs, moved);
	if (whole) {
		give(s, "length", "%.3f s, of which waiting for the tiers %.3f s", (double)sum.t_ns / 1e9,
		     (double)sum.waited_ns / 1e9);
		give(s, "outside",
		     "%" PRIu64 " accesses of no known page, before the kernel told where memory is",
		     sum.outside);
		give(s, "addresses", "%" PRIu64 " of %" PRIu64 " checked were wrong", sum.failed, sum.checks);
		give(s, "records lost", "%" PRIu64, sum.lost);
	} else if (!rc) {
		doc_note(s, "The file has no end: the guest was killed.");
	}
	return rc;
}

static int show(const struct query *q)
{
	static const struct doc_column columns[] = {{"what", "", DOC_PLAIN}, {"value", "", DOC_PLAIN}};
	struct doc *doc = doc_new("truth");
	struct doc_section *s = doc_section(doc, "truth", "Truth file", columns, G_N_ELEMENTS(columns));
	struct truth *t = NULL;
	int rc = truth_open(q->args->pdata[1], &t);

	if (!rc) {
		show_header(s, t);
		rc = show_events(s, t);
	}
	rc = rc ? command_fail(&cmd_truth, "%s", err_text()) : query_print(&cmd_truth, q, doc);
	truth_free(t);
	doc_free(doc);
	return rc;
}

static gint by_frame(gconstpointer a, gconstpointer b)
{
	const struct truth_page *x = *(const struct truth_page *const *)a,
				*y = *(const struct truth_page *const *)b;

	return (x->frame > y->frame) - (x->frame < y->frame);
}

static void add_to(void *key, void *page, void *sorted)
{
	(void)key;
	g_ptr_array_add(sorted, page);
}

static void add_page(GHashTable *pages, const struct truth_page *p)
{
	struct truth_page *sum = g_hash_table_lookup(pages, &p->frame);

	if (!sum) {
		sum = g_new0(struct truth_page, 1);
		sum->frame = p->frame;
		g_hash_table_insert(pages, &sum->frame, sum);
	}
	sum->reads += p->reads;
	sum->writes += p->writes;
	sum->read_fills += p->read_fills;
	sum->write_fills += p->write_fills;
}

// Intervals that lie between two marks; all where no marks are named.
static int add_between(struct truth *t, const char *from, const char *to, GHashTable *pages)
{
	bool inside = !from, found_from = !from, found_to = !to;
	struct truth_event e;
	int rc;

	while ((rc = truth_next(t, &e)) > 0) {
		if (e.type == TRUTH_SYNC && from && !strcmp(e.text, from))
			inside = found_from = true;
		if (e.type == TRUTH_SYNC && to && !strcmp(e.text, to)) {
			inside = false;
			found_to = true;
		}
		for (size_t i = 0; inside && i < e.n_pages; i++)
			add_page(pages, &e.pages[i]);
	}
	if (!rc && !(found_from && found_to))
		rc = err_set(-ENOENT, "no mark \"%s\" in this file", found_from ? to : from);
	return rc;
}

static int pages_of(const struct query *q)
{
	g_autoptr(GHashTable) pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	g_autoptr(GPtrArray) sorted = NULL;
	struct truth *t = NULL;
	guint n = q->args->len;
	int rc = truth_open(q->args->pdata[1], &t);

	if (!rc)
		rc =
		    add_between(t, n > 2 ? q->args->pdata[2] : NULL, n > 3 ? q->args->pdata[3] : NULL, pages);
	truth_free(t);
	if (rc)
		return command_fail(&cmd_truth, "%s", err_text());
	sorted = g_ptr_array_new();
	g_hash_table_foreach(pages, add_to, sorted);
	g_ptr_array_sort(sorted, by_frame);
	puts("frame,reads,writes,read_fills,write_fills");
	for (guint i = 0; i < sorted->len; i++) {
		const struct truth_page *p = sorted->pdata[i];

		printf("%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", p->frame, p->reads,
		       p->writes, p->read_fills, p->write_fills);
	}
	return 0;
}

static int import(const struct query *q)
{
	struct truth_join_options options = {
	    .path = q->args->pdata[1], .hot_share = 0.8, .window_ns = 1000000000};
	struct truth_join_result result = {0};
	struct store *store = NULL;
	struct store_run_row run;
	int rc = store_open(command_db_path(q->db), STORE_CHANGE, &store);

	if (!rc)
		rc = store_find_run(store, q->args->len > 2 ? q->args->pdata[2] : "last", &run);
	if (!rc)
		rc = truth_join(store, &run, &options, &result);
	store_close(store);
	if (rc)
		return command_fail(&cmd_truth, "%s", err_text());
	printf("run %" PRIi64 ": %" PRIu64 " windows, %" PRIu64
	       " snapshots; %.1f %% of the guest's accesses were to the "
	       "workload's pages, %.2f %% of their heat in doubt; clocks agree within %.0f us\n",
	       run.id, result.windows, result.snapshots, 100 * result.own_share, 100 * result.doubt_share,
	       result.clock_error_ns / 1e3);
	if (result.outside)
		printf("%" PRIu64 " of its accesses were to pages that the emulator does not know\n",
		       result.outside);
	if (!result.whole)
		puts("The file has no end: the guest was killed, and what came after its last whole record "
		     "is missing.");
	return 0;
}

struct view { // of one moment
	int64_t t_ns;
	GArray *scores;
};

static gint by_pid_and_page(gconstpointer a, gconstpointer b)
{
	const struct store_score *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->page > y->page) - (x->page < y->page);
}

static int end_view(struct store *store, int64_t run, const char *name, struct view *v)
{
	int rc = 0;

	g_array_sort(v->scores, by_pid_and_page);
	if (v->scores->len)
		rc = store_view(store, run, name, v->t_ns, v->scores);
	g_array_set_size(v->scores, 0);
	return rc;
}

struct line {
	double seconds;
	uint64_t pid, at, bytes, score;
};

static bool number(char *text, guint base, uint64_t *out)
{
	char *end, *first = g_strstrip(text);

	errno = 0;
	*out = g_ascii_strtoull(first, &end, base);
	return g_ascii_isdigit(*first) && !*end && !errno;
}

static bool read_line(const char *text, struct line *l)
{
	g_auto(GStrv) field = g_strsplit(text, ",", -1);
	char *end;

	if (g_strv_length(field) != 5)
		return false;
	l->seconds = g_ascii_strtod(g_strstrip(field[0]), &end);
	return *field[0] && !*end && l->seconds >= 0 && l->seconds < (double)INT64_MAX / 1e9 &&
	       number(field[1], 10, &l->pid) && number(field[2], 0, &l->at) &&
	       number(field[3], 10, &l->bytes) && number(field[4], 10, &l->score) && l->bytes &&
	       l->bytes - 1 <= UINT64_MAX - l->at;
}

#define MOST_SCORES (1u << 24) // in one view: 64 GiB of base pages

static int add_scores(struct view *v, guint number, const struct line *l)
{
	uint64_t last = (l->at + l->bytes - 1) / 4096;

	if (last - l->at / 4096 >= MOST_SCORES - v->scores->len)
		return err_set(-EINVAL, "line %u: more than %u pages in one view", number, MOST_SCORES);
	for (uint64_t page = l->at / 4096; page <= last; page++) {
		struct store_score s = {l->pid, page, l->score};

		g_array_append_val(v->scores, s);
	}
	return 0;
}

// Lines "SECONDS,PID,ADDRESS,BYTES,SCORE" by rising time; those of one time are one view.
static int read_views(struct store *store, int64_t run, const char *name, const char *text)
{
	struct view v = {0, g_array_new(FALSE, FALSE, sizeof(struct store_score))};
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	int rc = 0;

	for (guint i = 0; lines[i] && !rc; i++) {
		struct line l;
		int64_t t_ns;

		if (!*g_strstrip(lines[i]) || *lines[i] == '#')
			continue;
		if (!read_line(lines[i], &l)) {
			rc = err_set(-EINVAL, "line %u is not SECONDS,PID,ADDRESS,BYTES,SCORE", i + 1);
			break;
		}
		t_ns = (int64_t)(l.seconds * 1e9);
		if (t_ns < v.t_ns)
			rc = err_set(-EINVAL, "line %u: its time is before that of the line above", i + 1);
		else if (t_ns > v.t_ns)
			rc = end_view(store, run, name, &v);
		v.t_ns = t_ns;
		rc = rc ? rc : add_scores(&v, i + 1, &l);
	}
	rc = rc ? rc : end_view(store, run, name, &v);
	g_array_unref(v.scores);
	return rc;
}

static int view(const struct query *q)
{
	const char *name = q->args->pdata[1], *path = q->args->pdata[2];
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	struct store *store = NULL;
	struct store_run_row run;
	int rc;

	if (!g_regex_match_simple("^[a-z0-9_]{1,32}$", name, 0, 0))
		return command_fail(&cmd_truth, "a sampler's name has a-z, 0-9 and _, not \"%s\"", name);
	if (!g_file_get_contents(path, &text, NULL, &error))
		return command_fail(&cmd_truth, "%s", error->message);
	rc = store_open(command_db_path(q->db), STORE_CHANGE, &store);
	rc = rc ? rc : store_find_run(store, q->args->len > 3 ? q->args->pdata[3] : "last", &run);
	rc = rc ? rc : store_begin(store);
	rc = rc ? rc : store_forget_views(store, run.id, name);
	rc = rc ? rc : read_views(store, run.id, name, text);
	if (store && rc)
		store_rollback(store);
	rc = rc ? rc : store_commit(store);
	store_close(store);
	return rc ? command_fail(&cmd_truth, "%s", err_text()) : 0;
}

static int truth(int argc, const char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct query *q);
		guint least, most;
	} verbs[] = {
	    {"show", show, 2, 2}, {"pages", pages_of, 2, 4}, {"import", import, 2, 3}, {"view", view, 3, 4}};
	struct query q = {};
	const struct poptOption table[] = {QUERY_OPTIONS(q), POPT_AUTOHELP POPT_TABLEEND};
	int rc = query_options(
	    &cmd_truth, argc, argv, table,
	    "[OPTIONS] show FILE | pages FILE [MARK [MARK]] | import FILE [RUN] | view SAMPLER FILE "
	    "[RUN]\n\nshow, pages, import: FILE is what scripts/lab --truth "
	    "FILE wrote. pages: counts by page frame as CSV, between two marks. import: joins it to a run "
	    "(default: the "
	    "last one) that was recorded in that guest. view: how hot a sampler took pages for, lines of "
	    "SECONDS,PID,ADDRESS,BYTES,SCORE by rising time, which the next import judges.",
	    &q);

	for (size_t i = 0; !rc && i < G_N_ELEMENTS(verbs); i++) {
		if (!q.args->len || strcmp(q.args->pdata[0], verbs[i].name) || q.args->len < verbs[i].least ||
		    q.args->len > verbs[i].most)
			continue;
		rc = verbs[i].run(&q);
		query_clear(&q);
		return rc;
	}
	if (!rc)
		rc = command_fail(
		    &cmd_truth,
		    "show FILE, pages FILE [MARK [MARK]], import FILE [RUN], or view SAMPLER FILE [RUN]");
	query_clear(&q);
	return rc;
}
