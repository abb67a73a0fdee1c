// Mappings for benchmarks: anonymous or of a temporary file, of base pages unless asked otherwise.
#ifndef MMPROF_BENCH_MEMORY_H
#define MMPROF_BENCH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE_PAGE 4096ul
#define HUGE_PAGE (2ul << 20)

enum memory_kind { MEMORY_ANON, MEMORY_SHARED, MEMORY_FILE };

struct memory {
	char *start; // aligned to HUGE_PAGE
	size_t bytes, room;
	char *base; // what was mapped, alignment included
	int fd;
};

// -errno with an err chain. A file is in $TMPDIR or /tmp, unlinked at once, its pages in the page cache.
int memory_map(struct memory *m, enum memory_kind kind, size_t bytes);
void memory_unmap(struct memory *m);

// Drops the pages, so that each is faulted in again.
int memory_drop(struct memory *m);

void memory_write(const struct memory *m);    // a byte of each page
uint64_t memory_read(const struct memory *m); // the sum of a byte of each page

// Page faults of this thread so far, without I/O and with.
void memory_faults(uint64_t *minor, uint64_t *major);

// What its file is on: "ext4", "tmpfs", ...
const char *memory_file_system(const struct memory *m);

// Is any swap on?
bool memory_have_swap(void);

// How many of its pages are in swap.
size_t memory_swapped(const struct memory *m);
// 0, or BENCH_NOT_SO with an err chain when less than nine in ten are.
int memory_must_be_swapped(const struct memory *m);

#endif
