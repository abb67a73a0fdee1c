// ftrace, mounts, and the rights that measuring needs.
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/checks.h"

static struct outcome mounted(const char *type, const char *remedy)
{
	const char *where = host_mount(type);

	if (where)
		return outcome_of(HOST_YES, NULL, "%s", where);
	return outcome_of(HOST_NO, remedy, "not mounted");
}

static struct outcome tracefs(void)
{
	return mounted("tracefs", "mount -t tracefs tracefs /sys/kernel/tracing");
}

static struct outcome debugfs(void)
{
	return mounted("debugfs", "mount -t debugfs debugfs /sys/kernel/debug (zswap and scheduler details)");
}

static struct outcome bpffs(void)
{
	return mounted("bpf", "not needed: mmprof pins nothing");
}

static char *trace_file(const char *name)
{
	g_autofree char *path = host_tracefs() ? g_build_filename(host_tracefs(), name, NULL) : NULL;

	return path ? host_read(path) : NULL;
}

static struct outcome functions(void)
{
	g_autofree char *path =
	    host_tracefs() ? g_build_filename(host_tracefs(), "available_filter_functions", NULL) : NULL;
	g_autofree char *first = NULL;

	if (!path)
		return outcome_of(HOST_UNKNOWN, "mount tracefs", "tracefs is not mounted");
	first = host_read(path);
	if (first && *first)
		return outcome_of(HOST_YES, NULL, "available_filter_functions can be read");
	return outcome_of(HOST_NO, geteuid() ? "sudo" : "a kernel with CONFIG_FUNCTION_TRACER",
			  "available_filter_functions can't be read: %s",
			  first ? "empty" : g_strerror(errno));
}

static struct outcome function_graph(void)
{
	g_autofree char *tracers = trace_file("available_tracers"), *path = NULL, *there = NULL;
	g_autofree char *dir = NULL;

	if (!tracers || !strstr(tracers, "function_graph"))
		return outcome_of(tracers ? HOST_NO : HOST_UNKNOWN,
				  geteuid() ? "sudo" : "a kernel with CONFIG_FUNCTION_GRAPH_TRACER",
				  tracers ? "available_tracers: %s" : "available_tracers can't be read%s",
				  tracers ? tracers : "");
	dir = g_strdup_printf("%s/instances/mmprof-doctor-%d", host_tracefs(), getpid());
	if (mkdir(dir, 0700))
		return outcome_of(HOST_PARTLY, geteuid() ? "sudo" : NULL,
				  "in the top-level instance; a private one can't be made: %s",
				  g_strerror(errno));
	path = g_build_filename(dir, "available_tracers", NULL);
	there = host_read(path);
	rmdir(dir);
	if (there && strstr(there, "function_graph"))
		return outcome_of(HOST_YES, NULL, "in a private instance");
	return outcome_of(HOST_PARTLY, "kernel 6.11 or later has it in private instances",
			  "in the top-level instance only, which must be free");
}

const struct check checks_tracing[] = {
    {"tracefs", tracefs},
    {"debugfs", debugfs},
    {"bpffs", bpffs},
    {"functions", functions},
    {"function_graph", function_graph},
    {NULL, NULL},
};

static struct outcome root(void)
{
	if (geteuid() == 0)
		return outcome_of(HOST_YES, NULL, "running as root");
	return outcome_of(HOST_NO, "sudo", "running as user %d: record needs root", geteuid());
}

static struct outcome capabilities(void)
{
	static const struct {
		int cap;
		const char *name;
	} wanted[] = {
	    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},       {CAP_BPF, "CAP_BPF"},
	    {CAP_PERFMON, "CAP_PERFMON"},           {CAP_SYS_NICE, "CAP_SYS_NICE"},
	    {CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE"}, {CAP_SYS_MODULE, "CAP_SYS_MODULE"},
	    {CAP_IPC_LOCK, "CAP_IPC_LOCK"},         {CAP_SYSLOG, "CAP_SYSLOG"},
	};
	g_autoptr(GString) missing = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (!host_has_cap(wanted[i].cap))
			g_string_append_printf(missing, "%s ", wanted[i].name);
	if (!missing->len)
		return outcome_of(HOST_YES, NULL, "all that mmprof uses");
	return outcome_of(HOST_PARTLY, geteuid() ? "sudo" : "start the container or service with them",
			  "missing: %s", missing->str);
}

static struct outcome memlock(void)
{
	struct rlimit r;

	getrlimit(RLIMIT_MEMLOCK, &r);
	if (r.rlim_cur == RLIM_INFINITY)
		return outcome_of(HOST_YES, NULL, "unlimited");
	return outcome_of(HOST_YES, NULL, "%llu KiB; since 5.11 BPF memory counts against the cgroup instead",
			  (unsigned long long)r.rlim_cur / 1024);
}

static struct outcome lockdown(void)
{
	g_autofree char *text = host_read("/sys/kernel/security/lockdown");

	if (!text || strstr(text, "[none]"))
		return outcome_of(HOST_YES, NULL,
				  text ? "none"
				       : "this kernel has no lockdown, or securityfs is not mounted");
	return outcome_of(HOST_PARTLY, "boot without Secure Boot or with lockdown=none",
			  "%s: it may refuse probes and modules", text);
}

static struct outcome cgroup(void)
{
	const char *where = host_cgroup2();
	g_autofree char *dir = where ? g_strdup_printf("%s/mmprof-doctor-%d", where, getpid()) : NULL;
	const char *kind = where && host_mount("cgroup") ? "hybrid" : where ? "v2" : "v1 only";

	if (!where)
		return outcome_of(HOST_PARTLY, NULL,
				  "%s: record mounts a v2 hierarchy of its own for the run", kind);
	if (mkdir(dir, 0755))
		return outcome_of(HOST_NO, geteuid() ? "sudo" : "let this container write its cgroups",
				  "%s at %s, but no cgroup can be made: %s", kind, where, g_strerror(errno));
	rmdir(dir);
	return outcome_of(HOST_YES, NULL, "%s at %s", kind, where);
}

const struct check checks_rights[] = {
    {"root", root},
    {"capabilities", capabilities},
    {"RLIMIT_MEMLOCK", memlock},
    {"lockdown", lockdown},
    {"cgroup", cgroup},
    {NULL, NULL},
};
