// What an older mmprof wrote: migrated whole or not at all, and refused for reading in one clear line.
#include "raw_sql.h"

#include <errno.h>
#include <unistd.h>

static char *old, *fresh;

// Rows in every table that has no default way to be found again.
static const char rows[] =
    "INSERT INTO env VALUES (1, 'd'); INSERT INTO env_fact VALUES (1, 'k', 'v');"
    "INSERT INTO run (id, uuid, name, system, argv_json, iteration, warmup, status, started_unix_ns, "
    "interval_ms,"
    " env_id) VALUES (4, 'u', 'w', 's', '[]', 1, 0, 'done', 5, 100, 1);"
    "INSERT INTO run_tag VALUES (4, 'k', 'v');"
    "INSERT INTO probe (id, run_id, name, kind, status) VALUES (9, 4, 'p', 'func', 'attached');"
    "INSERT INTO hist VALUES (9, '', 'other', 1, 2, 2, 2, x'0201');"
    "INSERT INTO probe_count VALUES (9, '', 'other', 0, NULL, 3, NULL);"
    "INSERT INTO loss (run_id, probe_id, kind, count) VALUES (4, 9, 'l', 0);"
    "INSERT INTO series VALUES (2, 4, 'x', 'count', 1); INSERT INTO sample VALUES (2, -1, 7), (2, 3, 8);"
    "INSERT INTO kernel_log (run_id, t_ns, level, text) VALUES (4, 1, 2, 'oops');";
static const char *const read_back[] = {
    "SELECT id, uuid, name, system, argv_json, iteration, warmup, status, started_unix_ns, interval_ms, "
    "env_id,"
    " elapsed_ns FROM run",
    "SELECT e.id, e.digest, f.* FROM env e JOIN env_fact f",
    "SELECT * FROM run_tag",
    "SELECT * FROM probe",
    "SELECT probe_id, part, class, count, sum_ns, min_ns, max_ns, hex(buckets) FROM hist",
    "SELECT * FROM probe_count",
    "SELECT * FROM loss",
    "SELECT * FROM series",
    "SELECT * FROM sample",
    "SELECT * FROM kernel_log",
};

static void make_old(void)
{
	g_autofree char *schema = NULL;

	unlink(old);
	assert_true(g_file_get_contents("tests/unit/schema-1.sql", &schema, NULL, NULL));
	raw(old, schema);
	raw(old, rows);
	gives(old, "PRAGMA user_version", "1");
}

static int set_up(void **state)
{
	sample_set_up(state);
	old = g_build_filename(dir, "old.db", NULL);
	fresh = g_build_filename(dir, "fresh.db", NULL);
	make_old();
	return 0;
}

static int tear_down(void **state)
{
	g_free(old);
	g_free(fresh);
	return sample_tear_down(state);
}

static GPtrArray *remember(void)
{
	GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < G_N_ELEMENTS(read_back); i++) {
		g_ptr_array_add(texts, dump(old, read_back[i]));
		assert_true(*(char *)texts->pdata[i] != 0);
	}
	return texts;
}

static void are_intact(GPtrArray *texts)
{
	for (size_t i = 0; i < G_N_ELEMENTS(read_back); i++)
		gives(old, read_back[i], texts->pdata[i]);
	g_ptr_array_unref(texts);
}

static void migrated(void **state)
{
	static const char *const shape[] = {
	    "SELECT type, name, tbl_name FROM sqlite_schema ORDER BY 1, 2",
	    "SELECT name, type, ncol, wr, strict FROM pragma_table_list WHERE schema = 'main' ORDER BY 1",
	    "SELECT m.name, x.* FROM sqlite_schema m, pragma_table_xinfo(m.name) x ORDER BY 1, 2",
	    "SELECT m.name, x.* FROM sqlite_schema m, pragma_foreign_key_list(m.name) x ORDER BY 1, 2, 3",
	    "SELECT m.name, x.* FROM sqlite_schema m, pragma_index_xinfo(m.name) x WHERE m.type = 'index' "
	    "ORDER BY 1, 2",
	    "SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY 1",
	    "SELECT name, instr(sql, 'CHECK') > 0 FROM sqlite_schema WHERE type = 'table' ORDER BY 1",
	};
	GPtrArray *before = remember();
	struct store *s = NULL;

	(void)state;
	must(store_open(old, STORE_WRITE, &s));
	store_close(s);
	gives(old, "PRAGMA user_version", "3");
	are_intact(before);
	gives(old, "SELECT cell FROM run", "NULL");
	gives(old, "PRAGMA integrity_check", "ok");
	must(store_open(fresh, STORE_WRITE, &s));
	store_close(s);
	for (size_t i = 0; i < G_N_ELEMENTS(shape); i++) {
		g_autofree char *wanted = dump(fresh, shape[i]);

		gives(old, shape[i], wanted);
	}
	must(store_open(old, STORE_READ, &s));
	store_close(s);
}

static void not_half(void **state)
{
	static const char *const in_the_way[] = {"CREATE TABLE mark (x)", "CREATE TABLE series_by_name (x)",
						 "ALTER TABLE run ADD COLUMN cell INTEGER"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(in_the_way); i++) {
		g_autofree char *schema = NULL;
		GPtrArray *before;
		struct store *s = NULL;

		make_old();
		raw(old, in_the_way[i]);
		before = remember();
		schema = dump(old, "SELECT * FROM sqlite_schema");
		assert_true(store_open(old, STORE_WRITE, &s) < 0);
		assert_null(s);
		assert_non_null(strstr(err_text(), old));
		assert_null(strchr(err_text(), '\n'));
		gives(old, "PRAGMA user_version", "1");
		gives(old, "SELECT * FROM sqlite_schema", schema);
		are_intact(before);
	}
}

static void not_for_reading(void **state)
{
	gsize n, m;
	g_autofree char *before = NULL, *after = NULL;
	struct store *s = NULL;

	(void)state;
	assert_true(g_file_get_contents(old, &before, &n, NULL));
	assert_int_equal(store_open(old, STORE_READ, &s), -EPROTO);
	assert_non_null(strstr(err_text(), "written by an older mmprof (schema 1)"));
	assert_null(strchr(err_text(), '\n'));
	assert_true(g_file_get_contents(old, &after, &m, NULL));
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
}

// Several mmprofs find the same old database: one migrates, the others wait and go on.
static void several_at_once(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		int gate[2], bad = 0;
		char c;

		make_old();
		assert_int_equal(pipe(gate), 0);
		for (int i = 0; i < 4; i++) {
			struct store *s = NULL;

			if (fork())
				continue;
			close(gate[1]);
			if (read(gate[0], &c, 1)) // until all have been made
				_exit(2);
			_exit(store_open(old, STORE_WRITE, &s) ? 1 : 0);
		}
		close(gate[0]);
		close(gate[1]);
		for (int i = 0, status; i < 4; i++) {
			wait(&status);
			bad += status != 0;
		}
		assert_int_equal(bad, 0);
		gives(old, "PRAGMA user_version", "3");
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(migrated),
	    T(not_half),
	    T(not_for_reading),
	    T(several_at_once),
	};

	return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
