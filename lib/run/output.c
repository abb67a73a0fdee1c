// Reads, passes on and searches the workload's output; see output.h.
#include "run/output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/store.h"

#define LINE_MAX_BYTES 65536 // of a longer line, the beginning is searched
#define MARKS_MAX 10000      // of a run

struct extract {
	char *name, *unit, *pattern, *found; // found: the text that matched last
	const char *better;
	GRegex *regex;
};

struct stream {
	int workload_fd, fd, sink; // the pipe's ends; where its bytes are passed on to
	GString *line;
};

struct output {
	GPtrArray *extracts, *marks; // struct extract, GRegex
	struct stream streams[2];    // standard output, standard error
	unsigned n_marks, dropped_marks;
};

static GRegex *compile(const char *option, const char *pattern)
{
	g_autoptr(GError) error = NULL;
	GRegex *regex = g_regex_new(pattern, G_REGEX_RAW | G_REGEX_OPTIMIZE, 0, &error);

	if (!regex)
		err_set(-EINVAL, "--%s: \"%s\" is no regular expression: %s", option, pattern,
			error->message);
	return regex;
}

static void extract_free(void *p)
{
	struct extract *x = p;

	g_free(x->name);
	g_free(x->unit);
	g_free(x->pattern);
	g_free(x->found);
	if (x->regex)
		g_regex_unref(x->regex);
	g_free(x);
}

// The direction is the last character before the '='; NAME and UNIT are divided by the first ':'.
static int parse_extract(const char *text, struct extract **out)
{
	const char *sign = strchr(text, '='), *colon;
	g_autofree char *left = sign ? g_strndup(text, (gsize)(sign - text)) : g_strdup("");
	size_t n = strlen(left);
	struct extract *x;

	if (!sign || !*left || !sign[1])
		return err_set(-EINVAL,
			       "--extract \"%s\": the form is NAME[:UNIT][+|-]=REGEX, e.g. "
			       "'rate:ops/s+=^([0-9.]+) ops/s'",
			       text);
	x = g_new0(struct extract, 1);
	x->better = left[n - 1] == '+' ? "more" : left[n - 1] == '-' ? "less" : "neither";
	if (strcmp(x->better, "neither"))
		left[n - 1] = 0;
	colon = strchr(left, ':');
	x->name = colon ? g_strndup(left, (gsize)(colon - left)) : g_strdup(left);
	x->unit = colon && colon[1] ? g_strdup(colon + 1) : NULL;
	x->pattern = g_strdup(sign + 1);
	x->regex = *x->name ? compile("extract", x->pattern) : NULL;
	if (!x->regex) {
		int rc = *x->name ? -EINVAL : err_set(-EINVAL, "--extract \"%s\": it has no name", text);

		extract_free(x);
		return rc;
	}
	*out = x;
	return 0;
}

static int parse(const struct output_options *o, GPtrArray *extracts, GPtrArray *marks)
{
	for (const char *const *t = o->extracts; t && *t; t++) {
		struct extract *x = NULL;
		int rc = parse_extract(*t, &x);

		if (rc)
			return rc;
		g_ptr_array_add(extracts, x);
	}
	for (const char *const *t = o->marks; t && *t; t++) {
		GRegex *regex = compile("mark", *t);

		if (!regex)
			return -EINVAL;
		g_ptr_array_add(marks, regex);
	}
	return 0;
}

int output_check(const struct output_options *o)
{
	g_autoptr(GPtrArray) extracts = g_ptr_array_new_with_free_func(extract_free);
	g_autoptr(GPtrArray) marks = g_ptr_array_new_with_free_func((GDestroyNotify)g_regex_unref);

	return parse(o, extracts, marks);
}

// --- pipes

static int open_stream(struct stream *s, int sink)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return err_set(-errno, "pipe: %m");
	fcntl(fds[0], F_SETPIPE_SZ, 1 << 20); // fewer stalls of a workload that prints much
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	s->fd = fds[0];
	s->workload_fd = fds[1];
	s->sink = sink;
	s->line = g_string_new(NULL);
	return 0;
}

int output_new(const struct output_options *o, struct output **output)
{
	struct output *out;
	int rc;

	*output = NULL;
	if (!(o->extracts && *o->extracts) && !(o->marks && *o->marks))
		return 0;
	out = g_new0(struct output, 1);
	out->streams[0] = out->streams[1] = (struct stream){-1, -1, -1, NULL};
	out->extracts = g_ptr_array_new_with_free_func(extract_free);
	out->marks = g_ptr_array_new_with_free_func((GDestroyNotify)g_regex_unref);
	*output = out;
	rc = parse(o, out->extracts, out->marks);
	if (!rc)
		rc = open_stream(&out->streams[0], o->stdout_fd);
	return rc ? rc : open_stream(&out->streams[1], STDERR_FILENO);
}

int output_workload_fd(const struct output *o, int stream)
{
	return o->streams[stream].workload_fd;
}

int output_fd(const struct output *o, int stream)
{
	return o->streams[stream].fd;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void output_started(struct output *o)
{
	close_fd(&o->streams[0].workload_fd);
	close_fd(&o->streams[1].workload_fd);
}

// --- lines

// The first group, or the whole match; NULL: no match.
static char *match(const GRegex *regex, const GString *line)
{
	g_autoptr(GMatchInfo) info = NULL;

	if (!g_regex_match_full(regex, line->str, (gssize)line->len, 0, 0, &info, NULL))
		return NULL;
	return g_match_info_fetch(info, g_regex_get_capture_count(regex) > 0 ? 1 : 0);
}

static int search(struct output *o, const GString *line, struct store *store, int64_t run, int64_t now_ns)
{
	for (guint i = 0; i < o->extracts->len; i++) {
		struct extract *x = o->extracts->pdata[i];
		char *text = match(x->regex, line);

		if (!text)
			continue;
		g_free(x->found);
		x->found = text;
	}
	for (guint i = 0; i < o->marks->len; i++) {
		g_autofree char *name = match(o->marks->pdata[i], line);
		int rc;

		if (!name)
			continue;
		if (o->n_marks++ >= MARKS_MAX) {
			o->dropped_marks++;
			continue;
		}
		rc = store_mark(store, run, now_ns, name);
		if (rc)
			return rc;
	}
	return 0;
}

static int take(struct output *o, struct stream *s, const char *bytes, size_t n, struct store *store,
		int64_t run, int64_t now_ns)
{
	int rc = 0;

	while (n && !rc) {
		const char *end = memchr(bytes, '\n', n);
		size_t part = end ? (size_t)(end - bytes) : n, room = LINE_MAX_BYTES - s->line->len;

		g_string_append_len(s->line, bytes, (gssize)MIN(part, room));
		if (end) {
			rc = search(o, s->line, store, run, now_ns);
			g_string_truncate(s->line, 0);
			part++;
		}
		bytes += part;
		n -= part;
	}
	return rc;
}

// A reader of ours that is gone must not end the measurement: what can't be written is dropped, as a shell
// would.
static void pass_on(int sink, const char *bytes, size_t n)
{
	while (n) {
		ssize_t done = write(sink, bytes, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		bytes += done;
		n -= (size_t)done;
	}
}

int output_read(struct output *o, int stream, struct store *store, int64_t run, int64_t now_ns)
{
	struct stream *s = &o->streams[stream];
	char bytes[65536];
	int rc = 0;

	while (!rc && s->fd >= 0) {
		ssize_t n = read(s->fd, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 0; // nothing more now
		if (n == 0) {
			close_fd(&s->fd);
			return 0;
		}
		pass_on(s->sink, bytes, (size_t)n);
		rc = take(o, s, bytes, (size_t)n, store, run, now_ns);
	}
	return rc;
}

// --- the end

// The whole text, but for blanks around it: of "12,345" or "1.5M" the beginning alone would be another
// number.
static double number_of(const char *text)
{
	char *end;
	double value = g_ascii_strtod(text, &end);

	return end != text && !end[strspn(end, " \t\r")] ? value : NAN;
}

static int store_extract(const struct extract *x, struct store *store, int64_t run)
{
	g_autofree char *what = g_strdup_printf("extract.%s", x->name), *why = NULL;
	double value = x->found ? number_of(x->found) : NAN;

	if (isfinite(value))
		return store_metric(store, run, x->name, value, x->unit, x->better, x->pattern);
	why = x->found ? g_strdup_printf("\"%s\" is not a number", x->found)
		       : g_strdup_printf("no line of the output matched \"%s\"", x->pattern);
	return store_not_measured(store, run, what, why);
}

int output_finish(struct output *o, struct store *store, int64_t run, int64_t now_ns)
{
	int rc = 0;

	for (int i = 0; i < 2 && !rc; i++) {
		rc = output_read(o, i, store, run, now_ns);
		if (!rc && o->streams[i].line->len) // a last line without its end
			rc = search(o, o->streams[i].line, store, run, now_ns);
	}
	for (guint i = 0; i < o->extracts->len && !rc; i++)
		rc = store_extract(o->extracts->pdata[i], store, run);
	if (!rc && o->dropped_marks)
		rc = store_loss(store, run, 0, "marks_dropped", o->dropped_marks,
				"marks beyond the first 10,000 of the run");
	return rc;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	for (int i = 0; i < 2; i++) {
		close_fd(&o->streams[i].fd);
		close_fd(&o->streams[i].workload_fd);
		if (o->streams[i].line)
			g_string_free(o->streams[i].line, TRUE);
	}
	g_ptr_array_unref(o->extracts);
	g_ptr_array_unref(o->marks);
	g_free(o);
}
