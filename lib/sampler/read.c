// Reading whole kernel files, single values, the budget and the list of absent things. Follows fs/seq_file.c:
// a pread at offset 0 makes the text anew, and each further pread continues where the last one ended, so a
// file longer than the kernel's page is not one instant but two or three in a row.
#include "sampler/read.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *sampler_root = "";

int text_open(const char *root, const char *path)
{
	char full[4096];

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

int text_read(struct text *text, int fd)
{
	text->len = 0;
	for (;;) {
		if (text->size - text->len < 4096) {
			text->size = text->size ? text->size * 2 : 8192;
			text->data = g_realloc(text->data, text->size);
		}
		ssize_t n = pread(fd, text->data + text->len, text->size - text->len - 1, text->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int error = -errno;
			text->data[text->len] = 0;
			return error;
		}
		text->len += n;
		text->data[text->len] = 0;
		if (n == 0)
			return 0;
	}
}

int text_load(struct text *text, const char *root, const char *path)
{
	int fd = text_open(root, path);

	if (fd < 0)
		return fd;
	int r = text_read(text, fd);
	close(fd);
	return r;
}

void text_free(struct text *text)
{
	g_free(text->data);
	*text = (struct text){0};
}

const char *parse_i64(const char *p, int64_t *value)
{
	uint64_t n = 0;

	while (*p == ' ' || *p == '\t')
		p++;
	bool negative = *p == '-';
	p += negative;
	if (*p < '0' || *p > '9')
		return NULL;
	while (*p >= '0' && *p <= '9')
		n = n * 10 + (uint64_t)(*p++ - '0');
	*value = (int64_t)(negative ? 0 - n : n);
	return p;
}

bool parse_keyed(const char *text, const char *key, int64_t *value)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len))
			return parse_i64(line + len, value) != NULL;
	}
	return false;
}

// --- values

// Descriptors are kept only while few are: the probes of a session need theirs under the same limit.
enum { KEEP_MAX = 192 };
static int kept;

int value_open(struct value_file *file, const char *path, const char *unit, enum series_kind kind,
	       int64_t scale)
{
	int fd = text_open(sampler_root, path);

	if (fd < 0)
		return fd;
	*file = (struct value_file){g_strdup(path), NULL, unit, kind, scale, fd};
	if (kept < KEEP_MAX) {
		kept++;
	} else {
		close(fd);
		file->fd = -1;
	}
	return 0;
}

int value_read(struct value_file *file, int64_t *value)
{
	char line[64];
	int fd = file->fd >= 0 ? file->fd : text_open(sampler_root, file->path);

	if (fd < 0)
		return fd;
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	int error = n < 0 ? -errno : 0;
	if (file->fd < 0)
		close(fd);
	if (error)
		return error;
	line[n] = 0;
	if (!parse_i64(line, value))
		return -EINVAL;
	*value *= file->scale;
	return 0;
}

void value_close(struct value_file *file)
{
	if (file->path && file->fd >= 0) {
		close(file->fd);
		kept--;
	}
	g_free(file->path);
	g_free(file->series);
	*file = (struct value_file){.fd = -1};
}

// --- budget

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int64_t monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

// Asked at nearly every tick: waitid() tells a child that has ended from one that runs without reaping it,
// for a fraction of what /proc/PID/stat costs.
static bool running(pid_t root)
{
	siginfo_t info = {0};

	if (root <= 0)
		return false;
	if (waitid(P_PID, (id_t)root, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		return info.si_pid == 0;
	return kill(root, 0) == 0 || errno == EPERM;
}

bool budget_begin(struct budget *budget, const struct sample_target *target)
{
	if (monotonic_ns() < budget->free_at_ns && running(target->root_pid))
		return false;
	// CPU time, not wall time: on a busy machine the wait for a CPU would make readings rarer still.
	budget->began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	budget->rest = 200 / (target->percent > 0 ? target->percent : 1);
	return true;
}

void budget_end(struct budget *budget)
{
	int64_t cost = clock_ns(CLOCK_THREAD_CPUTIME_ID) - budget->began_ns;

	budget->free_at_ns =
	    monotonic_ns() + MAX((int64_t)((double)cost * budget->rest), budget->min_interval_ms * 1000000LL);
}

// --- absent

struct absent {
	GHashTable *known; // of `what`
	GPtrArray *unsaid; // what, why, what, why, ...
};

void absent_add(struct absent **absent, const char *what, const char *fmt, ...)
{
	va_list args;

	if (!*absent) {
		*absent = g_new0(struct absent, 1);
		(*absent)->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		(*absent)->unsaid = g_ptr_array_new_with_free_func(g_free);
	}
	if (!g_hash_table_add((*absent)->known, g_strdup(what)))
		return;
	va_start(args, fmt);
	g_ptr_array_add((*absent)->unsaid, g_strdup(what));
	g_ptr_array_add((*absent)->unsaid, g_strdup_vprintf(fmt, args));
	va_end(args);
}

void absent_say(struct absent **absent, struct sink *sink)
{
	if (!*absent || !(*absent)->unsaid->len)
		return;
	GPtrArray *list = (*absent)->unsaid;
	for (guint i = 0; i + 1 < list->len; i += 2)
		sink->missing(sink, list->pdata[i], list->pdata[i + 1]);
	g_ptr_array_set_size(list, 0);
}

void absent_free(struct absent **absent)
{
	if (!*absent)
		return;
	g_hash_table_destroy((*absent)->known);
	g_ptr_array_free((*absent)->unsaid, TRUE);
	g_free(*absent);
	*absent = NULL;
}
