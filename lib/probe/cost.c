// What the BPF programs themselves cost during a run: measured by the kernel when asked to, else estimated
// from the calibration and said to be so.
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "probe/set.h"

int probes_bpf_stats(struct probes *set)
{
	set->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return set->stats_fd < 0 ? err_set(-errno, "BPF_ENABLE_STATS: %m") : 0;
}

static int64_t measured(struct probes *set)
{
	uint64_t runs = 0, ns = 0;

	for (guint i = 0; i < set->list->len; i++) {
		const struct probe *p = set->list->pdata[i];

		if (p->kind->run_stats)
			p->kind->run_stats(p, &runs, &ns);
	}
	return (int64_t)ns;
}

// -1 when a backend in use is not calibrated, or none is in use.
static int64_t estimated(const struct probes *set)
{
	double ns = 0;
	bool any = false;

	for (guint i = 0; i < set->list->len; i++) {
		const struct probe *p = set->list->pdata[i];
		double each;

		if (p->kind != &kind_func || !p->backend)
			continue;
		each = calibrate_call_ns(set, p->backend);
		if (each < 0)
			return -1;
		any = true;
		ns += each * (double)p->kind->calls(p);
	}
	return any ? (int64_t)ns : -1;
}

int64_t probes_bpf_ns(struct probes *set, const char **source)
{
	int64_t ns;

	*source = "no BPF program was attached";
	if (!set->bpf)
		return -1;
	if (set->stats_fd >= 0) {
		*source = "measured by the kernel (BPF_ENABLE_STATS)";
		return measured(set);
	}
	ns = estimated(set);
	*source = ns < 0 ? "not measured: tracepoint programs are not calibrated (--bpf-stats measures them)"
			 : "estimated: calls of probed functions times their calibrated cost; tracepoint "
			   "programs not included";
	return ns;
}
