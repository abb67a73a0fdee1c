// Copying of limits; see cgroup_limits.h and Documentation/admin-guide/cgroup-v2.rst.
#include "run/cgroup_limits.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/kfile.h"
#include "host/read.h"

// Which of two limits is tighter; "max" is none. CPU time is "QUOTA PERIOD".
static bool is_tighter(const char *a, const char *b)
{
	double x[2] = {0, 1}, y[2] = {0, 1};
	char *end;

	if (!g_ascii_isdigit(*a) || !b)
		return g_ascii_isdigit(*a);
	x[0] = g_ascii_strtod(a, &end);
	if (*end == ' ')
		x[1] = g_ascii_strtod(end, NULL);
	y[0] = g_ascii_strtod(b, &end);
	if (*end == ' ')
		y[1] = g_ascii_strtod(end, NULL);
	return x[0] / x[1] < y[0] / y[1];
}

// The tightest of a file from a cgroup up to the root, NULL: none. g_free.
static char *tightest(const char *hierarchy, const char *own, const char *file)
{
	g_autofree char *path = g_strdup(own);
	char *found = NULL;

	while (path[1]) {
		g_autofree char *name = g_build_filename(hierarchy, path, file, NULL),
				*text = host_read(name);

		if (text && is_tighter(text, found)) {
			g_free(found);
			found = g_steal_pointer(&text);
		}
		*MAX(strrchr(path, '/'), path + 1) = 0;
	}
	return found;
}

// The CPUs or nodes that the nearest cgroup with a choice has chosen. g_free.
static char *chosen(const char *hierarchy, const char *own, const char *file)
{
	g_autofree char *path = g_strdup(own);

	while (path[1]) {
		g_autofree char *name = g_build_filename(hierarchy, path, file, NULL);
		g_autofree char *effective = g_strconcat(name, ".effective", NULL), *text = host_read(name);

		if (text && *text)
			return host_read(effective);
		*MAX(strrchr(path, '/'), path + 1) = 0;
	}
	return NULL;
}

static int give(const char *path, const char *file, const char *value)
{
	g_autofree char *name = g_build_filename(path, file, NULL);
	int rc = value ? kfile_write(name, 0, value) : 0;

	return rc ? err_set(rc, "mmprof's own limit of %s (%s) can't be given to the workload's cgroup: %s",
			    file, value, g_strerror(-rc))
		  : 0;
}

int cgroup_limits_copy(const char *hierarchy, const char *path)
{
	static const char *const limits[] = {"memory.max", "memory.high", "memory.swap.max", "pids.max",
					     "cpu.max"},
				 *const choices[] = {"cpuset.cpus", "cpuset.mems"};
	g_autofree char *own = host_own_cgroup() ?: g_strdup("/");
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(limits) && !rc; i++) {
		g_autofree char *value = tightest(hierarchy, own, limits[i]);

		rc = give(path, limits[i], value);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(choices) && !rc; i++) {
		g_autofree char *value = chosen(hierarchy, own, choices[i]);

		rc = give(path, choices[i], value);
	}
	return rc;
}
