// Files of "name value" lines (/proc/vmstat, meminfo, a node's meminfo, numastat, vmstat): the lines are
// learned once, with the series each one makes; after that a reading compares names and parses numbers,
// nothing else. A line that isn't where it was (memory hot-plug, a module with counters of its own) makes the
// file be learned anew. Follows mm/vmstat.c and fs/proc/meminfo.c.
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

struct keyed {
	char *line_prefix, *series_prefix;
	keyed_classify *classify;
	GArray *keys; // struct key, one a line
	struct text text;
	int fd;
};

static void key_clear(void *p)
{
	struct key *key = p;

	g_free(key->name);
	g_free(key->series);
}

struct keyed *keyed_open(const char *path, const char *line_prefix, const char *series_prefix,
			 keyed_classify *classify, int *error)
{
	int fd = text_open(sampler_root, path);

	if (fd < 0) {
		*error = fd;
		return NULL;
	}
	struct keyed *keyed = g_new0(struct keyed, 1);
	keyed->fd = fd;
	keyed->line_prefix = g_strdup(line_prefix);
	keyed->series_prefix = g_strdup(series_prefix);
	keyed->classify = classify;
	keyed->keys = g_array_new(FALSE, TRUE, sizeof(struct key));
	g_array_set_clear_func(keyed->keys, key_clear);
	return keyed;
}

static void learn_line(struct keyed *keyed, const char *line, size_t len)
{
	struct key key = {.prefix = keyed->series_prefix, .unit = "count", .scale = 1};
	size_t skip = strlen(keyed->line_prefix);

	if (len >= skip && !memcmp(line, keyed->line_prefix, skip)) {
		line += skip;
		len -= skip;
	}
	while (key.name_len < len && line[key.name_len] != ':' && line[key.name_len] != ' ')
		key.name_len++;
	key.name = g_strndup(line, key.name_len);
	key.kilobytes = len > 3 && !memcmp(line + len - 3, " kB", 3);
	if (key.kilobytes) {
		key.unit = "bytes";
		key.scale = 1024;
	}
	keyed->classify(&key);
	if (key.prefix)
		key.series = g_strconcat(key.prefix, key.name, NULL);
	g_array_append_val(keyed->keys, key);
}

static void learn(struct keyed *keyed)
{
	g_array_set_size(keyed->keys, 0);
	for (const char *line = keyed->text.data, *end; *line; line = end + 1) {
		end = strchrnul(line, '\n');
		learn_line(keyed, line, (size_t)(end - line));
		if (!*end)
			break;
	}
}

// Parses every line; false at the first one that isn't the line that was learned.
static bool parse_lines(struct keyed *keyed)
{
	size_t skip = strlen(keyed->line_prefix);
	const char *line = keyed->text.data, *end = line + keyed->text.len;

	for (guint i = 0; i < keyed->keys->len; i++) {
		struct key *key = &g_array_index(keyed->keys, struct key, i);
		const char *p = line + skip + key->name_len;

		if ((size_t)(end - line) < skip + key->name_len + 1 ||
		    memcmp(line + skip, key->name, key->name_len) || (*p != ':' && *p != ' '))
			return false;
		p = parse_i64(p + 1, &key->value);
		key->has_value = p != NULL;
		line = strchrnul(p ? p : line, '\n');
		line += *line == '\n';
	}
	return line == end;
}

int keyed_read(struct keyed *keyed, struct sink *sink)
{
	int r = text_read(&keyed->text, keyed->fd);

	if (r < 0)
		return r;
	if (!keyed->keys->len || !parse_lines(keyed)) {
		learn(keyed);
		if (!parse_lines(keyed))
			return -EINVAL;
	}
	// Only now that the whole text is known to match: no value twice, none under a wrong name.
	for (guint i = 0; i < keyed->keys->len; i++) {
		const struct key *key = &g_array_index(keyed->keys, struct key, i);

		if (key->series && key->has_value)
			sink->put(sink, key->series, key->unit, key->kind, key->value * key->scale);
	}
	return 0;
}

void keyed_close(struct keyed *keyed)
{
	if (!keyed)
		return;
	close(keyed->fd);
	g_array_free(keyed->keys, TRUE);
	text_free(&keyed->text);
	g_free(keyed->line_prefix);
	g_free(keyed->series_prefix);
	g_free(keyed);
}
