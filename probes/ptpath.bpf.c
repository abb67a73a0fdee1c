// Page-table pages as they are taken and released, by the way: the kernel accounts each of a PTE or PMD table
// in NR_PAGETABLE (mod_lruvec_page_state() and what is below it), and the stack at that moment tells who did
// it. lib/probe/ptways.c makes words of the stacks, of which there are few.
#include "probes/common.h"

// By the whole stack: a map of stacks by number would lose those whose hash is another's.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct ptpath_key);
	__type(value, u64);
} ptpath_counts SEC(".maps");

// By reason: no room in the counts, no stack.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PTPATH_LOSSES);
	__type(key, u32);
	__type(value, u64);
} ptpath_losses SEC(".maps");

INLINE void lose(u32 reason)
{
	u64 *n = bpf_map_lookup_elem(&ptpath_losses, &reason);

	if (n)
		(*n)++;
}

// A function of (page or folio, which counter, by how much).
SEC("kprobe")
int template_ptpath(struct pt_regs *regs)
{
	struct ptpath_key key = {};
	u64 *count, one = 1;

	if ((u32)regs->si != (u32)PATCHED(PATCH_BY) || !enabled())
		return 0;
	if (bpf_get_stack(regs, key.stack, sizeof(key.stack), 0) < 0)
		lose(PTPATH_NO_STACK);
	key.class = class_of_current();
	key.release = (int)regs->dx < 0;
	count = bpf_map_lookup_elem(&ptpath_counts, &key);
	if (count)
		(*count)++;
	else if (bpf_map_update_elem(&ptpath_counts, &key, &one, BPF_NOEXIST))
		lose(PTPATH_TABLE_FULL);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
