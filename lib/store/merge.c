// Merging; see merge.h. The source is read through its own connection, which has checked its shape, and never
// attached: nothing of its schema can run. Rows: merge_rows.c.
#include "store/merge_internal.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "store/store_read.h"

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
		return merge_bad_row(m, "run", "facts that are not there");
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
		merge_map_id(m->envs, old_env, new_env);
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
	    FIELD('i', source, id),   FIELD('I', source, env),        FIELD('i', source, running),
	    FIELD('t', source, uuid), FIELD('T', source, experiment),
	};
	struct list list = LIST(source, fields,
				"SELECT id, env_id, status = 'running', uuid, experiment FROM run"
				" ORDER BY started_unix_ns, id");

	return store_list(from, &list, NULL, 0, runs);
}

static int copy_run(struct merge *m, const struct source *s)
{
	int64_t run = 0, env = s->env == STORE_NULL ? 0 : merge_mapped_id(m->envs, s->env);
	const char *experiment = NULL;
	int rc = s->experiment ? copy_experiment(m, s->experiment, &experiment) : 0;

	if (!rc)
		rc = merge_run_row(m, s->id, experiment, env, &run);
	if (!rc && s->env != STORE_NULL && !env)
		rc = copy_env(m, s->id, s->env, run);
	if (!rc)
		rc = merge_rows_of_run(m, s->id, run);
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

int store_merge(struct store *into, struct store *from, struct merge_outcome *outcome)
{
	g_autoptr(GHashTable) experiments = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GHashTable) envs = g_hash_table_new(NULL, NULL), probes = g_hash_table_new(NULL, NULL);
	struct merge m = {into, from, outcome, NULL, experiments, envs, probes};
	int rc;

	*outcome = (struct merge_outcome){.renamed = g_ptr_array_new_with_free_func(g_free)};
	rc = store_begin(from);
	if (!rc)
		rc = merge_check_source(from);
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
