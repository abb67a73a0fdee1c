// Whose time it is: every figure is split by the class of the task that was running. Shared by the BPF
// programs and lib/probe. Code in interrupt context counts to the task that it interrupted.
#ifndef MMPROF_PROBES_CLASS_H
#define MMPROF_PROBES_CLASS_H

enum task_class {
	CLASS_WORKLOAD, // the workload's cgroup and all below it
	CLASS_OTHER,    // other processes (mmprof's own among them)
	CLASS_KSWAPD,
	CLASS_KCOMPACTD,
	CLASS_KHUGEPAGED,
	CLASS_KSMD,
	CLASS_KDAMOND,
	CLASS_KMIGRATERD,
	CLASS_KSAMPLINGD,
	CLASS_KWORKER,
	CLASS_KTHREAD, // every other kernel thread, the idle task too
	CLASS_COUNT,
};

#define CLASS_NAMES                                                                                          \
	{                                                                                                    \
		"workload", "other", "kswapd", "kcompactd", "khugepaged", "ksmd", "kdamond", "kmigraterd",   \
		    "ksamplingd", "kworker", "kthread",                                                      \
	}

#endif
