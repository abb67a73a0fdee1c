// The database: schema, migrations, writers. The only code that knows SQL (with store_read.h). See schema.sql
// for what each table means. All writers return 0 or -errno with an err chain. Text is copied; NULL is stored
// as NULL.
#ifndef MMPROF_STORE_STORE_H
#define MMPROF_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

enum store_mode {
	STORE_READ,
	STORE_CHANGE, // as STORE_WRITE, but of a database that is there
	STORE_WRITE
};

// Opens `path`; STORE_WRITE creates it (0644, never through a symlink, owned by the user who called sudo) and
// migrates an older schema forward. Refuses, each with one clear line: a file that is no database, another
// program's database (application_id), a newer schema, an unwritable directory, a full disk, a corrupt file.
// STORE_WRITE also marks runs left `running` whose mmprof is gone (other boot id, or its pid is dead) as
// `crashed`, noting `crash_note` reason (pstore or kernel log).
int store_open(const char *path, enum store_mode mode, struct store **store);
void store_close(struct store *store);

// One transaction for many writes; store_commit makes them durable. Of a store opened for reading: what is
// read in between is of one moment. Begun twice or committed twice is no error.
int store_begin(struct store *store);
int store_commit(struct store *store);
// As store_begin(), but the database is locked for others no sooner than anything but samples is written:
// those wait in memory until then, or for store_commit().
void store_begin_later(struct store *store);
// As store_begin(), but -EBUSY at once while another process writes.
int store_try_begin(struct store *store);
// Takes back what was written since store_begin().
void store_rollback(struct store *store);

struct store_run {
	const char *experiment;        // groups runs; may be NULL
	const char *name, *system;     // the workload's name, the system under test
	const char *const *argv;       // NULL-terminated
	const char *cwd, *user;        // where and as whom it runs
	const char *boot_id, *version; // this boot; mmprof's version
	int iteration;                 // 1.. within --runs; 0 for a warm-up
	bool warmup;
	int64_t started_unix_ns;
	int interval_ms;
	int cell; // of the experiment's plan, from 1; 0: of no plan
};

// Writes the run's row with status `running` (durable on return). *run is its id; a UUID is made.
int store_run_begin(struct store *store, const struct store_run *info, int64_t *run);
int store_run_tag(struct store *store, int64_t run, const char *key, const char *value);

// The plan of an experiment, whose name its runs carry; the same name again replaces it.
struct store_experiment {
	const char *name, *plan; // plan: its text
	int64_t seed, cells, created_unix_ns;
};
int store_experiment(struct store *store, const struct store_experiment *info);

// Provenance: facts of the machine, e.g. ("vm.swappiness", "60"). Sets of facts that are equal are stored
// once: keys and values are parallel arrays.
int store_run_facts(struct store *store, int64_t run, const char *const *keys, const char *const *values,
		    size_t n);

struct store_result {
	const char *status;      // "done", "interrupted", "timeout", "failed"
	const char *status_why;  // for anything but done
	int exit_status, signal; // of the workload; -1 where it has none
	int64_t elapsed_ns, user_ns, system_ns;
	int64_t maxrss_bytes, minflt, majflt, nvcsw, nivcsw, inblock, oublock; // from rusage
	int64_t self_user_ns, self_system_ns, self_maxrss_bytes;               // mmprof's own during the run
	int64_t bpf_ns; // BPF programs' run time; -1 where not measured
	const char
	    *bpf_ns_source; // how it was had: "measured (BPF_ENABLE_STATS)", "calibrated cost × calls"...
};
int store_run_end(struct store *store, int64_t run, const struct store_result *result);

struct store_probe {
	const char *name;    // catalogue name
	const char *kind;    // "func", "tp", "lock", "alias"
	const char *target;  // the symbol or tracepoint it is attached to
	const char *backend; // "fentry", "kprobe", "ftrace", "raw_tp", "tp", NULL when not attached
	const char
	    *status;      // "attached", "absent" (kernel has none), "failed" (could not be attached), "alias"
	const char *why;  // for absent/failed/alias: the exact reason; for attached: why better backends were
			  // not used, or NULL
	const char *what; // what it measures
	const char *sum_unit; // unit of count sums ("pages"), or NULL
};
int store_probe(struct store *store, int64_t run, const struct store_probe *info, int64_t *probe);

// A histogram (probes/hist.h buckets; the same key again replaces it). `part` is "" or e.g. "read wait";
// `class` e.g. "workload", "kswapd", "other". Values are ns.
struct store_hist {
	const char *part, *class;
	uint64_t count, sum_ns, min_ns, max_ns;
	const uint64_t *buckets; // HIST_BUCKETS of them; stored sparse and compact
};
int store_hist(struct store *store, int64_t probe, const struct store_hist *hist);

// A counter broken down by a key (the same key again replaces it): e.g. part "flush", key 1, key_name "remote
// shootdown".
struct store_count {
	const char *part, *class;
	int64_t key;
	const char *key_name; // NULL: the number itself
	uint64_t count;
	bool has_sum;
	int64_t sum;
};
int store_count(struct store *store, int64_t probe, const struct store_count *count);

// The loss ledger: `probe` 0 for the run as a whole. kind e.g. "recursion_misses", "unmatched_exit".
// Replaces.
int store_loss(struct store *store, int64_t run, int64_t probe, const char *kind, uint64_t count,
	       const char *detail);

// A backend's own cost, measured at the start of the run on `function`. inside_*: seen by the histogram
// within the measured interval; call_ns: what a probed call costs in all (-1: not measured).
struct store_calibration {
	const char *backend, *function;
	uint64_t calls;
	double inside_p50_ns, inside_mean_ns, call_ns;
	const char *note;
};
int store_calibration(struct store *store, int64_t run, const struct store_calibration *cal);

int store_not_measured(struct store *store, int64_t run, const char *what, const char *why);

// What a person says about a run.
int store_note(struct store *store, int64_t run, const char *text);

// Deletes a run with all that belongs to it, and its set of facts and its experiment when no other run has
// them. -ENOENT; -EBUSY while it is being recorded. For many: in one transaction.
int store_delete_run(struct store *store, int64_t run);

// A figure that the workload gave, and a moment that it named. better: "less", "more", "neither".
int store_metric(struct store *store, int64_t run, const char *name, double value, const char *unit,
		 const char *better, const char *source);
int store_mark(struct store *store, int64_t run, int64_t t_ns, const char *name);
int store_kernel_log(struct store *store, int64_t run, int64_t t_ns, int level, const char *text);

// Time series: *series is found or made by (run, name). A sample is stored only when its value differs from
// the one before (a value holds until the next row); store_sample itself does this by keeping the last value
// of every series in memory. t_ns counts from the start of the workload (negative before it). `last` stores
// it in any case.
int store_series(struct store *store, int64_t run, const char *name, const char *unit, bool counter,
		 int64_t *series);
int store_sample(struct store *store, int64_t series, int64_t t_ns, int64_t value, bool last);

#endif
