// Merging and deleting where the command line can't reach: databases that somebody made to harm, and what
// happens to each table.
#include "raw_sql.h"

#include <errno.h>

#include "store/merge.h"
#include "store/store_read.h"

static char *a, *b, *all;

static int set_up(void **state)
{
	sample_set_up(state);
	a = g_build_filename(dir, "a.db", NULL);
	b = g_build_filename(dir, "b.db", NULL);
	all = g_build_filename(dir, "all.db", NULL);
	return 0;
}

static int tear_down(void **state)
{
	g_free(a);
	g_free(b);
	g_free(all);
	return sample_tear_down(state);
}

// --- what a database holds, without its ids

static const char *const content[] = {
    "SELECT uuid, experiment, name, system, argv_json, cwd, user, boot_id, mmprof_pid, mmprof_start_ticks, "
    "version,"
    " iteration, warmup, status, status_why, started_unix_ns, interval_ms, env_id IS NULL, elapsed_ns, "
    "exit_status,"
    " signal, user_ns, system_ns, maxrss_bytes, minflt, majflt, nvcsw, nivcsw, inblock, oublock, "
    "self_user_ns,"
    " self_system_ns, self_maxrss_bytes, bpf_ns, bpf_ns_source, cell FROM run ORDER BY 1",
    "SELECT r.uuid, e.digest, f.key, f.value FROM run r JOIN env e ON e.id = r.env_id JOIN env_fact f ON"
    " f.env_id = e.id ORDER BY 1, 3",
    "SELECT * FROM experiment",
    "SELECT uuid, unix_ns, text FROM note JOIN run r ON r.id = run_id ORDER BY 1, note.id",
    "SELECT uuid, m.name, value, unit, better, source FROM metric m JOIN run r ON r.id = run_id ORDER BY 1, "
    "2",
    "SELECT uuid, t_ns, m.name FROM mark m JOIN run r ON r.id = run_id ORDER BY 1, m.id",
    "SELECT uuid, key, value FROM run_tag JOIN run r ON r.id = run_id ORDER BY 1, 2",
    "SELECT uuid, p.name, kind, target, backend, p.status, why, what, sum_unit FROM probe p JOIN run r ON"
    " r.id = run_id ORDER BY 1, p.id",
    "SELECT uuid, p.name, part, class, count, sum_ns, min_ns, max_ns, hex(buckets) FROM hist JOIN probe p ON"
    " p.id = probe_id JOIN run r ON r.id = run_id ORDER BY 1, 2, 3, 4",
    "SELECT uuid, p.name, part, class, key, key_name, count, sum FROM probe_count JOIN probe p ON p.id = "
    "probe_id"
    " JOIN run r ON r.id = run_id ORDER BY 1, 2, 3, 4, 5",
    "SELECT uuid, p.name, l.kind, count, detail FROM loss l JOIN run r ON r.id = l.run_id LEFT JOIN probe p "
    "ON"
    " p.id = probe_id AND p.run_id = r.id ORDER BY 1, l.id",
    "SELECT uuid, backend, function, calls, inside_p50_ns, inside_mean_ns, call_ns, note FROM calibration "
    "JOIN"
    " run r ON r.id = run_id ORDER BY 1, 2",
    "SELECT uuid, what, why FROM not_measured JOIN run r ON r.id = run_id ORDER BY 1, 2",
    "SELECT uuid, t_ns, level, text FROM kernel_log k JOIN run r ON r.id = run_id ORDER BY 1, k.id",
    "SELECT uuid, s.name, unit, counter, t_ns, value FROM series s JOIN run r ON r.id = run_id LEFT JOIN "
    "sample"
    " ON series_id = s.id ORDER BY 1, 2, 5",
    "SELECT uuid, t_ns, pid, took_ns, hex(pages) FROM pagemap JOIN run r ON r.id = run_id ORDER BY 1, 2, 3",
    "SELECT uuid, interval_ns, window_ns, clock_error_ns, heat FROM truth JOIN run r ON r.id = run_id ORDER "
    "BY 1",
    "SELECT uuid, t_ns, end_ns, reads, writes, accesses, fast, slow, doubt, hex(pages) FROM truth_window "
    "JOIN run r"
    " ON r.id = run_id ORDER BY 1, 2",
    "SELECT uuid, v.name, t_ns, hex(pages) FROM page_view v JOIN run r ON r.id = run_id ORDER BY 1, 2, 3",
};

static void same_content(const char *x, const char *y)
{
	for (size_t i = 0; i < G_N_ELEMENTS(content); i++) {
		g_autofree char *left = dump(x, content[i]), *right = dump(y, content[i]);

		if (!*left || strcmp(left, right))
			fail_msg("%s\n--- %s:\n%s\n--- %s:\n%s", content[i], x, left, y, right);
	}
	gives(y, "SELECT * FROM pragma_foreign_key_check", "");
}

// A run with rows in every table; `plan` NULL: of no plan.
static void add_run(const char *path, const char *plan)
{
	struct store *s = open_ok(path, STORE_WRITE);
	int64_t run, probe, series;

	if (plan)
		must(store_experiment(s, &(struct store_experiment){"e", plan, 7, 3, 11}));
	run = sample_run(s, plan ? "e" : NULL, 1);
	must(store_note(s, run, "loud fan"));
	must(store_metric(s, run, "speed", 1.5, "GB/s", "more", "([0-9]+)"));
	must(store_mark(s, run, 2000, "second"));
	must(store_mark(s, run, 1000, "first"));
	must(store_probe(s, run, &(struct store_probe){.name = "p", .kind = "tp", .status = "attached"},
			 &probe));
	for (int i = 0; i < 200; i++) // several INSERTs' worth
		must(store_count(s, probe,
				 &(struct store_count){"", "other", i, NULL, (uint64_t)i, false, 0}));
	must(store_series(s, run, "many", "count", true, &series));
	for (int i = 0; i < 451; i++)
		must(store_sample(s, series, i, i * 3, false));
	store_close(s);
	raw(path, "INSERT INTO pagemap SELECT max(id), 1, 2, 3, x'01' FROM run;"
		  "INSERT INTO truth SELECT max(id), 1, 2, 3, 'fills' FROM run;"
		  "INSERT INTO truth_window SELECT max(id), 1, 2, 3, 4, 5, 6, 7, 8, x'02' FROM run;"
		  "INSERT INTO page_view SELECT max(id), 'damon', 1, x'03' FROM run");
}

// --- merging

static int merge(const char *to, const char *from, struct merge_outcome *o)
{
	struct store *x = open_ok(to, STORE_WRITE), *y = open_ok(from, STORE_READ);
	int rc = store_merge(x, y, o);

	store_close(y);
	store_close(x);
	return rc;
}

static void merges(const char *to, const char *from, int64_t added, int64_t there, int64_t running,
		   guint renamed)
{
	struct merge_outcome o;

	must(merge(to, from, &o));
	assert_int_equal(o.added, added);
	assert_int_equal(o.there, there);
	assert_int_equal(o.running, running);
	assert_int_equal(o.renamed->len, 2 * renamed);
	merge_outcome_clear(&o);
}

// Refused with words that name the source; the target is as it was.
static void refuses(const char *from, const char *words)
{
	struct merge_outcome o;
	GPtrArray *before = g_ptr_array_new_with_free_func(g_free);
	int rc;

	for (size_t i = 0; i < G_N_ELEMENTS(content); i++)
		g_ptr_array_add(before, dump(all, content[i]));
	rc = merge(all, from, &o);
	merge_outcome_clear(&o);
	if (rc >= 0 || !strstr(err_text(), words) || strchr(err_text(), '\n'))
		fail_msg("%d, \"%s\" instead of \"%s\"", rc, err_text(), words);
	for (size_t i = 0; i < G_N_ELEMENTS(content); i++) {
		g_autofree char *after = dump(all, content[i]);

		assert_string_equal(after, before->pdata[i]);
	}
	g_ptr_array_unref(before);
}

static void everything_is_copied(void **state)
{
	(void)state;
	add_run(b, NULL);
	merges(all, b, 1, 0, 0, 0); // first, so that no id stays
	add_run(a, "plan");
	add_run(a, "plan");
	merges(all, a, 2, 0, 0, 0);
	merges(a, b, 1, 0, 0, 0);
	same_content(a, all);
	merges(all, a, 0, 3, 0, 0);
	same_content(a, all);
	raw(all, "PRAGMA foreign_keys = ON; DELETE FROM run WHERE id > 1");
	merges(all, a, 2, 1, 0, 0);
	same_content(a, all);
	gives(all, "SELECT group_concat(id) FROM run", "1,4,5"); // an id is never used again
}

static void oldest_first(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		add_run(a, NULL);
	raw(a, "UPDATE run SET started_unix_ns = 100 - id");
	merges(all, a, 3, 0, 0, 0);
	gives(all, "SELECT group_concat(started_unix_ns) FROM (SELECT * FROM run ORDER BY id)", "97,98,99");
}

static void running_ones_wait(void **state)
{
	(void)state;
	add_run(a, "plan");
	add_run(a, "plan");
	raw(a, "UPDATE run SET status = 'running' WHERE id = 2");
	merges(all, a, 1, 0, 1, 0);
	raw(a, "UPDATE run SET status = 'done' WHERE id = 2");
	merges(all, a, 1, 1, 0, 0);
	same_content(a, all);
}

static void plans_of_one_name(void **state)
{
	// SHA-256 of "other": d9298a10d1b0735837dc4bd85dac641b...
	static const char *const names = "SELECT group_concat(name || '=' || plan) FROM experiment";

	(void)state;
	add_run(all, "plan");
	add_run(a, "other");
	add_run(a, "other");
	merges(all, a, 2, 0, 0, 1); // one experiment, however many runs
	gives(all, names, "e=plan,e (d9298a10)=other");
	gives(all, "SELECT experiment, count(*) FROM run GROUP BY 1 ORDER BY 2", "e|1\ne (d9298a10)|2");
	merges(all, a, 0, 2, 0, 0);
	add_run(a, "other");
	merges(all, a, 1, 2, 0, 1); // the same new name again
	gives(all, names, "e=plan,e (d9298a10)=other");
	raw(all, "UPDATE experiment SET plan = 'taken' WHERE name = 'e (d9298a10)'");
	add_run(a, "other");
	merges(all, a, 1, 3, 0, 1);
	gives(all, names, "e=plan,e (d9298a10)=taken,e (d9298a10d1b07358)=other");
}

// A set of facts that says it is another machine's.
static void facts_under_a_false_digest(void **state)
{
	g_autofree char *digest = NULL, *lie = NULL;

	(void)state;
	add_run(all, NULL);
	digest = dump(all, "SELECT digest FROM env");
	add_run(a, NULL);
	lie = g_strdup_printf("UPDATE env_fact SET value = 'another' WHERE key = 'cpu.model';"
			      "UPDATE env SET digest = '%s'",
			      digest);
	raw(a, lie);
	merges(all, a, 1, 0, 0, 0);
	gives(all, "SELECT count(DISTINCT digest) FROM env", "2");
	gives(all, "SELECT run_id, value FROM v_fact WHERE key = 'cpu.model' ORDER BY 1",
	      "1|QEMU TCG CPU version 2.5+\n2|another");
}

// --- sources made to harm

static void nothing_of_its_schema_runs(void **state)
{
	gsize n, m;
	g_autofree char *before = NULL, *after = NULL;

	(void)state;
	add_run(all, NULL);
	add_run(a, NULL);
	raw(a, "CREATE TABLE log (x); CREATE TRIGGER t1 AFTER INSERT ON run BEGIN DELETE FROM run; END;"
	       "CREATE TRIGGER t2 AFTER UPDATE ON run BEGIN INSERT INTO log VALUES (1); END;"
	       "CREATE VIEW v AS SELECT * FROM run; CREATE INDEX i ON run (upper(name));"
	       "CREATE TRIGGER t3 INSTEAD OF INSERT ON v BEGIN DELETE FROM run; END");
	assert_true(g_file_get_contents(a, &before, &n, NULL));
	merges(all, a, 1, 0, 0, 0);
	assert_true(g_file_get_contents(a, &after, &m, NULL));
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
	gives(all, "SELECT count(*) FROM run", "2");
	gives(all, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' OR name IN ('log', 'v', 'i')",
	      "0");
}

// A view in a table's place would be SQL of the source's own.
static void views_for_tables(void **state)
{
	struct store *s = NULL;

	(void)state;
	add_run(a, NULL);
	raw(a, "ALTER TABLE mark RENAME TO mark2; CREATE VIEW mark AS SELECT * FROM mark2");
	assert_int_equal(store_open(a, STORE_READ, &s), -EBADMSG);
	// a table of the name of the function that tells what a table is
	add_run(b, NULL);
	raw(b, "CREATE TABLE pragma_table_list AS SELECT * FROM main.pragma_table_list");
	assert_int_equal(store_open(b, STORE_READ, &s), -EBADMSG);
	assert_non_null(strstr(err_text(), "SQLite's own"));
	// a column that is an expression of the file's own
	add_run(all, NULL);
	raw(all, "DROP TABLE mark; CREATE TABLE mark (id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL, t_ns "
		 "INTEGER"
		 " NOT NULL, name TEXT NOT NULL GENERATED ALWAYS AS (upper('x')) VIRTUAL) STRICT");
	assert_int_equal(store_open(all, STORE_READ, &s), -EBADMSG);
}

// Puts into a table what its constraints forbid, and the constraints back.
static void force(const char *path, const char *sql)
{
	raw(path,
	    "PRAGMA writable_schema = ON; CREATE TABLE kept AS SELECT name, sql FROM sqlite_master WHERE"
	    " type = 'table'; UPDATE sqlite_master SET sql = replace(replace(replace(replace(sql, ' STRICT', "
	    "''),"
	    " ', WITHOUT ROWID', ' WITHOUT ROWID'), 'CHECK (', 'CHECK (1 OR '), ' NOT NULL', '')"
	    " WHERE type = 'table' AND name <> 'kept' AND name NOT LIKE 'sqlite%'");
	raw(path, sql);
	raw(path,
	    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = (SELECT k.sql FROM kept k WHERE"
	    " k.name = sqlite_master.name) WHERE type = 'table' AND name <> 'kept' AND name NOT LIKE "
	    "'sqlite%'");
	raw(path, "DROP TABLE kept");
}

static void rows_mmprof_never_writes(void **state)
{
	static const struct {
		const char *sql, *words;
	} bad[] = {
	    {"UPDATE run SET iteration = 'many'", "damaged"},
	    {"UPDATE run SET name = NULL", "damaged"},
	    {"UPDATE sample SET value = 'x' WHERE t_ns = 7", "damaged"},
	    {"UPDATE kernel_log SET text = x'00ff'", "damaged"},
	    {"UPDATE experiment SET plan = NULL", "damaged"},
	    {"UPDATE run SET status = 'excellent'", "table \"run\" holds what mmprof never writes"},
	    {"UPDATE run SET warmup = 7", "table \"run\" holds"},
	    {"UPDATE experiment SET cells = -1", "cells > 0"},
	    {"UPDATE metric SET better = 'best'", "table \"metric\" holds"},
	    {"UPDATE hist SET count = -1 WHERE part = 'write wait'", "table \"hist\" holds"},
	    {"UPDATE hist SET buckets = x'0100' WHERE part = 'write wait'", "no histogram"},
	    {"UPDATE hist SET buckets = zeroblob(60000) WHERE part = 'write wait'", "no histogram"},
	    {"UPDATE probe_count SET count = -1 WHERE key = 170", "table \"probe_count\" holds"},
	    {"UPDATE series SET counter = 3 WHERE name = 'many'", "table \"series\" holds"},
	    {"UPDATE loss SET probe_id = 999 WHERE probe_id IS NOT NULL", "a loss of no probe of its run"},
	    {"UPDATE run SET env_id = 999", "facts that are not there"},
	};

	(void)state;
	add_run(all, "plan");
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *path = g_strdup_printf("%s/%zu.db", dir, i);

		add_run(path, "other");
		force(path, "SELECT 1");
		merges(b, path, 1, 0, 0, 0); // it is not the forcing that is refused
		force(path, bad[i].sql);
		refuses(path, bad[i].words);
	}
}

// Two children of a table's root are the same page: who walks it reads rows twice.
static void page_twice(const char *table, int page_type, const char *fill)
{
	g_autofree char *path = g_strdup_printf("%s/%s.db", dir, table), *bytes = NULL, *root = NULL;
	g_autofree char *where =
	    g_strdup_printf("SELECT (rootpage - 1) * 4096 FROM sqlite_schema WHERE name = '%s'", table);
	g_autofree char *rows =
	    g_strdup_printf("WITH RECURSIVE t(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM t"
			    " WHERE i < 500) INSERT INTO %s SELECT %s FROM t",
			    table, fill);
	guint8 *page;
	gsize n;

	add_run(path, NULL);
	raw(path, rows);
	root = dump(path, where);
	assert_true(g_file_get_contents(path, &bytes, &n, NULL));
	page = (guint8 *)bytes + strtoul(root, NULL, 10);
	// an interior page; its cells' offsets from byte 12 on, each begins with a child
	assert_int_equal(page[0], page_type);
	memcpy(page + (page[14] << 8 | page[15]), page + (page[12] << 8 | page[13]), 4);
	assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
	refuses(path, "the database is damaged");
}

static void a_page_twice(void **state)
{
	enum { TABLE = 5, WITHOUT_ROWID = 2 };

	(void)state;
	add_run(all, NULL);
	page_twice("kernel_log", TABLE, "NULL, 1, i, 4, hex(zeroblob(100))");
	page_twice("sample", WITHOUT_ROWID, "1, 3000000000 + i, i");
	page_twice("pagemap", WITHOUT_ROWID, "1, i, 1, 1, zeroblob(100)");
	page_twice("truth_window", WITHOUT_ROWID, "1, i, 1, 1, 1, 1, 1, 1, 1, zeroblob(100)");
	page_twice("page_view", WITHOUT_ROWID, "1, 'x', i, zeroblob(100)");
}

// --- deleting

static void deleted_with_all_it_has(void **state)
{
	struct store *s;

	(void)state;
	add_run(a, "plan");
	add_run(a, "plan");
	raw(a, "UPDATE env_fact SET value = '99' WHERE key = 'sysctl.vm.swappiness'; UPDATE env SET digest = "
	       "'other'");
	add_run(a, NULL);
	raw(a, "INSERT INTO experiment VALUES ('planned', 'p', 1, 1, 1)");
	s = open_ok(a, STORE_WRITE);
	must(store_delete_run(s, 2));
	store_close(s);
	gives(a, "SELECT count(*) FROM env", "2"); // run 1 has the same
	gives(a, "SELECT group_concat(name) FROM experiment", "e,planned");
	add_run(b, NULL);
	s = open_ok(a, STORE_WRITE);
	must(store_delete_run(s, 1));
	store_close(s);
	gives(a, "SELECT count(*) FROM env", "1");
	gives(a, "SELECT group_concat(name) FROM experiment",
	      "planned"); // its first run may be about to begin
	gives(a, "SELECT count(*), min(id) FROM run", "1|3");
	gives(a, "SELECT * FROM pragma_foreign_key_check", "");
	gives(a,
	      "SELECT count(*) FROM (SELECT probe_id FROM hist UNION SELECT probe_id FROM probe_count)"
	      " WHERE probe_id NOT IN (SELECT id FROM probe WHERE run_id = 3)",
	      "0");
	gives(a,
	      "SELECT count(*) FROM sample WHERE series_id NOT IN (SELECT id FROM series WHERE run_id = 3)",
	      "0");
	gives(a, "PRAGMA integrity_check", "ok");
}

static void not_deleted(void **state)
{
	struct store *s = open_ok(a, STORE_WRITE);
	int64_t run = sample_begin(s, NULL, 1);

	(void)state;
	assert_int_equal(store_delete_run(s, run), -EBUSY);
	assert_non_null(strstr(err_text(), "is being recorded"));
	assert_int_equal(store_delete_run(s, 99), -ENOENT);
	assert_int_equal(store_note(s, 99, "x"), -EINVAL);
	store_close(s);
	gives(a, "SELECT count(*) FROM run", "1");
}

// What a deletion looks up backwards goes through an index: reading all of `loss` for each probe took hours.
static void as_fast_in_a_large_database(void **state)
{
	static const char *const plans[] = {"SELECT 1 FROM loss WHERE probe_id = 1",
					    "SELECT 1 FROM run WHERE env_id = 1"};
	struct store *s;

	(void)state;
	add_run(a, NULL);
	add_run(a, NULL);
	s = open_ok(a, STORE_WRITE);
	must(store_delete_run(s, 1));
	store_close(s);
	for (size_t i = 0; i < G_N_ELEMENTS(plans); i++) {
		g_autofree char *sql = g_strconcat("EXPLAIN QUERY PLAN ", plans[i], NULL),
				*plan = dump(a, sql);

		if (!strstr(plan, "SEARCH"))
			fail_msg("%s: %s", plans[i], plan);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(everything_is_copied),
	    T(oldest_first),
	    T(running_ones_wait),
	    T(plans_of_one_name),
	    T(facts_under_a_false_digest),
	    T(nothing_of_its_schema_runs),
	    T(views_for_tables),
	    T(rows_mmprof_never_writes),
	    T(a_page_twice),
	    T(deleted_with_all_it_has),
	    T(not_deleted),
	    T(as_fast_in_a_large_database),
	};

	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
