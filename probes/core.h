// The few kernel types that the BPF programs read, as a minimal CO-RE header: fields are found at load time
// in the running kernel's BTF, so one binary serves 5.15 to 6.18. BPF side only.
#ifndef MMPROF_PROBES_CORE_H
#define MMPROF_PROBES_CORE_H

#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

typedef __u8 u8;
typedef __u32 u32;
typedef __s64 s64;
typedef __u64 u64;

#define CO_RE __attribute__((preserve_access_index))

struct kernfs_node {
	u64 id; // of a cgroup's directory: its inode number
} CO_RE;

struct cgroup {
	int level;
	struct kernfs_node *kn;
} CO_RE;

struct css_set {
	struct cgroup *dfl_cgrp; // the one in the v2 hierarchy
} CO_RE;

struct task_struct {
	unsigned int flags;
	struct css_set *cgroups;
} CO_RE;

// arch/x86/include/asm/ptrace.h; not relocated: the layout is the ABI of kprobe programs.
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
	    flags, sp, ss;
};

#define PF_KTHREAD 0x00200000 // include/linux/sched.h

#endif
