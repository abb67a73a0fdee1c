// One thing of many runs; see values.h. Each question goes through an index that holds all that it needs
// (probe_by_name, hist_totals, series_by_name), so that thousands of runs are read without their histograms.
#include "store/values.h"

#include <math.h>

#include "base/err.h"
#include "store/internal.h"

int store_read_totals(struct store *s, const char *probe, const char *part, const char *class,
		      GArray **totals)
{
#define F(type, name) FIELD(type, store_total_row, name)
	static const struct field fields[] = {F('i', run),    F('i', probe),  F('t', status),
					      F('T', why),    F('T', class),  F('I', count),
					      F('I', sum_ns), F('I', min_ns), F('I', max_ns)};
#undef F
	struct list list =
	    LIST(store_total_row, fields,
		 "SELECT p.run_id, p.id, p.status, p.why, h.class, h.count, h.sum_ns, h.min_ns, h.max_ns"
		 " FROM probe p LEFT JOIN hist h INDEXED BY hist_totals ON h.probe_id = p.id AND h.part = ?2"
		 " AND (?3 IS NULL OR h.class = ?3) WHERE p.name = ?1 ORDER BY p.run_id, p.id");
	const struct value values[] = {v_text(probe), v_text(part), v_text(class)};

	return store_list(s, &list, values, 3, totals);
}

int store_read_buckets(struct store *s, const char *probe, const char *part, const char *class,
		       GArray **hists)
{
#define F(type, name) FIELD(type, store_buckets_row, name)
	static const struct field fields[] = {F('i', run),    F('i', probe),  F('I', count),  F('I', sum_ns),
					      F('I', min_ns), F('I', max_ns), F('b', buckets)};
#undef F
	struct list list =
	    LIST(store_buckets_row, fields,
		 "SELECT p.run_id, p.id, h.count, h.sum_ns, h.min_ns, h.max_ns, h.buckets"
		 " FROM probe p JOIN hist h ON h.probe_id = p.id AND h.part = ?2"
		 " AND (?3 IS NULL OR h.class = ?3) WHERE p.name = ?1 ORDER BY p.run_id, p.id");
	const struct value values[] = {v_text(probe), v_text(part), v_text(class)};

	return store_list(s, &list, values, 3, hists);
}

int store_read_tallies(struct store *s, const char *probe, const char *part, const char *key,
		       const char *class, GArray **tallies)
{
#define F(type, name) FIELD(type, store_tally_row, name)
	static const struct field fields[] = {F('i', run),      F('i', probe), F('t', status), F('T', why),
					      F('T', sum_unit), F('I', count), F('I', sum),    F('i', rows),
					      F('i', no_count), F('i', no_sum)};
#undef F
	struct list list =
	    LIST(store_tally_row, fields,
		 "SELECT p.run_id, p.id, p.status, p.why, p.sum_unit, sum(c.count), sum(c.sum),"
		 " count(c.probe_id), count(c.probe_id) - count(c.count),"
		 " count(c.probe_id) - count(c.sum)"
		 " FROM probe p LEFT JOIN probe_count c ON c.probe_id = p.id AND c.part = ?2"
		 " AND (?3 IS NULL OR c.class = ?3) AND (?4 IS NULL OR c.key_name = ?4)"
		 " WHERE p.name = ?1 GROUP BY p.run_id, p.id ORDER BY p.run_id, p.id");
	const struct value values[] = {v_text(probe), v_text(part), v_text(class), v_text(key)};

	return store_list(s, &list, values, 4, tallies);
}

int store_read_ends(struct store *s, const char *name, GArray **ends)
{
#define F(type, name) FIELD(type, store_ends_row, name)
	static const struct field fields[] = {F('i', run),      F('i', series), F('t', unit),
					      F('i', counter),  F('I', first),  F('I', last),
					      F('I', first_ns), F('I', last_ns)};
#undef F
	struct list list =
	    LIST(store_ends_row, fields,
		 "SELECT s.run_id, s.id, s.unit, s.counter, a.value, b.value, a.t_ns, b.t_ns FROM series s"
		 " LEFT JOIN sample a ON a.series_id = s.id AND a.t_ns ="
		 " (SELECT min(t_ns) FROM sample WHERE series_id = s.id)"
		 " LEFT JOIN sample b ON b.series_id = s.id AND b.t_ns ="
		 " (SELECT max(t_ns) FROM sample WHERE series_id = s.id)"
		 " WHERE s.name = ? ORDER BY s.run_id");
	const struct value value = v_text(name);

	return store_list(s, &list, &value, 1, ends);
}

int store_read_level(struct store *s, int64_t series, int64_t end_ns, struct store_level *level)
{
	g_autoptr(GArray) samples = NULL;
	double area = 0, time = 0;
	int rc = store_read_samples(s, series, &samples);

	if (rc)
		return rc;
	*level = (struct store_level){STORE_NULL, STORE_NULL, NAN};
	for (guint i = 0; i < samples->len; i++) {
		const struct store_sample_row *x = &g_array_index(samples, struct store_sample_row, i);
		int64_t until = i + 1 < samples->len ? MIN(x[1].t_ns, end_ns) : end_ns;
		double held = fmax((double)until - (double)x->t_ns, 0);

		level->least = i ? MIN(level->least, x->value) : x->value;
		level->most = i ? MAX(level->most, x->value) : x->value;
		area += held * (double)x->value;
		time += held;
	}
	if (time > 0)
		level->mean = area / time;
	else if (samples->len && level->least == level->most) // read once only, after the end
		level->mean = (double)level->most;
	return 0;
}

#define N(type, name) FIELD(type, store_number_row, name)
static const struct field number_fields[] = {N('i', run), N('r', value), N('T', unit), N('T', better)};

int store_read_extracts(struct store *s, const char *name, GArray **numbers)
{
	struct list list =
	    LIST(store_number_row, number_fields,
		 "SELECT run_id, value, unit, better FROM metric WHERE name = ? ORDER BY run_id");
	const struct value value = v_text(name);

	return store_list(s, &list, &value, 1, numbers);
}

// A text that is a number and nothing else: beside a number, only such a text is compared as one.
#define IS_NUMBER "value = CAST(value AS NUMERIC) AND abs(CAST(value AS REAL)) <= 1.7976931348623157e308"

int store_read_tag_numbers(struct store *s, const char *key, GArray **numbers)
{
	struct list list =
	    LIST(store_number_row, number_fields,
		 "SELECT run_id, CAST(value AS REAL), NULL, NULL FROM run_tag WHERE key = ? AND " IS_NUMBER
		 " ORDER BY run_id");
	const struct value value = v_text(key);

	return store_list(s, &list, &value, 1, numbers);
}

int store_read_lossy(struct store *s, const char *probe, GArray **lossy)
{
#define F(type, name) FIELD(type, store_lossy_row, name)
	static const struct field fields[] = {F('i', run), F('i', lost), F('i', seen)};
#undef F
	struct list list =
	    LIST(store_lossy_row, fields,
		 "SELECT p.run_id, sum(ifnull(l.count, 9223372036854775807 >> 16)),"
		 " ifnull((SELECT sum(count) FROM hist INDEXED BY hist_totals WHERE probe_id = p.id), 0)"
		 " + ifnull((SELECT sum(count) FROM probe_count WHERE probe_id = p.id), 0)"
		 " FROM probe p JOIN loss l ON l.run_id = p.run_id AND ifnull(l.probe_id, 0) IN (p.id, 0)"
		 " WHERE p.name = ? AND ifnull(l.count, 1) > 0 AND l.kind NOT LIKE 'above%'"
		 " AND (l.probe_id NOTNULL OR (p.backend = 'ftrace' AND l.kind LIKE 'ftrace%'))"
		 " GROUP BY p.run_id ORDER BY p.run_id");
	const struct value value = v_text(probe);

	return store_list(s, &list, &value, 1, lossy);
}

// The names of an index, one seek each instead of a scan of millions of rows.
#define DISTINCT_NAMES(table)                                                                                \
	"WITH RECURSIVE names(n) AS (SELECT min(name) FROM " table                                           \
	" UNION ALL SELECT (SELECT min(name) FROM " table " WHERE name > n) FROM names WHERE n IS NOT NULL)"

int store_read_names(struct store *s, enum store_names what, GArray **names)
{
#define F(type, name) FIELD(type, store_name_row, name)
	static const struct field fields[] = {F('t', name), F('T', part), F('T', key),
					      F('T', unit), F('T', kind), F('I', counter)};
#undef F
	struct list lists[] = {
	    [STORE_SERIES] =
		LIST(store_name_row, fields,
		     DISTINCT_NAMES(
			 "series") " SELECT n, NULL, NULL, s.unit, NULL, s.counter FROM names"
				   " JOIN series s ON s.id = (SELECT id FROM series WHERE name = n LIMIT 1)"
				   " WHERE n IS NOT NULL"),
	    [STORE_HISTS] = LIST(store_name_row, fields,
				 "SELECT DISTINCT p.name, h.part, NULL, NULL, p.kind, NULL FROM probe p"
				 " JOIN hist h INDEXED BY hist_totals ON h.probe_id = p.id ORDER BY 1, 2"),
	    [STORE_COUNTS] =
		LIST(store_name_row, fields,
		     "SELECT DISTINCT p.name, c.part, c.key_name, p.sum_unit, p.kind, c.sum IS NOT NULL"
		     " FROM probe p JOIN probe_count c ON c.probe_id = p.id ORDER BY 1, 2, 3"),
	    [STORE_EXTRACTS] =
		LIST(store_name_row, fields,
		     "SELECT name, NULL, NULL, min(unit), min(better), NULL FROM metric GROUP BY name"),
	    [STORE_TAGS] =
		LIST(store_name_row, fields,
		     "SELECT DISTINCT key, NULL, NULL, NULL, NULL, NULL FROM run_tag WHERE " IS_NUMBER
		     " ORDER BY 1"),
	};

	return store_list(s, &lists[what], NULL, 0, names);
}

int store_find_probe(struct store *s, const char *name, const char **kind)
{
	static const struct field fields[] = {{'t', 0}};
	struct row {
		const char *kind;
	};
	struct list list = LIST(row, fields, "SELECT kind FROM probe WHERE name = ? LIMIT 1");
	const struct value value = v_text(name);
	g_autoptr(GArray) rows = NULL;
	int rc = store_list(s, &list, &value, 1, &rows);

	if (!rc)
		*kind = rows->len ? g_array_index(rows, struct row, 0).kind : NULL;
	return rc;
}

int store_has_part(struct store *s, const char *probe, const char *part, const char *key, bool events,
		   bool *has)
{
	const struct value values[] = {v_text(probe), v_text(part), v_text(key)};
	int64_t found;
	int rc = store_get_int(
	    s,
	    events ? "SELECT EXISTS (SELECT 1 FROM probe p JOIN probe_count c ON c.probe_id = p.id"
		     " WHERE p.name = ?1 AND c.part = ?2 AND (?3 IS NULL OR c.key_name = ?3))"
		     " OR NOT EXISTS (SELECT 1 FROM probe WHERE name = ?1 AND status = 'attached')"
		   : "SELECT EXISTS (SELECT 1 FROM probe p JOIN hist h INDEXED BY hist_totals"
		     " ON h.probe_id = p.id WHERE p.name = ?1 AND h.part = ?2)"
		     " OR NOT EXISTS (SELECT 1 FROM probe WHERE name = ?1 AND status = 'attached')",
	    values, events ? 3 : 2, &found);

	*has = !rc && found;
	return rc;
}

int store_find_series(struct store *s, const char *name, const char **unit, bool *counter)
{
	struct row {
		const char *unit;
		int64_t counter;
	};
	static const struct field fields[] = {FIELD('t', row, unit), FIELD('i', row, counter)};
	struct list list =
	    LIST(row, fields, "SELECT unit, counter FROM series WHERE name = ? ORDER BY run_id LIMIT 1");
	const struct value value = v_text(name);
	g_autoptr(GArray) rows = NULL;
	int rc = store_list(s, &list, &value, 1, &rows);

	if (rc)
		return rc;
	*unit = rows->len ? g_array_index(rows, struct row, 0).unit : NULL;
	*counter = rows->len && g_array_index(rows, struct row, 0).counter;
	return 0;
}
