// Whose driver may be taken off: on a tree made here, of a controller with two disks and a network interface.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "system/settings.h"
#include "system/spec.h"

#define PCI "sys/devices/pci0000:00/0000:00:1f.2"

static char *root;

static void put(const char *path, const char *text)
{
	g_autofree char *file = g_build_filename(root, path, NULL), *dir = g_path_get_dirname(file);

	assert_int_equal(g_mkdir_with_parents(dir, 0755), 0);
	assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void point(const char *path, const char *to)
{
	g_autofree char *link = g_build_filename(root, path, NULL), *dir = g_path_get_dirname(link),
			*target = g_build_filename(root, to, NULL);

	assert_int_equal(g_mkdir_with_parents(dir, 0755), 0);
	assert_int_equal(symlink(target, link), 0);
}

static void away(const char *path)
{
	g_autofree char *file = g_build_filename(root, path, NULL);

	assert_int_equal(g_unlink(file), 0);
}

static int set_up(void **state)
{
	g_autofree char *dir = g_dir_make_tmp("mmprof-test-XXXXXX", NULL);

	(void)state;
	settings_root = root = realpath(dir, NULL);
	put(PCI "/ata1/block/sda/size", "8");
	put(PCI "/ata2/block/sdb/size", "8");
	put(PCI "/net/eth0/flags", "0x1002\n");
	put("sys/devices/pci0000:00/0000:00:1f.20/net/eth1/flags", "0x1003\n"); // not below it
	put("sys/kernel/iommu_groups/3/type", "DMA\n");
	put("sys/bus/pci/drivers/ahci/bind", "");
	put("sys/kernel/iommu_groups/3/devices/0000:00:1f.2", "");
	point(PCI "/iommu_group", "sys/kernel/iommu_groups/3");
	point(PCI "/driver", "sys/bus/pci/drivers/ahci");
	point(PCI "/ata1/block/sda/device", PCI "/ata1");
	point("sys/block/sda", PCI "/ata1/block/sda");
	point("sys/block/sdb", PCI "/ata2/block/sdb");
	point("sys/class/net/eth0", PCI "/net/eth0");
	point("sys/class/net/eth1", "sys/devices/pci0000:00/0000:00:1f.20/net/eth1");
	point("sys/bus/pci/devices/0000:00:1f.2", PCI);
	put("dev/sda", "");
	put("dev/sdb", "");
	return 0;
}

static int tear_down(void **state)
{
	g_autofree char *command = g_strdup_printf("rm -rf '%s'", root);

	(void)state;
	settings_root = "";
	free(root);
	return system(command);
}

static int check(const char *device)
{
	g_autofree char *text = g_strconcat("iommu,device=", device, NULL);
	struct system_spec *spec;
	int rc;

	assert_int_equal(system_spec_parse(text, &spec), 0);
	rc = system_spec_check(spec);
	system_spec_free(spec);
	return rc;
}

static void refused(const char *word)
{
	static const char *const names[] = {"sda", "0000:00:1f.2"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		assert_true(check(names[i]) < 0);
		assert_non_null(strstr(err_text(), word));
	}
}

static void unused_is_taken(void **state)
{
	(void)state;
	assert_int_equal(check("sda"), 0);
	assert_int_equal(check("0000:00:1f.2"), 0);
	assert_int_equal(check("sdz"), -ENOENT);
	assert_int_equal(check("../../block/sda"), -ENOENT);
}

// A node that is not there can't be opened, like one that is in use.
static void other_disk_in_use(void **state)
{
	(void)state;
	away("dev/sdb");
	refused("sdb can't lose its driver");
}

static void interface_up(void **state)
{
	(void)state;
	put(PCI "/net/eth0/flags", "0x1003\n");
	refused("eth0 is up");
	away(PCI "/net/eth0/flags");
	refused("eth0 is up"); // or nobody knows
}

static void shared_group(void **state)
{
	(void)state;
	put("sys/kernel/iommu_groups/3/devices/0000:00:1f.3", "");
	refused("with 1 others");
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {T(unused_is_taken), T(other_disk_in_use), T(interface_up),
					   T(shared_group)};

	return cmocka_run_group_tests_name("iommu", tests, NULL, NULL);
}
