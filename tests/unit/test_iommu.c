// Whose driver may be taken off: on a tree made here, of a controller with two disks and a network interface.
#include "tree.h"

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

static void point(const char *path, const char *to)
{
	g_autofree char *link = in_tree(path), *target = in_tree(to);

	tree_make_parent(link);
	assert_int_equal(symlink(target, link), 0);
}

static void away(const char *path)
{
	g_autofree char *file = in_tree(path);

	assert_int_equal(g_unlink(file), 0);
}

static int set_up(void **state)
{
	(void)state;
	tree_make();
	settings_root = tree;
	tree_put(PCI "/ata1/block/sda/size", "8");
	tree_put(PCI "/ata2/block/sdb/size", "8");
	tree_put(PCI "/net/eth0/flags", "0x1002\n");
	tree_put("sys/devices/pci0000:00/0000:00:1f.20/net/eth1/flags", "0x1003\n"); // not below it
	tree_put("sys/kernel/iommu_groups/3/type", "DMA\n");
	tree_put("sys/bus/pci/drivers/ahci/bind", "");
	tree_put("sys/kernel/iommu_groups/3/devices/0000:00:1f.2", "");
	point(PCI "/iommu_group", "sys/kernel/iommu_groups/3");
	point(PCI "/driver", "sys/bus/pci/drivers/ahci");
	point(PCI "/ata1/block/sda/device", PCI "/ata1");
	point("sys/block/sda", PCI "/ata1/block/sda");
	point("sys/block/sdb", PCI "/ata2/block/sdb");
	point("sys/class/net/eth0", PCI "/net/eth0");
	point("sys/class/net/eth1", "sys/devices/pci0000:00/0000:00:1f.20/net/eth1");
	point("sys/bus/pci/devices/0000:00:1f.2", PCI);
	tree_put("dev/sda", "");
	tree_put("dev/sdb", "");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	settings_root = "";
	tree_remove();
	return 0;
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
	tree_put(PCI "/net/eth0/flags", "0x1003\n");
	refused("eth0 is up");
	away(PCI "/net/eth0/flags");
	refused("eth0 is up"); // or nobody knows
}

static void shared_group(void **state)
{
	(void)state;
	tree_put("sys/kernel/iommu_groups/3/devices/0000:00:1f.3", "");
	refused("with 1 others");
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {T(unused_is_taken), T(other_disk_in_use), T(interface_up),
					   T(shared_group)};

	return cmocka_run_group_tests_name("iommu", tests, NULL, NULL);
}
