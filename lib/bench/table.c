// The benchmarks.
#include <glib.h>
#include <string.h>

#include "bench/bench.h"

extern const struct bench bench_bw_mem, bench_fault, bench_fork_cow, bench_forkbomb, bench_hotset,
    bench_lat_ctx, bench_lat_mem_rd, bench_lat_mmap, bench_lat_pagefault, bench_lat_proc, bench_madvise,
    bench_memhog, bench_migrate, bench_mprotect, bench_mremap, bench_pgtable, bench_reclaim, bench_swapio,
    bench_thp_collapse, bench_tlb;

const struct bench *const bench_table[] = {&bench_forkbomb,   &bench_fault,    &bench_pgtable,
					   &bench_tlb,        &bench_mprotect, &bench_madvise,
					   &bench_mremap,     &bench_fork_cow, &bench_migrate,
					   &bench_reclaim,    &bench_swapio,   &bench_thp_collapse,
					   &bench_memhog,     &bench_hotset,   &bench_lat_proc,
					   &bench_lat_ctx,    &bench_lat_mmap, &bench_lat_pagefault,
					   &bench_lat_mem_rd, &bench_bw_mem,   NULL};

const struct bench *bench_find(const char *name)
{
	for (const struct bench *const *b = bench_table; *b; b++)
		if (!strcmp((*b)->name, name))
			return *b;
	return NULL;
}
