// The ways in which page-table pages are taken and released, told from the kernel's stack at that moment.
#ifndef MMPROF_PROBE_PTWAYS_H
#define MMPROF_PROBE_PTWAYS_H

#include <stddef.h>

enum ptlevel { PTLEVEL_PTE, PTLEVEL_PMD, PTLEVEL_PUD, PTLEVEL_P4D, PTLEVEL_UNKNOWN, PTLEVELS };
extern const char *const ptlevel_names[PTLEVELS];

struct ptway {
	enum ptlevel level;
	int number;       // the same for one name, the least for the innermost functions
	const char *name; // "unmap, by the mmu_gather", ...: of the program, not to be freed
};

// Put before /proc/kallsyms; "" unless a test gives one of its own.
extern const char *ptways_root;

// `stack`: addresses in the kernel, the innermost first, up to `depth` or a zero. What no function in it
// tells of is "another way" at an unknown level. Reads /proc/kallsyms the first time.
struct ptway ptway_of(const unsigned long long *stack, size_t depth);

#endif
