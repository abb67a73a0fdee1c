// Writers for time series. A value holds until the next row, so that what doesn't change costs nothing.
#include <errno.h>

#include "store/internal.h"

struct last_sample {
	int64_t series, value; // the series' id is the hash table's key
};

int store_series(struct store *s, int64_t run, const char *name, const char *unit, bool counter,
		 int64_t *series)
{
	const struct value by_name[] = {v_int(run), v_text(name)};
	int rc = store_get_int(s, "SELECT id FROM series WHERE run_id = ? AND name = ?", by_name, 2, series);

	if (rc != -ENOENT)
		return rc;
	rc = STORE_DO(s, "INSERT INTO series (run_id, name, unit, counter) VALUES (?, ?, ?, ?)", v_int(run),
		      v_text(name), v_text(unit), v_int(counter));
	if (!rc)
		*series = sqlite3_last_insert_rowid(s->db);
	return rc;
}

static int write_sample(struct store *s, const struct waiting_sample *w)
{
	return STORE_DO(s, "INSERT OR REPLACE INTO sample VALUES (?, ?, ?)", v_int(w->series), v_int(w->t_ns),
			v_int(w->value));
}

int store_write_waiting(struct store *s)
{
	int rc = 0;

	for (guint i = 0; i < s->waiting->len && !rc; i++)
		rc = write_sample(s, &g_array_index(s->waiting, struct waiting_sample, i));
	if (!rc)
		g_array_set_size(s->waiting, 0);
	return rc;
}

int store_sample(struct store *s, int64_t series, int64_t t_ns, int64_t value, bool last)
{
	const struct waiting_sample w = {series, t_ns, value};
	struct last_sample *before = g_hash_table_lookup(s->last, &series);
	int rc = 0;

	if (before && before->value == value && !last)
		return 0;
	if (s->later)
		g_array_append_val(s->waiting, w);
	else
		rc = write_sample(s, &w);
	if (rc)
		return rc;
	if (!before) {
		before = g_new(struct last_sample, 1);
		before->series = series;
		g_hash_table_insert(s->last, &before->series, before);
	}
	before->value = value;
	return 0;
}
