// Function latency through BPF: the fentry and kprobe backends. Private to lib/probe.
#ifndef MMPROF_PROBE_FUNCLAT_H
#define MMPROF_PROBE_FUNCLAT_H

#include "probe/bpf.h"
#include "probe/kretprobe.h"
#include "probe/set.h"

// An attached pair of programs.
struct funclat_pair {
	struct bpf_attached entry, exit;
	struct kretprobe kretprobe;         // of the kprobe backend
	struct cpu_hist *seen[CLASS_COUNT]; // last reading of each class's CPUs
	struct hist *hists[CLASS_COUNT];    // summed up so far
	bool changed[CLASS_COUNT];          // by the last reading
};

struct funclat;

// Loads the templates for up to `n_probes` functions. -errno with an err chain when BPF can do nothing here.
int funclat_new(struct bpf *bpf, uint32_t n_probes, struct funclat **funclat);
void funclat_free(struct funclat *funclat);

// Attaches probe number `id` to `symbol` by "fentry" or "kprobe". -errno with an err chain.
int funclat_attach(struct funclat *funclat, const char *backend, const char *symbol, uint32_t id,
		   struct funclat_pair *pair);
void funclat_detach(struct funclat_pair *pair);
void funclat_pair_free(struct funclat_pair *pair);

// Brings pair->hists up to date (NULL: nothing seen in that class).
int funclat_read(struct funclat *funclat, uint32_t id, struct funclat_pair *pair);
int funclat_losses(struct funclat *funclat, uint32_t id, struct cpu_loss *sum);

// Calls that are still in progress now that the probes are off.
uint64_t funclat_in_flight(const struct funclat *funclat, uint32_t id);

// A loaded program of type tracing, whose test run calls the empty function bpf_fentry_test1 once; -1 without
// fentry.
int funclat_test_prog(const struct funclat *funclat);

#endif
