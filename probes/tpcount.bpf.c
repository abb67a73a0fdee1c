// Tracepoint counters: how often, by class, broken down by one argument of the tracepoint and with another
// summed. Which arguments they are differs between kernels: lib/probe finds them by name in BTF.
#include "probes/common.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct count_key);
	__type(value, struct count_value);
} counts SEC(".maps");

struct {
	__uint(type,
	       BPF_MAP_TYPE_PERCPU_ARRAY); // [probe]; sized at load: events that found no room in `counts`
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} count_losses SEC(".maps");

// Loads ctx->args[n]. In assembly, so that the compiler can't merge the cases into one load with a computed
// offset, which the verifier refuses.
#define ARG(n)                                                                                               \
	case n:                                                                                              \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(v) : "r"(ctx), "i"((n)*8));                     \
		return v

INLINE u64 raw_arg(void *ctx, u64 n)
{
	u64 v;

	switch (n) {
		ARG(0);
		ARG(1);
		ARG(2);
		ARG(3);
		ARG(4);
		ARG(5);
		ARG(6);
		ARG(7);
		ARG(8);
		ARG(9);
		ARG(10);
		ARG(11);
	}
	return 0;
}

INLINE struct count_value *count_of(struct count_key *key)
{
	struct count_value zero = {}, *v = bpf_map_lookup_elem(&counts, key);

	if (v)
		return v;
	bpf_map_update_elem(&counts, key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&counts, key);
}

INLINE int count(u64 probe, u64 by, u64 sum, bool has_sum)
{
	struct count_key key = {.probe = probe, .by = by};
	struct count_value *v;
	u32 p = probe;
	u64 *lost;

	if (!enabled())
		return 0;
	key.class = class_of_current();
	v = count_of(&key);
	if (!v) {
		lost = bpf_map_lookup_elem(&count_losses, &p);
		if (lost)
			(*lost)++;
		return 0;
	}
	v->count++;
	if (has_sum && sum == ~0ull)
		v->all++;
	else if (has_sum)
		v->sum += sum;
	return 0;
}

SEC("raw_tp")
int template_raw_tp(void *ctx)
{
	u64 by = PATCHED(PATCH_BY), sum = PATCHED(PATCH_SUM);

	return count(PATCHED(PATCH_ID), raw_arg(ctx, by) & PATCHED(PATCH_MASK), raw_arg(ctx, sum),
		     sum != PATCH_NO_ARG);
}

// For tracepoints that have no raw form of their own name (syscalls:*): a plain count.
SEC("tp")
int template_tp(void *ctx __attribute__((unused)))
{
	return count(PATCHED(PATCH_ID), 0, 0, false);
}

char LICENSE[] SEC("license") = "GPL";
