// Writing to the kernel's files; see kfile.h.
#include "base/kfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

int kfile_write(const char *path, int flags, const char *text)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags), rc = 0;
	ssize_t done;

	if (fd < 0)
		return -errno;
	done = write(fd, text, len);
	if (done != (ssize_t)len)
		rc = done < 0 ? -errno : -EIO;
	close(fd);
	return rc;
}

int kfile_set(const char *path, const char *value)
{
	int rc = kfile_write(path, 0, value);

	return rc ? err_set(rc, "%s = %s: %s", path, value, strerror(-rc)) : 0;
}
