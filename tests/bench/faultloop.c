// Takes page faults one after another and prints what one costs: the cheapest of many batches, so that what
// else the machine does falls out; in instructions where the lab counts them (scripts/lab --count), else in
// ns. Usage: faultloop [BATCHES [PAGES]]
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "host/labcall.h"

// Instructions that this CPU executed, or the time.
static int64_t now(void)
{
	struct labcall call = {.command = LABCALL_READ};
	struct timespec t;

	labcall(&call);
	if (call.status == LABCALL_VERSION && call.out.read.cpu.kernel_instructions)
		return (int64_t)(call.out.read.cpu.user_instructions + call.out.read.cpu.kernel_instructions);
	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	int batches = argc > 1 ? atoi(argv[1]) : 50;
	size_t pages = argc > 2 ? (size_t)atoi(argv[2]) : 2000, bytes = pages * 4096;
	double best = 0;

	for (int b = 0; b < batches; b++) {
		volatile char *p =
		    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int64_t from;
		double each;

		if (p == MAP_FAILED)
			return perror("mmap"), 1;
		madvise((void *)p, bytes, MADV_NOHUGEPAGE);
		from = now();
		for (size_t i = 0; i < pages; i++)
			p[i * 4096] = 1;
		each = (double)(now() - from) / (double)pages;
		if (b == 0 || each < best)
			best = each;
		munmap((void *)p, bytes);
	}
	printf("%.1f\n", best);
	return 0;
}
