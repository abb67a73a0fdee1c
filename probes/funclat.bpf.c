// Function latency: a start stamp for each call in progress, then one histogram per (function, class) and
// CPU. No event leaves the kernel, so none can be dropped; what can't be paired is counted.
//
// A call in progress is known by its place on the kernel stack: no two live calls of a function share one. So
// calls that nest, recurse, sleep, or move to another CPU come out right without any state in the task, and a
// return that the kernel did not report (a kretprobe out of instances, a program that interrupted itself) is
// noticed when its place is used again.
#include "probes/common.h"

// Calls in progress, hashed by place.
struct start starts[START_BUCKETS * START_WAYS];

// [probe * CLASS_COUNT + class] = slot + 1 in hists, given out when first needed.
unsigned int slots[MAX_PROBES * CLASS_COUNT];
unsigned int next_slot;
const volatile unsigned int max_slots = 1;

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

#define LOSS(probe, what)                                                                                    \
	do {                                                                                                 \
		u32 __p = (probe);                                                                           \
		struct cpu_loss *__l = bpf_map_lookup_elem(&losses, &__p);                                   \
		if (__l)                                                                                     \
			__l->what++;                                                                         \
	} while (0)

// Multiplicative hashing: stacks are aligned, so their addresses' low bits repeat. A call has two buckets;
// the second is for when the first is full.
INLINE struct start *bucket_of(u64 key, u32 choice)
{
	u32 b = (key * 0x9e3779b97f4a7c15ull) >> (64 - START_BITS * (choice + 1));

	return &starts[(b & (START_BUCKETS - 1)) * START_WAYS];
}

INLINE struct start *find(u64 key, u32 choice)
{
	struct start *s = bucket_of(key, choice);

	for (int i = 0; i < START_WAYS; i++)
		if (s[i].key == key)
			return &s[i];
	return NULL;
}

// Atomic: another CPU, or an interrupt, may want the place too.
INLINE struct start *take(u64 key, u32 choice)
{
	struct start *s = bucket_of(key, choice);

	for (int i = 0; i < START_WAYS; i++)
		if (!s[i].key && !__sync_val_compare_and_swap(&s[i].key, 0, key))
			return &s[i];
	return NULL;
}

INLINE int enter(u64 probe, u64 key)
{
	struct start *s = find(key, 0);

	if (s) // a call that never returned was here
		LOSS(probe, missed_exit);
	else
		s = take(key, 0) ?: take(key, 1);
	if (s)
		s->ns = bpf_ktime_get_ns();
	else
		LOSS(probe, table_full);
	return 0;
}

// The histogram slot, plus one, of a class that had none. Two CPUs may both take one: the loser's stays
// empty, which costs memory only.
INLINE u32 new_slot(u32 *slot_plus_1)
{
	if (next_slot >= max_slots)
		return 0;
	__sync_val_compare_and_swap(slot_plus_1, 0, __sync_fetch_and_add(&next_slot, 1) + 1);
	return *slot_plus_1;
}

INLINE struct cpu_hist *hist_of(u64 probe, u32 class)
{
	u32 index = probe * CLASS_COUNT + class, slot;

	if (index >= MAX_PROBES * CLASS_COUNT)
		return NULL;
	slot = slots[index];
	if (!slot)
		slot = new_slot(&slots[index]);
	slot--;
	return bpf_map_lookup_elem(&hists, &slot);
}

INLINE int leave(u64 probe, u64 key, u64 now)
{
	struct start *s = find(key, 0) ?: find(key, 1);
	struct cpu_hist *h;
	u64 ns;

	if (!s) {
		LOSS(probe, unmatched_exit);
		return 0;
	}
	ns = now - s->ns;
	s->key = 0;
	h = hist_of(probe, class_of_current());
	if (h)
		cpu_hist_add(h, ns);
	else
		LOSS(probe, no_slot);
	return 0;
}

// fentry and fexit of one function share a trampoline frame, and its address is theirs alone. The verifier
// allows no arithmetic on the context pointer but its distance from another pointer.
#define PLACE_OF_CTX(ctx) ((u64)(ctx) - (u64)starts)

// Functions that call one another by a jump share a place: the function's number tells them apart.
#define KEY(place, probe) ((place) ^ (probe) << 48)

SEC("fentry")
int template_fentry(void *ctx)
{
	u64 probe = PATCHED(PATCH_ID);

	if (!enabled())
		return 0;
	return enter(probe, KEY(PLACE_OF_CTX(ctx), probe));
}

SEC("fexit")
int template_fexit(void *ctx)
{
	u64 probe = PATCHED(PATCH_ID), now = bpf_ktime_get_ns();

	if (!enabled())
		return 0;
	return leave(probe, KEY(PLACE_OF_CTX(ctx), probe), now);
}

// kprobe and kretprobe: the stack pointer at entry, where the return address lies.
SEC("kprobe")
int template_kprobe(struct pt_regs *regs)
{
	u64 probe = PATCHED(PATCH_ID);

	if (!enabled())
		return 0;
	return enter(probe, KEY(regs->sp, probe));
}

SEC("kretprobe")
int template_kretprobe(struct pt_regs *regs)
{
	u64 probe = PATCHED(PATCH_ID), now = bpf_ktime_get_ns();

	if (!enabled())
		return 0;
	return leave(probe, KEY(regs->sp - sizeof(long), probe), now); // the return has popped the address
}

char LICENSE[] SEC("license") = "GPL";
