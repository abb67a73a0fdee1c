// The small questions: boot id, capabilities, mounts, CPU flags. Each is asked once.
#include "host/host.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "host/internal.h"

const char *host_boot_id(void)
{
	static char *id;

	if (!id)
		id = host_read("/proc/sys/kernel/random/boot_id");
	return id ? id : "unknown";
}

bool host_has_cap(int capability)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	if (caps)
		cap_get_flag(caps, capability, CAP_EFFECTIVE, &value);
	cap_free(caps);
	return value == CAP_SET;
}

bool host_cpu_flag(const char *flag)
{
	static char *flags;
	g_autofree char *info = NULL, *word = g_strdup_printf(" %s ", flag);
	const char *line;

	if (!flags) {
		info = host_read("/proc/cpuinfo");
		line = info ? strstr(info, "\nflags") : NULL;
		flags =
		    g_strdup_printf("%.*s ", line ? (int)strcspn(line + 1, "\n") + 1 : 0, line ? line : "");
	}
	return strstr(flags, word) != NULL;
}

// --- mounts: "22 27 0:21 / /proc rw,relatime - proc proc rw", with any number of fields before the dash

// The first mount of this type. Another may hide it: the caller finds out.
static char *find_mount(const char *root, const char *type)
{
	g_autofree char *text = host_read_below(root, "/proc/self/mountinfo");
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (char **l = lines; l && *l; l++) {
		const char *dash = strstr(*l, " - ");
		char where[2048], kind[64];

		if (dash && sscanf(*l, "%*s %*s %*s %*s %2047s", where) == 1 &&
		    sscanf(dash, " - %63s", kind) == 1 && !strcmp(kind, type))
			return g_strcompress(where); // a space is written \040
	}
	return NULL;
}

const char *host_mount(const char *type)
{
	static GHashTable *known;

	if (!known)
		known = g_hash_table_new(g_str_hash, g_str_equal);
	if (!g_hash_table_contains(known, type))
		g_hash_table_insert(known, g_strdup(type), find_mount("", type));
	return g_hash_table_lookup(known, type);
}

// A mount can be hidden by a later one on the same path.
static bool is_type(const char *path, long magic)
{
	struct statfs s;

	return statfs(path, &s) == 0 && s.f_type == magic;
}

const char *host_tracefs(void)
{
	static char *where;
	const char *debugfs;

	if (where)
		return where;
	if (host_mount("tracefs") && is_type(host_mount("tracefs"), TRACEFS_MAGIC))
		return where = g_strdup(host_mount("tracefs"));
	debugfs = host_mount("debugfs");
	if (debugfs) { // the kernel mounts tracefs there when somebody looks
		g_autofree char *below = g_build_filename(debugfs, "tracing", NULL);
		g_autofree char *look = g_build_filename(below, "events", NULL);

		if (access(look, F_OK) == 0 && is_type(below, TRACEFS_MAGIC))
			where = g_steal_pointer(&below);
	}
	return where;
}

const char *host_cgroup2(void)
{
	const char *where = host_mount("cgroup2");

	return where && is_type(where, CGROUP2_SUPER_MAGIC) ? where : NULL;
}

char *host_cgroup_layout(const char *root)
{
	g_autofree char *v1 = find_mount(root, "cgroup"), *v2 = find_mount(root, "cgroup2");

	if (v1 && v2)
		return g_strdup_printf("hybrid (v1 with v2 at %s)", v2);
	return g_strdup(v2 ? "v2" : v1 ? "v1" : "none");
}
