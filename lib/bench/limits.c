// Limits of processes and memory; see limits.h.
#include "bench/limits.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdbool.h>
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

// A cgroup's limit, of which what it uses already is not to be had any more, but for page cache, which makes
// room.
struct cgroup_limit {
	const char *controller;
	// files of version 1 and 2; usage may be NULL: the limit is what counts
	const char *limit[2], *usage[2];
	const char *cache[2][2]; // keys of memory.stat
};

static const struct cgroup_limit pids = {.controller = "pids", .limit = {"pids.max", "pids.max"}};
static const struct cgroup_limit memory = {
    .controller = "memory",
    .limit = {"memory.limit_in_bytes", "memory.max"},
    .usage = {"memory.usage_in_bytes", "memory.current"},
    .cache = {{"total_active_file", "total_inactive_file"}, {"active_file", "inactive_file"}}};
static const struct cgroup_limit swap = {
    .controller = "memory", .limit = {NULL, "memory.swap.max"}, .usage = {NULL, "memory.swap.current"}};
// version 1 limits memory and swap together
static const struct cgroup_limit both = {.controller = "memory",
					 .limit = {"memory.memsw.limit_in_bytes", NULL},
					 .usage = {"memory.memsw.usage_in_bytes", NULL},
					 .cache = {{"total_active_file", "total_inactive_file"}}};

// "max", or no such file: false
static bool read_number(const char *dir, const char *file, int64_t *value)
{
	g_autofree char *path = g_strdup_printf("%s/%s", dir, file), *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !g_ascii_isdigit(*text))
		return false;
	*value = g_ascii_strtoll(text, NULL, 10);
	return true;
}

// Of a file of lines "key value"; 0 if it is not there.
static int64_t keyed(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (!strncmp(at, key, n) && at[n] == ' ')
			return g_ascii_strtoll(at + n, NULL, 10);
	return 0;
}

static void lower_by_dir(struct limit *l, const struct cgroup_limit *c, int version, const char *dir)
{
	g_autofree char *stat = g_strdup_printf("%s/memory.stat", dir), *text = NULL;
	g_autofree char *from = g_strdup_printf("%s/%s", dir, c->limit[version]);
	int64_t limit, used;

	if (!read_number(dir, c->limit[version], &limit))
		return;
	if (c->usage[version] && read_number(dir, c->usage[version], &used)) {
		if (c->cache[version][0] && g_file_get_contents(stat, &text, NULL, NULL))
			used -= keyed(text, c->cache[version][0]) + keyed(text, c->cache[version][1]);
		limit = MAX(limit - MAX(used, 0), 0);
	}
	lower(l, limit, from);
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
static void lower_by_cgroup(struct limit *l, const struct cgroup_limit *c, int version, char *path)
{
	g_autofree char *mount = hierarchy(version ? NULL : c->controller);

	while (mount && *path == '/') {
		g_autofree char *dir = g_strdup_printf("%s%s", mount, path[1] ? path : "");

		lower_by_dir(l, c, version, dir);
		if (!path[1])
			break;
		*MAX(strrchr(path, '/'), path + 1) = 0;
	}
}

static void lower_by_cgroups(struct limit *l, const struct cgroup_limit *c)
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
		if (!*part[1] && c->limit[1])
			lower_by_cgroup(l, c, 1, part[2]);
		else if (c->limit[0] && g_strv_contains((const char *const *)controllers, c->controller))
			lower_by_cgroup(l, c, 0, part[2]);
	}
}

struct limit limits_processes(void)
{
	struct limit l = {.value = INT64_MAX};
	struct rlimit own;
	int64_t most;

	if (read_number("/proc/sys/kernel", "pid_max", &most))
		lower(&l, most, "/proc/sys/kernel/pid_max");
	lower_by_cgroups(&l, &pids);
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
	lower_by_cgroups(&l, &memory);
	return l;
}

int limits_room(uint64_t bytes)
{
	struct limit in_memory = limits_memory(), in_swap = {.value = INT64_MAX}, all = {.value = INT64_MAX};

	lower(&in_swap, meminfo("SwapFree:", 0), "SwapFree of /proc/meminfo");
	lower_by_cgroups(&in_swap, &swap);
	lower_by_cgroups(&all, &both);
	if (bytes > (uint64_t)all.value)
		return err_set(-ENOMEM, "%" PRIu64 " bytes are more than the %" PRId64 " left of %s", bytes,
			       all.value, all.from);
	if (in_memory.value == INT64_MAX || bytes <= (uint64_t)in_memory.value + (uint64_t)in_swap.value)
		return 0;
	return err_set(-ENOMEM,
		       "%" PRIu64 " bytes are more than the %" PRId64 " left of %s and %" PRId64
		       " of swap (%s)",
		       bytes, in_memory.value, in_memory.from, in_swap.value, in_swap.from);
}
