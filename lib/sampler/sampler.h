// Samplers: things of the kernel's that are read at an interval while a workload runs. Each lives in a
// file of its own and is listed once in table.c. A sampler knows nothing of the database: it puts named
// values into a sink.
#ifndef MMPROF_SAMPLER_SAMPLER_H
#define MMPROF_SAMPLER_SAMPLER_H

#include <stdint.h>
#include <sys/types.h>

enum series_kind {
	SERIES_GAUGE,   // a level: bytes in use, frequency
	SERIES_COUNTER, // only grows while the machine runs: what matters is the difference
};

// Where a sampler puts what it read. Names are dotted paths, stable over kernels: `vmstat.pgfault`,
// `node0.MemFree`, `cpu.kswapd.time`. Units: "count", "pages", "bytes", "ns", "hz", "ratio_ppm", "kelvin"...
struct sink {
	void (*put)(struct sink *sink, const char *name, const char *unit, enum series_kind kind,
		    int64_t value);
	// Something that this machine can't give, with the exact reason; the same `what` may be said again.
	void (*missing)(struct sink *sink, const char *what, const char *why);
};

// The workload that is being watched.
struct sample_target {
	pid_t root_pid;         // the workload's first process, 0 before it is started
	const char *cgroup_dir; // its own cgroup v2 directory, or NULL: then the tree below root_pid counts
	double percent;         // of one CPU that all sampling may take; 0: 1
};

#define SAMPLER_NOT_NOW 1 // nothing was read

struct sampler {
	const char *name, *what; // `what`: one line for `mmprof list samplers`
	int min_interval_ms;     // never read more often than this (0: every tick)
	// Opens files and learns what is there; *state is the sampler's own. 0, or -errno with an err chain
	// when the whole sampler can't work here (the session stores that as not measured).
	int (*open)(const struct sample_target *target, void **state);
	// One reading into the sink. 0; SAMPLER_NOT_NOW: nothing was read, since that is dear and was done a
	// short while ago, or there is no workload yet; or -errno. Called first right before the workload
	// starts (root_pid 0) and last right after it has ended.
	int (*read)(void *state, const struct sample_target *target, struct sink *sink);
	void (*close)(void *state);
};

// All samplers, ended by a NULL name.
extern const struct sampler sampler_table[];

#endif
