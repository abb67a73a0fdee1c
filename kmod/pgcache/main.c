// SPDX-License-Identifier: GPL-2.0
/*
 * Load and unload: what this kernel must be, the order in which things are set up, and how a
 * failure is undone.
 */
#include "kcompat.h"
#include "pgcache.h"
#include "symbols.h"
#include <linux/module.h>
#include <xen/xen.h>

static bool enabled = true;
module_param(enabled, bool, 0444);
MODULE_PARM_DESC(enabled, "start with the cache on (default 1)");
module_param_named(verify, pgc_verify, bool, 0444);
MODULE_PARM_DESC(verify, "check that each table taken is zero and has one owner (default 0)");
static long size_kib = -1;
module_param(size_kib, long, 0444);
MODULE_PARM_DESC(
	size_kib,
	"size of all levels together, 0: nothing is kept (default -1: 1/128 of memory, 64 MiB at most)");
module_param_named(age_ms, pgc_age_ms, uint, 0444);
MODULE_PARM_DESC(age_ms, "give back what was not needed for so long (default 10000, 0: never)");
static int ratio = -1;
module_param(ratio, int, 0444);
MODULE_PARM_DESC(ratio,
		 "of all levels: give back when free > ratio * used, 0: never (default -1: 4)");
static int low = -1;
module_param(low, int, 0444);
MODULE_PARM_DESC(low, "of all levels: and keep low * used (default -1: 2)");
static int fail_at;
module_param(fail_at, int, 0444);
MODULE_PARM_DESC(fail_at, "for tests: let this step of the load fail (1 is the first)");

static void set_levels(void)
{
	struct pgc_level *l;

	for_each_level(l) {
		if (ratio >= 0)
			l->ratio = ratio;
		if (low >= 0)
			l->low = low;
	}
}

static int check_kernel(void)
{
	const char *why = NULL;

	if (ALLOC_SPLIT_PTLOCKS)
		why = "page-table locks are allocated apart from the page";
	else if (xen_pv_domain())
		why = "Xen PV guests pin their page tables";
	else if (boot_cpu_data.x86_vendor == X86_VENDOR_INTEL && boot_cpu_data.x86 == 6 &&
		 boot_cpu_data.x86_model == 0x57)
		why = "Xeon Phi leaves stray bits in freed tables";
	if (!why)
		return 0;
	pr_err("pgcache: refused: %s\n", why);
	return -EOPNOTSUPP;
}

/* The self-test needs a cache that keeps something. */
static int start_cache(void)
{
	return pgc_cache_init(size_kib ?: -1);
}

static int keep_size(void)
{
	int err = size_kib ? 0 : pgc_resize(0);

	if (!size_kib)
		pgc_flush();
	return err;
}

/* Set up in this order, undone in the opposite one. */
static const struct {
	const char *name;
	int (*init)(void);
	void (*exit)(void);
	bool silent; /* does not itself say why it refuses */
} steps[] = {
	{"kernel", check_kernel},
	{"symbols", pgc_symbols_init},
	{"prototypes", pgc_prototypes},
	{"cache", start_cache, pgc_cache_exit, true},
	{"shrinker", pgc_shrink_init, pgc_shrink_exit, true},
	{"sysfs", pgc_sysfs_init, pgc_sysfs_exit, true},
	{"hooks", pgc_hooks_init, pgc_hooks_exit},
	{"census", pgc_census, NULL, true},
	{"self-test", pgc_selftest},
	{"size", keep_size, NULL, true},
};

static void undo(int n)
{
	WRITE_ONCE(pgc_enabled, false);
	while (n--) {
		if (steps[n].exit)
			steps[n].exit();
	}
}

static int __init pgcache_init(void)
{
	int i, err;

	set_levels();
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		err = fail_at == i + 1 ? -ECANCELED : steps[i].init();
		if (!err)
			continue;
		if (fail_at == i + 1)
			pr_err("pgcache: refused: told to fail at step %d (%s)\n", i + 1,
			       steps[i].name);
		else if (steps[i].silent)
			pr_err("pgcache: refused: %s: error %d\n", steps[i].name, err);
		undo(i);
		return err;
	}
	WRITE_ONCE(pgc_enabled, enabled);
	pr_info("pgcache: %s, %lu KiB\n", enabled ? "on" : "off", pgc_size_kib);
	return 0;
}

static void __exit pgcache_exit(void)
{
	undo(ARRAY_SIZE(steps));
	pr_info("pgcache: gone\n");
}

module_init(pgcache_init);
module_exit(pgcache_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A cache of page-table pages, by level");
MODULE_VERSION("0.1.0");
