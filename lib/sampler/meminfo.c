// All of /proc/meminfo in bytes, under the kernel's own names. Follows fs/proc/meminfo.c. With per-CPU
// batching a page state may be off by 125 pages for each CPU (see vmstat.c); MemAvailable is the kernel's
// estimate.
#include "base/err.h"
#include "sampler/read.h"

#include <glib.h>

SAMPLER_FUNCTIONS(meminfo);

static void classify(struct key *key)
{
	// HugePages_*: in huge pages of the default size
	key->kind = SERIES_GAUGE;
}

int meminfo_sampler_open(const struct sample_target *target, void **state)
{
	int error;

	(void)target;
	*state = keyed_open("/proc/meminfo", "", "meminfo.", classify, &error);
	return *state ? 0 : err_set(error, "/proc/meminfo: %s: is /proc mounted?", g_strerror(-error));
}

int meminfo_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	(void)target;
	int r = keyed_read(state, sink);
	return r < 0 ? err_set(r, "read /proc/meminfo: %s", g_strerror(-r)) : 0;
}

void meminfo_sampler_close(void *state)
{
	keyed_close(state);
}
