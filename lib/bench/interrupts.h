// Counts the interrupts that one thread is interrupted by: perf counts the tracepoints at which the kernel
// begins to handle them (arch/x86/include/asm/trace/irq_vectors.h, include/trace/events/ipi.h and irq.h),
// while the thread runs. NMIs, and what a hypervisor does meanwhile, are not among them.
#ifndef MMPROF_BENCH_INTERRUPTS_H
#define MMPROF_BENCH_INTERRUPTS_H

#include <stdint.h>

struct interrupts;

// Of the calling thread, from now on. 0, or -errno with an err chain: the kernel tells none, or not to us.
int interrupts_open(struct interrupts **interrupts);
// How many until now; one system call. NULL: 0.
uint64_t interrupts_read(const struct interrupts *interrupts);
void interrupts_close(struct interrupts *interrupts);

#endif
