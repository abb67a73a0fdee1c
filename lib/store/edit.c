// Changes to runs that are there: notes, and deleting them.
#include <errno.h>

#include "base/err.h"
#include "store/internal.h"

int store_note(struct store *s, int64_t run, const char *text)
{
	return STORE_DO(s, "INSERT INTO note (run_id, unix_ns, text) VALUES (?, ?, ?)", v_int(run),
			v_int(g_get_real_time() * 1000), v_text(text));
}

int store_delete_run(struct store *s, int64_t run)
{
	const struct value id = v_int(run);
	int64_t running;
	int rc = store_get_int(s, "SELECT status = 'running' FROM run WHERE id = ?", &id, 1, &running);

	if (rc == -ENOENT)
		return err_set(rc, "%s: there is no run %" G_GINT64_FORMAT, s->path, run);
	if (!rc && running) // opened for writing: a dead one would be marked crashed by now
		return err_set(-EBUSY, "run %" G_GINT64_FORMAT " is being recorded now", run);
	return rc ? rc : STORE_DO(s, "DELETE FROM run WHERE id = ?", v_int(run));
}

int store_delete_unused(struct store *s)
{
	int rc = store_exec(
	    s, "DELETE FROM env WHERE id NOT IN (SELECT env_id FROM run WHERE env_id IS NOT NULL)");

	return rc ? rc
		  : store_exec(s, "DELETE FROM experiment WHERE name NOT IN"
				  " (SELECT experiment FROM run WHERE experiment IS NOT NULL)");
}
