// Writes under a temporary name beside the file, then renames; see outfile.h.
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

static int cant_write(const char *path, int code)
{
	return err_set(code, "can't write %s: %s", path, g_strerror(-code));
}

// Takes `fd`. A full disk may only be told by the last of these steps.
static int fill_and_close(int fd, const char *path, int (*fill)(void *ctx, FILE *out), void *ctx)
{
	FILE *out = fdopen(fd, "w");
	int rc;

	if (!out) {
		rc = cant_write(path, -errno);
		close(fd);
		return rc;
	}
	rc = fchmod(fd, 0644) ? cant_write(path, -errno) : fill(ctx, out); // whatever the umask
	if (ferror(out))
		rc = cant_write(path, rc ? rc : errno ? -errno : -EIO);
	if (fclose(out) && !rc)
		rc = cant_write(path, -errno);
	return rc;
}

static int replace(int dir, const char *name, const char *path, int (*fill)(void *ctx, FILE *out), void *ctx)
{
	g_autofree char *temporary = g_strdup_printf(".%s.%d", name, getpid());
	int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644), rc;

	if (fd < 0)
		return cant_write(path, -errno);
	rc = fill_and_close(fd, path, fill, ctx);
	if (!rc && renameat(dir, temporary, dir, name))
		rc = cant_write(path, -errno);
	if (rc)
		unlinkat(dir, temporary, 0);
	return rc;
}

int outfile_fill(const char *path, int (*fill)(void *ctx, FILE *out), void *ctx)
{
	g_autofree char *directory = g_path_get_dirname(path), *name = g_path_get_basename(path);
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	struct stat st;

	if (dir < 0)
		return cant_write(path, -errno);
	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && !S_ISREG(st.st_mode))
		rc = err_set(-EEXIST, "can't write %s: a %s is there", path,
			     S_ISLNK(st.st_mode)   ? "symbolic link"
			     : S_ISDIR(st.st_mode) ? "directory"
						   : "special file");
	else
		rc = replace(dir, name, path, fill, ctx);
	close(dir);
	return rc;
}

struct bytes {
	const char *data;
	size_t len;
};

static int put_bytes(void *ctx, FILE *out)
{
	const struct bytes *b = ctx;

	fwrite(b->data, 1, b->len, out); // outfile_fill looks for errors
	return 0;
}

int outfile_write(const char *path, const char *data, size_t len)
{
	struct bytes bytes = {data, len};

	return outfile_fill(path, put_bytes, &bytes);
}
