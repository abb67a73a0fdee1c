// The truth file's reader: maps the file and walks its records; see truth.h.
#include "base/truth.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"

#define MOST_FRAME (1ull << 40) // of guests that QEMU can have
#define MOST_NS (1ull << 60)    // 36 years

struct truth {
	char *path;
	GMappedFile *file;
	const uint8_t *start, *at, *end;
	struct truth_header header;
	GArray *pages;
};

struct cursor {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t get(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70 && c->at < c->end; shift += 7) {
		uint8_t byte = *c->at++;

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	c->bad = true;
	return 0;
}

static int check_header(struct truth *t, size_t size)
{
	struct truth_header *h = &t->header;

	if (size < sizeof(*h) || memcmp(t->start, TRUTH_MAGIC, sizeof(h->magic)))
		return err_set(-EBADMSG, "%s: no truth file of scripts/lab --truth", t->path);
	memcpy(h, t->start, sizeof(*h));
	if (h->version != TRUTH_VERSION)
		return err_set(-EPROTO, "%s: a truth file of version %" PRIu32 ", this mmprof knows %d",
			       t->path, h->version, TRUTH_VERSION);
	if (h->header_bytes < sizeof(*h) || h->header_bytes > size || h->page_shift != TRUTH_PAGE_SHIFT ||
	    h->tiers != TRUTH_TIERS || h->ranges > TRUTH_RANGES || !h->interval_ns ||
	    h->started_unix_ns > INT64_MAX)
		return err_set(-EBADMSG, "%s: a damaged truth file: its header makes no sense", t->path);
	for (unsigned i = 0; i < h->ranges; i++)
		if (h->range[i].tier >= TRUTH_TIERS)
			return err_set(-EBADMSG, "%s: a damaged truth file: tier %" PRIu32, t->path,
				       h->range[i].tier);
	return 0;
}

int truth_open(const char *path, struct truth **truth)
{
	g_autoptr(GError) error = NULL;
	struct truth *t = g_new0(struct truth, 1);
	int rc;

	t->path = g_strdup(path);
	t->pages = g_array_new(FALSE, FALSE, sizeof(struct truth_page));
	t->file = g_mapped_file_new(path, FALSE, &error);
	if (!t->file) {
		rc = err_set(-ENOENT, "%s", error->message);
	} else {
		t->start = (const uint8_t *)g_mapped_file_get_contents(t->file);
		t->end = t->start + g_mapped_file_get_length(t->file);
		rc = check_header(t, g_mapped_file_get_length(t->file));
	}
	if (rc) {
		truth_free(t);
		return rc;
	}
	truth_rewind(t);
	*truth = t;
	return 0;
}

void truth_free(struct truth *t)
{
	if (!t)
		return;
	if (t->file)
		g_mapped_file_unref(t->file);
	g_array_unref(t->pages);
	g_free(t->path);
	g_free(t);
}

const struct truth_header *truth_header(const struct truth *t)
{
	return &t->header;
}

void truth_rewind(struct truth *t)
{
	t->at = t->start + t->header.header_bytes;
}

int truth_tier(const struct truth *t, uint64_t frame)
{
	const struct truth_header *h = &t->header;

	for (unsigned i = 0; i < h->ranges; i++)
		if ((frame << h->page_shift) - h->range[i].start < h->range[i].bytes)
			return (int)h->range[i].tier;
	return -1;
}

static void read_interval(struct truth *t, struct cursor *c, struct truth_event *e)
{
	uint64_t n, frame = 0, length;

	e->cpu = get(c);
	e->t_ns = get(c);
	length = get(c);
	e->end_ns = e->t_ns + length;
	c->bad |= e->t_ns > MOST_NS || length > MOST_NS;
	e->reads = get(c);
	e->writes = get(c);
	for (int i = 0; i < TRUTH_TIERS; i++)
		e->fills[i] = get(c);
	for (int i = 0; i < TRUTH_TIERS; i++)
		e->write_backs[i] = get(c);
	n = get(c);
	// each page has five bytes at least
	c->bad |= n > (uint64_t)(c->end - c->at) / 5;
	g_array_set_size(t->pages, 0);
	for (uint64_t i = 0; i < n && !c->bad; i++) {
		struct truth_page p;
		uint64_t more = get(c);

		c->bad |= more > MOST_FRAME || (i && !more) || frame + more > MOST_FRAME;
		frame += more;
		p.frame = frame;
		p.reads = get(c);
		p.writes = get(c);
		p.read_fills = get(c);
		p.write_fills = get(c);
		c->bad |= (p.reads | p.writes | p.read_fills | p.write_fills) > UINT32_MAX;
		g_array_append_val(t->pages, p);
	}
	e->pages = (const struct truth_page *)t->pages->data;
	e->n_pages = t->pages->len;
}

static void read_sync(struct cursor *c, struct truth_event *e)
{
	size_t n;

	e->t_ns = get(c);
	e->kind = get(c);
	e->clock_ns[0] = get(c);
	e->clock_ns[1] = get(c);
	e->frame = get(c);
	e->told_frame = get(c);
	c->bad |= e->t_ns > MOST_NS;
	n = MIN((size_t)(c->end - c->at), sizeof(e->text) - 1);
	for (size_t i = 0; i < n; i++) // printable ASCII only: it came from the guest
		e->text[i] = c->at[i] >= ' ' && c->at[i] < 0x7f ? (char)c->at[i] : '?';
}

static void read_end(struct cursor *c, struct truth_event *e)
{
	e->t_ns = get(c);
	e->reads = get(c);
	e->writes = get(c);
	e->outside = get(c);
	e->checks = get(c);
	e->failed = get(c);
	e->waited_ns = get(c);
	e->lost = get(c);
	c->bad |= e->t_ns > MOST_NS;
}

static int bad_record(const struct truth *t, int rc, const uint8_t *at, const char *why)
{
	return err_set(rc, "%s: byte %zu: %s", t->path, (size_t)(at - t->start), why);
}

int truth_next(struct truth *t, struct truth_event *e)
{
	while (t->at < t->end) {
		const uint8_t *record = t->at;
		struct cursor c = {t->at + 1, t->end, false};
		uint64_t length = get(&c);

		if (c.bad || length > (uint64_t)(t->end - c.at))
			return bad_record(t, -ENODATA, record, "the file was cut off here");
		c.end = t->at = c.at + length;
		memset(e, 0, sizeof(*e));
		e->type = (enum truth_record) * record;
		if (*record == TRUTH_INTERVAL)
			read_interval(t, &c, e);
		else if (*record == TRUTH_SYNC)
			read_sync(&c, e);
		else if (*record == TRUTH_END)
			read_end(&c, e);
		else
			continue;
		return c.bad ? bad_record(t, -EBADMSG, record, "a damaged record") : 1;
	}
	return 0;
}
