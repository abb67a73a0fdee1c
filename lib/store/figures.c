// Writers for what a run measured: probes, histograms, counts, losses, calibration, what is missing, log
// lines.
#include <inttypes.h>

#include "store/buckets.h"
#include "store/internal.h"

int store_probe(struct store *s, int64_t run, const struct store_probe *p, int64_t *probe)
{
	int rc =
	    STORE_DO(s,
		     "INSERT INTO probe (run_id, name, kind, target, backend, status, why, what, sum_unit)"
		     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		     v_int(run), v_text(p->name), v_text(p->kind), v_text(p->target), v_text(p->backend),
		     v_text(p->status), v_text(p->why), v_text(p->what), v_text(p->sum_unit));

	if (!rc)
		*probe = sqlite3_last_insert_rowid(s->db);
	return rc;
}

// Puts a value that SQLite's INTEGER can't hold into the ledger, exactly; its column is NULL. See schema.sql.
static int keep_huge(struct store *s, int64_t probe, const char *column, const char *part, const char *class,
		     uint64_t value)
{
	g_autofree char *kind = NULL, *detail = NULL;

	if (value <= INT64_MAX)
		return 0;
	kind = g_strdup_printf("above_2^63 %s %s %s", column, part, class);
	detail =
	    g_strdup_printf("%s is %" PRIu64 ", more than the database can hold as a number", column, value);
	return STORE_DO(s,
			"INSERT OR REPLACE INTO loss (run_id, probe_id, kind, count, detail)"
			" SELECT run_id, id, ?2, 1, ?3 FROM probe WHERE id = ?1",
			v_int(probe), v_text(kind), v_text(detail));
}

int store_hist(struct store *s, int64_t probe, const struct store_hist *h)
{
	GByteArray *blob = buckets_encode(h->buckets);
	const char *part = h->part ? h->part : "";
	int rc = STORE_DO(s, "INSERT OR REPLACE INTO hist VALUES (?, ?, ?, ?, ?, ?, ?, ?)", v_int(probe),
			  v_text(part), v_text(h->class), v_u64(h->count), v_u64(h->sum_ns), v_u64(h->min_ns),
			  v_u64(h->max_ns), v_blob(blob->data, blob->len));

	g_byte_array_unref(blob);
	if (!rc)
		rc = keep_huge(s, probe, "count", part, h->class, h->count);
	if (!rc)
		rc = keep_huge(s, probe, "sum_ns", part, h->class, h->sum_ns);
	if (!rc)
		rc = keep_huge(s, probe, "min_ns", part, h->class, h->min_ns);
	return rc ? rc : keep_huge(s, probe, "max_ns", part, h->class, h->max_ns);
}

int store_count(struct store *s, int64_t probe, const struct store_count *c)
{
	const char *part = c->part ? c->part : "";
	int rc = STORE_DO(s, "INSERT OR REPLACE INTO probe_count VALUES (?, ?, ?, ?, ?, ?, ?)", v_int(probe),
			  v_text(part), v_text(c->class), v_int(c->key), v_text(c->key_name), v_u64(c->count),
			  c->has_sum ? v_int(c->sum) : (struct value){.type = SQLITE_NULL});

	return rc ? rc : keep_huge(s, probe, "count", part, c->class, c->count);
}

int store_loss(struct store *s, int64_t run, int64_t probe, const char *kind, uint64_t count,
	       const char *detail)
{
	g_autofree char *exact =
	    count > INT64_MAX ? g_strdup_printf("%" PRIu64 " times; %s", count, detail ? detail : "") : NULL;

	return STORE_DO(s,
			"INSERT OR REPLACE INTO loss (run_id, probe_id, kind, count, detail) VALUES (?, "
			"nullif(?, 0), ?, ?, ?)",
			v_int(run), v_int(probe), v_text(kind), v_u64(count), v_text(exact ? exact : detail));
}

int store_calibration(struct store *s, int64_t run, const struct store_calibration *c)
{
	return STORE_DO(s, "INSERT OR REPLACE INTO calibration VALUES (?, ?, ?, ?, ?, ?, ?, ?)", v_int(run),
			v_text(c->backend), v_text(c->function), v_u64(c->calls), v_real(c->inside_p50_ns),
			v_real(c->inside_mean_ns),
			c->call_ns < 0 ? (struct value){.type = SQLITE_NULL} : v_real(c->call_ns),
			v_text(c->note));
}

int store_not_measured(struct store *s, int64_t run, const char *what, const char *why)
{
	return STORE_DO(s, "INSERT OR REPLACE INTO not_measured VALUES (?, ?, ?)", v_int(run), v_text(what),
			v_text(why ? why : "no reason was given"));
}

int store_metric(struct store *s, int64_t run, const char *name, double value, const char *unit,
		 const char *better, const char *source)
{
	return STORE_DO(s, "INSERT OR REPLACE INTO metric VALUES (?, ?, ?, ?, ?, ?)", v_int(run),
			v_text(name), v_real(value), v_text(unit), v_text(better), v_text(source));
}

int store_mark(struct store *s, int64_t run, int64_t t_ns, const char *name)
{
	return STORE_DO(s, "INSERT INTO mark (run_id, t_ns, name) VALUES (?, ?, ?)", v_int(run), v_int(t_ns),
			v_text(name));
}

int store_kernel_log(struct store *s, int64_t run, int64_t t_ns, int level, const char *text)
{
	return STORE_DO(s, "INSERT INTO kernel_log (run_id, t_ns, level, text) VALUES (?, ?, ?, ?)",
			v_int(run), v_int(t_ns), v_int(level), v_text(text));
}
