// Can functions be probed here? Tried for real, on the kernel's empty function, and undone at once.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/checks.h"

#define EMPTY_FUNCTION "bpf_fentry_test1"

static const struct bpf_insn return_0[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
    {.code = BPF_JMP | BPF_EXIT},
};

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static const char *meaning(int error)
{
	switch (error) {
	case EPERM:
		return geteuid()
			   ? "needs root"
			   : "the kernel refuses it to root too: lockdown, or it was built or patched to";
	case ENOENT:
		return "not in this kernel";
	case EINVAL:
		return "this kernel does not know it";
	default:
		return "";
	}
}

static struct outcome refused(int error, const char *what, const char *remedy)
{
	const char *why = meaning(error);

	return outcome_of(HOST_NO, geteuid() ? "sudo" : remedy, "%s: %s%s%s", what, g_strerror(error),
			  *why ? ": " : "", why);
}

static struct outcome btf(void)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		return outcome_of(HOST_YES, NULL, "/sys/kernel/btf/vmlinux");
	return outcome_of(HOST_NO, "a kernel with CONFIG_DEBUG_INFO_BTF", "/sys/kernel/btf/vmlinux: %s",
			  g_strerror(errno));
}

static struct outcome prog_type(enum bpf_prog_type type, const char *name)
{
	int fd = bpf_prog_load(type, "mmprof_try", "GPL", return_0, G_N_ELEMENTS(return_0), NULL);

	if (fd < 0)
		return refused(errno, name, "a kernel with CONFIG_BPF_SYSCALL");
	close(fd);
	return outcome_of(HOST_YES, NULL, "a program of type %s loads", name);
}

static struct outcome raw_tracepoint(void)
{
	return prog_type(BPF_PROG_TYPE_RAW_TRACEPOINT, "raw_tracepoint");
}

static struct outcome tracepoint(void)
{
	return prog_type(BPF_PROG_TYPE_TRACEPOINT, "tracepoint");
}

static int load_fentry(void)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int id = vmlinux ? btf__find_by_name_kind(vmlinux, EMPTY_FUNCTION, BTF_KIND_FUNC) : -ENOENT, fd;

	btf__free(vmlinux);
	if (id < 0) {
		errno = ENOENT;
		return -1;
	}
	opts.attach_btf_id = id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "mmprof_try", "GPL", return_0, G_N_ELEMENTS(return_0),
			   &opts);
	return fd;
}

static struct outcome fentry(void)
{
	const char *remedy = "a kernel with CONFIG_DEBUG_INFO_BTF, CONFIG_FUNCTION_TRACER and tracing "
			     "programs allowed; else kprobe";
	int prog = load_fentry(), link, error;

	if (prog < 0)
		return refused(errno, "loading a BPF program of type tracing", remedy);
	link = bpf_raw_tracepoint_open(NULL, prog);
	error = errno;
	close(prog);
	if (link < 0)
		return refused(error, "attaching it to " EMPTY_FUNCTION, remedy);
	close(link);
	return outcome_of(HOST_YES, NULL, "attached to " EMPTY_FUNCTION " and detached");
}

static int pmu_type(const char *pmu)
{
	g_autofree char *path = g_strdup_printf("/sys/bus/event_source/devices/%s/type", pmu),
			*text = host_read(path);

	return text ? atoi(text) : -1;
}

static struct outcome kprobe(void)
{
	struct perf_event_attr attr = {.size = sizeof(attr), .config1 = (uintptr_t)EMPTY_FUNCTION};
	int type = pmu_type("kprobe"), fd;

	if (type < 0)
		return outcome_of(
		    HOST_NO, "a kernel with CONFIG_KPROBES and CONFIG_KPROBE_EVENTS; else fentry or ftrace",
		    "this kernel has no kprobe events");
	attr.type = type;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return refused(errno, "a kprobe on " EMPTY_FUNCTION,
			       "see lockdown and perf_event_paranoid below");
	close(fd);
	return outcome_of(HOST_YES, NULL, "set on " EMPTY_FUNCTION " and removed");
}

static struct outcome kprobe_multi(void)
{
	const char *config = host_config("FPROBE");

	if (config && strcmp(config, "n"))
		return outcome_of(HOST_YES, NULL, "CONFIG_FPROBE=%s", config);
	return outcome_of(config ? HOST_NO : HOST_UNKNOWN, "not needed: mmprof attaches one by one",
			  config ? "CONFIG_FPROBE is not set" : "no kernel config to read");
}

static struct outcome uprobe(void)
{
	if (pmu_type("uprobe") >= 0)
		return outcome_of(HOST_YES, NULL, "the uprobe PMU is there");
	return outcome_of(HOST_NO, "a kernel with CONFIG_UPROBE_EVENTS", "this kernel has no uprobe events");
}

static struct outcome btf_quietly(void)
{
	libbpf_set_print(quiet);
	return btf();
}

const struct check checks_bpf[] = {
    {"BTF", btf_quietly},
    {"BPF raw_tracepoint", raw_tracepoint},
    {"BPF tracepoint", tracepoint},
    {"fentry", fentry},
    {"kprobe", kprobe},
    {"kprobe.multi", kprobe_multi},
    {"uprobe", uprobe},
    {NULL, NULL},
};
