// A device's DMA addresses: flushed from the I/O TLB at once when they are unmapped (strict), or many
// together later (lazy), or not translated at all (identity).
// Documentation/ABI/testing/sysfs-kernel-iommu_groups; the type of a group can be changed while no driver has
// its device, so the driver is taken off and put back.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "host/read.h"
#include "system/spec.h"
#include "system/system.h"

static const struct system_key keys[] = {{"device", NULL, NULL}, {"type", NULL, "lazy"}, {NULL, NULL, NULL}};

static const char *type_word(const char *type)
{
	static const char *const words[][2] = {
	    {"strict", "DMA"}, {"lazy", "DMA-FQ"}, {"identity", "identity"}};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (!strcmp(type, words[i][0]))
			return words[i][1];
	return NULL;
}

// The PCI device that a block device is on, or that has this address: its directory in /sys. g_free.
static char *pci_device(const char *name)
{
	g_autofree char *block = g_build_filename("/sys/block", name, "device", NULL),
			*pci = g_build_filename("/sys/bus/pci/devices", name, NULL);
	char real[PATH_MAX];

	if (strchr(name, '/') || *name == '.' || !(realpath(block, real) || realpath(pci, real)))
		return NULL;
	while (strlen(real) > strlen("/sys/devices/")) { // up from virtio0, nvme0 ...
		g_autofree char *group = g_build_filename(real, "iommu_group", NULL),
				*driver = g_build_filename(real, "driver", NULL);

		if (access(group, F_OK) == 0 && access(driver, F_OK) == 0)
			return g_strdup(real);
		*strrchr(real, '/') = 0;
	}
	return NULL;
}

// What is mounted, swap or part of something else can't be opened for one's own.
static int check_unused(const char *name)
{
	g_autofree char *path = g_build_filename("/dev", name, NULL),
			*dir = g_build_filename("/sys/block", name, NULL);
	int fd;

	if (access(dir, F_OK))
		return 0;
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return err_set(-errno, "%s can't lose its driver for a moment: %m", path);
	close(fd);
	return 0;
}

static int check_options(const struct system_spec *spec)
{
	const char *device = system_spec_option(spec, "device"), *type = system_spec_option(spec, "type");
	g_autofree char *dir = device ? pci_device(device) : NULL;

	if (!device)
		return err_set(
		    -ENOENT, "say of which device, that nobody uses: device=nvme1n1 or device=0000:00:03.0");
	if (!type_word(type))
		return err_set(-EINVAL, "type=%s: strict, lazy or identity", type);
	if (!dir)
		return err_set(-ENOENT, "no device %s with a driver and behind an IOMMU (intel_iommu=on?)",
			       device);
	return check_unused(device);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		rc = err_set(-errno, "%s = %s: %m", path, text);
	if (fd >= 0)
		close(fd);
	return rc;
}

// The node of a block device comes back a moment after its driver.
static void wait_for(const char *device)
{
	g_autofree char *path = g_build_filename("/dev", device, NULL);

	for (int i = 0; strchr(device, ':') == NULL && i < 200 && access(path, F_OK); i++)
		g_usleep(10000);
}

// Undone from the last: the driver off, the type back, the driver on.
static int write_down(const char *address, const char *unbind, const char *bind, const char *type)
{
	g_autofree char *now = host_read(type);
	int rc = now ? journal_add(UNDO_WRITE, bind, address) : err_set(-EIO, "%s can't be read", type);

	if (rc >= 0)
		rc = journal_add(UNDO_WRITE, type, now);
	if (rc >= 0)
		rc = journal_add(UNDO_WRITE, unbind, address);
	return MIN(rc, 0);
}

static int set_up(const struct system_spec *spec)
{
	const char *device = system_spec_option(spec, "device"),
		   *word = type_word(system_spec_option(spec, "type"));
	g_autofree char *dir = pci_device(device), *address = NULL, *link = NULL, *driver = NULL,
			*type = NULL, *unbind = NULL, *bind = NULL;
	int rc;

	if (!dir)
		return err_set(-ENOENT, "the device %s is gone", device);
	link = g_build_filename(dir, "driver", NULL);
	driver = realpath(link, NULL);
	address = g_path_get_basename(dir);
	type = g_build_filename(dir, "iommu_group", "type", NULL);
	unbind = g_build_filename(driver, "unbind", NULL);
	bind = g_build_filename(driver, "bind", NULL);
	rc = write_down(address, unbind, bind, type);
	if (!rc)
		rc = write_text(unbind, address);
	if (!rc)
		rc = write_text(type, word);
	if (!rc)
		rc = write_text(bind, address);
	if (!rc)
		wait_for(device);
	return rc;
}

const struct system system_iommu = {
    .name = "iommu",
    .what = "a device's DMA addresses flushed from the I/O TLB at once (type=strict) or later (type=lazy)",
    .keys = keys,
    .check_options = check_options,
    .set_up = set_up,
};
