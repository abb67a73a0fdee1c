// Limits of processes and memory; see limits.h.
#include "bench/limits.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"

static void lower(struct limit *l, int64_t value, const char *from)
{
	if (value >= l->value)
		return;
	l->value = value;
	g_strlcpy(l->from, from, sizeof(l->from));
}

// "max", or no such file: no limit
static void lower_by_file(struct limit *l, const char *path)
{
	g_autofree char *text = NULL;

	if (g_file_get_contents(path, &text, NULL, NULL) && g_ascii_isdigit(*text))
		lower(l, g_ascii_strtoll(text, NULL, 10), path);
}

// Where the hierarchy is mounted that has this controller (NULL: version 2). g_free.
static char *hierarchy(const char *controller)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char *found = NULL;
	struct mntent *m;

	while (mounts && !found && (m = getmntent(mounts)))
		if (controller ? !strcmp(m->mnt_type, "cgroup") && hasmntopt(m, controller)
			       : !strcmp(m->mnt_type, "cgroup2"))
			found = g_strdup(m->mnt_dir);
	if (mounts)
		endmntent(mounts);
	return found;
}

// From our cgroup of a hierarchy up to its root; the root of version 2 has no limits, but what a container
// sees as its root has.
static void lower_by_cgroup(struct limit *l, const char *controller, char *path, const char *file)
{
	g_autofree char *mount = hierarchy(controller);

	while (mount && *path == '/') {
		g_autofree char *name = g_strdup_printf("%s%s/%s", mount, path[1] ? path : "", file);

		lower_by_file(l, name);
		if (!path[1])
			break;
		*MAX(strrchr(path, '/'), path + 1) = 0;
	}
}

static void lower_by_cgroups(struct limit *l, const char *controller, const char *v1, const char *v2)
{
	g_auto(GStrv) lines = NULL;
	g_autofree char *text = NULL;

	if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL))
		return;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) { // 8:pids:/path, 0::/path
		g_auto(GStrv) part = g_strsplit(*line, ":", 3), controllers = NULL;

		if (g_strv_length(part) != 3)
			continue;
		controllers = g_strsplit(part[1], ",", -1);
		if (!*part[1])
			lower_by_cgroup(l, NULL, part[2], v2);
		else if (g_strv_contains((const char *const *)controllers, controller))
			lower_by_cgroup(l, controller, part[2], v1);
	}
}

struct limit limits_processes(void)
{
	struct limit l = {.value = INT64_MAX};
	struct rlimit own;

	lower_by_file(&l, "/proc/sys/kernel/pid_max");
	lower_by_cgroups(&l, "pids", "pids.max", "pids.max");
	if (geteuid() != 0 && getrlimit(RLIMIT_NPROC, &own) == 0 && own.rlim_cur != RLIM_INFINITY)
		lower(&l, (int64_t)own.rlim_cur, "RLIMIT_NPROC (ulimit -u)");
	return l;
}

static int64_t meminfo(const char *name, int64_t otherwise)
{
	g_autofree char *text = NULL;
	const char *at;

	if (!g_file_get_contents("/proc/meminfo", &text, NULL, NULL) || !(at = strstr(text, name)))
		return otherwise;
	return g_ascii_strtoll(at + strlen(name), NULL, 10) * 1024;
}

struct limit limits_memory(void)
{
	struct limit l = {.value = INT64_MAX};

	lower(&l, meminfo("MemAvailable:", INT64_MAX), "MemAvailable of /proc/meminfo");
	lower_by_cgroups(&l, "memory", "memory.limit_in_bytes", "memory.max");
	return l;
}

int limits_room(uint64_t bytes)
{
	struct limit l = limits_memory();
	int64_t swap = meminfo("SwapFree:", 0);

	if (l.value == INT64_MAX || bytes <= (uint64_t)l.value + (uint64_t)swap)
		return 0;
	return err_set(-ENOMEM,
		       "%" PRIu64 " bytes are more than the %" PRId64 " of %s and %" PRId64 " of free swap",
		       bytes, l.value, l.from, swap);
}
