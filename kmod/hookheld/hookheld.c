// SPDX-License-Identifier: GPL-2.0
/* For tests: holds pte_alloc_one as a livepatch would, so that pgcache must be refused. */
#include <linux/ftrace.h>
#include <linux/module.h>

static void notrace nothing(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			    struct ftrace_regs *regs)
{
}

static struct ftrace_ops ops = {.func = nothing, .flags = FTRACE_OPS_FL_IPMODIFY};

static int __init hookheld_init(void)
{
	int err = ftrace_set_filter(&ops, "pte_alloc_one", strlen("pte_alloc_one"), 1);

	return err ?: register_ftrace_function(&ops);
}

static void __exit hookheld_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}

module_init(hookheld_init);
module_exit(hookheld_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Holds a hook that pgcache wants, for tests");
