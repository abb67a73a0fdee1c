// mmap_lock: how long a task waits for it and holds it, to read or to write, and how often it does not get
// it. From the three mmap_lock tracepoints (include/linux/mmap_lock.h). A trylock fires the same tracepoints
// as a lock, so one that succeeds is a wait of next to nothing; one that fails is an acquire without success.
// An acquire that no start came before is a downgrade, if the task holds the lock for writing.
#include "probes/common.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_lock);
} locks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOCK_PARTS *CLASS_COUNT);
	__type(key, u32);
	__type(value, struct cpu_hist);
} lock_hists SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CLASS_COUNT);
	__type(key, u32);
	__type(value, struct lock_counts);
} lock_events SEC(".maps");

INLINE void event(u32 class, u32 which)
{
	struct lock_counts *c = bpf_map_lookup_elem(&lock_events, &class);

	if (c && which < LOCK_EVENTS)
		c->events[which]++;
}

INLINE void latency(u32 part, u32 class, u64 ns)
{
	u32 key = part * CLASS_COUNT + class;
	struct cpu_hist *h = bpf_map_lookup_elem(&lock_hists, &key);

	if (h)
		cpu_hist_add(h, ns);
}

INLINE void hold_begin(struct task_lock *t, u32 class, u64 mm, bool write, u64 now)
{
	for (int i = 0; i < LOCK_HOLDS; i++) {
		if (t->holds[i].mm)
			continue;
		t->holds[i].since_ns = now;
		t->holds[i].write = write;
		t->holds[i].mm = mm;
		return;
	}
	event(class, LOCK_HOLD_OVERFLOW);
}

// Ends the hold of `mm` and says whether there was one of that kind.
INLINE bool hold_end(struct task_lock *t, u32 class, u64 mm, bool write, u64 now)
{
	for (int i = 0; i < LOCK_HOLDS; i++) {
		if (t->holds[i].mm != mm || t->holds[i].write != write)
			continue;
		t->holds[i].mm = 0;
		latency(write ? LOCK_WRITE_HOLD : LOCK_READ_HOLD, class, now - t->holds[i].since_ns);
		return true;
	}
	return false;
}

INLINE struct task_lock *lock_of(u32 class)
{
	struct task_lock *t =
	    bpf_task_storage_get(&locks, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t)
		event(class, LOCK_NO_STORAGE);
	return t;
}

SEC("raw_tp")
int template_start(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_lock *t;

	if (!enabled())
		return 0;
	t = lock_of(class_of_current());
	if (!t)
		return 0;
	t->wait_mm = ctx->args[0];
	t->wait_since_ns = bpf_ktime_get_ns();
	return 0;
}

// An acquire that a start came before.
INLINE void waited(struct task_lock *t, u32 class, u64 mm, bool write, bool success, u64 now)
{
	t->wait_mm = 0;
	if (!success) {
		event(class, write ? LOCK_WRITE_FAILED : LOCK_READ_FAILED);
		return;
	}
	event(class, write ? LOCK_WRITE_OK : LOCK_READ_OK);
	latency(write ? LOCK_WRITE_WAIT : LOCK_READ_WAIT, class, now - t->wait_since_ns);
	hold_begin(t, class, mm, write, now);
}

// An acquire out of the blue.
INLINE void unstarted(struct task_lock *t, u32 class, u64 mm, bool write, bool success, u64 now)
{
	if (!success)
		return;
	event(class, !write && hold_end(t, class, mm, true, now) ? LOCK_DOWNGRADE : LOCK_UNPAIRED_ACQUIRE);
	hold_begin(t, class, mm, write, now);
}

SEC("raw_tp")
int template_acquired(struct bpf_raw_tracepoint_args *ctx)
{
	u64 now = bpf_ktime_get_ns(), write_at = PATCHED(PATCH_BY), success_at = PATCHED(PATCH_SUCCESS);
	u64 a1 = ctx->args[1], a2 = ctx->args[2], a3 = 0, mm = ctx->args[0];
	bool write, success;
	struct task_lock *t;
	u32 class;

	if (success_at == 3)
		a3 = ctx->args[3];
	write = (u8)(write_at == 1 ? a1 : a2);
	success = (u8)(success_at == 2 ? a2 : a3);
	if (!enabled())
		return 0;
	class = class_of_current();
	t = lock_of(class);
	if (!t)
		return 0;
	if (t->wait_mm == mm)
		waited(t, class, mm, write, success, now);
	else
		unstarted(t, class, mm, write, success, now);
	return 0;
}

SEC("raw_tp")
int template_released(struct bpf_raw_tracepoint_args *ctx)
{
	u64 now = bpf_ktime_get_ns(), write_at = PATCHED(PATCH_BY);
	u64 mm = ctx->args[0], a1 = ctx->args[1], a2 = 0;
	struct task_lock *t;
	u32 class;

	if (write_at == 2)
		a2 = ctx->args[2];
	if (!enabled())
		return 0;
	class = class_of_current();
	t = bpf_task_storage_get(&locks, bpf_get_current_task_btf(), 0, 0);
	if (!t || !hold_end(t, class, mm, (u8)(write_at == 1 ? a1 : a2), now))
		event(class, LOCK_UNPAIRED_RELEASE);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
