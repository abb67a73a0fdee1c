// What the kernel's own path takes to promote some pages and then demote as many: move_pages(2), 512 pages a
// call, pages that nobody else uses. Prints CPU ns (in the lab with --icount: instructions) a page moved.
//   movepages FAST-NODE SLOW-NODE MIB
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { PAGE = 4096, BATCH = 512 };

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static char *memory_on(int node, size_t bytes)
{
	unsigned long mask = 1ul << node;
	char *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED || mbind(m, bytes, MPOL_BIND, &mask, 64, 0)) {
		perror("movepages");
		exit(2);
	}
	madvise(m, bytes, MADV_NOHUGEPAGE);
	memset(m, 1, bytes);
	mbind(m, bytes, MPOL_DEFAULT, NULL, 0, 0);
	return m;
}

// Pages that are there afterwards.
static long move(char *memory, int node)
{
	void *at[BATCH];
	int to[BATCH], where[BATCH];
	long moved = 0;

	for (int i = 0; i < BATCH; i++) {
		at[i] = memory + (size_t)i * PAGE;
		to[i] = node;
	}
	if (move_pages(0, BATCH, at, to, where, MPOL_MF_MOVE) < 0) {
		perror("move_pages");
		exit(2);
	}
	for (int i = 0; i < BATCH; i++)
		moved += where[i] == node;
	return moved;
}

int main(int argc, char **argv)
{
	int fast = argc == 4 ? atoi(argv[1]) : 0, slow = argc == 4 ? atoi(argv[2]) : 1;
	size_t bytes = (argc == 4 ? strtoul(argv[3], NULL, 0) : 16) << 20;
	char *cold = memory_on(fast, bytes), *hot = memory_on(slow, bytes);
	double from = cpu_ns();
	long moved = 0;

	for (size_t done = 0; done < bytes; done += (size_t)BATCH * PAGE)
		moved += move(hot + done, fast) + move(cold + done, slow);
	printf("%.0f %ld\n", (cpu_ns() - from) / (double)moved, moved);
	return 0;
}
