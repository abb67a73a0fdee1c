// What every BPF program needs: the control switch, the class of the current task, patched constants and
// the histogram update. BPF side only.
#ifndef MMPROF_PROBES_COMMON_H
#define MMPROF_PROBES_COMMON_H

#include "probes/core.h"
#include "probes/shared.h"

#define INLINE static __attribute__((always_inline)) inline

// Shared by all programs of a run: lib/probe/bpf.c puts one map in the place of each object's. In a data
// section of its own, so that reading it takes no look-up.
struct control control SEC(".data.control") = {};

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} workload_cgroup SEC(".maps");

// A constant of this clone's: an immediate that lib/probe/bpf.c replaces. See PATCH_MAGIC.
#define PATCHED(which)                                                                                       \
	({                                                                                                   \
		u64 __v;                                                                                     \
		asm volatile("%0 = %1 ll" : "=r"(__v) : "i"(PATCH_MAGIC << 32 | (which)));                   \
		__v;                                                                                         \
	})

INLINE bool enabled(void)
{
	return *(volatile unsigned int *)&control.enabled;
}

// The comm's first eight bytes, compared at once; `n` of them count.
INLINE bool comm_starts(u64 head, const char *name, int n)
{
	u64 want = 0, mask = n == 8 ? ~0ull : (1ull << (8 * n)) - 1;

	for (int i = 0; i < n; i++)
		want |= (u64)(u8)name[i] << (8 * i);
	return (head & mask) == want;
}
#define COMM_IS(head, name) comm_starts(head, name, sizeof(name) - 1 > 8 ? 8 : sizeof(name) - 1)

INLINE u32 class_of_kthread(u64 head)
{
	if (COMM_IS(head, "kworker"))
		return CLASS_KWORKER;
	if (COMM_IS(head, "kswapd"))
		return CLASS_KSWAPD;
	if (COMM_IS(head, "kcompactd"))
		return CLASS_KCOMPACTD;
	if (COMM_IS(head, "khugepaged"))
		return CLASS_KHUGEPAGED;
	if (COMM_IS(head, "ksmd"))
		return CLASS_KSMD;
	if (COMM_IS(head, "kdamond"))
		return CLASS_KDAMOND;
	if (COMM_IS(head, "kmigrate"))
		return CLASS_KMIGRATERD;
	if (COMM_IS(head, "ksamplin"))
		return CLASS_KSAMPLINGD;
	return CLASS_KTHREAD;
}

// A task in the workload's own cgroup is recognised by the cgroup's address, which is learned from the first
// such task (a task below it has another); the cgroup can't go away, mmprof holds it open. Only tasks in
// cgroups below it, or before that, need the helper.
INLINE bool in_workload(struct task_struct *task)
{
	struct cgroup *own = task->cgroups->dfl_cgrp;

	if ((u64)own == control.workload)
		return true;
	if (control.workload && own->level <= control.workload_level)
		return false;
	if (bpf_current_task_under_cgroup(&workload_cgroup, 0) != 1)
		return false;
	if (!control.workload && own->kn->id == control.workload_id) {
		control.workload_level = own->level;
		control.workload = (u64)own;
	}
	return true;
}

INLINE u32 class_of_current(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	char comm[16];

	if (in_workload(task))
		return CLASS_WORKLOAD;
	if (!(task->flags & PF_KTHREAD))
		return CLASS_OTHER;
	bpf_get_current_comm(comm, sizeof(comm));
	return class_of_kthread(*(u64 *)comm);
}

INLINE void cpu_hist_add(struct cpu_hist *h, u64 ns)
{
	u32 b = hist_bucket(ns);

	h->count++;
	h->sum += ns;
	if (~ns > h->inv_min)
		h->inv_min = ~ns;
	if (ns > h->max)
		h->max = ns;
	if (b < HIST_BUCKETS)
		h->buckets[b]++;
}

#endif
