// The least that timing a function by fentry and fexit can cost: a pair of empty programs, and a pair that
// reads the clock and nothing else.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

unsigned long long now;

SEC("fentry/handle_mm_fault")
int empty_entry(void *ctx __attribute__((unused)))
{
	return 0;
}

SEC("fexit/handle_mm_fault")
int empty_exit(void *ctx __attribute__((unused)))
{
	return 0;
}

SEC("fentry/handle_mm_fault")
int clock_entry(void *ctx __attribute__((unused)))
{
	now = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit/handle_mm_fault")
int clock_exit(void *ctx __attribute__((unused)))
{
	now = bpf_ktime_get_ns();
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
