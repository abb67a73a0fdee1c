// `mmprof sql`: one question in SQL to the database, which it can't change.
#include <signal.h>
#include <string.h>

#include "base/err.h"
#include "cmd/query.h"
#include "store/store_read.h"

#define MAX_ROWS 1000000 // kept in memory until they are printed

static int sql(int argc, const char **argv);
const struct command cmd_sql = {"sql", "ask the database in SQL (read-only)", sql};

static struct store *running; // for the signal handler

static void on_interrupt(int signal)
{
	(void)signal;
	store_interrupt(running);
}

struct answer {
	struct doc *doc;
	struct doc_section *sec;
	GPtrArray *names;
	int rows;
};

// JSON needs each key once.
static void take_columns(void *ctx, const char *const *names, int n)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	struct answer *a = ctx;

	for (int i = 0; i < n; i++) {
		char *name = g_strdup(names[i]);

		for (int k = 2; g_hash_table_contains(seen, name); k++) {
			g_free(name);
			name = g_strdup_printf("%s_%d", names[i], k);
		}
		g_hash_table_add(seen, name);
		g_ptr_array_add(a->names, name);
	}
}

// By the unit in the column's name (the schema's convention), else by the first row's type.
static enum doc_unit unit_of(const char *name, enum store_cell_type type)
{
	static const struct {
		const char *suffix;
		enum doc_unit unit;
	} units[] = {{"unix_ns", DOC_PLAIN},
		     {"_ns", DOC_NS},
		     {"_bytes", DOC_BYTES},
		     {"_hz", DOC_HZ},
		     {"_per_s", DOC_RATE}};

	if (type == STORE_CELL_TEXT || type == STORE_CELL_BLOB)
		return DOC_PLAIN;
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
		if (g_str_has_suffix(name, units[i].suffix))
			return units[i].unit;
	return type == STORE_CELL_INT ? DOC_COUNT : type == STORE_CELL_REAL ? DOC_NUMBER : DOC_PLAIN;
}

static void make_section(struct answer *a, const struct store_cell *first)
{
	g_autofree struct doc_column *columns = g_new0(struct doc_column, a->names->len + 1);

	for (guint i = 0; i < a->names->len; i++) {
		const char *name = a->names->pdata[i];

		columns[i] =
		    (struct doc_column){name, name, unit_of(name, first ? first[i].type : STORE_CELL_TEXT)};
	}
	a->sec = doc_section(a->doc, "result", "Result", columns, (int)a->names->len);
}

static void put_blob(struct doc_section *sec, const struct store_cell *cell)
{
	g_autoptr(GString) hex = g_string_new(NULL);

	for (size_t i = 0; i < cell->len; i++)
		g_string_append_printf(hex, "%02x", cell->blob[i]);
	doc_text(sec, "%s", hex->str);
}

static int take_row(void *ctx, const struct store_cell *cells, int n)
{
	struct answer *a = ctx;

	if (++a->rows > MAX_ROWS)
		return err_set(-1, "more than %d rows: use LIMIT, or sqlite3(1) for all of them", MAX_ROWS);
	if (!a->sec)
		make_section(a, cells);
	doc_row(a->sec);
	for (int i = 0; i < n; i++) {
		if (cells[i].type == STORE_CELL_INT)
			doc_int(a->sec, cells[i].i);
		else if (cells[i].type == STORE_CELL_REAL)
			doc_real(a->sec, cells[i].r);
		else if (cells[i].type == STORE_CELL_TEXT)
			doc_text(a->sec, "%s", cells[i].text);
		else if (cells[i].type == STORE_CELL_BLOB)
			put_blob(a->sec, &cells[i]);
		else
			doc_none_as(a->sec, "", NULL);
	}
	return 0;
}

static int ask(struct store *store, const char *question, const struct query *q)
{
	struct answer a = {.doc = doc_new("sql"), .names = g_ptr_array_new_with_free_func(g_free)};
	const struct store_query_sink sink = {take_columns, take_row, &a};
	int rc = query_add_percentile(store);

	running = store;
	signal(SIGINT, on_interrupt);
	if (!rc)
		rc = store_query(store, question, &sink);
	signal(SIGINT, SIG_DFL);
	if (!rc && !a.sec) {
		make_section(&a, NULL);
		doc_note(a.sec, "No rows.");
	}
	rc = rc ? command_fail(&cmd_sql, "%s", err_text()) : query_print(&cmd_sql, q, a.doc);
	g_ptr_array_unref(a.names);
	doc_free(a.doc);
	return rc;
}

static int sql(int argc, const char **argv)
{
	struct query q = {};
	const struct poptOption table[] = {QUERY_OPTIONS(q), POPT_AUTOHELP POPT_TABLEEND};
	struct store *store = NULL;
	int rc = query_options(&cmd_sql, argc, argv, table, "[OPTIONS] 'SELECT ...'", &q);

	if (!rc && q.args->len != 1)
		rc = command_fail(&cmd_sql, "give one question in quotes: mmprof sql 'SELECT * FROM v_run'");
	if (!rc)
		rc = query_open(&cmd_sql, &q, &store);
	if (!rc)
		rc = ask(store, q.args->pdata[0], &q);
	store_close(store);
	query_clear(&q);
	return rc;
}
