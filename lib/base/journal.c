// The journal of changes to the machine; see journal.h and, for its lines, undo.h.
#include "base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/undo.h"

#define DIR_PATH "/run/mmprof"
#define KEPT DIR_PATH "/kept"           // lines as a journal's
#define KEPT_TEXT DIR_PATH "/kept-text" // there as long as the other

static int journal_fd = -1;
static char *journal_path;
static int failed_fd = -1; // a journal of what could not be undone; made when it is needed, for a later start
static int lock_fd = -1;
static GPtrArray *lines;  // this process's, oldest first
static GPtrArray *failed; // of these, what could not be undone

static int append(int fd, const char *line)
{
	g_autofree char *text = g_strconcat(line, "\n", NULL);
	size_t n = strlen(text);

	return write(fd, text, n) != (ssize_t)n || fsync(fd) ? -EIO : 0;
}

static void write_lines(int fd, const GPtrArray *line)
{
	if (ftruncate(fd, 0) == 0)
		for (guint i = 0; i < line->len; i++)
			append(fd, line->pdata[i]);
}

// How many lines could not be undone; they are added to `left`, oldest first. What has no newline is torn:
// its change was never made.
static int undo_all(const char *text, void (*told)(const char *line), GPtrArray *left)
{
	g_auto(GStrv) line = g_strsplit(text, "\n", -1);
	int n_failed = 0;

	for (int i = (int)g_strv_length(line) - 2; i >= 0; i--) {
		int rc = *line[i] ? undo_line(line[i]) : 0;

		n_failed += rc != 0;
		if (rc && left)
			g_ptr_array_insert(left, 0, g_strdup(line[i]));
		if (told && *line[i])
			told(rc ? err_text() : line[i]);
	}
	return n_failed;
}

// Locks it, unless it is another's, or was removed since it was opened: by its name another may be meant by
// now.
static bool lock_journal(int fd)
{
	struct stat st;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static char *read_all(int fd)
{
	GString *text = g_string_new(NULL);
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		g_string_append_len(text, buf, n);
	return g_string_free(text, FALSE);
}

// A dead mmprof's journal: one that can be locked. What could not be undone stays in it for the next start;
// what was undone does not, as it would undo later changes of others.
static void replay(const char *path, void (*told)(const char *line))
{
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = NULL;
	int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	if (lock_journal(fd)) {
		text = read_all(fd);
		if (undo_all(text, told, left))
			write_lines(fd, left);
		else
			unlink(path);
	}
	close(fd);
}

// A journal of this process's own, locked. A start of another mmprof that comes between opening and locking
// takes it for a dead one's and removes it; a name may be taken by what could not be undone, or in another
// PID namespace. Then another name. The descriptor, or -errno with an err chain.
static int make_journal(char **path)
{
	for (int i = 0; i < 1000; i++) {
		g_autofree char *name =
		    g_strdup_printf(i ? DIR_PATH "/journal-%d.%d" : DIR_PATH "/journal-%d", getpid(), i);
		int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);

		if (fd >= 0 && lock_journal(fd)) {
			*path = g_steal_pointer(&name);
			return fd;
		}
		if (fd < 0 && errno != EEXIST)
			return err_set(-errno, "can't write %s: %m", name);
		if (fd >= 0)
			close(fd);
	}
	return err_set(-EBUSY, "can't make a journal in " DIR_PATH);
}

static int open_dir(void)
{
	struct stat st;

	if (mkdir(DIR_PATH, 0755) && errno != EEXIST)
		return err_set(-errno, "can't make %s: %m (mmprof record needs root: use sudo)", DIR_PATH);
	if (lstat(DIR_PATH, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		return err_set(-EPERM, "%s must be a directory of one's own that no one else can write",
			       DIR_PATH);
	return 0;
}

int journal_lock(void)
{
	int rc = lock_fd < 0 ? open_dir() : 0;

	if (rc)
		return rc;
	if (lock_fd < 0)
		lock_fd = open(DIR_PATH, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (lock_fd < 0)
		return err_set(-errno, "can't open %s: %m", DIR_PATH);
	if (flock(lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : err_set(-errno, "can't lock %s: %m", DIR_PATH);
}

int journal_open(void (*told)(const char *line))
{
	g_autoptr(GDir) dir = NULL;
	const char *name;
	int rc = open_dir();

	if (rc)
		return rc;
	dir = g_dir_open(DIR_PATH, 0, NULL);
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(DIR_PATH, name, NULL);

		if (g_str_has_prefix(name, "journal-"))
			replay(path, told);
	}
	journal_fd = make_journal(&journal_path);
	if (journal_fd < 0)
		return journal_fd;
	lines = g_ptr_array_new_with_free_func(g_free);
	failed = g_ptr_array_new_with_free_func(g_free);
	return 0;
}

int journal_add(enum undo_kind kind, const char *path, const char *value)
{
	g_autofree char *p = g_strescape(path, NULL), *v = g_strescape(value ? value : "", NULL);
	char *line = g_strdup_printf("%s\t%s\t%s", undo_kind_name(kind), p, v);

	if (journal_fd < 0 || append(journal_fd, line)) {
		g_free(line);
		return err_set(-EIO, "can't write down how to undo a change of %s: %m", path);
	}
	g_ptr_array_add(lines, line);
	return (int)lines->len - 1;
}

int journal_mark(void)
{
	return lines ? (int)lines->len : 0;
}

// For a later start, which may find it possible.
static void keep_failed(void)
{
	g_autofree char *why = g_strdup(err_text()), *path = NULL;

	if (failed_fd < 0)
		failed_fd = make_journal(&path);
	if (failed_fd >= 0)
		write_lines(failed_fd, failed);
	err_set(1, "%s", why);
}

// What is undone goes from the file too, so that a crash much later does not undo it once more.
int journal_undo_to(int mark)
{
	guint failed_before = failed ? failed->len : 0;
	int n_failed = 0;
	off_t end = 0;

	while (lines && (int)lines->len > mark) {
		g_autofree char *line = g_ptr_array_steal_index(lines, lines->len - 1);

		if (undo_line(line)) {
			n_failed++;
			g_ptr_array_insert(failed, (int)failed_before, g_steal_pointer(&line));
		}
	}
	if (n_failed)
		keep_failed();
	for (guint i = 0; lines && i < lines->len; i++)
		end += (off_t)strlen(lines->pdata[i]) + 1;
	if (journal_fd >= 0 && ftruncate(journal_fd, end))
		n_failed += err_set(1, "can't shorten %s: %m", journal_path);
	return n_failed;
}

static void close_all(void)
{
	if (journal_fd >= 0)
		close(journal_fd);
	if (failed_fd >= 0)
		close(failed_fd);
	journal_fd = failed_fd = -1;
	g_clear_pointer(&journal_path, g_free);
	g_clear_pointer(&lines, g_ptr_array_unref);
	g_clear_pointer(&failed, g_ptr_array_unref);
}

int journal_close(void)
{
	int n_failed = journal_undo_to(0);

	if (journal_fd >= 0)
		unlink(journal_path);
	close_all();
	return n_failed;
}

void journal_leave(void)
{
	int *const fds[] = {&journal_fd, &failed_fd, &lock_fd};

	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

// --- what outlives a process

int journal_keep(const char *text)
{
	if (access(KEPT, F_OK) == 0)
		return err_set(-EEXIST, "there is a kept journal already: " KEPT);
	if (!g_file_set_contents(KEPT_TEXT, text, -1, NULL) || rename(journal_path, KEPT))
		return err_set(-errno, "can't write " KEPT ": %m");
	close_all();
	return 0;
}

char *journal_kept(void)
{
	char *text = NULL;

	if (access(KEPT, F_OK) == 0 && !g_file_get_contents(KEPT_TEXT, &text, NULL, NULL))
		text = g_strdup("?");
	return text;
}

int journal_undo_kept(void)
{
	g_autofree char *text = NULL;
	int n_failed;

	if (!g_file_get_contents(KEPT, &text, NULL, NULL))
		return err_set(1, "can't read " KEPT);
	n_failed = undo_all(text, NULL, NULL);
	if (!n_failed) {
		unlink(KEPT);
		unlink(KEPT_TEXT);
	}
	return n_failed;
}
