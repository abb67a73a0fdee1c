// A device's DMA addresses: flushed from the I/O TLB at once when they are unmapped (strict), or many
// together later (lazy), or not translated at all (identity).
// Documentation/ABI/testing/sysfs-kernel-iommu_groups; the type of a group can be changed while no driver has
// its device, so the driver is taken off and put back.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "base/kfile.h"
#include "host/read.h"
#include "system/settings.h"
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
	g_autofree char *block = g_build_filename(settings_root, "/sys/block", name, "device", NULL),
			*pci = g_build_filename(settings_root, "/sys/bus/pci/devices", name, NULL),
			*top = g_build_filename(settings_root, "/sys/devices/", NULL);
	char real[PATH_MAX];

	if (strchr(name, '/') || *name == '.' || !(realpath(block, real) || realpath(pci, real)))
		return NULL;
	while (strlen(real) > strlen(top)) { // up from virtio0, nvme0 ...
		g_autofree char *group = g_build_filename(real, "iommu_group", NULL),
				*driver = g_build_filename(real, "driver", NULL);

		if (access(group, F_OK) == 0 && access(driver, F_OK) == 0)
			return g_strdup(real);
		*strrchr(real, '/') = 0;
	}
	return NULL;
}

// --- whether it may lose its driver

// Calls `check` for all of a class that are below the PCI device: all that lose their driver with it.
static int each_below(const char *pci, const char *class, int (*check)(const char *name))
{
	g_autofree char *all = g_build_filename(settings_root, class, NULL),
			*dir = g_strconcat(pci, "/", NULL);
	g_auto(GStrv) names = host_entries(all);
	int rc = 0;

	for (char **n = names; *n && !rc; n++) {
		g_autofree char *link = g_build_filename(all, *n, NULL), *real = realpath(link, NULL);

		if (real && g_str_has_prefix(real, dir))
			rc = check(*n);
	}
	return rc;
}

// What is mounted, swap or part of something else can't be opened for one's own; nor can a disk when one of
// its partitions is.
static int check_disk(const char *name)
{
	g_autofree char *path = g_build_filename(settings_root, "/dev", name, NULL);
	int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd < 0)
		return err_set(-errno, "%s can't lose its driver for a moment: %m", path);
	close(fd);
	return 0;
}

static int check_interface(const char *name)
{
	g_autofree char *path = g_build_filename("/sys/class/net", name, "flags", NULL),
			*flags = host_read_below(settings_root, path);

	return flags && !(g_ascii_strtoull(flags, NULL, 16) & IFF_UP)
		   ? 0
		   : err_set(-EBUSY, "the network interface %s is up: it can't lose its driver", name);
}

// The kernel changes a group's type when none of its devices has a driver; only one is taken off.
static int check_group(const char *pci)
{
	g_autofree char *dir = g_build_filename(pci, "iommu_group", "devices", NULL);
	g_auto(GStrv) names = host_entries(dir);
	guint n = g_strv_length(names);

	return n <= 1 ? 0
		      : err_set(-EBUSY, "%s has its IOMMU group with %u others: the type is one for all",
				strrchr(pci, '/') + 1, n - 1);
}

static int check_unused(const char *pci)
{
	int rc = check_group(pci);

	if (!rc)
		rc = each_below(pci, "/sys/block", check_disk);
	return rc ? rc : each_below(pci, "/sys/class/net", check_interface);
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
	return check_unused(dir);
}

// --- doing it

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
		rc = journal_add(UNDO_UNBIND, unbind, address);
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
	rc = check_unused(dir); // once more: the check of the options may be hours old
	if (rc)
		return rc;
	link = g_build_filename(dir, "driver", NULL);
	driver = realpath(link, NULL);
	address = g_path_get_basename(dir);
	type = g_build_filename(dir, "iommu_group", "type", NULL);
	unbind = g_build_filename(driver, "unbind", NULL);
	bind = g_build_filename(driver, "bind", NULL);
	rc = write_down(address, unbind, bind, type);
	if (!rc)
		rc = kfile_set(unbind, address);
	if (!rc)
		rc = kfile_set(type, word);
	if (!rc)
		rc = kfile_set(bind, address);
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
