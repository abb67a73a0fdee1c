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

int store_sample(struct store *s, int64_t series, int64_t t_ns, int64_t value, bool last)
{
	struct last_sample *before = g_hash_table_lookup(s->last, &series);
	int rc;

	if (before && before->value == value && !last)
		return 0;
	rc = STORE_DO(s, "INSERT OR REPLACE INTO sample VALUES (?, ?, ?)", v_int(series), v_int(t_ns),
		      v_int(value));
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
