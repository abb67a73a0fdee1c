// Reads page i of N fresh pages exactly i times and writes it 2 * i times, one instruction each: touches N
// FILE [CPUS]. Before and after, it marks the lab's truth file; FILE gets each page's frame number and i.
// Stays on a CPU, or goes round that many, a page on each. For root.
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/host/labcall.h"

static void mark(const char *text)
{
	struct labcall call = {.command = LABCALL_SYNC, .kind = LABCALL_NOTE};

	strcpy(call.text, text);
	labcall(&call);
	if (call.status != LABCALL_VERSION) {
		fputs("touches: this is not the lab with --truth\n", stderr);
		exit(1);
	}
}

static uint64_t frame_of(int pagemap, volatile char *at)
{
	uint64_t entry = 0;

	if (pread(pagemap, &entry, 8, (off_t)((uintptr_t)at / 4096 * 8)) != 8 || !(entry >> 63))
		return 0;
	return entry & ((1ull << 55) - 1);
}

static void go_to(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one)) {
		perror("touches");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	size_t cpus = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	size_t n = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	volatile char *p =
	    mmap(NULL, (n + 1) * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	FILE *out = argc > 2 ? fopen(argv[2], "w") : NULL;

	if (!out || p == MAP_FAILED || pagemap < 0)
		return perror("touches"), 1;
	go_to(sched_getcpu());
	madvise((void *)p, n * 4096, MADV_NOHUGEPAGE);
	memset((void *)p, 1, n * 4096);
	mark("touches begin");
	for (size_t i = 0; i < n; i++) {
		volatile char *at = p + i * 4096;

		if (cpus)
			go_to((int)(i % cpus));
		for (size_t k = 0; k < i; k++)
			__asm__ volatile("movb (%0), %%al\n\tmovb %%al, 64(%0)\n\tmovb %%al, 128(%0)"
					 :
					 : "r"(at)
					 : "al", "memory");
	}
	mark("touches end");
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%llu %zu\n", (unsigned long long)frame_of(pagemap, p + i * 4096), i);
	return fclose(out) ? 1 : 0;
}
