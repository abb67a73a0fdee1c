// Reading small files of /proc and /sys, and making what they say fit for a table; see read.h and internal.h.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/internal.h"

// Without waiting: a FIFO or a device under a name that ought to be a file must not hold us up.
char *host_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), saved;
	g_autoptr(GString) text = NULL;
	struct stat st;
	char buf[4096];
	ssize_t n = -1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	} else {
		text = g_string_new(NULL);
		while ((n = read(fd, buf, sizeof(buf))) > 0 && text->len < HOST_FILE_BYTES)
			g_string_append_len(text, buf, n);
	}
	saved = errno;
	close(fd);
	errno = saved;
	if (n < 0)
		return NULL;
	if (memchr(text->str, 0, text->len)) {
		errno = EILSEQ;
		return NULL;
	}
	return g_strchomp(g_string_free(g_steal_pointer(&text), FALSE));
}

char *host_read_below(const char *root, const char *path)
{
	g_autofree char *whole = g_strconcat(root, path, NULL);

	return host_read(whole);
}

char *host_line(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *line = g_string_new(NULL);
	bool blank = false;

	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c == ' ' || g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT ||
		    g_unichar_type(c) == G_UNICODE_LINE_SEPARATOR ||
		    g_unichar_type(c) == G_UNICODE_PARAGRAPH_SEPARATOR) {
			blank = line->len > 0;
			continue;
		}
		if (line->len + blank + (gsize)g_unichar_to_utf8(c, NULL) > HOST_LINE_BYTES)
			break;
		if (blank)
			g_string_append_c(line, ' ');
		blank = false;
		g_string_append_unichar(line, c);
	}
	return g_string_free(line, FALSE);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **host_entries(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	GPtrArray *names = g_ptr_array_new();
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, by_name);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

char *host_own_cgroup(void)
{
	g_autofree char *text = host_read("/proc/self/cgroup");
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (char **l = lines; *l; l++)
		if (g_str_has_prefix(*l, "0::/"))
			return g_strdup(*l + strlen("0::"));
	return NULL;
}
