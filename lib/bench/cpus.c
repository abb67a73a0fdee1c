// Pinning; see cpus.h.
#include "bench/cpus.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>

static cpu_set_t allowed;
static int n_allowed;

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
		return sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
	}
	return -ENODEV;
}
