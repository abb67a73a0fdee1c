// What the kinds of probes share within lib/probe: the set they belong to. Private to lib/probe.
#ifndef MMPROF_PROBE_SET_H
#define MMPROF_PROBE_SET_H

#include <glib.h>

#include "probe/bpf.h"
#include "probe/calibrate.h"
#include "probe/probe.h"

struct funclat;
struct tpcount;
struct ftrace;

// A backend's own cost; see store_calibration.
struct calibration {
	bool ok;
	char *why; // not ok: the reason, NULL when not tried
	uint64_t calls;
	double inside_p50_ns, inside_mean_ns, call_ns;
};

struct probes {
	GPtrArray *list; // struct probe
	struct probe_options options;
	struct bpf *bpf;
	int bpf_rc; // why there is none: -errno and the reason
	char *bpf_why;
	struct funclat *funclat; // made by the first function probe
	struct tpcount *tpcount; // made by the first tracepoint probe
	struct ftrace *ftrace;   // made by the first function probe that ftrace serves
	struct calibration calibration[CALIBRATION_PROBES];
	int stats_fd; // keeps BPF_ENABLE_STATS on
};

extern const struct probe_kind kind_func, kind_tp, kind_lock, kind_ptpath, kind_alias;

// Sets a probe's outcome; `why` is formatted, NULL for none.
void probe_outcome(struct probe *probe, const char *status, const char *backend, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

// Sums one histogram over CPUs: `cpus` is the value of a per-CPU map element. `seen` holds the last reading
// of each CPU's wrapping buckets. Says whether anything came since.
bool hist_from_cpus(struct hist *hist, const struct cpu_hist *cpus, int n_cpus, struct cpu_hist *seen);

// Writes one class's histogram (skipped when empty).
int probe_store_hist(struct store *store, const struct probe *probe, const char *part, int class,
		     const struct hist *hist);

#endif
