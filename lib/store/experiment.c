// Experiments: their plans, and how the runs of a plan's cells ended.
#include <stddef.h>

#include "store/internal.h"
#include "store/store_read.h"

int store_experiment(struct store *s, const struct store_experiment *info)
{
	return STORE_DO(s,
			"INSERT OR REPLACE INTO experiment (name, plan, seed, cells, created_unix_ns)"
			" VALUES (?, ?, ?, ?, ?)",
			v_text(info->name), v_text(info->plan), v_int(info->seed), v_int(info->cells),
			v_int(info->created_unix_ns));
}

int store_read_experiments(struct store *s, GArray **experiments)
{
	static const struct field fields[] = {
	    FIELD('t', store_experiment_row, name),
	    FIELD('t', store_experiment_row, plan),
	    FIELD('i', store_experiment_row, seed),
	    FIELD('i', store_experiment_row, cells),
	    FIELD('i', store_experiment_row, created_unix_ns),
	};
	struct list list =
	    LIST(store_experiment_row, fields,
		 "SELECT name, plan, seed, cells, created_unix_ns FROM experiment ORDER BY name");

	return store_list(s, &list, NULL, 0, experiments);
}

int store_read_cell_runs(struct store *s, const char *experiment, GArray **runs)
{
	static const struct field fields[] = {
	    FIELD('i', store_cell_run, cell),   FIELD('i', store_cell_run, warmup),
	    FIELD('t', store_cell_run, status), FIELD('I', store_cell_run, exit_status),
	    FIELD('I', store_cell_run, signal),
	};
	struct list list = LIST(store_cell_run, fields,
				"SELECT cell, warmup, status, exit_status, signal FROM run"
				" WHERE experiment = ?1 AND cell IS NOT NULL ORDER BY id");
	const struct value name = v_text(experiment);

	return store_list(s, &list, &name, 1, runs);
}
