// A hot set that starts on the slow node: slowstart MIB SECONDS [COLD_MIB]. Fills MIB and COLD_MIB on node 1,
// forgets that it wanted them there, and follows a chain of dependent loads through MIB in random order; a
// page of COLD_MIB is read once in 50,000 of those. At the end it prints the rate of the last quarter:
// "loads/s N". What moves the pages is up to the kernel.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINE 64
#define MPOL_DEFAULT 0
#define MPOL_BIND 2

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// One random cycle through all lines (Sattolo's shuffle).
static void link_lines(char *at, uint32_t n)
{
	uint32_t *order = malloc(n * sizeof(*order));
	uint64_t seed = 1;

	if (!order)
		exit(1);
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t k, one = order[i];

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		k = (uint32_t)((seed >> 33) % i);
		order[i] = order[k];
		order[k] = one;
	}
	for (uint32_t i = 0; i < n; i++)
		*(void **)(at + (size_t)order[i] * LINE) = at + (size_t)order[(i + 1) % n] * LINE;
	free(order);
}

// Its pages are there, on node 1, and free to go.
static char *take(size_t bytes)
{
	const unsigned long node = 1ul << 1;
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || madvise(at, bytes, MADV_NOHUGEPAGE) ||
	    syscall(SYS_mbind, at, bytes, MPOL_BIND, &node, 64, 0)) {
		perror("slowstart");
		exit(1);
	}
	for (size_t i = 0; i < bytes; i += 4096)
		at[i] = 1;
	if (syscall(SYS_mbind, at, bytes, MPOL_DEFAULT, NULL, 0, 0)) {
		perror("slowstart");
		exit(1);
	}
	return at;
}

int main(int argc, char **argv)
{
	size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 16) << 20;
	size_t cold_bytes = (argc > 3 ? strtoul(argv[3], NULL, 10) : 0) << 20, next = 0;
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 10, from, last = 0;
	unsigned long loads = 0, late = 0;
	char *at = take(bytes), *cold = cold_bytes ? take(cold_bytes) : NULL;
	void **p = (void **)at;

	link_lines(at, (uint32_t)(bytes / LINE));
	puts("phase: chase");
	fflush(stdout);
	for (from = now(); now() - from < seconds;) {
		for (int i = 0; i < 1000; i++)
			p = *p;
		__asm__ volatile("" : : "r"(p));
		loads += 1000;
		if (cold && loads % 50000 == 0) {
			*(volatile char *)(cold + next);
			next = (next + 4096) % cold_bytes;
		}
		if (now() - from >= 0.75 * seconds && !late) {
			late = loads;
			last = now();
		}
	}
	printf("loads/s %.0f\n", late ? (double)(loads - late) / (now() - last) : 0.0);
	return 0;
}
