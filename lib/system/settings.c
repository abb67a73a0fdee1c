// Writing settings of the machine and putting them back; see settings.h. What a file shows is not always what
// it takes: of "always [madvise] never" the word in brackets is the value.
#include "system/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "base/kfile.h"

#define SYSCTL "sysctl."

const char *settings_root = "";

void setting_clear(struct setting *s)
{
	g_free(s->key);
	g_free(s->path);
	g_free(s->value);
}

// --- names

static bool in_place(const char *path)
{
	return g_str_has_prefix(path, "/proc/sys/") || g_str_has_prefix(path, "/sys/");
}

bool setting_is_key(const char *word)
{
	return *word == '/' || g_str_has_prefix(word, SYSCTL);
}

// sysctl(8): dots separate, and a slash stands for a dot within a part.
static char *sysctl_path(const char *name)
{
	char *path = g_strconcat("/proc/sys/", name, NULL);

	for (char *c = path + strlen("/proc/sys/"); *c; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return path;
}

int setting_path(const char *key, char **path)
{
	g_autofree char *p =
	    g_str_has_prefix(key, SYSCTL) ? sysctl_path(key + strlen(SYSCTL)) : g_strdup(key);
	g_auto(GStrv) part = g_strsplit(p, "/", -1);

	if (!in_place(p))
		return err_set(-EINVAL, "\"%s\": only files under /proc/sys and /sys can be set", key);
	for (char **s = part + 1; *s; s++)
		if (!**s || !strcmp(*s, ".") || !strcmp(*s, ".."))
			return err_set(-EINVAL, "\"%s\": write the path without \"..\", \".\" and \"//\"",
				       key);
	*path = g_steal_pointer(&p);
	return 0;
}

// The file itself: symbolic links are followed (they are all over /sys), but not to somewhere else.
static int resolve(const struct setting *s, char real[PATH_MAX])
{
	g_autofree char *path = g_strconcat(settings_root, s->path, NULL);
	struct stat st;

	if (!realpath(path, real))
		return errno == ENOENT || errno == ENOTDIR
			   ? err_set(-ENOENT, "this machine has no %s", s->path)
			   : err_set(-errno, "%s: %m", s->path);
	if (!g_str_has_prefix(real, settings_root) || !in_place(real + strlen(settings_root)))
		return err_set(-EINVAL, "%s leads to %s: only files under /proc/sys and /sys can be set",
			       s->path, real);
	if (stat(real, &st) || !S_ISREG(st.st_mode))
		return err_set(-EINVAL, "%s is not a file", s->path);
	return 0;
}

// --- values

static int read_text(const char *path, char **text)
{
	char buffer[8192];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), saved;
	ssize_t n = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer) - 1);

	saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	if (n < 0)
		return err_set(-errno, "%s can't be read, so it could not be put back: %m", path);
	buffer[n] = 0;
	*text = g_strdup(g_strstrip(buffer));
	return 0;
}

// What would have to be written to get what the file shows.
static int read_value(const char *path, char **value)
{
	g_autofree char *text = NULL;
	const char *open_, *close_;
	int rc = read_text(path, &text);

	if (rc)
		return rc;
	if (strchr(text, '\n'))
		return err_set(-EINVAL, "%s has several lines, so it could not be put back", path);
	open_ = strchr(text, '[');
	close_ = open_ ? strchr(open_, ']') : NULL;
	if (close_ && (open_ == text || open_[-1] == ' ') && (!close_[1] || close_[1] == ' '))
		*value = g_strndup(open_ + 1, (gsize)(close_ - open_ - 1));
	else
		*value = g_steal_pointer(&text);
	return 0;
}

static bool is_number(const char *text, gint64 *number)
{
	char *end;

	errno = 0;
	*number = g_ascii_strtoll(text, &end, 0);
	return *text && !*end && !errno;
}

// What a file of a yes or no takes and shows: 1, 0, -1 for neither.
static int truth(const char *text)
{
	static const char *const yes[] = {"y", "yes", "true", "on", NULL}, *const no[] = {"n", "no", "false",
											  "off", NULL};
	g_autofree char *word = g_ascii_strdown(text, -1);
	gint64 number;

	if (is_number(text, &number))
		return number != 0;
	return g_strv_contains(yes, word) ? 1 : g_strv_contains(no, word) ? 0 : -1;
}

static bool same_word(const char *a, const char *b)
{
	gint64 x, y;
	bool x_is = is_number(a, &x), y_is = is_number(b, &y);

	if (!strcmp(a, b))
		return true;
	if (x_is && y_is)
		return x == y;
	return truth(a) >= 0 && truth(a) == truth(b);
}

static char **words_of(const char *text)
{
	g_autofree char *copy = g_strdelimit(g_strdup(text), "\t", ' ');
	g_auto(GStrv) all = g_strsplit(copy, " ", -1);
	GStrvBuilder *words = g_strv_builder_new();
	char **list;

	for (char **w = all; *w; w++)
		if (**w)
			g_strv_builder_add(words, *w);
	list = g_strv_builder_end(words);
	g_strv_builder_unref(words);
	return list;
}

static bool same(const char *a, const char *b)
{
	g_auto(GStrv) x = words_of(a), y = words_of(b);
	guint n = g_strv_length(x);
	bool equal = n == g_strv_length(y);

	for (guint i = 0; i < n && equal; i++)
		equal = same_word(x[i], y[i]);
	return equal;
}

// --- writing

// Two files for one thing: writing the one makes the other 0, and 0 can't be written back. Which of the two
// is to be written to get the present state again.
static const char *undone_by(const char *path)
{
	static const char *const pairs[][2] = {
	    {"/proc/sys/vm/dirty_bytes", "/proc/sys/vm/dirty_ratio"},
	    {"/proc/sys/vm/dirty_background_bytes", "/proc/sys/vm/dirty_background_ratio"},
	    {"/proc/sys/vm/overcommit_kbytes", "/proc/sys/vm/overcommit_ratio"},
	};
	g_autofree char *now = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
		for (int k = 0; k < 2; k++)
			if (!strcmp(path, pairs[i][k]))
				return read_value(path, &now) == 0 && same(now, "0") ? pairs[i][!k] : path;
	return path;
}

static int write_down(const char *path)
{
	const char *undo = undone_by(path);
	g_autofree char *now = NULL;
	int rc = read_value(undo, &now);

	if (!rc)
		rc = journal_add(UNDO_WRITE, undo, now);
	return rc < 0 ? rc : 0;
}

int setting_check(const struct setting *s)
{
	g_autofree char *now = NULL;
	char real[PATH_MAX];
	int rc = resolve(s, real);

	if (!rc)
		rc = read_value(real, &now);
	if (!rc && access(real, W_OK))
		rc = err_set(-errno, "%s can't be written: %m", s->path);
	return rc;
}

int setting_apply(const struct setting *s)
{
	g_autofree char *text = g_strconcat(s->value, "\n", NULL);
	char real[PATH_MAX];
	int rc = resolve(s, real);

	if (!rc)
		rc = write_down(real);
	if (rc)
		return rc;
	rc = kfile_write(real, O_TRUNC, text);
	if (rc)
		return err_set(rc, "%s = %s: the kernel refused it: %s", s->key, s->value, g_strerror(-rc));
	return setting_verify(s);
}

int setting_verify(const struct setting *s)
{
	g_autofree char *now = NULL;
	char real[PATH_MAX];
	int rc = resolve(s, real);

	if (!rc)
		rc = read_value(real, &now);
	if (!rc && !same(s->value, now))
		rc = err_set(-EIO, "%s = %s: the kernel did not take it, %s reads \"%s\"", s->key, s->value,
			     s->path, now);
	return rc;
}
