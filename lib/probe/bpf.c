// Shared BPF maps, clones of template programs, and their ledgers; see bpf.h. Cloning follows retsnoop's mass
// attacher: libbpf relocates a template once, then bpf_prog_load() is given its instructions again.
#include "probe/bpf.h"

#include <errno.h>
#include <glib.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

struct bpf {
	int control_fd, cgroup_fd;
	struct control *control; // mapped
};

static char last_warning[256];

static int keep_warning(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN) {
		vsnprintf(last_warning, sizeof(last_warning), fmt, ap);
		g_strdelimit(g_strchomp(last_warning), "\n", ' ');
	}
	return 0;
}

void bpf_quiet(void)
{
	libbpf_set_print(keep_warning);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL); // raises RLIMIT_MEMLOCK only on kernels that need it
}

const char *bpf_last_warning(void)
{
	return last_warning;
}

int bpf_new(int cgroup_fd, struct bpf **bpf)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	struct bpf *b = g_new0(struct bpf, 1);
	struct stat st;
	int zero = 0, rc;

	bpf_quiet();
	b->cgroup_fd = -1;
	b->control_fd =
	    bpf_map_create(BPF_MAP_TYPE_ARRAY, "control", sizeof(int), sizeof(struct control), 1, &opts);
	if (b->control_fd >= 0)
		b->cgroup_fd = bpf_map_create(BPF_MAP_TYPE_CGROUP_ARRAY, "workload_cgroup", sizeof(int),
					      sizeof(int), 1, NULL);
	if (b->cgroup_fd < 0) {
		rc = err_set(-errno, "can't create BPF maps: %m (needs root or CAP_BPF)");
		bpf_free(b);
		return rc;
	}
	if (cgroup_fd >= 0 && bpf_map_update_elem(b->cgroup_fd, &zero, &cgroup_fd, 0)) {
		rc = err_set(-errno, "can't tell BPF the workload's cgroup: %m");
		bpf_free(b);
		return rc;
	}
	b->control = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, b->control_fd, 0);
	if (b->control == MAP_FAILED) {
		b->control = NULL;
		rc = err_set(-errno, "can't map the BPF control map: %m");
		bpf_free(b);
		return rc;
	}
	if (cgroup_fd >= 0 && fstat(cgroup_fd, &st) == 0)
		b->control->workload_id = st.st_ino;
	*bpf = b;
	return 0;
}

void bpf_free(struct bpf *b)
{
	if (!b)
		return;
	if (b->control)
		munmap(b->control, getpagesize());
	if (b->control_fd >= 0)
		close(b->control_fd);
	if (b->cgroup_fd >= 0)
		close(b->cgroup_fd);
	g_free(b);
}

void bpf_enable(struct bpf *b, bool on)
{
	__atomic_store_n(&b->control->enabled, on, __ATOMIC_SEQ_CST);
}

int bpf_share(struct bpf *b, struct bpf_object *object)
{
	struct bpf_map *control = bpf_object__find_map_by_name(object, ".data.control");
	struct bpf_map *cgroup = bpf_object__find_map_by_name(object, "workload_cgroup");

	if (bpf_map__reuse_fd(control, b->control_fd) || bpf_map__reuse_fd(cgroup, b->cgroup_fd))
		return err_set(-EINVAL, "can't share BPF maps: %s", last_warning);
	return 0;
}

// A patched constant is a two-slot 64-bit load whose halves are the number and the magic.
static void patch_insns(struct bpf_insn *insn, size_t n, const uint64_t patch[PATCH_COUNT])
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (insn[i].code != (BPF_LD | BPF_IMM | BPF_DW) || insn[i].src_reg)
			continue;
		if ((uint32_t)insn[i + 1].imm == PATCH_MAGIC && (uint32_t)insn[i].imm < PATCH_COUNT) {
			uint64_t v = patch[insn[i].imm];

			insn[i].imm = (int32_t)v;
			insn[i + 1].imm = (int32_t)(v >> 32);
		}
		i++;
	}
}

// The verifier's last line that says something.
static const char *last_line(char *log)
{
	char *best = log;

	g_strchomp(log);
	for (char *p = log; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (*p && !g_str_has_prefix(p, "processed "))
			best = p;
	}
	best[strcspn(best, "\n")] = 0;
	return best;
}

int bpf_clone(const struct bpf_program *template, const char *name, const uint64_t patch[PATCH_COUNT],
	      int attach_btf_id)
{
	size_t n = bpf_program__insn_cnt(template);
	g_autofree struct bpf_insn *insns = g_memdup2(bpf_program__insns(template), n * sizeof(*insns));
	g_autofree char *log = g_malloc0(65536);
	g_autofree char *short_name = g_strndup(name, 15);
	enum bpf_prog_type type = bpf_program__type(template);
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type =
			type == BPF_PROG_TYPE_TRACING ? bpf_program__expected_attach_type(template) : 0,
		    .attach_btf_id = attach_btf_id);
	int fd;

	for (char *p = short_name; *p; p++)
		if (!g_ascii_isalnum(*p) && *p != '_')
			*p = '_';
	patch_insns(insns, n, patch);
	fd = bpf_prog_load(type, short_name, "GPL", insns, n, &opts);
	if (fd >= 0)
		return fd;
	opts.log_buf = log; // once more, to hear why
	opts.log_size = 65536;
	opts.log_level = 1;
	fd = bpf_prog_load(type, short_name, "GPL", insns, n, &opts);
	if (fd >= 0)
		return fd;
	if (*log)
		return err_set(-errno, "%s (%s)", g_strerror(errno), last_line(log));
	return err_set(-errno, "%s", g_strerror(errno));
}

int bpf_attach_perf(const struct bpf_program *template, const char *name, const uint64_t patch[PATCH_COUNT],
		    struct perf_event_attr *attr, struct bpf_attached *a)
{
	attr->size = sizeof(*attr);
	attr->sample_period = 1;
	attr->wakeup_events = 1;
	a->prog_fd = bpf_clone(template, name, patch, 0);
	if (a->prog_fd < 0)
		return -EINVAL;
	// one event serves all CPUs: the kernel runs its program wherever the probe is hit
	a->perf_fd = (int)syscall(SYS_perf_event_open, attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (a->perf_fd < 0)
		return err_set(-errno, "perf_event_open: %m");
	a->link_fd = bpf_link_create(a->prog_fd, a->perf_fd, BPF_PERF_EVENT, NULL);
	if (a->link_fd < 0 || ioctl(a->perf_fd, PERF_EVENT_IOC_ENABLE, 0))
		return err_set(-errno, "attach: %m");
	return 0;
}

void bpf_detach(struct bpf_attached *a)
{
	if (a->link_fd >= 0)
		close(a->link_fd);
	if (a->perf_fd >= 0)
		close(a->perf_fd);
	if (a->prog_fd >= 0)
		close(a->prog_fd);
	*a = (struct bpf_attached){-1, -1, -1};
}

int64_t bpf_recursion_misses(const struct bpf_attached *a)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (a->prog_fd < 0 || bpf_obj_get_info_by_fd(a->prog_fd, &info, &len))
		return -1;
	return (int64_t)info.recursion_misses;
}

void bpf_run_stats(const struct bpf_attached *a, uint64_t *runs, uint64_t *ns)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (a->prog_fd < 0 || bpf_obj_get_info_by_fd(a->prog_fd, &info, &len))
		return;
	*runs += info.run_cnt;
	*ns += info.run_time_ns;
}

// struct bpf_link_info of 6.7 and later, newer than Debian 12's header: perf_event.type, then kprobe.missed.
struct link_info_perf {
	__u32 type, id, prog_id, pad;
	__u32 perf_type, pad2;
	struct {
		__u64 func_name;
		__u32 name_len, offset;
		__u64 addr, missed, cookie;
	} kprobe;
	__u8 room[64];
};

int64_t bpf_kprobe_missed(const struct bpf_attached *a)
{
	struct link_info_perf info = {};
	__u32 len = sizeof(info);

	if (a->link_fd < 0 || a->perf_fd < 0 ||
	    bpf_obj_get_info_by_fd(a->link_fd, (struct bpf_link_info *)&info, &len))
		return -1;
	if (len < offsetof(struct link_info_perf, kprobe.missed) + sizeof(__u64))
		return -1;
	return (int64_t)info.kprobe.missed;
}
