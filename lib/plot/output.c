// Files: those that the user gets are written to a temporary name and renamed, never through a symbolic link;
// gnuplot itself works in a private directory, which is removed again.
#include "plot/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

int output_open(const char *path, int *dir)
{
	*dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir < 0)
		return errno == ENOENT ? err_set(-ENOENT, "--out %s: there is no such directory", path)
				       : err_set(-errno, "--out %s: %m", path);
	return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}

static int replace(int dir, const char *name, const char *temporary, const char *data, size_t len)
{
	int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644), rc;

	if (fd < 0)
		return -errno;
	rc = fchmod(fd, 0644) ? -errno : write_all(fd, data, len);
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc && renameat(dir, temporary, dir, name))
		rc = -errno;
	if (rc)
		unlinkat(dir, temporary, 0);
	return rc;
}

int output_write(int dir, const char *path, const char *name, const char *data, size_t len)
{
	g_autofree char *temporary = g_strdup_printf(".%s.%d", name, getpid());
	struct stat st;
	int rc;

	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && !S_ISREG(st.st_mode))
		return err_set(-EEXIST, "%s/%s: is a %s; remove it first", path, name,
			       S_ISLNK(st.st_mode)   ? "symbolic link"
			       : S_ISDIR(st.st_mode) ? "directory"
						     : "special file");
	rc = replace(dir, name, temporary, data, len);
	return rc ? err_set(rc, "write %s/%s: %s", path, name, g_strerror(-rc)) : 0;
}

int scratch_make(char **path)
{
	g_autoptr(GError) error = NULL;

	*path = g_dir_make_tmp("mmprof-plot.XXXXXX", &error);
	return *path ? 0 : err_set(-EIO, "%s", error->message);
}

int scratch_write(const char *path, const char *name, const GString *text)
{
	g_autofree char *file = g_build_filename(path, name, NULL);
	g_autoptr(GError) error = NULL;

	if (!g_file_set_contents(file, text->str, (gssize)text->len, &error))
		return err_set(-EIO, "%s", error->message);
	return 0;
}

// The directory is flat: it holds what scratch_write() and gnuplot put there.
void scratch_remove(char *path)
{
	GDir *dir = path ? g_dir_open(path, 0, NULL) : NULL;
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		unlink(file);
	}
	if (dir)
		g_dir_close(dir);
	if (path)
		rmdir(path);
	g_free(path);
}
