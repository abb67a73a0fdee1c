// A run's probes: chosen by specification, attached by the best backend that works here, switched on and off
// together, and written to the store. A probe that can't be attached stays in the list with the exact reason.
#ifndef MMPROF_PROBE_PROBE_H
#define MMPROF_PROBE_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "stats/hist.h"

struct bpf;
struct catalog_entry;
struct probe_kind;
struct probes;
struct store;

struct probe {
	char *name, *target, *what, *sum_unit;
	const struct probe_kind *kind;
	const struct catalog_entry *entry; // NULL for one that is not in the catalogue
	char **symbols;                    // targets to try, in order
	const char *wanted_backend;        // of --probe NAME:BACKEND, else the run's
	uint32_t id;                       // its number in the BPF maps
	const char *backend, *status;      // as in struct store_probe
	char *why;
	char *replaced_by; // who replaces the function, so that its time is not all of it; NULL: nobody
	int64_t row;       // in the store, 0 before
	void *impl;        // the kind's own
};

struct probe_options {
	const char *backend; // "auto", "fentry", "kprobe", "ftrace"
	int cgroup_fd;       // the workload's cgroup v2 directory, -1 for none
};

// A kind of probe: one file each, listed in set.c.
struct probe_kind {
	const char *name;
	// Attaches probes of this kind; sets each one's backend, status, why. Never fails as a whole.
	void (*attach)(struct probes *set, struct probe *probe);
	// Writes histograms, counts and losses so far; `final`: programs are off, the figures are exact.
	int (*collect)(struct probes *set, struct probe *probe, struct store *store, int64_t run, bool final);
	void (*detach)(struct probes *set, struct probe *probe);
	// May be NULL, too. BPF run count and time as the kernel keeps them; calls counted so far.
	void (*run_stats)(const struct probe *probe, uint64_t *runs, uint64_t *ns);
	uint64_t (*calls)(const struct probe *probe);
	// May be NULL. Remembers what was counted until now, for a series over time that `collect` writes.
	void (*pump)(struct probe *probe, int64_t t_ns);
};

// Chooses probes. A spec is a catalogue group, a catalogue name, a kernel function, a GLOB*, or
// tracepoint:sys:event; functions may carry a backend as in handle_mm_fault@kprobe. `add` NULL or empty: the
// defaults. -EINVAL with an err chain for a spec that nothing in the catalogue or this kernel answers to.
int probes_new(const char *const *add, const char *const *drop, const struct probe_options *options,
	       struct probes **set);
void probes_free(struct probes *set);

// Calibrates the backends, then attaches all probes, switched off. Each probe's status tells.
int probes_attach(struct probes *set);

// The workload's first process, for the backend that tells classes in user space.
void probes_root(struct probes *set, pid_t pid);

void probes_enable(struct probes *set, bool on);
// At each tick and at the end: empties the ftrace buffers, and lets the kinds remember what was counted until
// t_ns, the time since the workload's start.
void probes_pump(struct probes *set, int64_t t_ns);
void probes_detach(struct probes *set);

int probes_store(struct probes *set, struct store *store, int64_t run); // the rows; then:
int probes_collect(struct probes *set, struct store *store, int64_t run, bool final);

// The BPF programs' run time during the run in ns; *source says how it was had. -1: there were none.
int64_t probes_bpf_ns(struct probes *set, const char **source);
// Switches the kernel's own accounting of BPF run time on (it costs two clock reads a program run).
int probes_bpf_stats(struct probes *set);

int probes_count(const struct probes *set);
const struct probe *probes_get(const struct probes *set, int i);

// Names of task classes, in the order of enum task_class.
extern const char *const class_names[];

#endif
