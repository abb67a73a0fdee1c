// Page-table pages of this process by level, from what /proc says is mapped.
#ifndef MMPROF_BENCH_PTLEVELS_H
#define MMPROF_BENCH_PTLEVELS_H

#include <stdbool.h>
#include <stdint.h>

#define PTLEVELS 5 // pgd, p4d, pud, pmd, pte

// Pages of each level; -1: the CPU does not have it. The lower levels are those of ranges with a populated
// entry (pagemap), so a table that was left empty is not seen.
struct ptlevels {
	int64_t pages[PTLEVELS];
	bool ok;
};

// Bytes of pud, pmd and pte pages by the kernel's own count (VmPTE); 0: it can't be read.
uint64_t ptlevels_bytes(void);

// Async-signal-safe enough for a child after fork: uses no memory allocation. 0 or -errno.
int ptlevels_read(struct ptlevels *levels);

#endif
