// MEMTIS (Lee et al., SOSP 2023) on the kernel that its authors made, 5.15-htmm: its knobs as their
// scripts/run_bench.sh sets them, the workload's cgroup, and the two system calls that start and end its
// threads (mm/htmm_core.c). Our re-implementation of the policy is tiering.c; the kind of a run tells them
// apart.
#include "system/memtis.h"

#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "base/err.h"
#include "base/kfile.h"
#include "system/system.h"

#define KNOBS "/sys/kernel/mm/htmm/"

// Numbers of that kernel's own; other kernels have other calls there, so the knobs must have been seen.
enum { HTMM_START = 449, HTMM_END = 450 };

static const struct system_key keys[] = {
    {"sample_period", KNOBS "htmm_sample_period", "199"},
    {"inst_sample_period", KNOBS "htmm_inst_sample_period", "100007"},
    {"thres_hot", KNOBS "htmm_thres_hot", "1"},
    {"split_period", KNOBS "htmm_split_period", "2"},
    {"adaptation_period", KNOBS "htmm_adaptation_period", "100000"},
    {"cooling_period", KNOBS "htmm_cooling_period", "2000000"},
    {"mode", KNOBS "htmm_mode", "2"},
    {"demotion_period_ms", KNOBS "htmm_demotion_period_in_ms", "500"},
    {"promotion_period_ms", KNOBS "htmm_promotion_period_in_ms", "500"},
    {"gamma", KNOBS "htmm_gamma", "4"},
    {"cpu_quota_permille", KNOBS "ksampled_soft_cpu_quota", "30"},
    {"thres_split", KNOBS "htmm_thres_split", "1"},
    {"nowarm", KNOBS "htmm_nowarm", "0"},
    {"cxl_mode", KNOBS "htmm_cxl_mode", NULL},
    {"numa_balancing", "sysctl.kernel.numa_balancing", "0"},
    {"thp", "/sys/kernel/mm/transparent_hugepage/enabled", "always"},
    {"thp_defrag", "/sys/kernel/mm/transparent_hugepage/defrag", "always"},
    {NULL, NULL, NULL},
};

int memtis_enable(const char *cgroup)
{
	g_autofree char *path = g_build_filename(cgroup, "memory.htmm_enabled", NULL);

	return kfile_set(path, "enabled");
}

static int begin(pid_t pid, const char *cgroup)
{
	int rc = cgroup ? memtis_enable(cgroup)
			: err_set(-ENOENT, "memtis needs the workload in a cgroup of version 2 of its own");

	if (!rc && syscall(HTMM_START, pid, 0))
		rc = err_set(-errno, "htmm_start(%d): %m", pid);
	return rc;
}

static void end(void)
{
	syscall(HTMM_END, -1);
}

const struct system system_memtis_authors = {
    .name = "memtis",
    .kind = "authors' kernel",
    .there = "/sys/kernel/mm/htmm",
    .what = "MEMTIS on its authors' kernel",
    .keys = keys,
    .state = "/sys/kernel/mm/htmm",
    .begin = begin,
    .end = end,
};
