// `mmprof doctor`'s list of groups, and how a refusal is put into words.
#include "host/checks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KERNEL_ENOTSUPP = 524 }; // the kernel's own; no C library knows it

void check_say(const struct checks *c, const char *name, enum host_state state, const char *remedy,
	       const char *fmt, ...)
{
	g_autofree char *text = NULL, *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	line = host_line(text);
	c->check(c->ctx, c->group, name, state, line, remedy);
}

const char *check_remedy(const char *remedy)
{
	return geteuid() ? "run it as root (sudo mmprof doctor)" : remedy;
}

// EPERM has many fathers: which one it is can be found out by elimination.
static const char *not_permitted(void)
{
	g_autofree char *lockdown = host_read("/sys/kernel/security/lockdown");

	if (!host_has_cap(CAP_SYS_ADMIN) && !(host_has_cap(CAP_BPF) && host_has_cap(CAP_PERFMON)))
		return "CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, are missing";
	if (lockdown && strstr(lockdown, "[confidentiality]"))
		return "the kernel is locked down (confidentiality)";
	if (lockdown && strstr(lockdown, "[integrity]"))
		return "the kernel is locked down (integrity)";
	return "root has the capabilities and no lockdown is seen: a security module, or a kernel that "
	       "refuses it";
}

static const char *meaning(int error)
{
	switch (error) {
	case EPERM:
		return not_permitted();
	case EACCES:
		return geteuid() ? "perf_event_paranoid or file permissions keep it from users"
				 : "a security module, or the verifier";
	case ENOENT:
	case EADDRNOTAVAIL:
		return "this kernel has no such function or event";
	case EINVAL:
		return "this kernel does not know it";
	case ENOSYS:
		return "not built into this kernel";
	case EOPNOTSUPP:
	case KERNEL_ENOTSUPP:
		return "this kernel can't, by its configuration or on this hardware";
	case EBUSY:
		return "somebody else uses it";
	default:
		return NULL;
	}
}

char *check_errno(int error)
{
	const char *name = error == KERNEL_ENOTSUPP ? "ENOTSUPP" : strerrorname_np(error);

	return g_strdup_printf("%s (%s)", name ? name : "error",
			       error == KERNEL_ENOTSUPP ? "not supported" : g_strerror(error));
}

char *check_why(int error)
{
	g_autofree char *text = check_errno(error);
	const char *means = meaning(error);

	return g_strdup_printf("%s%s%s", text, means ? ": " : "", means ? means : "");
}

// The verifier's last line that is not statistics.
static char *last_words(const char *log)
{
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);

	for (int i = (int)g_strv_length(lines) - 1; i >= 0; i--)
		if (*lines[i] && !g_str_has_prefix(lines[i], "processed "))
			return host_line(lines[i]);
	return NULL;
}

int check_load(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id, char **why)
{
	static const struct bpf_insn return_0[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach, .attach_btf_id = (__u32)btf_id);
	g_autofree char *log = NULL, *words = NULL, *text = NULL;
	int fd = bpf_prog_load(type, "mmprof_try", "GPL", return_0, G_N_ELEMENTS(return_0), &opts),
	    error = errno;

	*why = NULL;
	if (fd >= 0)
		return fd;
	log = g_malloc0(16384); // once more, to hear why
	opts.log_buf = log;
	opts.log_size = 16384;
	opts.log_level = 1;
	fd = bpf_prog_load(type, "mmprof_try", "GPL", return_0, G_N_ELEMENTS(return_0), &opts);
	if (fd >= 0)
		close(fd);
	words = last_words(log);
	text = check_why(error);
	*why = words ? g_strdup_printf("%s; the verifier says: %s", text, words) : g_steal_pointer(&text);
	errno = error;
	return -1;
}

int check_attach_perf(uint32_t type, uint64_t config, uint64_t config1, int prog_fd)
{
	struct perf_event_attr attr = {
	    .type = type, .size = sizeof(attr), .config = config, .config1 = config1};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, MAX(sched_getcpu(), 0), -1,
			      PERF_FLAG_FD_CLOEXEC),
	    saved;

	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

bool check_attached(int fd, int prog_fd, char **why)
{
	if (fd < 0)
		*why = check_why(errno);
	else
		close(fd);
	close(prog_fd);
	return fd >= 0;
}

int check_pmu(const char *name)
{
	g_autofree char *path = g_strdup_printf("/sys/bus/event_source/devices/%s/type", name),
			*text = host_read(path);

	return text ? atoi(text) : -1;
}

static int say_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

void host_check_all(host_check_fn check, void *ctx)
{
	static const struct {
		const char *name;
		void (*run)(const struct checks *c);
	} groups[] = {
	    {"function probes", checks_probes}, {"tracepoints", checks_tracepoints},
	    {"samplers", checks_samplers},      {"BPF", checks_bpf},
	    {"mounts", checks_mounts},          {"rights", checks_rights},
	    {"hardware", checks_hardware},      {"memory", checks_memory},
	    {"kernel config", checks_config},
	};
	libbpf_print_fn_t before = libbpf_set_print(say_nothing);

	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
		groups[i].run(&(const struct checks){check, ctx, groups[i].name});
	libbpf_set_print(before);
}
