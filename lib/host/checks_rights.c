// What this process may do: root, capabilities, limits, lockdown, cgroups.
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/journal.h"
#include "host/checks.h"

static void root(const struct checks *c)
{
	if (geteuid() == 0)
		check_say(c, "root", HOST_YES, NULL, "running as root");
	else
		check_say(c, "root", HOST_NO, "sudo mmprof record", "running as user %u: record needs root",
			  geteuid());
}

static void capabilities(const struct checks *c)
{
	static const struct {
		int cap;
		const char *name, *what_for;
	} wanted[] = {
	    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "tracing instances, mounts, knobs"},
	    {CAP_BPF, "CAP_BPF", "BPF programs"},
	    {CAP_PERFMON, "CAP_PERFMON", "tracing programs, perf events"},
	    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "other users' numa_maps"},
	    {CAP_SYS_NICE, "CAP_SYS_NICE", "moving other processes' pages"},
	    {CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "raising limits"},
	    {CAP_SYS_MODULE, "CAP_SYS_MODULE", "pgcache and tiering"},
	    {CAP_IPC_LOCK, "CAP_IPC_LOCK", "locking memory"},
	    {CAP_SYSLOG, "CAP_SYSLOG", "the kernel log, symbol addresses"},
	};
	g_autoptr(GString) missing = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (!host_has_cap(wanted[i].cap))
			g_string_append_printf(missing, "%s%s (%s)", missing->len ? ", " : "", wanted[i].name,
					       wanted[i].what_for);
	if (missing->len)
		check_say(
		    c, "capabilities", geteuid() ? HOST_NO : HOST_PARTLY,
		    check_remedy(
			"start the container or the service with them, where what they are for is wanted"),
		    "missing: %s", missing->str);
	else
		check_say(c, "capabilities", HOST_YES, NULL, "all that mmprof uses");
}

// Securityfs may not be mounted: then only the configuration can tell.
static void lockdown(const struct checks *c)
{
	g_autofree char *mode = host_read("/sys/kernel/security/lockdown");
	const char *config = host_config("SECURITY_LOCKDOWN_LSM");

	if (mode && strstr(mode, "[none]"))
		check_say(c, "lockdown", HOST_YES, NULL, "off");
	else if (mode)
		check_say(c, "lockdown", HOST_PARTLY, "boot without Secure Boot, or with lockdown=none",
			  "%s: integrity refuses unsigned modules, confidentiality refuses BPF, kprobes and "
			  "tracefs too",
			  mode);
	else if (config && !strcmp(config, "n"))
		check_say(c, "lockdown", HOST_YES, NULL, "not built into this kernel");
	else
		check_say(
		    c, "lockdown", HOST_UNKNOWN, "mount -t securityfs securityfs /sys/kernel/security",
		    "/sys/kernel/security/lockdown can't be read, so that a lockdown can't be ruled out");
}

// Raising it is tried, and put back.
static void memlock(const struct checks *c)
{
	struct rlimit r = {}, more = {RLIM_INFINITY, RLIM_INFINITY};
	bool raised;

	getrlimit(RLIMIT_MEMLOCK, &r);
	if (r.rlim_cur == RLIM_INFINITY) {
		check_say(c, "RLIMIT_MEMLOCK", HOST_YES, NULL, "unlimited");
		return;
	}
	raised = setrlimit(RLIMIT_MEMLOCK, &more) == 0;
	if (raised)
		setrlimit(RLIMIT_MEMLOCK, &r);
	check_say(c, "RLIMIT_MEMLOCK", raised ? HOST_YES : HOST_PARTLY,
		  raised ? NULL
			 : "nothing from kernel 5.11 on, where BPF memory counts against the cgroup; before, "
			   "CAP_SYS_RESOURCE",
		  "%llu KiB, and it can%s be raised", (unsigned long long)r.rlim_cur / 1024,
		  raised ? "" : "'t");
}

static void paranoid(const struct checks *c)
{
	g_autofree char *level = host_read("/proc/sys/kernel/perf_event_paranoid");
	bool may = host_has_cap(CAP_PERFMON) || host_has_cap(CAP_SYS_ADMIN);

	if (!level)
		check_say(c, "perf_event_paranoid", HOST_NO, "a kernel with CONFIG_PERF_EVENTS",
			  "this kernel has no perf events");
	else
		check_say(c, "perf_event_paranoid",
			  may || g_ascii_strtoll(level, NULL, 10) < 0 ? HOST_YES : HOST_NO,
			  may ? NULL : "run it as root", "%s%s", level,
			  may ? ", which CAP_PERFMON overrules" : "");
}

static void unprivileged_bpf(const struct checks *c)
{
	g_autofree char *off = host_read("/proc/sys/kernel/unprivileged_bpf_disabled");

	if (geteuid() == 0 || host_has_cap(CAP_BPF))
		check_say(c, "bpf()", HOST_YES, NULL, "privileged (unprivileged_bpf_disabled=%s)",
			  off ? off : "?");
	else
		check_say(c, "bpf()", HOST_NO, check_remedy(NULL),
			  "unprivileged (unprivileged_bpf_disabled=%s)", off ? off : "?");
}

// Making one is tried, and undone.
static void cgroup(const struct checks *c)
{
	const char *where = host_cgroup2();
	g_autofree char *layout = host_cgroup_layout(""), *why = NULL;
	g_autofree char *dir = where ? g_strdup_printf("%s/mmprof-doctor-%d", where, getpid()) : NULL;
	int mark;

	if (!where) {
		check_say(c, "cgroup", geteuid() ? HOST_NO : HOST_PARTLY,
			  check_remedy("nothing: record mounts a v2 hierarchy for the run"),
			  "%s: no v2 hierarchy is mounted", layout);
		return;
	}
	mark = journal_add(UNDO_RMDIR, dir, NULL);
	if (mkdir(dir, 0755)) {
		why = check_errno(errno);
		check_say(c, "cgroup", HOST_PARTLY,
			  check_remedy("let this container write its cgroups; until then probes can't tell "
				       "the workload from others"),
			  "%s, but no cgroup can be made in %s: %s", layout, where, why);
	} else {
		rmdir(dir);
		check_say(c, "cgroup", HOST_YES, NULL, "%s; one was made in %s and removed", layout, where);
	}
	if (mark >= 0)
		journal_undo_to(mark);
}

void checks_rights(const struct checks *c)
{
	root(c);
	capabilities(c);
	lockdown(c);
	memlock(c);
	paranoid(c);
	unprivileged_bpf(c);
	cgroup(c);
}
