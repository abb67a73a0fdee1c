// Pinning; see cpus.h.
#include "bench/cpus.h"

#include <errno.h>
#include <glib.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "bench/bench.h"
#include "host/placement.h"

static cpu_set_t allowed;
static int n_allowed;
static cpu_set_t *used; // shared with children
static struct placement_times *times;

int cpus_count(void)
{
	if (!n_allowed && sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
		n_allowed = CPU_COUNT(&allowed);
	return n_allowed > 0 ? n_allowed : 1;
}

int cpus_pin(int i)
{
	int skip = i % cpus_count();
	cpu_set_t one;

	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET(cpu, &allowed) || skip--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			return -errno;
		if (used) // by several at once, each a bit of its own
			__atomic_fetch_or((unsigned char *)used + cpu / 8, 1 << cpu % 8, __ATOMIC_RELAXED);
		return 0;
	}
	return -ENODEV;
}

void cpus_begin(void)
{
	cpus_count();
	used = mmap(NULL, sizeof(*used), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (used == MAP_FAILED)
		used = NULL;
	times = placement_begin("");
}

static void tell_fact(void *ctx, const char *key, const char *value)
{
	bench_fact(ctx, key, value);
}

void cpus_tell(struct bench_run *run)
{
	const cpu_set_t *set = used && CPU_COUNT(used) ? used : &allowed;
	g_autofree char *shared = NULL, *disturbed = NULL;

	if (set == used || placement_chosen("", set)) {
		shared = placement_shared("", set);
		disturbed = placement_disturbed("", times, set);
		placement_facts("", set, tell_fact, run);
	}
	if (shared)
		bench_cannot(run, PLACEMENT_WARNING, "%s", shared);
	if (disturbed)
		bench_cannot(run, PLACEMENT_WARNING, "%s", disturbed);
	placement_free(times);
	if (used)
		munmap(used, sizeof(*used));
	times = NULL;
	used = NULL;
}
