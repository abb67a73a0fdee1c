// Pages in BLOBs: LEB128 varints, differences from the row before; see schema.sql and truth.h.
#include "store/truth.h"

#include <errno.h>

#include "base/err.h"
#include "store/internal.h"
#include "store/store_read.h"

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static void put(GByteArray *b, uint64_t value)
{
	uint8_t bytes[10];
	guint n = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[n++] = (uint8_t)(value | 0x80);
	bytes[n++] = (uint8_t)value;
	g_byte_array_append(b, bytes, n);
}

static uint64_t get(struct reader *r)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		uint8_t byte = *r->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	r->bad = true;
	return 0;
}

static uint64_t zigzag(int64_t value)
{
	return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static int64_t unzigzag(uint64_t value)
{
	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

// Calls `row` with the blob that the statement gives; -EBADMSG for what is none of ours.
static int read_blob(struct store *s, const char *sql, const struct value *values, size_t n, const char *what,
		     void (*row)(struct reader *r, GArray *out), GArray *out)
{
	sqlite3_stmt *stmt;
	int rc = store_stmt(s, sql, values, n, &stmt), result;
	struct reader r = {};

	if (rc)
		return rc;
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW) {
		r.at = sqlite3_column_blob(stmt, 0);
		r.end = r.at + sqlite3_column_bytes(stmt, 0);
		while (r.at < r.end && !r.bad)
			row(&r, out);
		if (r.bad)
			rc = err_set(-EBADMSG, "%s: %s: a damaged row", s->path, what);
	} else {
		rc = result == SQLITE_DONE ? err_set(-ENOENT, "%s: %s: no such row", s->path, what)
					   : store_error(s, result);
	}
	sqlite3_reset(stmt);
	return rc;
}

// --- snapshots: runs of pages whose frames follow each other

int store_places(struct store *s, int64_t run, int64_t t_ns, int64_t pid, int64_t took_ns,
		 const GArray *places)
{
	g_autoptr(GByteArray) blob = g_byte_array_new();
	uint64_t page = 0, frame = 0;

	for (guint i = 0, n; i < places->len; i += n) {
		const struct store_place *p = &g_array_index(places, struct store_place, i);

		for (n = 1; i + n < places->len && p[n].page == p->page + n && p[n].frame == p->frame + n;)
			n++;
		put(blob, p->page - page);
		put(blob, n);
		put(blob, zigzag((int64_t)(p->frame - frame)));
		page = p->page + n;
		frame = p->frame + n;
	}
	return STORE_DO(s, "INSERT OR REPLACE INTO pagemap VALUES (?, ?, ?, ?, ?)", v_int(run), v_int(t_ns),
			v_int(pid), v_int(took_ns), v_blob(blob->data ?: (const void *)"", blob->len));
}

static void read_place(struct reader *r, GArray *out)
{
	const struct store_place *last =
	    out->len ? &g_array_index(out, struct store_place, out->len - 1) : NULL;
	struct store_place p = {last ? last->page + 1 : 0, last ? last->frame + 1 : 0};
	uint64_t n;

	p.page += get(r);
	n = get(r);
	p.frame += (uint64_t)unzigzag(get(r));
	if (!n || n > 1ull << 28 || out->len + n > 1ull << 28) // 1 TiB of base pages
		r->bad = true;
	for (; n && !r->bad; n--, p.page++, p.frame++)
		g_array_append_val(out, p);
}

int store_read_snapshots(struct store *s, int64_t run, GArray **snapshots)
{
	static const struct field fields[] = {{'i', G_STRUCT_OFFSET(struct store_snapshot, t_ns)},
					      {'i', G_STRUCT_OFFSET(struct store_snapshot, pid)},
					      {'i', G_STRUCT_OFFSET(struct store_snapshot, took_ns)}};
	const struct list list =
	    LIST(store_snapshot, fields,
		 "SELECT t_ns, pid, took_ns FROM pagemap WHERE run_id = ? ORDER BY t_ns, pid");
	const struct value of = v_int(run);

	return store_list(s, &list, &of, 1, snapshots);
}

int store_read_places(struct store *s, int64_t run, const struct store_snapshot *snapshot, GArray **places)
{
	const struct value key[] = {v_int(run), v_int(snapshot->t_ns), v_int(snapshot->pid)};

	*places = g_array_new(FALSE, FALSE, sizeof(struct store_place));
	return read_blob(s, "SELECT pages FROM pagemap WHERE run_id = ? AND t_ns = ? AND pid = ?", key, 3,
			 "pagemap", read_place, *places);
}

// --- the truth

int store_truth(struct store *s, int64_t run, const struct store_truth *t)
{
	int rc = STORE_DO(s, "DELETE FROM truth_window WHERE run_id = ?", v_int(run));

	if (!rc)
		rc = STORE_DO(s, "DELETE FROM loss WHERE run_id = ? AND kind LIKE 'truth\\_%' ESCAPE '\\'",
			      v_int(run));
	if (!rc)
		rc = STORE_DO(s, "DELETE FROM not_measured WHERE run_id = ? AND what = ?", v_int(run),
			      v_text(STORE_TRUTH_END));
	if (!rc)
		rc = STORE_DO(s, "DELETE FROM series WHERE run_id = ? AND name LIKE 'truth.%'", v_int(run));
	g_hash_table_remove_all(s->last);
	return rc ? rc
		  : STORE_DO(s, "INSERT OR REPLACE INTO truth VALUES (?, ?, ?, ?, ?)", v_int(run),
			     v_int(t->interval_ns), v_int(t->window_ns), v_int(t->clock_error_ns),
			     v_text(t->heat));
}

int store_truth_window(struct store *s, int64_t run, const struct store_window *w, const GArray *heats)
{
	g_autoptr(GByteArray) blob = g_byte_array_new();
	uint64_t pid = 0, page = 0;

	for (guint i = 0; i < heats->len; i++) {
		const struct store_heat *h = &g_array_index(heats, struct store_heat, i);

		page = h->pid == pid ? page : 0;
		put(blob, h->pid - pid);
		put(blob, h->page - page);
		put(blob, h->reads);
		put(blob, h->writes);
		put(blob, h->fast_fills);
		put(blob, h->slow_fills);
		pid = h->pid;
		page = h->page;
	}
	return STORE_DO(s, "INSERT INTO truth_window VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", v_int(run),
			v_int(w->t_ns), v_int(w->end_ns), v_int(w->reads), v_int(w->writes),
			v_int(w->accesses), v_int(w->fast), v_int(w->slow), v_int(w->doubt),
			v_blob(blob->data ?: (const void *)"", blob->len));
}

// --- samplers' views

int store_view(struct store *s, int64_t run, const char *name, int64_t t_ns, const GArray *scores)
{
	g_autoptr(GByteArray) blob = g_byte_array_new();
	uint64_t pid = 0, page = 0;

	for (guint i = 0; i < scores->len; i++) {
		const struct store_score *v = &g_array_index(scores, struct store_score, i);

		page = v->pid == pid ? page : 0;
		put(blob, v->pid - pid);
		put(blob, v->page - page);
		put(blob, v->score);
		pid = v->pid;
		page = v->page;
	}
	return STORE_DO(s, "INSERT OR REPLACE INTO page_view VALUES (?, ?, ?, ?)", v_int(run), v_text(name),
			v_int(t_ns), v_blob(blob->data ?: (const void *)"", blob->len));
}

int store_forget_views(struct store *s, int64_t run, const char *name)
{
	return STORE_DO(s, "DELETE FROM page_view WHERE run_id = ? AND name = ?", v_int(run), v_text(name));
}

static void read_score(struct reader *r, GArray *out)
{
	const struct store_score *last =
	    out->len ? &g_array_index(out, struct store_score, out->len - 1) : NULL;
	uint64_t more = get(r), page = get(r);
	struct store_score v = {(last ? last->pid : 0) + more, (last && !more ? last->page : 0) + page,
				get(r)};

	if (!r->bad)
		g_array_append_val(out, v);
}

int store_read_views(struct store *s, int64_t run, GArray **views)
{
	static const struct field fields[] = {{'t', G_STRUCT_OFFSET(struct store_view_row, name)},
					      {'i', G_STRUCT_OFFSET(struct store_view_row, t_ns)}};
	const struct list list = LIST(
	    store_view_row, fields, "SELECT name, t_ns FROM page_view WHERE run_id = ? ORDER BY t_ns, name");
	const struct value of = v_int(run);

	return store_list(s, &list, &of, 1, views);
}

int store_read_scores(struct store *s, int64_t run, const struct store_view_row *view, GArray **scores)
{
	const struct value key[] = {v_int(run), v_text(view->name), v_int(view->t_ns)};

	*scores = g_array_new(FALSE, FALSE, sizeof(struct store_score));
	return read_blob(s, "SELECT pages FROM page_view WHERE run_id = ? AND name = ? AND t_ns = ?", key, 3,
			 "page_view", read_score, *scores);
}
