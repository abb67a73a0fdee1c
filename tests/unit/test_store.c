// The store: what is written is read back, damage is noticed, and a dead writer leaves a usable file.
#include "raw_sql.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <sys/stat.h>

#include "store/buckets.h"
#include "store/internal.h"
#include "store/store_read.h"

// --- what is written is read back

static void everything_comes_back(void **state)
{
	struct store *s = open_ok(db, STORE_WRITE);
	int64_t id = sample_run(s, "e1", 1);
	struct store_run_row run;
	g_autoptr(GArray) list = NULL;
	const struct store_hist_row *h;

	(void)state;
	store_close(s);
	s = open_ok(db, STORE_READ);
	must(store_find_run(s, "last", &run));
	assert_int_equal(run.id, id);
	assert_string_equal(run.argv_json, "[\"./memhog\",\"--size\",\"256M\",\"two words\"]");
	assert_string_equal(run.status, "done");
	assert_int_equal(run.elapsed_ns, SAMPLE_ELAPSED_NS);
	assert_true(run.signal == STORE_NULL);
	assert_int_equal(run.exit_status, 0);
	must(store_read_hists(s, id, &list));
	assert_int_equal(list->len, 9);
	for (guint i = 0; i < list->len; i++) {
		uint64_t sum = 0;

		h = &g_array_index(list, struct store_hist_row, i);
		for (unsigned int b = 0; b < HIST_BUCKETS; b++)
			sum += h->buckets[b];
		assert_int_equal(sum, h->count);
		assert_true(h->sum_ns >= h->count * h->min_ns && h->sum_ns <= h->count * h->max_ns);
	}
	g_clear_pointer(&list, g_array_unref);
	must(store_read_counts(s, id, &list));
	assert_int_equal(list->len, 9);
	assert_int_equal(g_array_index(list, struct store_count_row, 0).probe,
			 g_array_index(list, struct store_count_row, 1).probe);
	g_clear_pointer(&list, g_array_unref);
	must(store_read_series(s, id, &list));
	assert_int_equal(list->len, 19);
	assert_string_equal(g_array_index(list, struct store_series_row, 0).name, "cpu.ksmd");
	assert_int_equal(g_array_index(list, struct store_series_row, 0).samples,
			 2); // first and last: it never moved
	store_close(s);
}

static void finding_runs(void **state)
{
	struct store *s = open_ok(db, STORE_WRITE);
	struct store_run_row run;
	g_autoptr(GArray) siblings = NULL;

	(void)state;
	assert_int_equal(store_find_run(s, "last", &run), -ENOENT);
	sample_begin(s, "e", 0);
	sample_begin(s, "e", 1);
	sample_begin(s, "other", 1);
	must(store_find_run(s, "2", &run));
	assert_int_equal(run.id, 2);
	must(store_read_siblings(s, &run, &siblings));
	assert_int_equal(siblings->len, 2);
	g_autofree char *prefix = g_strndup(run.uuid, 12);
	must(store_find_run(s, prefix, &run));
	assert_int_equal(run.id, 2);
	assert_int_equal(store_find_run(s, "99", &run), -ENOENT);
	assert_int_equal(store_find_run(s, "zzz", &run), -EINVAL);
	assert_int_equal(store_find_run(s, "", &run), -EINVAL);
	assert_int_equal(store_find_run(s, "ab", &run), -EINVAL);
	assert_int_equal(store_find_run(s, "9999999999999999999999", &run), -ENOENT);
	store_close(s);
	raw(db, "UPDATE run SET uuid = 'abcd' || id");
	s = open_ok(db, STORE_READ);
	assert_int_equal(store_find_run(s, "abcd", &run), -EEXIST);
	must(store_find_run(s, "ABCD3", &run));
	assert_int_equal(run.id, 3);
	store_close(s);
}

static void equal_facts_once(void **state)
{
	static const char *const keys[] = {"b", "a"}, *const values[] = {"2", "1"};
	static const char *const other_keys[] = {"a", "b"}, *const other_values[] = {"1", "2"};
	static const char *const joined[] = {"a\n1"}, *const none[] = {NULL};
	struct store *s = open_ok(db, STORE_WRITE);

	(void)state;
	must(store_run_facts(s, sample_begin(s, NULL, 1), keys, values, 2));
	must(store_run_facts(s, sample_begin(s, NULL, 1), other_keys, other_values, 2));
	must(store_run_facts(s, sample_begin(s, NULL, 1), keys, other_values, 2));
	must(store_run_facts(s, sample_begin(s, NULL, 1), joined, none, 1));
	must(store_run_facts(s, sample_begin(s, NULL, 1), NULL, NULL, 0));
	store_close(s);
	assert_int_equal(number(db, "SELECT count(*) FROM env"), 4);
	assert_int_equal(number(db, "SELECT count(*) FROM env_fact"), 5);
	assert_int_equal(number(db, "SELECT count(*) FROM run WHERE env_id = 1"), 2);
}

static void only_changes_are_stored(void **state)
{
	static const int64_t values[] = {5, 5, 5, 6, 6, 5, 5};
	struct store *s = open_ok(db, STORE_WRITE);
	int64_t run = sample_begin(s, NULL, 1), a, b;
	g_autoptr(GArray) samples = NULL;

	(void)state;
	must(store_series(s, run, "a", "count", false, &a));
	must(store_series(s, run, "a", "count", false, &b));
	assert_int_equal(a, b);
	for (int i = 0; i < 7; i++)
		must(store_sample(s, a, i - 1, values[i], i == 6));
	must(store_read_samples(s, a, &samples));
	assert_int_equal(samples->len, 4); // -1:5 2:6 4:5 5:5 (the last)
	assert_int_equal(g_array_index(samples, struct store_sample_row, 0).t_ns, -1);
	assert_int_equal(g_array_index(samples, struct store_sample_row, 3).t_ns, 5);
	store_close(s);
}

static int64_t count_samples(struct store *s, int64_t series)
{
	g_autoptr(GArray) samples = NULL;

	must(store_read_samples(s, series, &samples));
	return samples->len;
}

// Samples alone lock nobody out; anything else takes those before it along.
static void samples_wait(void **state)
{
	struct store *s = open_ok(db, STORE_WRITE), *other;
	int64_t run = sample_begin(s, NULL, 1), series, later;

	(void)state;
	must(store_series(s, run, "a", "count", false, &series));
	other = open_ok(db, STORE_WRITE);
	store_begin_later(s);
	for (int i = 0; i < 3; i++)
		must(store_sample(s, series, i, i, false));
	assert_int_equal(count_samples(s, series), 0);
	must(store_begin(other));
	must(store_note(other, run, "in between"));
	assert_int_equal(store_try_begin(s), -EBUSY);
	must(store_sample(s, series, 3, 3, false));
	must(store_commit(other));
	must(store_try_begin(s));
	assert_int_equal(store_try_begin(other), -EBUSY);
	must(store_commit(s));
	assert_int_equal(count_samples(other, series), 4);
	store_begin_later(s);
	must(store_sample(s, series, 4, 4, false));
	must(store_series(s, run, "b", "count", false, &later));
	assert_int_equal(store_try_begin(other), -EBUSY);
	assert_int_equal(count_samples(s, series), 5);
	store_rollback(s);
	assert_int_equal(count_samples(s, series), 4);
	store_begin_later(s);
	must(store_sample(s, series, 5, 5, false));
	store_close(s); // keeps what waits
	assert_int_equal(count_samples(other, series), 5);
	store_close(other);
}

static void more_than_2_63(void **state)
{
	struct store *s = open_ok(db, STORE_WRITE);
	int64_t run = sample_begin(s, NULL, 1);
	int64_t probe = sample_probe(
	    s, run, (struct store_probe){"f", "func", "f", "fentry", "attached", NULL, NULL, NULL});
	struct hist h = {.count = UINT64_MAX, .sum = UINT64_MAX, .min = 3, .max = INT64_MAX};
	g_autoptr(GArray) hists = NULL, losses = NULL;
	const struct store_hist_row *row;

	(void)state;
	h.buckets[3] = UINT64_MAX;
	must(
	    store_hist(s, probe, &(struct store_hist){"", "other", h.count, h.sum, h.min, h.max, h.buckets}));
	must(store_loss(s, run, 0, "big", 1ull << 63, "what it means"));
	must(store_read_hists(s, run, &hists));
	row = &g_array_index(hists, struct store_hist_row, 0);
	assert_true(row->count == STORE_NULL && row->sum_ns == STORE_NULL);
	assert_true(row->max_ns == INT64_MAX);
	assert_true(row->buckets[3] == UINT64_MAX);
	must(store_read_losses(s, run, &losses));
	assert_int_equal(losses->len, 3);
	assert_non_null(
	    strstr(g_array_index(losses, struct store_loss_row, 0).detail, "9223372036854775808 times"));
	assert_non_null(
	    strstr(g_array_index(losses, struct store_loss_row, 1).detail, "18446744073709551615"));
	store_close(s);
}

static void same_key_replaces(void **state)
{
	struct store *s = open_ok(db, STORE_WRITE);
	int64_t run = sample_begin(s, NULL, 1);
	int64_t probe = sample_probe(
	    s, run, (struct store_probe){"f", "func", "f", "fentry", "attached", NULL, NULL, NULL});
	g_autoptr(GArray) losses = NULL;

	(void)state;
	for (int i = 1; i <= 3; i++) {
		sample_hist(s, probe, "", "other", i * 100, 100);
		must(
		    store_count(s, probe, &(struct store_count){"", "other", 1, NULL, (uint64_t)i, true, i}));
		must(store_loss(s, run, probe, "k", (uint64_t)i, NULL));
		must(store_loss(s, run, 0, "k", (uint64_t)i, NULL));
		must(store_not_measured(s, run, "x", "y"));
		must(store_run_tag(s, run, "t", "v"));
	}
	must(store_read_losses(s, run, &losses));
	assert_int_equal(losses->len, 2);
	assert_int_equal(
	    store_hist(s, 999, &(struct store_hist){"", "x", 0, 0, 0, 0, (uint64_t[HIST_BUCKETS]){}}),
	    -EINVAL);
	store_close(s);
	assert_int_equal(number(db, "SELECT count FROM hist"), 300);
	assert_int_equal(number(db, "SELECT sum FROM probe_count"), 3);
}

static void bytes_that_are_no_text(void **state)
{
	static const char *const argv[] = {"a\xff\xfe", "\x1b[2J", NULL};
	struct store *s = open_ok(db, STORE_WRITE);
	struct store_run_row run;
	int64_t id;

	(void)state;
	must(store_run_begin(s, &(struct store_run){.name = "n\xff", .system = NULL, .argv = argv}, &id));
	must(store_find_run(s, "last", &run));
	assert_string_equal(run.name, "n\xef\xbf\xbd");
	assert_string_equal(run.system, "none");
	assert_string_equal(run.argv_json, "[\"a\xef\xbf\xbd\xef\xbf\xbd\",\"\\u001B[2J\"]");
	store_close(s);
}

static void a_run_that_never_ran(void **state)
{
	struct store *s = open_ok(db, STORE_WRITE);
	struct store_run_row run;
	int64_t id = sample_begin(s, NULL, 1);

	(void)state;
	must(store_run_end(
	    s, id,
	    &(struct store_result){
		.status = "failed", .status_why = "x", .exit_status = -1, .signal = -1, .bpf_ns = -1}));
	must(store_find_run(s, "last", &run));
	assert_true(run.elapsed_ns == STORE_NULL && run.minflt == STORE_NULL && run.bpf_ns == STORE_NULL);
	assert_int_equal(store_run_end(s, 77, sample_result()), -ENOENT);
	assert_int_equal(store_run_end(s, id, &(struct store_result){.status = "nonsense"}), -EINVAL);
	store_close(s);
}

// --- histogram blobs

static void buckets_round_trip(void **state)
{
	uint64_t in[HIST_BUCKETS], out[HIST_BUCKETS];

	(void)state;
	srandom(2);
	for (int round = 0; round < 2000; round++) {
		GByteArray *blob;

		for (unsigned int b = 0; b < HIST_BUCKETS; b++)
			in[b] = random() % 100 < round % 101 ? (uint64_t)random() << (random() % 34) : 0;
		if (round == 100)
			memset(in, 0xff, sizeof(in));
		blob = buckets_encode(in);
		assert_true(blob->len <= BUCKETS_MAX_BLOB);
		must(buckets_decode(blob->data ? blob->data : (guint8 *)"", blob->len, out));
		assert_memory_equal(in, out, sizeof(in));
		if (blob->len) // cut off: either refused or a shorter whole
			buckets_decode(blob->data, blob->len - 1, out);
		g_byte_array_unref(blob);
	}
}

static void damaged_buckets(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
	    {"\x01", 1},                                          // no count
	    {"\x80", 1},                                          // cut off
	    {"\x01\x00", 2},                                      // a count of 0
	    {"\x80\x00\x01", 3},                                  // a longer form than needed
	    {"\xd1\x04\x01", 3},                                  // bucket 593
	    {"\x01\x01\x00\x01", 4},                              // the same bucket twice
	    {"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11}, // more than 64 bits
	    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01", 11}, // a delta that wraps
	};
	uint64_t out[HIST_BUCKETS];
	uint8_t noise[64];
	char *long_blob = g_malloc0(BUCKETS_MAX_BLOB + 1);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_int_equal(buckets_decode(bad[i].bytes, bad[i].len, out), -EBADMSG);
	assert_int_equal(buckets_decode(long_blob, BUCKETS_MAX_BLOB + 1, out), -EBADMSG);
	g_free(long_blob);
	srandom(3);
	for (int i = 0; i < 200000; i++) {
		size_t n = (size_t)random() % sizeof(noise);

		for (size_t k = 0; k < n; k++)
			noise[k] = (uint8_t)random();
		buckets_decode(noise, n, out);
	}
	must(buckets_decode("\xd0\x04\x01", 3, out));
	assert_int_equal(out[HIST_OVERFLOW], 1);
}

static void damaged_rows(void **state)
{
	struct store *s = open_ok(db, STORE_WRITE);
	int64_t id = sample_run(s, NULL, 1);
	GArray *list = NULL;

	(void)state;
	store_close(s);
	raw(db, "UPDATE hist SET buckets = x'0100'");
	s = open_ok(db, STORE_READ);
	assert_int_equal(store_read_hists(s, id, &list), -EBADMSG);
	assert_null(list);
	store_close(s);
	raw(db, "UPDATE hist SET buckets = zeroblob(1000000)");
	s = open_ok(db, STORE_READ);
	assert_int_equal(store_read_hists(s, id, &list), -EBADMSG);
	store_close(s);
}

// --- crashes

static void dead_writers(void **state)
{
	struct store *s = open_ok(db, STORE_WRITE);
	g_autofree char *pstore = g_build_filename(dir, "pstore", NULL);
	g_autofree char *record = g_build_filename(pstore, "dmesg-efi-1", NULL);
	g_autoptr(GArray) runs = NULL;
	const struct store_run_row *run;

	(void)state;
	sample_run(s, NULL, 1);
	store_close(s);
	sample_killed_writer();
	sample_killed_writer(); // marks the first one
	s = open_ok(db, STORE_WRITE);
	sample_begin(s, NULL, 1); // ours: it lives
	store_close(s);
	store_close(open_ok(db, STORE_WRITE));
	raw(db, "UPDATE run SET status = 'running', boot_id = 'another-boot' WHERE id = 3");
	assert_int_equal(g_mkdir(pstore, 0755), 0);
	store_close(open_ok(db, STORE_WRITE));
	s = open_ok(db, STORE_READ);
	must(store_read_runs(s, &runs));
	run = &g_array_index(runs, struct store_run_row, 0);
	assert_string_equal(run[0].status, "done");
	assert_string_equal(run[1].status, "crashed");
	assert_non_null(strstr(run[1].status_why, "was killed during the run"));
	assert_non_null(strstr(run[2].status_why, "boot another-boot"));
	assert_string_equal(run[3].status, "running");
	store_close(s);
	raw(db, "UPDATE run SET status = 'running', started_unix_ns = 1000 WHERE id = 3");
	assert_true(
	    g_file_set_contents(record, "Panic#1 Part1\n<0>Kernel panic - not syncing: sysrq\n", -1, NULL));
	store_pstore_dir = pstore;
	store_close(open_ok(db, STORE_WRITE));
	store_pstore_dir = "/sys/fs/pstore";
	assert_int_equal(number(db,
				"SELECT count(*) FROM run WHERE status = 'crashed' AND status_why LIKE"
				" 'the machine crashed during the run: %Kernel panic - not syncing: sysrq%'"),
			 1);
}

static void reader_beside_writer(void **state)
{
	struct store *w = open_ok(db, STORE_WRITE), *r, *w2;
	struct store_run_row run;

	(void)state;
	sample_run(w, NULL, 1);
	r = open_ok(db, STORE_READ);
	must(store_find_run(r, "last", &run));
	assert_int_equal(run.id, 1);
	sample_run(w, NULL, 1);
	must(store_find_run(r, "last", &run));
	assert_int_equal(run.id, 2);
	w2 = open_ok(db, STORE_WRITE);
	sample_run(w2, NULL, 1);
	store_close(w);
	sample_run(w2, NULL, 1);
	store_close(r);
	store_close(w2);
	assert_int_equal(files_in(dir), 1);
	assert_int_equal(number(db, "SELECT count(*) FROM run WHERE status = 'done'"), 4);
}

// --- questions

static int n_rows;

static void take_columns(void *ctx, const char *const *names, int n)
{
	(void)ctx, (void)names, (void)n;
	n_rows = 0;
}

static int take_row(void *ctx, const struct store_cell *cells, int n)
{
	(void)ctx, (void)cells, (void)n;
	n_rows++;
	return 0;
}

static double twice(const struct store_cell *args, int n)
{
	return n == 1 && args[0].type == STORE_CELL_INT ? 2.0 * (double)args[0].i : NAN;
}

static void only_questions(void **state)
{
	static const char *const bad[] = {"DELETE FROM run",
					  "UPDATE run SET name = 'x'",
					  "DROP TABLE run",
					  "CREATE TABLE x (a)",
					  "ATTACH '/tmp/x.db' AS x",
					  "VACUUM",
					  "VACUUM INTO '/tmp/mmprof-vacuumed.db'",
					  "PRAGMA user_version = 7",
					  "PRAGMA journal_mode = DELETE",
					  "PRAGMA writable_schema = ON",
					  "BEGIN",
					  "SELECT 1; SELECT 2",
					  "SELECT load_extension('x')",
					  "",
					  " ; ",
					  "SELECT nothing FROM run",
					  "CREATE TEMP TABLE t (a)",
					  "INSERT INTO run_tag VALUES (1, 'a', 'b') RETURNING *",
					  "WITH x AS (SELECT 1) DELETE FROM run",
					  "EXPLAIN DELETE FROM run",
					  "REINDEX",
					  "ANALYZE"};
	static const char *const good[] = {
	    "SELECT * FROM v_run;",
	    "SELECT * FROM v_latency",
	    "SELECT * FROM v_count",
	    "SELECT * FROM v_counter_delta",
	    "SELECT * FROM v_fact",
	    "SELECT * FROM v_sample",
	    "PRAGMA table_info(run)",
	    "SELECT * FROM pragma_table_info('run')",
	    "SELECT j.value FROM run, json_each(argv_json) j",
	    "VALUES (1), (2)",
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9) SELECT * FROM n",
	    "SELECT twice(id) FROM run WHERE twice(id) = 2 AND twice('a') IS NULL",
	    "SELECT sql FROM sqlite_schema"};
	const struct store_query_sink sink = {take_columns, take_row, NULL};
	struct store *s = open_ok(db, STORE_WRITE);

	(void)state;
	sample_run(s, NULL, 1);
	store_close(s);
	s = open_ok(db, STORE_READ);
	must(store_add_function(s, "twice", 1, twice));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		if (store_query(s, bad[i], &sink) == 0)
			fail_msg("allowed: %s", bad[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		if (store_query(s, good[i], &sink) != 0 || n_rows == 0)
			fail_msg("%s: %s", good[i], err_text());
	store_close(s);
	assert_int_equal(files_in(dir), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sample_set_up, sample_tear_down)
	const struct CMUnitTest tests[] = {
	    T(everything_comes_back), T(finding_runs),
	    T(equal_facts_once),      T(only_changes_are_stored),
	    T(samples_wait),          T(more_than_2_63),
	    T(same_key_replaces),     T(bytes_that_are_no_text),
	    T(a_run_that_never_ran),  T(buckets_round_trip),
	    T(damaged_buckets),       T(damaged_rows),
	    T(dead_writers),          T(reader_beside_writer),
	    T(only_questions),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
