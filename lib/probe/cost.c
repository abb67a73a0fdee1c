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

static int64_t estimated(const struct probes *set)
{
	double ns = 0;

	for (guint i = 0; i < set->list->len; i++) {
		const struct probe *p = set->list->pdata[i];
		double each = p->backend && p->kind == &kind_func ? calibrate_call_ns(set, p->backend) : 0;

		if (each < 0)
			return -1;
		if (each > 0)
			ns += each * (double)p->kind->calls(p);
	}
	return (int64_t)ns;
}

int64_t probes_bpf_ns(struct probes *set, const char **source)
{
	*source = "no BPF program was attached";
	if (!set->bpf)
		return -1;
	if (set->stats_fd >= 0) {
		*source = "measured by the kernel (BPF_ENABLE_STATS)";
		return measured(set);
	}
	*source = "estimated: calls of probed functions times their calibrated cost; tracepoint programs not "
		  "included";
	return estimated(set);
}
