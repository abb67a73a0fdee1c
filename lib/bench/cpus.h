// The CPUs that a benchmark may use, and pinning to them.
#ifndef MMPROF_BENCH_CPUS_H
#define MMPROF_BENCH_CPUS_H

struct bench_run;

// How many CPUs this process may use; counted when first asked, before anything is pinned.
int cpus_count(void);

// Pins the calling thread to the i-th of them from the last one down (CPU 0 takes most interrupts), going
// round. -errno when the kernel refuses.
int cpus_pin(int i);

// Tells, for the run: the CPUs that were pinned to by this process and those that it forked since
// cpus_begin(), or else those that it may use if they are not all; whether they are isolated, and who shared
// their cores.
void cpus_begin(void);
void cpus_tell(struct bench_run *run);

#endif
