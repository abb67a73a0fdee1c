// Writes under a temporary name beside the file, then renames; see outfile.h.
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int replace(int dir, const char *name, const char *data, size_t len)
{
	g_autofree char *temporary = g_strdup_printf(".%s.%d", name, getpid());
	int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644), rc;

	if (fd < 0)
		return -errno;
	rc = write_all(fd, data, len);
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc && renameat(dir, temporary, dir, name))
		rc = -errno;
	if (rc)
		unlinkat(dir, temporary, 0);
	return rc;
}

int outfile_write(const char *path, const char *data, size_t len)
{
	g_autofree char *directory = g_path_get_dirname(path), *name = g_path_get_basename(path);
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	struct stat st;

	if (dir < 0)
		return err_set(-errno, "can't write %s: %m", path);
	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && !S_ISREG(st.st_mode))
		rc = err_set(-EEXIST, "can't write %s: a %s is there", path,
			     S_ISLNK(st.st_mode)   ? "symbolic link"
			     : S_ISDIR(st.st_mode) ? "directory"
						   : "special file");
	else
		rc = replace(dir, name, data, len);
	close(dir);
	if (rc && rc != -EEXIST)
		err_set(rc, "can't write %s: %s", path, g_strerror(-rc));
	return rc;
}
