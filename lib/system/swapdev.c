// Making swap devices; see swapdev.h. The header is mkswap(8)'s: union swap_header of include/linux/swap.h.
// zram: Documentation/admin-guide/blockdev/zram.rst.
#include "system/swapdev.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "base/kfile.h"
#include "system/module.h"
#include "system/spec.h"
#include "system/swap.h"

#define MAGIC "SWAPSPACE2"
#define HOT_REMOVE "/sys/class/zram-control/hot_remove"
#define PRIORITY 32767 // before all others

enum { PAGE = 4096 };

struct header {
	char boot[1024];
	guint32 version, last_page, bad_pages;
	char uuid[16], label[16];
	char rest[PAGE - 1024 - 12 - 32 - 10];
	char magic[10];
};
G_STATIC_ASSERT(sizeof(struct header) == PAGE);

// 64M, 2G: bytes; 0: not a size.
static guint64 size_of(const char *text)
{
	static const char units[] = "KMGT";
	char *end;
	guint64 n = g_ascii_strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;

	if (*text == '-' || end == text || (*end && (!unit || end[1])) || n > 1u << 20)
		return 0;
	n <<= unit ? 10 * (unit - units + 1) : 0;
	return n / PAGE * PAGE;
}

static bool is_zram(const char *on)
{
	return !on || !strcmp(on, "zram");
}

static bool is_block(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISBLK(st.st_mode);
}

// --- whether

static int check_block(const char *path)
{
	struct header h = {};
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || pread(fd, &h, sizeof(h), 0) != sizeof(h))
		rc = err_set(-ENOENT, "swap_on=%s: it can't be read: %m", path);
	else if (memcmp(h.magic, MAGIC, sizeof(h.magic)))
		rc = err_set(-EINVAL, "swap_on=%s: no swap was made there: mkswap %s (what it holds is lost)",
			     path, path);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int check_place(const char *on, bool sized)
{
	if (is_zram(on)) {
		bool has;

		if (!sized)
			return err_set(-EINVAL, "swap_on=zram needs a size: swap=256M");
		return module_is_loaded("zram") ? 0 : module_has_parameter("zram", "num_devices", &has);
	}
	if (is_block(on))
		return sized ? err_set(-EINVAL, "swap_on=%s: a device has its own size: leave swap out", on)
			     : check_block(on);
	if (!g_file_test(on, G_FILE_TEST_IS_DIR))
		return err_set(-EINVAL, "swap_on=%s is not zram, a directory or a block device", on);
	return sized ? 0 : err_set(-EINVAL, "swap_on=%s: a file needs a size: swap=256M", on);
}

int swapdev_check(const struct system_spec *spec, bool needed)
{
	const char *size = system_spec_option(spec, "swap"), *on = system_spec_option(spec, "swap_on");

	if (size && size_of(size) < 40 * PAGE)
		return err_set(-EINVAL, "swap=%s is not a size like 256M", size);
	if (system_spec_option(spec, "swap_algorithm") && !(size && is_zram(on)))
		return err_set(-EINVAL, "swap_algorithm is zram's: give swap=SIZE");
	if (size || on)
		return check_place(on, size);
	if (needed && !swap_is_on())
		return err_set(-ENOENT, "no swap is on: swap=256M makes one");
	return 0;
}

// --- making one

static int write_all(int fd, const void *data, size_t n, guint64 at)
{
	return pwrite(fd, data, n, (off_t)at) == (ssize_t)n ? 0 : errno ? -errno : -ENOSPC;
}

static int write_header(int fd, guint64 bytes)
{
	struct header h = {.version = 1, .last_page = (guint32)(bytes / PAGE - 1), .label = "mmprof"};

	memcpy(h.magic, MAGIC, sizeof(h.magic));
	for (size_t i = 0; i < sizeof(h.uuid); i++)
		h.uuid[i] = (char)g_random_int();
	return write_all(fd, &h, sizeof(h), 0);
}

static int turn_on(const char *path)
{
	int rc = journal_add(UNDO_SWAPOFF, path, NULL);

	if (rc < 0)
		return rc;
	if (swapon(path, SWAP_FLAG_PREFER | PRIORITY) == 0)
		return 0;
	return err_set(-errno, "the kernel does not take %s as swap: %m%s", path,
		       errno == EINVAL ? " (a file must be on a file system that maps blocks: not tmpfs, "
					 "not overlay)"
				       : "");
}

// Without holes, which the kernel refuses.
static int make_file(const char *dir, guint64 bytes)
{
	g_autofree char *name = g_strdup_printf("mmprof-swap-%d", getpid()),
			*path = g_build_filename(dir, name, NULL), *chunk = g_malloc0(1 << 20);
	int rc = journal_add(UNDO_UNLINK, path, NULL), fd;

	if (rc < 0)
		return rc;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(-errno, "can't make %s: %m", path);
	rc = 0;
	for (guint64 at = 0; at < bytes && !rc; at += 1 << 20)
		rc = write_all(fd, chunk, MIN(1 << 20, bytes - at), at);
	if (!rc)
		rc = write_header(fd, bytes);
	if (!rc && fsync(fd))
		rc = -errno;
	close(fd);
	return rc ? err_set(rc, "%s: %s", path, g_strerror(-rc)) : turn_on(path);
}

// A device of the module's that nobody uses: its only one when it is loaded for this, else a new one.
static int zram_number(int *number)
{
	g_autofree char *text = NULL;
	int rc;

	*number = 0;
	if (!module_is_loaded("zram"))
		return module_load("zram", "num_devices=1");
	if (!g_file_get_contents("/sys/class/zram-control/hot_add", &text, NULL, NULL))
		return err_set(-EIO, "zram gives no new device (/sys/class/zram-control/hot_add)");
	*number = atoi(text); // known only when it is there, so that it can't be written down before
	rc = journal_add(UNDO_WRITE, HOT_REMOVE, g_strstrip(text));
	if (rc < 0)
		kfile_set(HOT_REMOVE, text);
	return MIN(rc, 0);
}

static int open_soon(const char *path) // devtmpfs makes the node a moment later
{
	int fd = -1;

	for (int i = 0; i < 200 && (fd = open(path, O_RDWR | O_CLOEXEC)) < 0 && errno == ENOENT; i++)
		g_usleep(10000);
	return fd;
}

static int make_zram(guint64 bytes, const char *algorithm)
{
	g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, bytes), *dir = NULL, *path = NULL;
	int number, rc = zram_number(&number), fd;

	if (rc)
		return rc;
	dir = g_strdup_printf("/sys/block/zram%d", number);
	path = g_strdup_printf("/dev/zram%d", number);
	if (algorithm) {
		g_autofree char *file = g_build_filename(dir, "comp_algorithm", NULL);

		rc = kfile_set(file, algorithm);
	}
	if (!rc) {
		g_autofree char *file = g_build_filename(dir, "disksize", NULL);

		rc = kfile_set(file, size);
	}
	if (rc)
		return rc;
	fd = open_soon(path);
	if (fd < 0)
		return err_set(-errno, "can't open %s: %m", path);
	rc = write_header(fd, bytes);
	close(fd);
	return rc ? err_set(rc, "%s: %s", path, g_strerror(-rc)) : turn_on(path);
}

int swapdev_set_up(const struct system_spec *spec)
{
	const char *size = system_spec_option(spec, "swap"), *on = system_spec_option(spec, "swap_on");
	guint64 bytes = size ? size_of(size) : 0;

	if (!size && !on)
		return 0;
	if (is_zram(on))
		return make_zram(bytes, system_spec_option(spec, "swap_algorithm"));
	return is_block(on) ? turn_on(on) : make_file(on, bytes);
}
