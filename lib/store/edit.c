// Changes to runs that are there: notes, and deleting them.
#include <errno.h>

#include "base/err.h"
#include "store/internal.h"

int store_note(struct store *s, int64_t run, const char *text)
{
	return STORE_DO(s, "INSERT INTO note (run_id, unix_ns, text) VALUES (?, ?, ?)", v_int(run),
			v_int(g_get_real_time() * 1000), v_text(text));
}

// Foreign keys that only deleting looks up backwards: without these, each deleted probe would read all of
// `loss` and each set of facts all of `run`. They are made by the first deletion, so that recording need not
// carry them.
static int index_for_deletion(struct store *s)
{
	return store_exec(s, "CREATE INDEX IF NOT EXISTS loss_by_probe ON loss (probe_id);"
			     "CREATE INDEX IF NOT EXISTS run_by_env ON run (env_id)");
}

struct doomed {
	int64_t running, env;
	char *experiment;
};

static int look_at(struct store *s, int64_t run, struct doomed *d)
{
	const struct value id = v_int(run);
	sqlite3_stmt *stmt;
	int rc = store_stmt(s,
			    "SELECT status = 'running', ifnull(env_id, -1), experiment FROM run WHERE id = ?",
			    &id, 1, &stmt),
	    result;

	if (rc)
		return rc;
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW) {
		d->running = sqlite3_column_int64(stmt, 0);
		d->env = sqlite3_column_int64(stmt, 1);
		d->experiment = g_strdup((const char *)sqlite3_column_text(stmt, 2));
	} else {
		rc = result == SQLITE_DONE
			 ? err_set(-ENOENT, "%s: there is no run %" G_GINT64_FORMAT, s->path, run)
			 : store_error(s, result);
	}
	sqlite3_reset(stmt);
	return rc;
}

// Only what this run used: a plan whose first run is about to begin has no run yet either.
static int delete_unused(struct store *s, const struct doomed *d)
{
	int rc =
	    STORE_DO(s, "DELETE FROM env WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE env_id = ?1)",
		     v_int(d->env));

	return rc ? rc
		  : STORE_DO(s,
			     "DELETE FROM experiment WHERE name = ?1"
			     " AND NOT EXISTS (SELECT 1 FROM run WHERE experiment = ?1)",
			     v_text(d->experiment));
}

int store_delete_run(struct store *s, int64_t run)
{
	struct doomed d = {};
	int rc = index_for_deletion(s);

	if (!rc)
		rc = look_at(s, run, &d);
	if (!rc && d.running) // opened for writing: a dead one would be marked crashed by now
		rc = err_set(-EBUSY, "run %" G_GINT64_FORMAT " is being recorded now", run);
	if (!rc)
		rc = STORE_DO(s, "DELETE FROM run WHERE id = ?", v_int(run));
	if (!rc)
		rc = delete_unused(s, &d);
	g_free(d.experiment);
	return rc;
}
