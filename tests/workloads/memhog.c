// A workload of known size: maps N MiB of small pages, touches each page in every loop, and prints how many
// it touched first, which is how many page faults its memory has cost. Used by the tests and by `make demo`.
#include <err.h>
#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static size_t page_bytes, pages; // a thread's
static double deadline;
static long loops = 1;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// A thread's own mapping, so that each has faults of its own; left mapped until the process ends.
static void *touch(void *arg)
{
	long *done = arg;
	char *area =
	    mmap(NULL, pages * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		err(1, "mmap of %zu bytes", pages * page_bytes);
	madvise(area, pages * page_bytes, MADV_NOHUGEPAGE); // EINVAL: there are no huge pages to be refused
	while (*done < loops || now() < deadline) {
		for (size_t i = 0; i < pages; i++)
			((volatile char *)area)[i * page_bytes] =
			    (char)*done; // a read first would fault twice
		++*done;
	}
	return NULL;
}

static long number(const char *text, const char *option)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end || end == text || value < 0 || value > 1 << 20)
		errx(2, "--%s: '%s' is not a number from 0 to %d", option, text, 1 << 20);
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"mib", required_argument, NULL, 'm'},
						{"seconds", required_argument, NULL, 's'},
						{"touch-loops", required_argument, NULL, 'l'},
						{"threads", required_argument, NULL, 't'},
						{0}};
	long mib = 64, seconds = 0, threads = 1, total = 0;
	int c, which;

	while ((c = getopt_long(argc, argv, "", options, &which)) != -1) {
		if (c == '?')
			errx(2, "usage: memhog [--mib N] [--seconds S] [--touch-loops N] [--threads N]");
		long value = number(optarg, options[which].name);
		*(c == 'm' ? &mib : c == 's' ? &seconds : c == 'l' ? &loops : &threads) = value;
	}
	if (mib < 1 || loops < 1 || threads < 1 || threads > 1024)
		errx(2, "at least 1 MiB, 1 loop and 1 thread (at most 1024)");
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	pages = ((size_t)mib << 20) / page_bytes / (size_t)threads;
	deadline = now() + (double)seconds;
	pthread_t ids[threads];
	long done[threads];
	for (long i = 0; i < threads; i++) {
		done[i] = 0;
		if (pthread_create(&ids[i], NULL, touch, &done[i]))
			errx(1, "can't start thread %ld", i + 1);
	}
	for (long i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		total += done[i];
	}
	printf("memhog: touched %zu pages of %zu bytes, %ld loops, %ld threads\n", pages * (size_t)threads,
	       page_bytes, total, threads);
	return 0;
}
