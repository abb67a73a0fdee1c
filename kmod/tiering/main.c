// SPDX-License-Identifier: GPL-2.0
/*
 * Load and unload: parameters, the order in which things are set up, and how a failure is undone.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include "symbols.h"
#include "tiering.h"

struct tier_params tier_params = {
	.scan_ms = 1000,
	.cpu_budget_permille = 30,
	.migrate_mbps = 200,
	.migrate_ms = 100,
	.batch = TIER_BATCH_MAX,
	.hysteresis = 2,
	.decay_rounds = 8,
	.reserve_permille = 20,
	.pebs_period = 10007,
	.shadow_permille = 100,
	.flush = 1,
};

#define PARAM(name, type, text)                                 \
	module_param_named(name, tier_params.name, type, 0444); \
	MODULE_PARM_DESC(name, text)
PARAM(scan_ms, uint, "all pages are looked at once each so often (default 1000)");
PARAM(cpu_budget_permille, uint,
      "of one processor, for all of this (default 30; 0: without limit)");
PARAM(migrate_mbps, uint, "MiB copied a second at most (default 200; 0: without limit)");
PARAM(migrate_ms, uint, "the mover looks for work each so often (default 100)");
PARAM(batch, uint, "pages moved at once, each way (default and most 512)");
PARAM(hysteresis, uint, "ours: an exchange must gain more than this frequency (default 2)");
PARAM(decay_rounds, uint, "ours: frequencies are halved each so many rounds (default 8; 0: never)");
PARAM(reserve_permille, uint, "of fast memory, kept free (default 20)");
PARAM(max_pages, uint, "pages known at most (default 0: as many as the tiers have)");
PARAM(sketch_width, uint, "ours: counters in a row of the sketch (default 0: half of max_pages)");
PARAM(pebs_period, uint, "pebs: one sample of so many events (default 10007)");
PARAM(cooling, uint, "memtis: counts are halved each so many samples (default 0: 20 a page)");
PARAM(adaptation, uint,
      "memtis: the threshold is set each so many samples (default 0: a 20th of cooling)");
PARAM(shadow_permille, uint, "nomad: of slow memory, for shadows at most (default 100)");
PARAM(flush, uint, "flush the TLB where accessed bits were cleared (default 1)");
PARAM(pause_ms, uint,
      "for tests: nomad waits so long between copying pages and mapping the copies (default 0)");

static char *policy = "ours", *sampler = "auto", *target_cgroup = "";
static int target_pid;
static bool enabled = true;
static int fail_at;
module_param(policy, charp, 0444);
MODULE_PARM_DESC(policy, "ours, memtis or nomad (default ours)");
module_param(sampler, charp, 0444);
MODULE_PARM_DESC(
	sampler,
	"auto, abit, hint or pebs (default auto: the first of these that this machine has)");
module_param(target_cgroup, charp, 0444);
MODULE_PARM_DESC(target_cgroup,
		 "whose memory: a cgroup of v2 and those below, may be a pattern like /mmprof-*");
module_param(target_pid, int, 0444);
MODULE_PARM_DESC(target_pid, "and that of this process and its descendants");
module_param(enabled, bool, 0444);
MODULE_PARM_DESC(enabled, "start at once (default 1)");
module_param(fail_at, int, 0444);
MODULE_PARM_DESC(fail_at, "for tests: let this step of the load fail (1 is the first)");

static int check_params(void)
{
	int err = tier_params_check();

	if (err)
		return err;
	if (!tier_policy_find(policy) || !tier_sampler_known(sampler) ||
	    tier_target_set_pid(target_pid) || tier_target_set_cgroup(target_cgroup)) {
		pr_err("tiering: refused: no such policy, sampler, target_cgroup or target_pid (%s, %s, %s, %d)\n",
		       policy, sampler, target_cgroup, target_pid);
		return -EINVAL;
	}
	return tier_set_up(policy, sampler);
}

static int start(void)
{
	return enabled ? tier_set_enabled(true) : 0;
}

/* Set up in this order, undone in the opposite one. */
static const struct {
	const char *name;
	int (*init)(void);
	void (*exit)(void);
} steps[] = {
	{"parameters", check_params, NULL},
	{"symbols", tier_symbols_init, NULL},
	{"tiers", tier_tiers_init, NULL},
	{"target", tier_target_init, tier_target_exit},
	{"book", tier_book_init, tier_book_exit},
	{"queue", tier_queue_init, tier_queue_exit},
	{"shadows", tier_shadow_init, tier_shadow_exit},
	{"batch", tier_threads_init, tier_threads_exit},
	{"sysfs", tier_sysfs_init, tier_sysfs_exit},
	{"threads", start, NULL},
};

/* Before anything is undone, nothing runs any more. */
static void undo(int n)
{
	tier_set_enabled(false);
	while (n--) {
		if (steps[n].exit)
			steps[n].exit();
	}
}

static int __init tiering_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		err = fail_at == i + 1 ? -ECANCELED : steps[i].init();
		if (!err)
			continue;
		if (fail_at == i + 1)
			pr_err("tiering: refused: told to fail at step %d (%s)\n", i + 1,
			       steps[i].name);
		undo(i);
		return err;
	}
	pr_info("tiering: %s, fast nodes %*pbl, slow nodes %*pbl\n", tier_policy->name,
		nodemask_pr_args(&tier_nodes[TIER_FAST]), nodemask_pr_args(&tier_nodes[TIER_SLOW]));
	return 0;
}

/* sysfs goes first, so that nobody starts the threads again. */
static void __exit tiering_exit(void)
{
	undo(ARRAY_SIZE(steps));
	pr_info("tiering: gone\n");
}

module_init(tiering_init);
module_exit(tiering_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A manager of tiered memory with several policies");
MODULE_VERSION("0.1.0");
