// The lab's plugin without its emulator: the cache model against what is known of it, and the truth file's
// reader against whole, cut and damaged files.
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/truth.h"
#include "host/labcall.h"
#include "run/truth.h"
#include "scripts/plugin/cache.h"
#include "stats/hotness.h"
#include "store/store.h"
#include "store/store_read.h"
#include "store/truth.h"
#include "store/values.h"

struct options options;
struct cache_set *cache_sets;
uint32_t cache_mask;

// --- the cache

static void make_cache(uint32_t sets, uint32_t ways)
{
	g_free(cache_sets);
	cache_sets = g_malloc0_n(sets, sizeof(*cache_sets));
	cache_mask = sets - 1;
	options.cache_ways = ways;
}

static void fills_once(void **state)
{
	(void)state;
	make_cache(64, 16);
	for (uint64_t line = 0; line < 64 * 16; line++)
		assert_int_equal(cache_access(line, false), CACHE_CLEAN);
	for (uint64_t line = 0; line < 64 * 16; line++)
		assert_int_equal(cache_access(line, false), CACHE_HIT);
}

static void streams_miss(void **state) // twice as much as it holds, again and again: nothing stays
{
	(void)state;
	make_cache(64, 16);
	for (int pass = 0; pass < 3; pass++)
		for (uint64_t line = 0; line < 2 * 64 * 16; line++)
			assert_int_not_equal(cache_access(line, false), CACHE_HIT);
}

static void writes_back(void **state) // each dirty line once, and only those
{
	bool back[256] = {false};
	guint n = 0;

	(void)state;
	make_cache(16, 8);
	for (uint64_t line = 0; line < 128; line++)
		cache_access(line, line % 2);
	for (uint64_t line = 128; line < 256; line++) {
		uint64_t victim = cache_access(line, false);

		assert_int_not_equal(victim, CACHE_HIT);
		if (victim == CACHE_CLEAN)
			continue;
		assert_true(victim < 128 && victim % 2 && !back[victim]);
		back[victim] = true;
		n++;
	}
	assert_int_equal(n, 64);
}

static void keeps_what_is_used(void **state)
{
	guint hits = 0;

	(void)state;
	make_cache(1, 16);
	cache_access(0, false);
	for (uint64_t line = 1; line < 1000; line++) {
		cache_access(line, false);
		hits += cache_access(0, false) == CACHE_HIT;
	}
	assert_true(hits > 900);
}

// A line that only the CPU still has is written to: the shared cache takes it in again, and what that drives
// out is dirty and goes back, though memory gives nothing.
static void writes_back_for_the_first_level(void **state)
{
	uint64_t lines[L1_LINES] = {0}, victim;

	(void)state;
	make_cache(1, 1);
	assert_true(cache_fetches(lines, 1, false, &victim));
	assert_int_equal(victim, CACHE_CLEAN);
	assert_true(cache_fetches(lines, 2, true, &victim));
	assert_int_equal(victim, CACHE_CLEAN);
	assert_false(cache_fetches(lines, 1, false, &victim));
	assert_int_equal(victim, CACHE_CLEAN);
	assert_false(cache_fetches(lines, 1, true, &victim));
	assert_int_equal(victim, 2);
	assert_false(cache_fetches(lines, 1, true, &victim));
	assert_int_equal(victim, CACHE_CLEAN);
}

// --- the truth file

static char *path;

static void put(GByteArray *b, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		g_byte_array_append(b, (const guint8[]){(guint8)(value | 0x80)}, 1);
	g_byte_array_append(b, (const guint8[]){(guint8)value}, 1);
}

static void record(GByteArray *file, char type, const uint64_t *values, size_t n, const char *text)
{
	g_autoptr(GByteArray) b = g_byte_array_new();

	for (size_t i = 0; i < n; i++)
		put(b, values[i]);
	g_byte_array_append(b, (const guint8 *)text, (guint)strlen(text));
	g_byte_array_append(file, (const guint8 *)&type, 1);
	put(file, b->len);
	g_byte_array_append(file, b->data, b->len);
}

static GByteArray *sample_file(void)
{
	const struct truth_header h = {.magic = TRUTH_MAGIC,
				       .version = TRUTH_VERSION,
				       .header_bytes = sizeof(h),
				       .page_shift = 12,
				       .cpus = 2,
				       .tiers = 2,
				       .ranges = 2,
				       .interval_ns = 100000000,
				       .range = {{0, 1 << 30, 0, 0}, {1ull << 32, 1 << 30, 1, 0}}};
	GByteArray *file = g_byte_array_new();

	g_byte_array_append(file, (const guint8 *)&h, sizeof(h));
	record(file, TRUTH_SYNC, (const uint64_t[]){5, 1, 7, 8, 9, 9}, 6, "mark\x01");
	record(file, '?', (const uint64_t[]){1}, 1, "a record of the future");
	record(file, TRUTH_INTERVAL, (const uint64_t[]){1,  1000, 500, 70, 30, 4,          3,  2,  1, 2,
							17, 10,   5,   2,  1,  1ull << 20, 60, 25, 2, 2},
	       20, "");
	record(file, TRUTH_END, (const uint64_t[]){2000, 70, 30, 0, 10, 0, 0, 0}, 8, "");
	return file;
}

// Without waiting for the disk: there are thousands.
static void give_file(const GByteArray *file)
{
	FILE *out;

	g_unlink(path); // a file that is truncated and written again is flushed
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(file->data, 1, file->len, out), file->len);
	assert_int_equal(fclose(out), 0);
}

// Reads it all; the sum of what it holds, so that nothing is optimised away.
static int read_all(const GByteArray *file, guint *events)
{
	struct truth *t = NULL;
	struct truth_event e;
	int rc;

	give_file(file);
	*events = 0;
	rc = truth_open(path, &t);
	if (rc)
		return rc;
	while ((rc = truth_next(t, &e)) > 0) {
		uint64_t last = 0;

		++*events;
		for (size_t i = 0; i < e.n_pages; i++) {
			assert_true(!i || e.pages[i].frame > last);
			last = e.pages[i].frame;
		}
		assert_true(strlen(e.text) < sizeof(e.text));
	}
	truth_free(t);
	return rc;
}

static void whole_file(void **state)
{
	g_autoptr(GByteArray) file = sample_file();
	struct truth *t = NULL;
	struct truth_event e;

	(void)state;
	give_file(file);
	assert_int_equal(truth_open(path, &t), 0);
	assert_int_equal(truth_next(t, &e), 1);
	assert_int_equal(e.type, TRUTH_SYNC);
	assert_int_equal(e.clock_ns[0], 7);
	assert_string_equal(e.text, "mark?");
	assert_int_equal(truth_next(t, &e), 1);
	assert_int_equal(e.type, TRUTH_INTERVAL);
	assert_int_equal(e.end_ns, 1500);
	assert_int_equal(e.n_pages, 2);
	assert_int_equal(e.pages[1].frame, 17 + (1 << 20));
	assert_int_equal(e.pages[1].writes, 25);
	assert_int_equal(truth_tier(t, e.pages[0].frame), 0);
	assert_int_equal(truth_tier(t, e.pages[1].frame), 1);
	assert_int_equal(truth_tier(t, 1ull << 19), -1);
	assert_int_equal(truth_next(t, &e), 1);
	assert_int_equal(e.type, TRUTH_END);
	assert_int_equal(truth_next(t, &e), 0);
	truth_free(t);
}

static void cut_file(void **state) // at each byte: an error, or the records before
{
	g_autoptr(GByteArray) file = sample_file();
	guint events, whole = 0;

	(void)state;
	for (guint n = file->len; n-- > 0;) {
		g_byte_array_set_size(file, n);
		whole += read_all(file, &events) == 0;
	}
	assert_int_equal(whole, 4); // between two records
}

static void damaged_file(void **state) // bytes changed at random: never more than an error
{
	(void)state;
	g_random_set_seed(1);
	for (int i = 0; i < 20000; i++) {
		g_autoptr(GByteArray) file = sample_file();
		guint events, n = (guint)g_random_int_range(1, 4);

		for (guint k = 0; k < n; k++)
			file->data[g_random_int_range(0, (gint)file->len)] =
			    (guint8)g_random_int_range(0, 256);
		read_all(file, &events);
		assert_true(events <= file->len);
	}
}

static void other_files(void **state)
{
	g_autoptr(GByteArray) file = sample_file();
	struct truth_header *h = (struct truth_header *)file->data;
	struct truth *t = NULL;
	guint events;

	(void)state;
	assert_int_equal(truth_open("/nonexistent/truth", &t), -ENOENT);
	h->version = 2;
	assert_int_equal(read_all(file, &events), -EPROTO);
	assert_non_null(strstr(err_text(), "version 2"));
	h->version = TRUTH_VERSION;
	h->range[1].tier = 2;
	assert_int_equal(read_all(file, &events), -EBADMSG);
	g_byte_array_set_size(file, 3);
	assert_int_equal(read_all(file, &events), -EBADMSG);
}

// --- samplers against the truth

static void perfect_view(void **state)
{
	struct hotness_page p[100];
	struct hotness h;

	(void)state;
	for (int i = 0; i < 100; i++)
		p[i] = (struct hotness_page){i, i % 2 ? i : 0, 3 * i};
	h = stats_hotness(p, 100, 20);
	assert_float_equal(h.precision, 1, 1e-9);
	assert_float_equal(h.recall, 1, 1e-9);
	assert_float_equal(h.rank, 1, 1e-9);
	assert_float_equal(h.bias, 0, 1e-9);
	for (int i = 0; i < 100; i++)
		p[i].score = 100 - i;
	h = stats_hotness(p, 100, 20);
	assert_float_equal(h.precision, 0, 1e-9);
	assert_float_equal(h.rank, -1, 1e-9);
}

static void partial_view(void **state) // sees four pages, two of them hot, only in fast memory
{
	struct hotness_page p[8] = {{80, 80, 1}, {70, 0, 0}, {60, 60, 1}, {50, 0, 0},
				    {4, 4, 1},   {3, 0, 0},  {2, 2, 1},   {1, 0, 0}};
	struct hotness h = stats_hotness(p, 8, 4);

	(void)state;
	assert_float_equal(h.precision, 0.5, 1e-9);
	assert_float_equal(h.recall, 0.5, 1e-9);
	assert_float_equal(h.bias, 1 - 146.0 / 270, 1e-9);
	h = stats_hotness(p, 0, 4);
	assert_true(isnan(h.precision) && isnan(h.recall) && isnan(h.rank) && isnan(h.bias));
	for (int i = 0; i < 8; i++)
		p[i].score = 0;
	h = stats_hotness(p, 8, 4);
	assert_float_equal(h.recall, 0, 1e-9);
	assert_true(isnan(h.precision) && isnan(h.rank) && isnan(h.bias));
	for (int i = 0; i < 8; i++)
		p[i] = (struct hotness_page){0, 0, 5};
	h = stats_hotness(p, 8, 0);
	assert_true(isnan(h.recall) && isnan(h.rank) && isnan(h.bias));
}

// --- the join

#define SECOND 1000000000ll
#define SLOW (1ull << 20) // a frame of the second range
#define UNIX_BEGIN (1700000000 * SECOND)

static GByteArray *file_of_run(const char *uuid)
{
	const struct truth_header h = {.magic = TRUTH_MAGIC,
				       .version = TRUTH_VERSION,
				       .header_bytes = sizeof(h),
				       .page_shift = 12,
				       .cpus = 1,
				       .tiers = 2,
				       .ranges = 2,
				       .interval_ns = SECOND / 10,
				       .cache_bytes = 1 << 20,
				       .range = {{0, 1 << 30, 0, 0}, {1ull << 32, 1 << 30, 1, 0}}};
	GByteArray *file = g_byte_array_new();

	g_byte_array_append(file, (const guint8 *)&h, sizeof(h));
	// the guest began 5 s before the run
	record(file, TRUTH_SYNC, (const uint64_t[]){5 * SECOND, LABCALL_RUN_BEGINS, 0, UNIX_BEGIN, 0, 0}, 6,
	       uuid);
	// four seconds: each tenth, 3 fills of frame 10, 1 of the slow frame, 50 of a stranger's
	for (uint64_t i = 0; i < 40; i++)
		record(file, TRUTH_INTERVAL,
		       (const uint64_t[]){0,
					  5 * SECOND + i * SECOND / 10,
					  SECOND / 10,
					  100,
					  20,
					  53,
					  1,
					  0,
					  0,
					  3,
					  10,
					  30,
					  10,
					  2,
					  1,
					  1,
					  50,
					  0,
					  50,
					  0,
					  SLOW - 11,
					  20,
					  10,
					  1,
					  0},
		       25, "");
	return file;
}

static void put_mark(GByteArray *file, enum labcall_sync kind, uint64_t t_ns, uint64_t run_ns,
		     const char *uuid)
{
	record(file, TRUTH_SYNC, (const uint64_t[]){t_ns, kind, run_ns, UNIX_BEGIN + run_ns, 0, 0}, 6, uuid);
}

static void put_end(GByteArray *file, uint64_t failed, uint64_t lost)
{
	record(file, TRUTH_END, (const uint64_t[]){10 * SECOND, 4000, 800, 0, 99, failed, 0, lost}, 8, "");
}

static GByteArray *whole_file_of_run(const char *uuid)
{
	GByteArray *file = file_of_run(uuid);

	put_mark(file, LABCALL_RUN_ENDS, 9 * SECOND, 4 * SECOND, uuid);
	put_end(file, 0, 0);
	return file;
}

static void give_places(struct store *store, int64_t run, int64_t t_ns, uint64_t frame)
{
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(struct store_place));
	const struct store_place p[] = {{100, 10}, {101, frame}, {200, 500}};

	g_array_append_vals(places, p, G_N_ELEMENTS(p));
	assert_int_equal(store_places(store, run, t_ns, 7, 1000, places), 0);
}

static void give_view(struct store *store, int64_t run, const char *sampler, int64_t t_ns, uint64_t page,
		      uint64_t score)
{
	g_autoptr(GArray) scores = g_array_new(FALSE, FALSE, sizeof(struct store_score));
	const struct store_score s = {7, page, score};

	g_array_append_val(scores, s);
	assert_int_equal(store_view(store, run, sampler, t_ns, scores), 0);
}

// In the second after 1 s page 100 is hot. One says 101, in Unix time; the other 100 twice, and 101 once.
static void give_views(struct store *store, int64_t run)
{
	give_view(store, run, "bad", UNIX_BEGIN + SECOND + SECOND / 5, 101, 5);
	give_view(store, run, "good", SECOND + SECOND / 4, 100, 1);
	give_view(store, run, "good", SECOND + SECOND / 3, 101, 1);
	give_view(store, run, "good", SECOND + SECOND / 2, 100, 1);
}

static const struct store_series_row *find_series(GArray *series, const char *name)
{
	for (guint i = 0; i < series->len; i++)
		if (!strcmp(g_array_index(series, struct store_series_row, i).name, name))
			return &g_array_index(series, struct store_series_row, i);
	return NULL;
}

static int64_t last_of(struct store *store, int64_t run, const char *name)
{
	g_autoptr(GArray) series = NULL;
	const struct store_series_row *row;

	assert_int_equal(store_read_series(store, run, &series), 0);
	row = find_series(series, name);
	if (!row)
		fail_msg("no series %s", name);
	return row->last;
}

static double mean_of(struct store *store, int64_t run, const char *name)
{
	g_autoptr(GArray) series = NULL, samples = NULL;
	const struct store_series_row *row;
	struct store_level level;

	assert_int_equal(store_read_series(store, run, &series), 0);
	row = find_series(series, name);
	if (!row)
		return NAN;
	assert_int_equal(store_read_samples(store, row->id, &samples), 0);
	assert_int_equal(
	    store_read_level(store, row->id,
			     g_array_index(samples, struct store_sample_row, samples->len - 1).t_ns, &level),
	    0);
	return level.mean;
}

struct joined { // a run with snapshots, and what joining a file to it gave
	char *db;
	struct store *store;
	struct store_run_row row;
	int64_t run;
	struct truth_join_result result;
};

static void begin_run(struct joined *j)
{
	const struct store_run info = {.name = "w",
				       .system = "none",
				       .argv = (const char *const[]){"w", NULL},
				       .iteration = 1,
				       .started_unix_ns = 1,
				       .interval_ms = 100};

	*j = (struct joined){.db = g_strconcat(path, ".db", NULL)};
	assert_int_equal(store_open(j->db, STORE_WRITE, &j->store), 0);
	assert_int_equal(store_run_begin(j->store, &info, &j->run), 0);
	assert_int_equal(store_find_run(j->store, "1", &j->row), 0);
	for (int i = 0; i < 9; i++)
		give_places(j->store, j->run, i * SECOND / 2, SLOW);
}

static void end_run(struct joined *j)
{
	store_close(j->store);
	g_unlink(j->db);
	g_free(j->db);
}

static int join(struct joined *j, const GByteArray *file)
{
	const struct truth_join_options options = {path, SECOND, 0.7};

	j->result = (struct truth_join_result){0};
	give_file(file);
	return truth_join(j->store, &j->row, &options, &j->result);
}

static uint64_t loss_of(struct joined *j, const char *kind)
{
	g_autoptr(GArray) losses = NULL;

	assert_int_equal(store_read_losses(j->store, j->run, &losses), 0);
	for (guint i = 0; i < losses->len; i++)
		if (!strcmp(g_array_index(losses, struct store_loss_row, i).kind, kind))
			return (uint64_t)g_array_index(losses, struct store_loss_row, i).count;
	return UINT64_MAX;
}

static void joins(void **state)
{
	g_autoptr(GByteArray) file = NULL;
	struct joined j;

	(void)state;
	begin_run(&j);
	file = whole_file_of_run(j.row.uuid);
	give_views(j.store, j.run);
	assert_int_equal(join(&j, file), 0);
	assert_int_equal(last_of(j.store, j.run, "truth.view.bad.precision"), 0);
	assert_int_equal(last_of(j.store, j.run, "truth.view.good.precision"), 1000000);
	assert_int_equal(last_of(j.store, j.run, "truth.view.good.rank"), 1000000);
	assert_int_equal(j.result.windows, 4);
	assert_int_equal(j.result.clock_error_ns, 0);
	assert_true(j.result.whole);
	assert_int_equal(j.result.outside, 0);
	assert_int_equal(loss_of(&j, "truth_lost"), 0);
	assert_float_equal(j.result.doubt_share, 0, 1e-9);
	assert_float_equal(j.result.own_share, 70.0 / 120, 1e-9);
	assert_int_equal(last_of(j.store, j.run, "truth.fast"), 3 * 40);
	assert_int_equal(last_of(j.store, j.run, "truth.slow"), 40);
	// both its pages have room in fast memory
	assert_int_equal(last_of(j.store, j.run, "truth.oracle_fast"), 4 * 40);
	assert_int_equal(last_of(j.store, j.run, "truth.hot"), 1);
	assert_int_equal(last_of(j.store, j.run, "truth.hot_fast"), 1);
	// the page moves from another frame between the snapshots at 1.5 s and at 2 s: half a second is in
	// doubt
	for (int i = 0; i < 4; i++)
		give_places(j.store, j.run, i * SECOND / 2, SLOW + 7);
	assert_int_equal(join(&j, file), 0);
	assert_int_equal(last_of(j.store, j.run, "truth.slow"), 25);
	assert_int_equal(last_of(j.store, j.run, "truth.doubt"), 5);
	// each second has its weight, the last one too
	assert_float_equal(mean_of(j.store, j.run, "truth.touched"), (1 + 2 + 2 + 2) / 4.0, 0.01);
	end_run(&j);
}

// What the plugin says of itself at the end is not passed over.
static void plugins_last_word(void **state)
{
	g_autoptr(GByteArray) file = NULL, wrong = NULL;
	struct joined j;

	(void)state;
	begin_run(&j);
	file = file_of_run(j.row.uuid);
	put_mark(file, LABCALL_RUN_ENDS, 9 * SECOND, 4 * SECOND, j.row.uuid);
	wrong = g_byte_array_new();
	g_byte_array_append(wrong, file->data, file->len);
	put_end(wrong, 3, 0);
	put_end(file, 0, 5);
	assert_int_equal(join(&j, wrong), -EBADMSG);
	assert_non_null(strstr(err_text(), "3 of 99 physical addresses"));
	assert_int_equal(loss_of(&j, "truth_lost"), UINT64_MAX);
	assert_int_equal(join(&j, file), 0);
	assert_int_equal(loss_of(&j, "truth_lost"), 5);
	end_run(&j);
}

static void add_half_record(GByteArray *file)
{
	g_byte_array_append(file, (const guint8[]){TRUTH_INTERVAL, 100, 1, 2}, 4);
}

// The guest was killed: no mark at the run's end, none of the plugin's, half a record. The run's last
// snapshot that set a mark relates the clocks, which went apart by a millisecond.
static void killed_guest(void **state)
{
	g_autoptr(GByteArray) file = NULL;
	g_autoptr(GArray) missing = NULL;
	struct joined j;
	guint found = 0;

	(void)state;
	begin_run(&j);
	file = file_of_run(j.row.uuid);
	add_half_record(file);
	assert_int_equal(join(&j, file), -ENODATA); // how the clocks relate was not measured
	g_byte_array_set_size(file, file->len - 4);
	put_mark(file, LABCALL_SNAPSHOT, 8 * SECOND + SECOND / 2, 3 * SECOND + SECOND / 2 - 1000000,
		 j.row.uuid);
	add_half_record(file);
	assert_int_equal(join(&j, file), 0);
	assert_false(j.result.whole);
	assert_int_equal(j.result.clock_error_ns, 1000000);
	assert_int_equal(j.result.windows, 4);
	assert_in_range(last_of(j.store, j.run, "truth.fast"), 3 * 35, 3 * 35);
	assert_int_equal(store_read_not_measured(j.store, j.run, &missing), 0);
	for (guint i = 0; i < missing->len; i++)
		found += !strcmp(g_array_index(missing, struct store_pair, i).key, STORE_TRUTH_END);
	assert_int_equal(found, 1);
	end_run(&j);
}

// A sampler is judged by its own pages, whatever another one says, and also where it says nothing.
static void samplers_apart(void **state)
{
	g_autoptr(GByteArray) file = NULL;
	double rank;
	struct joined j;

	(void)state;
	begin_run(&j);
	file = whole_file_of_run(j.row.uuid);
	give_view(j.store, j.run, "one", SECOND / 2, 100, 1);
	give_view(j.store, j.run, "one", 3 * SECOND + SECOND / 2, 100, 1);
	assert_int_equal(join(&j, file), 0);
	rank = mean_of(j.store, j.run, "truth.view.one.rank");
	// found the hot page in the first and in the last of four seconds
	assert_float_equal(mean_of(j.store, j.run, "truth.view.one.recall"), 500000, 1);
	assert_float_equal(mean_of(j.store, j.run, "truth.view.one.precision"), 1000000, 1);
	for (uint64_t page = 5000; page < 5010; page++)
		give_view(j.store, j.run, "another", SECOND / 4 + (int64_t)page, page, page);
	assert_int_equal(join(&j, file), 0);
	assert_float_equal(mean_of(j.store, j.run, "truth.view.one.rank"), rank, 0.001);
	end_run(&j);
}

// Nobody accessed anything: there is no share, precision or rank, which is not 0.
static void quiet_run(void **state)
{
	g_autoptr(GByteArray) file = g_byte_array_new();
	struct joined j;

	(void)state;
	begin_run(&j);
	give_view(j.store, j.run, "one", SECOND / 2, 100, 1);
	{
		g_autoptr(GByteArray) busy = file_of_run(j.row.uuid);

		g_byte_array_append(file, busy->data, sizeof(struct truth_header));
	}
	put_mark(file, LABCALL_RUN_BEGINS, 5 * SECOND, 0, j.row.uuid);
	put_mark(file, LABCALL_RUN_ENDS, 9 * SECOND, 4 * SECOND, j.row.uuid);
	put_end(file, 0, 0);
	assert_int_equal(join(&j, file), 0);
	assert_int_equal(j.result.windows, 4);
	assert_true(isnan(mean_of(j.store, j.run, "truth.fast_share")));
	assert_true(isnan(mean_of(j.store, j.run, "truth.view.one.recall")));
	assert_true(isnan(mean_of(j.store, j.run, "truth.view.one.rank")));
	assert_true(isnan(mean_of(j.store, j.run, "truth.view.one.bias")));
	end_run(&j);
}

// Numbers that are as great as they can be, and a file that says that it is of a thousand years.
static void hostile_files(void **state)
{
	const uint64_t most[] = {0, 6 * SECOND, 1, UINT64_MAX / 2, 0, 0, 0, 0, 0, 0};
	g_autoptr(GByteArray) file = NULL, late = NULL, marks = NULL;
	struct joined j;

	(void)state;
	begin_run(&j);
	file = file_of_run(j.row.uuid);
	record(file, TRUTH_INTERVAL, most, G_N_ELEMENTS(most), "");
	put_mark(file, LABCALL_RUN_ENDS, 9 * SECOND, 4 * SECOND, j.row.uuid);
	assert_int_equal(join(&j, file), -EBADMSG);
	late = file_of_run(j.row.uuid);
	record(late, TRUTH_INTERVAL, (const uint64_t[]){0, 1ull << 59, 1, 1, 0, 0, 0, 0, 0, 0}, 10, "");
	put_mark(late, LABCALL_RUN_ENDS, 1ull << 59, (1ull << 59) - 5 * SECOND, j.row.uuid);
	put_end(late, 0, 0);
	assert_int_equal(join(&j, late), 0);
	assert_int_equal(j.result.windows, 4); // the run's, not the file's
	marks = file_of_run(j.row.uuid);
	put_mark(marks, LABCALL_RUN_ENDS, 9 * SECOND, UINT64_MAX, j.row.uuid);
	assert_int_equal(join(&j, marks), -EBADMSG);
	end_run(&j);
}

// Bytes changed at random: an answer or an error, and never more windows than the run has.
static void damaged_joins(void **state)
{
	guint joined = 0;
	struct joined j;

	(void)state;
	begin_run(&j);
	give_views(j.store, j.run);
	g_random_set_seed(2);
	for (int i = 0; i < 100; i++) {
		g_autoptr(GByteArray) file = whole_file_of_run(j.row.uuid);

		for (guint k = 0, n = (guint)g_random_int_range(1, 4); k < n; k++)
			file->data[g_random_int_range(0, (gint)file->len)] =
			    (guint8)g_random_int_range(0, 256);
		joined += join(&j, file) == 0;
		assert_true(j.result.windows <= 4);
	}
	assert_true(joined > 5 && joined < 100);
	end_run(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fills_once),
	    cmocka_unit_test(streams_miss),
	    cmocka_unit_test(writes_back),
	    cmocka_unit_test(keeps_what_is_used),
	    cmocka_unit_test(writes_back_for_the_first_level),
	    cmocka_unit_test(whole_file),
	    cmocka_unit_test(cut_file),
	    cmocka_unit_test(damaged_file),
	    cmocka_unit_test(other_files),
	    cmocka_unit_test(perfect_view),
	    cmocka_unit_test(partial_view),
	    cmocka_unit_test(joins),
	    cmocka_unit_test(plugins_last_word),
	    cmocka_unit_test(killed_guest),
	    cmocka_unit_test(samplers_apart),
	    cmocka_unit_test(quiet_run),
	    cmocka_unit_test(hostile_files),
	    cmocka_unit_test(damaged_joins),
	};
	g_autofree char *dir = g_dir_make_tmp("mmprof-truth.XXXXXX", NULL);
	int failed;

	path = g_build_filename(dir, "truth", NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	g_unlink(path);
	g_rmdir(dir);
	g_free(path);
	g_free(cache_sets);
	return failed;
}
