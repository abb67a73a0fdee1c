// What tracepoints counted: TLB flushes by reason, mmap_lock's waits and holds, everything else.
#include "report/internal.h"

#define TLB_FLUSH "tlb:tlb_flush"
#define PART_FULL "full" // flushes of everything rather than of a number of pages

static bool is_attached(const struct store_probe_row *p)
{
	return p && !strcmp(p->status, "attached");
}

static bool is_tlb(const struct store_probe_row *p)
{
	return is_attached(p) && p->target && !strcmp(p->target, TLB_FLUSH);
}

static bool is_lock(const struct store_probe_row *p)
{
	return is_attached(p) && !strcmp(p->kind, "lock");
}

static void key_cell(struct doc_section *sec, const struct store_count_row *c)
{
	if (c->key_name)
		doc_text(sec, "%s", c->key_name);
	else
		doc_text(sec, "%" PRId64, c->key);
}

static const struct store_count_row *count_of(const struct report *r, const struct store_count_row *like,
					      const char *part, int64_t key)
{
	for (guint i = 0; i < r->counts->len; i++) {
		const struct store_count_row *c = ROW(r->counts, store_count_row, i);

		if (c->probe == like->probe && c->key == key && !strcmp(c->part, part) &&
		    !strcmp(c->class, like->class))
			return c;
	}
	return NULL;
}

static void remark_incomplete(struct doc_section *sec, const struct report *r,
			      const struct store_probe_row *p)
{
	g_autofree char *incomplete = report_incomplete(r, p);

	if (incomplete)
		doc_note(sec, "%s: %s.", p->name, incomplete);
}

// --- TLB flushes

// The workload's first, then the most frequent.
static int by_count(const void *a, const void *b)
{
	const struct store_count_row *x = *(const struct store_count_row *const *)a,
				     *y = *(const struct store_count_row *const *)b;
	bool x_own = !strcmp(x->class, "workload"), y_own = !strcmp(y->class, "workload");

	if (x_own != y_own)
		return x_own ? -1 : 1;
	return x->count > y->count ? -1 : x->count < y->count;
}

static void tlb_row(struct doc_section *sec, const struct report *r, const struct store_count_row *c)
{
	const struct store_count_row *full = count_of(r, c, PART_FULL, c->key);

	doc_row(sec);
	key_cell(sec, c);
	doc_text(sec, "%s", c->class);
	report_int(sec, c->count, "above 2^63 - 1");
	report_rate(sec, r, c->count);
	if (c->sum == STORE_NULL)
		doc_none(sec, "this backend does not see the tracepoint's arguments");
	else
		doc_int(sec, c->sum);
	doc_int(sec, full ? full->count : 0);
}

static void tlb_of(struct report *r, const struct store_probe_row *p)
{
	static const struct doc_column columns[] = {
	    {"reason", "reason", DOC_PLAIN}, {"class", "class", DOC_PLAIN},
	    {"count", "flushes", DOC_COUNT}, {"rate_per_s", "rate", DOC_RATE},
	    {"pages", "pages", DOC_COUNT},   {"full", "of everything", DOC_COUNT}};
	struct doc_section *sec =
	    doc_section(r->doc, "tlb_flushes", "TLB flushes by reason", columns, G_N_ELEMENTS(columns));

	g_autoptr(GPtrArray) rows = g_ptr_array_new();

	for (guint i = 0; i < r->counts->len; i++) {
		struct store_count_row *c = ROW(r->counts, store_count_row, i);

		if (c->probe == p->id && strcmp(c->part, PART_FULL))
			g_ptr_array_add(rows, c);
	}
	g_ptr_array_sort(rows, by_count);
	for (guint i = 0; i < rows->len; i++)
		tlb_row(sec, r, rows->pdata[i]);
	if (!rows->len)
		doc_note(sec, "None.");
	doc_note(sec,
		 "Counted by %s on tracepoint %s, on each CPU that flushes. \"pages\" are those of flushes "
		 "with a page count, \"of "
		 "everything\" the flushes of the whole TLB.",
		 p->backend ? p->backend : "?", p->target);
	remark_incomplete(sec, r, p);
}

void report_tlb(struct report *r)
{
	for (guint i = 0; i < r->probes->len; i++)
		if (is_tlb(ROW(r->probes, store_probe_row, i))) {
			tlb_of(r, ROW(r->probes, store_probe_row, i));
			return;
		}
}

// --- locks

void report_locks(struct report *r)
{
	static const struct doc_column columns[] = {{"lock", "lock", DOC_PLAIN},
						    {"part", "what", DOC_PLAIN},
						    {"class", "class", DOC_PLAIN},
						    {"backend", "backend", DOC_PLAIN},
						    REPORT_HIST_COLUMNS};
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->probes->len; i++) {
		const struct store_probe_row *p = ROW(r->probes, store_probe_row, i);

		if (!is_lock(p))
			continue;
		if (!sec)
			sec = doc_section(r->doc, "lock_times", "Lock contention", columns,
					  G_N_ELEMENTS(columns));
		for (guint k = 0; k < r->hists->len; k++) {
			const struct store_hist_row *h = ROW(r->hists, store_hist_row, k);

			if (h->probe != p->id)
				continue;
			doc_row(sec);
			doc_text(sec, "%s", p->name);
			doc_text(sec, "%s", h->part);
			doc_text(sec, "%s", h->class);
			report_text(sec, p->backend);
			report_hist(sec, r, h);
		}
		remark_incomplete(sec, r, p);
	}
	if (sec)
		doc_note(sec, "Every acquire counts as a wait, trylocks that succeed too: the kernel's "
			      "tracepoints do not tell them apart. A failed attempt is a trylock that "
			      "failed, or a killable wait that was killed.");
}

// Parts of a lock's counts with keys 1 (ok) and 0 (failed): attempts and how many failed.
static bool is_outcome(const struct report *r, const struct store_count_row *c)
{
	return is_lock(report_probe(r, c->probe)) && (c->key == 0 || c->key == 1);
}

static void outcome_row(struct doc_section *sec, const struct report *r, const struct store_count_row *c)
{
	const struct store_count_row *ok = count_of(r, c, c->part, 1), *failed = count_of(r, c, c->part, 0);
	int64_t n_ok = ok ? ok->count : 0, n_failed = failed ? failed->count : 0;

	doc_row(sec);
	doc_text(sec, "%s", report_probe(r, c->probe)->name);
	doc_text(sec, "%s", c->part);
	doc_text(sec, "%s", c->class);
	report_int(sec, n_ok, "above 2^63 - 1");
	report_int(sec, n_failed, "above 2^63 - 1");
	if (n_ok < 0 || n_failed < 0 || (double)n_ok + (double)n_failed == 0)
		doc_none(sec, "no count");
	else
		doc_real(sec, (double)n_failed / ((double)n_ok + (double)n_failed));
}

void report_acquires(struct report *r)
{
	static const struct doc_column columns[] = {
	    {"lock", "lock", DOC_PLAIN},     {"part", "what", DOC_PLAIN},
	    {"class", "class", DOC_PLAIN},   {"ok", "ok", DOC_COUNT},
	    {"failed", "failed", DOC_COUNT}, {"failed_share", "failed part", DOC_RATIO}};
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->counts->len; i++) {
		const struct store_count_row *c = ROW(r->counts, store_count_row, i);

		// one row for both outcomes: at the first of the two
		if (!is_outcome(r, c) || (c->key == 1 && count_of(r, c, c->part, 0)))
			continue;
		if (!sec)
			sec = doc_section(r->doc, "lock_outcomes", "Lock attempts", columns,
					  G_N_ELEMENTS(columns));
		outcome_row(sec, r, c);
	}
}

// --- everything else that was counted

static void event_row(struct doc_section *sec, const struct report *r, const struct store_probe_row *p,
		      const struct store_count_row *c)
{
	doc_row(sec);
	doc_text(sec, "%s", p->name);
	report_text(sec, *c->part ? c->part : NULL);
	key_cell(sec, c);
	doc_text(sec, "%s", c->class);
	report_text(sec, p->backend);
	report_int(sec, c->count, "above 2^63 - 1");
	report_rate(sec, r, c->count);
	if (c->sum == STORE_NULL)
		doc_none_as(sec, "", NULL);
	else
		doc_int(sec, c->sum);
	report_text(sec, c->sum == STORE_NULL ? NULL : p->sum_unit);
}

static bool events_of(struct doc_section *sec, const struct report *r, const struct store_probe_row *p)
{
	bool any = false;

	for (guint i = 0; i < r->counts->len; i++) {
		const struct store_count_row *c = ROW(r->counts, store_count_row, i);

		if (c->probe != p->id)
			continue;
		any = true;
		if (!is_outcome(r, c))
			event_row(sec, r, p, c);
	}
	return any;
}

static bool has_events(const struct report *r, const struct store_probe_row *p)
{
	if (!is_attached(p) || is_tlb(p))
		return false;
	if (!strcmp(p->kind, "tp"))
		return true;
	for (guint i = 0; i < r->counts->len; i++) {
		const struct store_count_row *c = ROW(r->counts, store_count_row, i);

		if (c->probe == p->id && !is_outcome(r, c))
			return true;
	}
	return false;
}

void report_events(struct report *r)
{
	static const struct doc_column columns[] = {
	    {"probe", "event", DOC_PLAIN},     {"part", "what", DOC_PLAIN},
	    {"key", "by", DOC_PLAIN},          {"class", "class", DOC_PLAIN},
	    {"backend", "backend", DOC_PLAIN}, {"count", "count", DOC_COUNT},
	    {"rate_per_s", "rate", DOC_RATE},  {"sum", "sum", DOC_COUNT},
	    {"sum_unit", "", DOC_PLAIN}};
	g_autoptr(GString) never = g_string_new(NULL);
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->probes->len; i++) {
		const struct store_probe_row *p = ROW(r->probes, store_probe_row, i);

		if (!has_events(r, p))
			continue;
		if (!sec)
			sec = doc_section(r->doc, "events", "Counted events", columns, G_N_ELEMENTS(columns));
		if (!events_of(sec, r, p))
			g_string_append_printf(never, "%s%s", never->len ? ", " : "", p->name);
		remark_incomplete(sec, r, p);
	}
	if (never->len)
		doc_note(sec, "Attached, and never happened: %s.", never->str);
}
