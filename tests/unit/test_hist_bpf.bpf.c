// The histogram's arithmetic as the BPF programs do it, for test_hist_bpf.c: values come in, buckets go out;
// and a whole histogram is filled with them.
#include "probes/common.h"

unsigned long long values[256];
unsigned int buckets[256];
struct cpu_hist filled;

// A function of its own, so that the verifier looks at it once and not 256 times.
__attribute__((noinline)) int one(unsigned int i)
{
	if (i >= 256)
		return 0;
	buckets[i] = hist_bucket(values[i]);
	cpu_hist_add(&filled, values[i]);
	return 0;
}

SEC("raw_tp")
int bucket_all(void *ctx __attribute__((unused)))
{
	for (int i = 0; i < 256; i++)
		one(i);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
