// The histogram's arithmetic as the BPF programs do it, for test_hist_bpf.c: values come in, buckets go out; and a
// whole histogram is filled with them.
#include "probes/common.h"

unsigned long long values[256];
unsigned int buckets[256];
struct cpu_hist filled;

SEC("raw_tp")
int bucket_all(void *ctx __attribute__((unused)))
{
	for (int i = 0; i < 256; i++) {
		u64 v = values[i];

		buckets[i] = hist_bucket(v);
		cpu_hist_add(&filled, v);
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
