// The journal of changes to the machine; see journal.h and, for its lines, undo.h.
#include "base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
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
static int lock_fd = -1;
static GPtrArray *lines; // this process's, oldest first

static int undo_all(const char *text, void (*told)(const char *line))
{
	g_auto(GStrv) line = g_strsplit(text, "\n", -1);
	int failed = 0;

	for (int i = (int)g_strv_length(line) - 1; i >= 0; i--) {
		int rc = *line[i] ? undo_line(line[i]) : 0;

		failed += rc != 0;
		if (told && *line[i])
			told(rc ? err_text() : line[i]);
	}
	return failed;
}

// A dead mmprof's journal: one that can be locked.
static void replay(const char *path, void (*told)(const char *line))
{
	g_autofree char *text = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && g_file_get_contents(path, &text, NULL, NULL)) {
		undo_all(text, told);
		unlink(path);
	}
	close(fd);
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
	journal_path = g_strdup_printf(DIR_PATH "/journal-%d", getpid());
	journal_fd = open(journal_path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (journal_fd < 0 || flock(journal_fd, LOCK_EX | LOCK_NB))
		return err_set(-errno, "can't write %s: %m", journal_path);
	lines = g_ptr_array_new_with_free_func(g_free);
	return 0;
}

int journal_add(enum undo_kind kind, const char *path, const char *value)
{
	g_autofree char *p = g_strescape(path, NULL), *v = g_strescape(value ? value : "", NULL);
	char *line = g_strdup_printf("%s\t%s\t%s", undo_kind_name(kind), p, v);
	g_autofree char *text = g_strconcat(line, "\n", NULL);
	size_t n = strlen(text);

	if (journal_fd < 0 || write(journal_fd, text, n) != (ssize_t)n || fsync(journal_fd)) {
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

// What is undone goes from the file too, so that a crash much later does not undo it once more.
int journal_undo_to(int mark)
{
	int failed = 0;
	off_t end = 0;

	while (lines && (int)lines->len > mark) {
		failed += undo_line(lines->pdata[lines->len - 1]) != 0;
		g_ptr_array_set_size(lines, (int)lines->len - 1);
	}
	for (guint i = 0; lines && i < lines->len; i++)
		end += (off_t)strlen(lines->pdata[i]) + 1;
	if (journal_fd >= 0 && ftruncate(journal_fd, end))
		failed += err_set(1, "can't shorten %s: %m", journal_path);
	return failed;
}

int journal_close(void)
{
	int failed = journal_undo_to(0);

	if (journal_fd >= 0) {
		unlink(journal_path);
		close(journal_fd);
		journal_fd = -1;
	}
	g_clear_pointer(&journal_path, g_free);
	g_clear_pointer(&lines, g_ptr_array_unref);
	return failed;
}

// --- what outlives a process

int journal_keep(const char *text)
{
	if (access(KEPT, F_OK) == 0)
		return err_set(-EEXIST, "there is a kept journal already: " KEPT);
	if (!g_file_set_contents(KEPT_TEXT, text, -1, NULL) || rename(journal_path, KEPT))
		return err_set(-errno, "can't write " KEPT ": %m");
	close(journal_fd);
	journal_fd = -1;
	g_clear_pointer(&journal_path, g_free);
	g_clear_pointer(&lines, g_ptr_array_unref);
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
	int failed;

	if (!g_file_get_contents(KEPT, &text, NULL, NULL))
		return err_set(1, "can't read " KEPT);
	failed = undo_all(text, NULL);
	if (!failed) {
		unlink(KEPT);
		unlink(KEPT_TEXT);
	}
	return failed;
}
