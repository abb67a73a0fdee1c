// What this kernel lets us load: BTF, maps, program types.
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "host/checks.h"

static void btf(const struct checks *c)
{
	g_autofree char *why = NULL;

	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0) {
		check_say(c, "BTF", HOST_YES, NULL, "/sys/kernel/btf/vmlinux");
		return;
	}
	why = check_errno(errno);
	check_say(c, "BTF", HOST_NO, "a kernel with CONFIG_DEBUG_INFO_BTF (Debian's have it)",
		  "/sys/kernel/btf/vmlinux: %s", why);
}

static void maps(const struct checks *c)
{
	static const struct {
		enum bpf_map_type type;
		const char *name;
		uint32_t flags;
	} wanted[] = {
	    {BPF_MAP_TYPE_ARRAY, "array", 0},
	    {BPF_MAP_TYPE_ARRAY, "array mapped into the process (5.5)", BPF_F_MMAPABLE},
	    {BPF_MAP_TYPE_PERCPU_ARRAY, "per-CPU array", 0},
	    {BPF_MAP_TYPE_HASH, "hash", 0},
	    {BPF_MAP_TYPE_CGROUP_ARRAY, "cgroup array", 0},
	};
	g_autoptr(GString) missing = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
		LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = wanted[i].flags);
		int fd = bpf_map_create(wanted[i].type, "mmprof_try", 4, 4, 1, &opts);
		g_autofree char *why = fd < 0 ? check_why(errno) : NULL;

		if (fd >= 0)
			close(fd);
		else
			g_string_append_printf(missing, "%s%s: %s", missing->len ? "; " : "", wanted[i].name,
					       why);
		if (i == 0 && fd < 0)
			break; // the rest fails the same way
	}
	if (missing->len)
		check_say(c, "maps", HOST_NO,
			  check_remedy("a kernel with CONFIG_BPF_SYSCALL and CONFIG_CGROUPS"), "%s",
			  missing->str);
	else
		check_say(c, "maps", HOST_YES, NULL, "the kinds that mmprof uses can be made");
}

static void programs(const struct checks *c)
{
	static const struct {
		enum bpf_prog_type type;
		const char *name;
	} types[] = {{BPF_PROG_TYPE_KPROBE, "kprobe programs"},
		     {BPF_PROG_TYPE_TRACEPOINT, "tracepoint programs"},
		     {BPF_PROG_TYPE_RAW_TRACEPOINT, "raw_tracepoint programs"},
		     {BPF_PROG_TYPE_PERF_EVENT, "perf_event programs"}};

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		g_autofree char *why = NULL;
		int fd = check_load(types[i].type, 0, 0, &why);

		if (fd < 0) {
			check_say(c, types[i].name, HOST_NO,
				  check_remedy("a kernel with CONFIG_BPF_SYSCALL and CONFIG_BPF_EVENTS"),
				  "%s", why);
			continue;
		}
		close(fd);
		check_say(c, types[i].name, HOST_YES, NULL, "one was loaded");
	}
}

static void jit(const struct checks *c)
{
	g_autofree char *enabled = host_read("/proc/sys/net/core/bpf_jit_enable");
	const char *always = host_config("BPF_JIT_ALWAYS_ON");

	if ((enabled && strcmp(enabled, "0")) || (always && !strcmp(always, "y")))
		check_say(c, "JIT", HOST_YES, NULL, "on");
	else if (!enabled)
		check_say(c, "JIT", HOST_UNKNOWN, check_remedy(NULL),
			  "net.core.bpf_jit_enable can't be read");
	else
		check_say(c, "JIT", HOST_PARTLY, "sysctl net.core.bpf_jit_enable=1",
			  "off: each probed call costs far more");
}

void checks_bpf(const struct checks *c)
{
	btf(c);
	maps(c);
	programs(c);
	jit(c);
}
