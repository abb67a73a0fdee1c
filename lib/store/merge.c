// Merging; see merge.h. The source is read through its own connection, which has checked its shape, and never
// attached: nothing of its schema can run. Values are copied as they are; STRICT, CHECK and foreign keys of
// the target refuse what mmprof would not have written.
#include "store/merge.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "store/buckets.h"
#include "store/internal.h"
#include "store/store_read.h"

// Rows that belong to a row of another table.
struct table {
	const char *name, *owner, *columns; // `owner`: the column that says to which; `columns`: the others
	bool has_id;                        // an id of its own, which is made anew
	const struct table *below;          // what belongs to its rows; ends with an empty one
};

static const struct table of_probe[] = {
    {.name = "hist", .owner = "probe_id", .columns = "buckets, part, class, count, sum_ns, min_ns, max_ns"},
    {.name = "probe_count", .owner = "probe_id", .columns = "part, class, key, key_name, count, sum"},
    {},
};
static const struct table of_series[] = {
    {.name = "sample", .owner = "series_id", .columns = "t_ns, value"},
    {},
};
static const struct table of_run[] = {
    {.name = "run_tag", .owner = "run_id", .columns = "key, value"},
    {.name = "note", .owner = "run_id", .columns = "unix_ns, text", .has_id = true},
    {.name = "metric", .owner = "run_id", .columns = "name, value, unit, better, source"},
    {.name = "mark", .owner = "run_id", .columns = "t_ns, name", .has_id = true},
    {.name = "calibration",
     .owner = "run_id",
     .columns = "backend, function, calls, inside_p50_ns, inside_mean_ns, call_ns, note"},
    {.name = "not_measured", .owner = "run_id", .columns = "what, why"},
    {.name = "kernel_log", .owner = "run_id", .columns = "t_ns, level, text", .has_id = true},
    {.name = "probe",
     .owner = "run_id",
     .columns = "name, kind, target, backend, status, why, what, sum_unit",
     .has_id = true,
     .below = of_probe},
    {.name = "loss",
     .owner = "run_id",
     .columns = "probe_id, kind, count, detail",
     .has_id = true}, // after probe
    {.name = "series",
     .owner = "run_id",
     .columns = "name, unit, counter",
     .has_id = true,
     .below = of_series},
    {},
};

#define RUN_COLUMNS                                                                                          \
	"experiment, uuid, name, system, argv_json, cwd, user, boot_id, mmprof_pid, mmprof_start_ticks, "    \
	"version, iteration, warmup, status, status_why, started_unix_ns, interval_ms, elapsed_ns, "         \
	"exit_status, signal, user_ns, system_ns, maxrss_bytes, minflt, majflt, nvcsw, nivcsw, inblock, "    \
	"oublock, self_user_ns, self_system_ns, self_maxrss_bytes, bpf_ns, bpf_ns_source, cell"
static const struct table run_by_id = {.name = "run", .owner = "id", .columns = RUN_COLUMNS};
static const struct table run_with_env = {.name = "run", .owner = "env_id", .columns = RUN_COLUMNS};

struct merge {
	struct store *into, *from;
	struct merge_outcome *outcome;
	GArray *plans;           // the source's
	GHashTable *experiments; // name in the source → name in the target
	GHashTable *envs;        // id in the source → id in the target
	GHashTable *probes;      // the same, of the run that is being copied
};

static void map_id(GHashTable *map, int64_t old, int64_t new)
{
	g_hash_table_insert(map, GSIZE_TO_POINTER((gsize)old), GSIZE_TO_POINTER((gsize) new));
}

// 0: not there.
static int64_t mapped_id(GHashTable *map, int64_t old)
{
	return (int64_t)GPOINTER_TO_SIZE(g_hash_table_lookup(map, GSIZE_TO_POINTER((gsize)old)));
}

// --- rows

// Statements are kept by the text's address: interned, so that each is made once.
static int select_rows(struct store *from, const struct table *t, int64_t owner, sqlite3_stmt **stmt)
{
	g_autofree char *sql =
	    g_strdup_printf("SELECT %s%s FROM %s WHERE %s = ?%s", t->has_id ? "id, " : "", t->columns,
			    t->name, t->owner, t->has_id ? " ORDER BY id" : "");
	const struct value id = v_int(owner);

	return store_stmt(from, g_intern_string(sql), &id, 1, stmt);
}

static int insert_rows(struct store *into, const struct table *t, sqlite3_stmt **stmt)
{
	g_autoptr(GString) sql = g_string_new(NULL);

	g_string_printf(sql, "INSERT INTO %s (%s, %s) VALUES (?, ?", t->name, t->owner, t->columns);
	for (const char *c = strchr(t->columns, ','); c; c = strchr(c + 1, ','))
		g_string_append(sql, ", ?");
	g_string_append_c(sql, ')');
	return store_stmt(into, g_intern_string(sql->str), NULL, 0, stmt);
}

static int no_row_of_ours(const struct merge *m, const struct table *t, const char *why)
{
	return err_set(-EBADMSG, "%s: table \"%s\" holds what mmprof never writes: %s", m->from->path,
		       t->name, why);
}

// All columns but the table's own id, from the second parameter on.
static void bind_row(const struct table *t, sqlite3_stmt *row, sqlite3_stmt *insert)
{
	for (int i = t->has_id, n = sqlite3_column_count(row); i < n; i++)
		sqlite3_bind_value(insert, i + 2 - t->has_id, sqlite3_column_value(row, i));
}

static int insert_row(const struct merge *m, const struct table *t, sqlite3_stmt *insert)
{
	int result = sqlite3_step(insert), rc = 0;

	if ((result & 0xff) == SQLITE_CONSTRAINT)
		rc = no_row_of_ours(m, t, sqlite3_errmsg(m->into->db));
	else if (result != SQLITE_DONE)
		rc = store_error(m->into, result);
	sqlite3_reset(insert);
	return rc;
}

// What no constraint can tell, in a table's first column: a histogram's buckets; the probe of a loss.
static int check_first(const struct merge *m, const struct table *t, sqlite3_stmt *row, sqlite3_stmt *insert)
{
	uint64_t buckets[HIST_BUCKETS];
	const void *blob;
	int64_t probe;

	if (t == of_probe) {
		blob = sqlite3_column_blob(row, 0);
		return buckets_decode(blob ? blob : "", (size_t)sqlite3_column_bytes(row, 0), buckets)
			   ? no_row_of_ours(m, t, "no histogram")
			   : 0;
	}
	if (strcmp(t->name, "loss") || sqlite3_column_type(row, 1) == SQLITE_NULL)
		return 0;
	probe = mapped_id(m->probes, sqlite3_column_int64(row, 1));
	sqlite3_bind_int64(insert, 2, probe);
	return probe ? 0 : no_row_of_ours(m, t, "a loss of no probe of its run");
}

// All rows of `t` that belong to `old`, to be of `new`, and what belongs to them.
static int copy_rows(struct merge *m, const struct table *t, int64_t old, int64_t new)
{
	sqlite3_stmt *row, *insert;
	int result = SQLITE_DONE, rc = select_rows(m->from, t, old, &row);

	if (!rc)
		rc = insert_rows(m->into, t, &insert);
	while (!rc && (result = sqlite3_step(row)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(row, 0), id_now;

		sqlite3_bind_int64(insert, 1, new);
		bind_row(t, row, insert);
		rc = check_first(m, t, row, insert);
		if (!rc)
			rc = insert_row(m, t, insert);
		id_now = sqlite3_last_insert_rowid(m->into->db);
		if (t->below == of_probe)
			map_id(m->probes, id, id_now);
		for (const struct table *b = t->below; b && b->name && !rc; b++)
			rc = copy_rows(m, b, id, id_now);
	}
	if (!rc && result != SQLITE_DONE)
		rc = store_error(m->from, result);
	sqlite3_reset(row);
	return rc;
}

// --- what runs share

// The facts are hashed again: a digest that is not theirs would give them to other machines' runs.
static int copy_env(struct merge *m, int64_t old_run, int64_t old_env, int64_t run)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new(), values = g_ptr_array_new();
	g_autoptr(GArray) facts = NULL;
	const struct value env = v_int(old_env), id = v_int(run);
	int64_t new_env;
	int rc = store_get_int(m->from, "SELECT id FROM env WHERE id = ?", &env, 1, &new_env);

	if (rc == -ENOENT)
		return no_row_of_ours(m, &run_by_id, "facts that are not there");
	if (!rc)
		rc = store_read_facts(m->from, old_run, &facts);
	for (guint i = 0; !rc && i < facts->len; i++) {
		const struct store_pair *fact = &g_array_index(facts, struct store_pair, i);

		g_ptr_array_add(keys, (void *)fact->key);
		g_ptr_array_add(values, (void *)fact->value);
	}
	if (!rc)
		rc = store_run_facts(m->into, run, (const char *const *)keys->pdata,
				     (const char *const *)values->pdata, keys->len);
	if (!rc)
		rc = store_get_int(m->into, "SELECT env_id FROM run WHERE id = ?", &id, 1, &new_env);
	if (!rc)
		map_id(m->envs, old_env, new_env);
	return rc;
}

// The first of NAME, NAME (8 digits of the plan's digest), NAME (16)... that is free or has this very plan.
static int place_plan(struct merge *m, const struct store_experiment_row *e, char **kept)
{
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, e->plan, -1);

	for (int digits = 0; digits <= 64; digits = digits ? 2 * digits : 8) {
		g_autofree char *name =
		    digits ? g_strdup_printf("%s (%.*s)", e->name, digits, digest) : g_strdup(e->name);
		const struct value values[] = {v_text(name), v_text(e->plan)};
		const struct store_experiment info = {name, e->plan, e->seed, e->cells, e->created_unix_ns};
		int64_t same = 0;
		int rc = store_get_int(m->into, "SELECT plan = ?2 FROM experiment WHERE name = ?1", values, 2,
				       &same);

		if (rc == -ENOENT) {
			rc = store_experiment(m->into, &info);
			same = 1;
		}
		if (rc)
			return rc;
		if (same) {
			*kept = g_steal_pointer(&name);
			return 0;
		}
	}
	return err_set(-EEXIST, "%s: no free name for the experiment \"%s\"", m->into->path, e->name);
}

// The name that this experiment has in the target: its own, unless another plan has it there.
static int copy_experiment(struct merge *m, const char *name, const char **kept)
{
	char *now = NULL;
	int rc = 0;

	*kept = g_hash_table_lookup(m->experiments, name);
	if (*kept)
		return 0;
	for (guint i = 0; i < m->plans->len && !now && !rc; i++) {
		const struct store_experiment_row *e =
		    &g_array_index(m->plans, struct store_experiment_row, i);

		if (!strcmp(e->name, name))
			rc = place_plan(m, e, &now);
	}
	if (rc)
		return rc;
	if (!now)
		now = g_strdup(name); // of a plain record: a UUID without a plan
	if (strcmp(now, name)) {
		g_ptr_array_add(m->outcome->renamed, g_strdup(name));
		g_ptr_array_add(m->outcome->renamed, g_strdup(now));
	}
	g_hash_table_insert(m->experiments, g_strdup(name), now);
	*kept = now;
	return 0;
}

// --- runs

struct source {
	int64_t id, env, running;
	const char *uuid, *experiment;
};

static int list_runs(struct store *from, GArray **runs)
{
	static const struct field fields[] = {
	    {'i', offsetof(struct source, id)},         {'I', offsetof(struct source, env)},
	    {'i', offsetof(struct source, running)},    {'t', offsetof(struct source, uuid)},
	    {'T', offsetof(struct source, experiment)},
	};
	struct list list = LIST(source, fields,
				"SELECT id, env_id, status = 'running', uuid, experiment FROM run"
				" ORDER BY started_unix_ns, id");

	return store_list(from, &list, NULL, 0, runs);
}

static int copy_run_row(struct merge *m, const struct source *s, int64_t *run)
{
	int64_t env = s->env == STORE_NULL ? 0 : mapped_id(m->envs, s->env);
	const char *experiment = NULL;
	sqlite3_stmt *row, *insert;
	int rc = s->experiment ? copy_experiment(m, s->experiment, &experiment) : 0;

	if (!rc)
		rc = select_rows(m->from, &run_by_id, s->id, &row);
	if (!rc)
		rc = insert_rows(m->into, &run_with_env, &insert);
	if (rc)
		return rc;
	if (sqlite3_step(row) == SQLITE_ROW) {
		bind_row(&run_by_id, row, insert);
		if (env)
			sqlite3_bind_int64(insert, 1, env);
		else
			sqlite3_bind_null(insert, 1);
		sqlite3_bind_text(insert, 2, experiment, -1, SQLITE_TRANSIENT);
		rc = insert_row(m, &run_by_id, insert);
		*run = sqlite3_last_insert_rowid(m->into->db);
	} else {
		rc = store_error(m->from, SQLITE_CORRUPT); // it was listed
	}
	sqlite3_reset(row);
	return !rc && s->env != STORE_NULL && !env ? copy_env(m, s->id, s->env, *run) : rc;
}

static int copy_run(struct merge *m, const struct source *s)
{
	int64_t run = 0;
	int rc = copy_run_row(m, s, &run);

	g_hash_table_remove_all(m->probes);
	for (const struct table *t = of_run; t->name && !rc; t++)
		rc = copy_rows(m, t, s->id, run);
	m->outcome->added += !rc;
	return rc;
}

static int copy_runs(struct merge *m)
{
	g_autoptr(GArray) runs = NULL;
	int rc = list_runs(m->from, &runs);

	if (!rc)
		rc = store_read_experiments(m->from, &m->plans);
	for (guint i = 0; !rc && i < runs->len; i++) {
		const struct source *s = &g_array_index(runs, struct source, i);
		const struct value uuid = v_text(s->uuid);
		int64_t there;

		rc = store_get_int(m->into, "SELECT 1 FROM run WHERE uuid = ?", &uuid, 1, &there);
		if (!rc)
			m->outcome->there++;
		else if (rc == -ENOENT && s->running)
			rc = (m->outcome->running++, 0);
		else if (rc == -ENOENT)
			rc = copy_run(m, s);
	}
	g_clear_pointer(&m->plans, g_array_unref);
	return rc;
}

// Damage that opening does not see: a page that is read again and again would never end. CHECK constraints
// are left out: they are the source's own and would be run.
static int check_source(struct store *from)
{
	static const char *const pragmas[] = {
	    "PRAGMA quick_check(env)",        "PRAGMA quick_check(env_fact)",    "PRAGMA quick_check(run)",
	    "PRAGMA quick_check(note)",       "PRAGMA quick_check(experiment)",  "PRAGMA quick_check(metric)",
	    "PRAGMA quick_check(mark)",       "PRAGMA quick_check(run_tag)",     "PRAGMA quick_check(probe)",
	    "PRAGMA quick_check(hist)",       "PRAGMA quick_check(probe_count)", "PRAGMA quick_check(loss)",
	    "PRAGMA quick_check(series)",     "PRAGMA quick_check(calibration)", "PRAGMA quick_check(sample)",
	    "PRAGMA quick_check(kernel_log)", "PRAGMA quick_check(not_measured)"};
	int rc = store_exec(from, "PRAGMA ignore_check_constraints = ON");

	for (size_t i = 0; i < G_N_ELEMENTS(pragmas) && !rc; i++)
		rc = store_quick_check(from, pragmas[i]);
	return rc;
}

int store_merge(struct store *into, struct store *from, struct merge_outcome *outcome)
{
	g_autoptr(GHashTable) experiments = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GHashTable) envs = g_hash_table_new(NULL, NULL), probes = g_hash_table_new(NULL, NULL);
	struct merge m = {into, from, outcome, NULL, experiments, envs, probes};
	int rc;

	*outcome = (struct merge_outcome){.renamed = g_ptr_array_new_with_free_func(g_free)};
	rc = store_begin(from);
	if (!rc)
		rc = check_source(from);
	if (!rc)
		rc = store_begin(into);
	if (!rc)
		rc = copy_runs(&m);
	store_commit(from);
	if (!rc)
		rc = store_commit(into);
	if (rc)
		store_rollback(into);
	return rc;
}

void merge_outcome_clear(struct merge_outcome *outcome)
{
	g_clear_pointer(&outcome->renamed, g_ptr_array_unref);
}
