// Function latency: a start stamp on a small stack in task-local storage, then one histogram per (function,
// class) and CPU. No event leaves the kernel, so none can be dropped; what can't be paired is counted.
//
// An entry and its return are paired by function and stack address, not by order: calls that nest, recurse,
// sleep, or move to another CPU come out right, and a return that the kernel did not report (a kretprobe out of
// instances, a program that interrupted itself) is noticed when its frame turns up dead.
#include "probes/common.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_frames);
} frames SEC(".maps");

struct {
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(type, BPF_MAP_TYPE_ARRAY); // [probe * CLASS_COUNT + class] = slot + 1 in hists; sized at load
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); // sized at load
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu_hist);
} hists SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); // [probe]; sized at load
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu_loss);
} losses SEC(".maps");

const volatile unsigned int max_slots = 1;

#define LOSS(probe, what)                                                                                            \
	do {                                                                                                         \
		u32 __p = (probe);                                                                                   \
		struct cpu_loss *__l = bpf_map_lookup_elem(&losses, &__p);                                           \
		if (__l)                                                                                             \
			__l->what++;                                                                                 \
	} while (0)

// A call's key is its stack address, so of two keys less than a kernel stack (16 KiB on x86-64) apart the lower one
// belongs to the inner call.
#define STACK_BYTES 16384

// Frames on top that lie at or below a new call's stack address are dead: their return was never reported.
INLINE u32 drop_dead(struct task_frames *t, u32 depth, u64 key)
{
	for (int i = 0; i < FRAMES; i++) {
		struct frame *f;

		if (depth == 0 || depth > FRAMES)
			break;
		f = &t->frames[(depth - 1) & (FRAMES - 1)];
		if (key - f->key >= STACK_BYTES)
			break;
		LOSS(f->probe, missed_exit);
		depth--;
	}
	return depth;
}

INLINE int enter(u64 probe, struct task_frames *t, u64 key)
{
	u32 depth = drop_dead(t, t->depth, key);
	struct frame *f;

	if (depth >= FRAMES) {
		LOSS(probe, stack_overflow);
		t->depth = depth;
		return 0;
	}
	f = &t->frames[depth & (FRAMES - 1)];
	t->depth = depth + 1; // before the frame is filled: an interrupt here pushes above it
	f->key = key;
	f->probe = probe;
	f->start_ns = bpf_ktime_get_ns();
	return 0;
}

INLINE struct task_frames *frames_of_current(u64 probe, struct task_struct *task)
{
	struct task_frames *t = bpf_task_storage_get(&frames, task, 0, 0);

	if (t)
		return t;
	t = bpf_task_storage_get(&frames, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t) {
		LOSS(probe, no_storage);
		return NULL;
	}
	t->class_plus_1 = class_of_current(task) + 1;
	return t;
}

INLINE struct cpu_hist *hist_of(u64 probe, u32 class)
{
	u32 key = probe * CLASS_COUNT + class, slot;
	u32 *slot_plus_1 = bpf_map_lookup_elem(&slots, &key);
	struct control *c;

	if (!slot_plus_1)
		return NULL;
	if (*slot_plus_1 == 0) {
		c = control_get();
		if (!c || c->next_slot >= max_slots)
			return NULL;
		// Two CPUs may both take one: the loser's slot stays empty, which costs memory only.
		slot = __sync_fetch_and_add(&c->next_slot, 1);
		__sync_val_compare_and_swap(slot_plus_1, 0, slot + 1);
	}
	slot = *slot_plus_1 - 1;
	return bpf_map_lookup_elem(&hists, &slot);
}

INLINE void drop_above(struct task_frames *t, u32 keep)
{
	for (int i = 0; i < FRAMES; i++) {
		u32 depth = t->depth;

		if (depth <= keep || depth > FRAMES)
			break;
		LOSS(t->frames[(depth - 1) & (FRAMES - 1)].probe, missed_exit);
		t->depth = depth - 1;
	}
}

// The frame of the call that returns: nearly always the top one. If not, those above it are dead.
INLINE struct frame *find_frame(u64 probe, struct task_frames *t, u64 key)
{
	u32 depth = t->depth;

	for (int i = 0; i < FRAMES; i++, depth--) {
		struct frame *f;

		if (depth == 0 || depth > FRAMES)
			break;
		f = &t->frames[(depth - 1) & (FRAMES - 1)];
		if (f->key != key || f->probe != probe)
			continue;
		if (i)
			drop_above(t, depth);
		t->depth = depth - 1;
		return f;
	}
	return NULL;
}

INLINE int leave(u64 probe, struct task_frames *t, u64 key, u64 now)
{
	struct frame *f = find_frame(probe, t, key);
	struct cpu_hist *h;

	if (!f) {
		LOSS(probe, unmatched_exit);
		return 0;
	}
	h = hist_of(probe, t->class_plus_1 - 1);
	if (!h) {
		LOSS(probe, no_slot);
		return 0;
	}
	cpu_hist_add(h, now - f->start_ns);
	return 0;
}

INLINE bool enabled(void)
{
	struct control *c = control_get();

	return c && c->enabled;
}

// fentry: the verifier allows no arithmetic on the context pointer but its distance from another pointer, and the
// task's own storage is one that stays where it is.
#define KEY_OF_CTX(t, ctx) ((u64)(ctx) - (u64)(t))

// fentry and fexit of one function share a trampoline frame: its address is the call's key.
SEC("fentry")
int template_fentry(void *ctx)
{
	u64 probe = PATCHED(PATCH_ID);
	struct task_frames *t;

	if (!enabled())
		return 0;
	t = frames_of_current(probe, bpf_get_current_task_btf());
	return t ? enter(probe, t, KEY_OF_CTX(t, ctx)) : 0;
}

SEC("fexit")
int template_fexit(void *ctx)
{
	u64 probe = PATCHED(PATCH_ID), now = bpf_ktime_get_ns();
	struct task_frames *t;

	if (!enabled())
		return 0;
	t = bpf_task_storage_get(&frames, bpf_get_current_task_btf(), 0, 0);
	if (!t) {
		LOSS(probe, unmatched_exit);
		return 0;
	}
	return leave(probe, t, KEY_OF_CTX(t, ctx), now);
}

// kprobe and kretprobe: the stack pointer at entry, where the return address lies.
SEC("kprobe")
int template_kprobe(struct pt_regs *regs)
{
	u64 probe = PATCHED(PATCH_ID);
	struct task_frames *t;

	if (!enabled())
		return 0;
	t = frames_of_current(probe, bpf_get_current_task_btf());
	return t ? enter(probe, t, regs->sp) : 0;
}

SEC("kretprobe")
int template_kretprobe(struct pt_regs *regs)
{
	u64 probe = PATCHED(PATCH_ID), now = bpf_ktime_get_ns();
	struct task_frames *t;

	if (!enabled())
		return 0;
	t = bpf_task_storage_get(&frames, bpf_get_current_task_btf(), 0, 0);
	if (!t) {
		LOSS(probe, unmatched_exit);
		return 0;
	}
	return leave(probe, t, regs->sp - sizeof(long), now); // the return has popped the address
}

char LICENSE[] SEC("license") = "GPL";
