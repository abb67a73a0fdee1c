// The CPUs that a benchmark may use, and pinning to them.
#ifndef MMPROF_BENCH_CPUS_H
#define MMPROF_BENCH_CPUS_H

// How many CPUs this process may use; counted when first asked, before anything is pinned.
int cpus_count(void);

// Pins the calling thread to the i-th of them from the last one down (CPU 0 takes most interrupts), going
// round. -errno when the kernel refuses.
int cpus_pin(int i);

#endif
