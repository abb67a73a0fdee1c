// The journal of changes to the machine; see journal.h. A line is KIND TAB PATH TAB VALUE, each escaped.
#include "base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include "base/err.h"

#define DIR_PATH "/run/mmprof"

static const char *const kind_names[] = {
    [UNDO_RMDIR] = "rmdir",   [UNDO_INSTANCE] = "instance", [UNDO_WRITE] = "write",
    [UNDO_UMOUNT] = "umount", [UNDO_APPEND] = "append",     [UNDO_SWAPON] = "swapon",
};

static int journal_fd = -1;
static char *journal_path;
static int lock_fd = -1;
static GPtrArray *lines; // this process's, oldest first

static int write_file(const char *path, const char *value, int flags)
{
	g_autofree char *text = g_strconcat(value, "\n", NULL);
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

// Moves a cgroup's processes up and removes it; a dying process may hold it for a moment.
static int remove_cgroup(const char *path)
{
	g_autofree char *procs = g_build_filename(path, "cgroup.procs", NULL);
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *up = g_build_filename(parent, "cgroup.procs", NULL);

	for (int i = 0; i < 100; i++) {
		g_autofree char *pids = NULL;
		g_auto(GStrv) pid = NULL;

		if (rmdir(path) == 0 || errno == ENOENT)
			return 0;
		if (g_file_get_contents(procs, &pids, NULL, NULL)) {
			pid = g_strsplit(g_strchomp(pids), "\n", -1);
			for (char **p = pid; *p && **p; p++)
				write_file(up, *p, 0);
		}
		g_usleep(10000);
	}
	return -EBUSY;
}

static int remove_instance(const char *path)
{
	g_autofree char *on = g_build_filename(path, "tracing_on", NULL);
	g_autofree char *tracer = g_build_filename(path, "current_tracer", NULL);
	g_autofree char *events = g_build_filename(path, "events", "enable", NULL);

	if (access(path, F_OK))
		return 0;
	write_file(on, "0", 0);
	write_file(tracer, "nop", 0);
	write_file(events, "0", 0);
	return rmdir(path) ? -errno : 0;
}

static int unmount(const char *path)
{
	if (umount2(path, MNT_DETACH) && errno != EINVAL && errno != ENOENT)
		return -errno;
	rmdir(path);
	return 0;
}

static int swap_on(const char *path, const char *priority)
{
	int number = atoi(priority),
	    flags = number < 0 ? 0 : SWAP_FLAG_PREFER | (number & SWAP_FLAG_PRIO_MASK);

	return swapon(path, flags) && errno != EBUSY ? -errno : 0; // EBUSY: it was never turned off
}

static int undo(const char *line)
{
	g_auto(GStrv) f = g_strsplit(line, "\t", 3);
	g_autofree char *path = NULL, *value = NULL;
	int rc = -EINVAL;

	if (g_strv_length(f) != 3)
		return 0; // torn by a crash: its change was never made
	path = g_strcompress(f[1]);
	value = g_strcompress(f[2]);
	if (!strcmp(f[0], kind_names[UNDO_RMDIR]))
		rc = remove_cgroup(path);
	else if (!strcmp(f[0], kind_names[UNDO_INSTANCE]))
		rc = remove_instance(path);
	else if (!strcmp(f[0], kind_names[UNDO_WRITE]))
		rc = write_file(path, value, O_TRUNC);
	else if (!strcmp(f[0], kind_names[UNDO_APPEND]))
		rc = write_file(path, value, O_APPEND);
	else if (!strcmp(f[0], kind_names[UNDO_UMOUNT]))
		rc = unmount(path);
	else if (!strcmp(f[0], kind_names[UNDO_SWAPON]))
		rc = swap_on(path, value);
	if (rc && rc != -ENOENT)
		return err_set(rc, "could not undo \"%s %s\": %s", f[0], path, g_strerror(-rc));
	return 0;
}

// A dead mmprof's journal: one that can be locked.
static void replay(const char *path, void (*told)(const char *line))
{
	g_autofree char *text = NULL;
	g_auto(GStrv) line = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && g_file_get_contents(path, &text, NULL, NULL)) {
		line = g_strsplit(text, "\n", -1);
		for (int i = (int)g_strv_length(line) - 1; i >= 0; i--) {
			if (!*line[i])
				continue;
			if (told)
				told(undo(line[i]) ? err_text() : line[i]);
			else
				undo(line[i]);
		}
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
	char *line = g_strdup_printf("%s\t%s\t%s", kind_names[kind], p, v);
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
		failed += undo(lines->pdata[lines->len - 1]) != 0;
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
