// Compares a plan with what the database holds of it; see resume.h.
#include "run/resume.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "run/matrix.h"
#include "run/plan.h"
#include "store/store.h"
#include "store/store_read.h"

enum state { TO_RUN, TOUCHED /* interrupted, or a warm-up only */, FAILED, RUNNING, DONE };

static enum state state_of(const struct store_cell_run *run)
{
	if (!strcmp(run->status, "running"))
		return RUNNING;
	if (!strcmp(run->status, "crashed"))
		return FAILED; // a warm-up that crashed, too
	if (run->warmup || !strcmp(run->status, "interrupted"))
		return TOUCHED;
	return !strcmp(run->status, "done") && run->exit_status == 0 ? DONE : FAILED;
}

// The states of all cells, by number; whatever says most about a cell counts.
static enum state *states_of(const GArray *runs, int n_cells)
{
	enum state *states = g_new0(enum state, n_cells + 1);

	for (guint i = 0; i < runs->len; i++) {
		const struct store_cell_run *run = &g_array_index(runs, struct store_cell_run, i);

		if (run->cell >= 1 && run->cell <= n_cells)
			states[run->cell] = MAX(states[run->cell], state_of(run));
	}
	return states;
}

static int take_plan(struct store *store, const struct plan *plan, int n_cells, bool has_runs)
{
	const struct store_experiment info = {plan->name, plan->text, plan->seed, n_cells,
					      g_get_real_time() * 1000};
	const struct store_experiment_row *known = NULL;
	g_autoptr(GArray) all = NULL;
	int rc = store_read_experiments(store, &all);

	for (guint i = 0; !rc && i < all->len; i++)
		if (!strcmp(g_array_index(all, struct store_experiment_row, i).name, plan->name))
			known = &g_array_index(all, struct store_experiment_row, i);
	if (rc)
		return rc;
	if (known && !strcmp(known->plan, plan->text))
		return 0;
	if (has_runs)
		return err_set(
		    -EEXIST,
		    "the database holds runs of an experiment \"%s\" %s; change the name in the plan, "
		    "or give another --db",
		    plan->name, known ? "whose plan was another" : "without its plan");
	return store_experiment(store, &info);
}

static int filter(const struct plan *plan, const enum state *states, enum resume how, GArray *cells,
		  struct resume_count *count)
{
	for (guint i = cells->len; i-- > 0;) {
		int number = g_array_index(cells, struct cell, i).number;
		enum state state = states[number];

		if (state != TO_RUN && how == RESUME_NOT)
			return err_set(-EEXIST,
				       "the database holds runs of experiment \"%s\" already; go on with "
				       "--resume, change "
				       "the name in the plan, or give another --db",
				       plan->name);
		count->done += state == DONE;
		count->running += state == RUNNING;
		count->failed += state == FAILED && how == RESUME_REST;
		if (state == DONE || state == RUNNING || (state == FAILED && how == RESUME_REST))
			g_array_remove_index(cells, i);
	}
	return 0;
}

int resume_cells(struct store *store, const struct plan *plan, int n_cells, enum resume how, GArray *cells,
		 struct resume_count *count)
{
	g_autofree enum state *states = NULL;
	g_autoptr(GArray) runs = NULL;
	int rc = store_begin(store), end;

	*count = (struct resume_count){0, 0, 0};
	if (!rc)
		rc = store_read_cell_runs(store, plan->name, &runs);
	if (!rc)
		rc = take_plan(store, plan, n_cells, runs->len > 0);
	if (!rc) {
		states = states_of(runs, n_cells);
		rc = filter(plan, states, how, cells, count);
	}
	end = store_commit(store);
	return rc ? rc : end;
}
