// Counts a thread's interrupts; see interrupts.h.
#include "bench/interrupts.h"

#include <errno.h>
#include <glib.h>
#include <glob.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "host/host.h"

#define MOST 32

struct interrupts {
	int fds[MOST], n; // one group, led by the first
};

// Tells why not, at the first that can't be had.
static int add_event(struct interrupts *i, const char *path)
{
	struct perf_event_attr attr = {
	    .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .read_format = PERF_FORMAT_GROUP};
	g_autofree char *id = NULL;
	int fd;

	if (!g_file_get_contents(path, &id, NULL, NULL))
		return err_set(-EACCES, "can't read %s", path);
	attr.config = strtoull(id, NULL, 10);
	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, i->n ? i->fds[0] : -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return err_set(-errno, "perf_event_open of %s: %m", path);
	i->fds[i->n++] = fd;
	return 0;
}

// The tracepoints' files, of which there may be none.
static void find_events(glob_t *found)
{
	static const char *const patterns[] = {"irq_vectors/*_entry", "ipi/ipi_entry",
					       "irq/irq_handler_entry"};

	for (size_t k = 0; k < G_N_ELEMENTS(patterns); k++) {
		g_autofree char *path = g_build_filename(host_tracefs(), "events", patterns[k], "id", NULL);

		glob(path, k ? GLOB_APPEND : 0, NULL, found);
	}
}

int interrupts_open(struct interrupts **out)
{
	struct interrupts *i;
	glob_t found = {};
	int rc = 0;

	*out = NULL;
	if (!host_tracefs())
		return err_set(-ENOENT,
			       "the kernel's tracepoints of interrupts are in tracefs, which is not mounted");
	i = g_new0(struct interrupts, 1);
	find_events(&found);
	for (size_t k = 0; k < found.gl_pathc && i->n < MOST && !rc; k++)
		rc = add_event(i, found.gl_pathv[k]);
	globfree(&found);
	if (!rc && !i->n)
		rc = err_set(-ENOENT, "this kernel has no tracepoint of interrupts");
	if (rc)
		interrupts_close(i);
	else
		*out = i;
	return rc;
}

uint64_t interrupts_read(const struct interrupts *i)
{
	uint64_t values[1 + MOST], sum = 0;

	if (!i || read(i->fds[0], values, sizeof(values)) < (ssize_t)sizeof(values[0]))
		return 0;
	for (uint64_t k = 1; k <= MIN(values[0], (uint64_t)MOST); k++)
		sum += values[k];
	return sum;
}

void interrupts_close(struct interrupts *i)
{
	for (int k = 0; i && k < i->n; k++)
		close(i->fds[k]);
	g_free(i);
}
