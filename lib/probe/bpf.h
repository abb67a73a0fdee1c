// The BPF side of a run: one control switch and one workload cgroup shared by all programs, templates that
// are loaded once, and clones of them with their own constants (see PATCH_MAGIC in probes/shared.h).
#ifndef MMPROF_PROBE_BPF_H
#define MMPROF_PROBE_BPF_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "probes/shared.h"

struct bpf;

// Makes the shared maps; cgroup_fd is the workload's cgroup v2 directory, -1 for none (then no task counts as
// workload). -errno with an err chain, e.g. without CAP_BPF.
int bpf_new(int cgroup_fd, struct bpf **bpf);
void bpf_free(struct bpf *bpf);

// The one switch for all programs.
void bpf_enable(struct bpf *bpf, bool on);

// Makes an opened object's `control` and `workload_cgroup` maps those of this run. Call before its load.
int bpf_share(struct bpf *bpf, struct bpf_object *object);

// Loads a copy of a loaded template with constants patched in: patch[PATCH_*]. `attach_btf_id` for
// fentry/fexit, else 0. A program fd, or -errno with an err chain that ends in the verifier's or the kernel's
// word.
int bpf_clone(const struct bpf_program *template, const char *name, const uint64_t patch[PATCH_COUNT],
	      int attach_btf_id);

// One program loaded and attached. All counted by name in `probe` ledgers.
struct bpf_attached {
	int prog_fd, link_fd, perf_fd; // -1: none
};
void bpf_detach(struct bpf_attached *a);

// Clones a template and attaches it to a perf event on all CPUs (a kprobe, a tracepoint). -errno with an err
// chain.
struct perf_event_attr;
int bpf_attach_perf(const struct bpf_program *template, const char *name, const uint64_t patch[PATCH_COUNT],
		    struct perf_event_attr *attr, struct bpf_attached *a);

// Runs of the program that were skipped because it was already running on that CPU; and, where the kernel
// tells it (6.7+), hits that a kprobe missed. -1 where the kernel doesn't tell.
int64_t bpf_recursion_misses(const struct bpf_attached *a);
int64_t bpf_kprobe_missed(const struct bpf_attached *a);

// Run count and time as the kernel keeps them while BPF_ENABLE_STATS is on.
void bpf_run_stats(const struct bpf_attached *a, uint64_t *runs, uint64_t *ns);

// libbpf's own messages: the last warning is kept for err chains, nothing is printed.
void bpf_quiet(void);
const char *bpf_last_warning(void);

#endif
