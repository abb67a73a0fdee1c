// Reading the database. Lists are GArrays of plain structs (free with g_array_unref, or g_autoptr(GArray));
// their texts belong to the store and live until store_close. The file may come from anywhere: store_open has
// checked that its tables are ours, and what is read is checked again, so that a damaged file gives -EBADMSG
// and never a wild value. All return 0 or -errno with an err chain.
#ifndef MMPROF_STORE_READ_H
#define MMPROF_STORE_READ_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "probes/hist.h"

struct store;

// NULL in a column of integers ("not measured"); NAN in a column of reals; a NULL pointer for texts.
#define STORE_NULL INT64_MIN

struct store_run_row {
	int64_t id, iteration, warmup, started_unix_ns, interval_ms, env_id;
	const char *uuid, *experiment, *name, *system, *argv_json, *cwd, *user, *boot_id, *version, *status,
	    *status_why;
	int64_t elapsed_ns, exit_status, signal, user_ns, system_ns, maxrss_bytes, minflt, majflt, nvcsw,
	    nivcsw, inblock, oublock, self_user_ns, self_system_ns, self_maxrss_bytes, bpf_ns;
	const char *bpf_ns_source;
	int64_t cell;
	const char
	    *system_kind; // the fact system.kind: "authors' kernel", "policy re-implementation"; NULL: none
};

// All runs, oldest first.
int store_read_runs(struct store *store, GArray **runs);

// The run that a person means: "last", an id, or the beginning of a UUID (4 characters or more).
// -ENOENT, or -EEXIST when several UUIDs begin so.
int store_find_run(struct store *store, const char *which, struct store_run_row *run);

// The runs of the same experiment, warm-ups too, in order; just the run itself when it has no experiment.
int store_read_siblings(struct store *store, const struct store_run_row *run, GArray **runs);

// All plans, by name.
struct store_experiment_row {
	const char *name, *plan; // plan: its text
	int64_t seed, cells, created_unix_ns;
};
int store_read_experiments(struct store *store, GArray **experiments);

// How each run of an experiment that belongs to a cell of its plan ended, oldest first.
struct store_cell_run {
	int64_t cell, warmup;
	const char *status;
	int64_t exit_status, signal;
};
int store_read_cell_runs(struct store *store, const char *experiment, GArray **runs);

struct store_pair {
	const char *key, *value;
};
int store_read_tags(struct store *store, int64_t run, GArray **pairs);
int store_read_facts(struct store *store, int64_t run, GArray **pairs); // sorted by key

struct store_probe_row {
	int64_t id;
	const char *name, *kind, *target, *backend, *status, *why, *what, *sum_unit;
};
int store_read_probes(struct store *store, int64_t run, GArray **probes);

struct store_hist_row {
	int64_t probe;
	const char *part, *class;
	int64_t count, sum_ns, min_ns, max_ns;
	uint64_t buckets[HIST_BUCKETS];
};
int store_read_hists(struct store *store, int64_t run, GArray **hists); // by probe, part, class

struct store_count_row {
	int64_t probe, key;
	const char *part, *class, *key_name;
	int64_t count, sum;
};
int store_read_counts(struct store *store, int64_t run, GArray **counts); // by probe, part, class, key

struct store_loss_row {
	int64_t probe; // STORE_NULL: the run as a whole
	const char *kind;
	int64_t count;
	const char *detail;
};
int store_read_losses(struct store *store, int64_t run, GArray **losses);

struct store_calibration_row {
	const char *backend, *function;
	int64_t calls;
	double inside_p50_ns, inside_mean_ns, call_ns;
	const char *note;
};
int store_read_calibrations(struct store *store, int64_t run, GArray **calibrations);

// `key` is what, `value` why.
int store_read_not_measured(struct store *store, int64_t run, GArray **pairs);

// What people said later, oldest first; the figures and the moments that the workload itself named.
struct store_note_row {
	int64_t unix_ns;
	const char *text;
};
int store_read_notes(struct store *store, int64_t run, GArray **notes);

struct store_metric_row {
	const char *name;
	double value;
	const char *unit, *better, *source;
};
int store_read_metrics(struct store *store, int64_t run, GArray **metrics); // by name

struct store_mark_row {
	int64_t t_ns;
	const char *name;
};
int store_read_marks(struct store *store, int64_t run, GArray **marks);

struct store_log_row {
	int64_t t_ns, level;
	const char *text;
};
#define STORE_LOG "kernel log"                        // as what was not measured, when it can't be read
#define STORE_LOG_LOST "(kernel log lines were lost)" // the text of a line that stands for them
int store_read_kernel_log(struct store *store, int64_t run, GArray **lines);

// A series as a whole: its first, last, least and greatest value and how many were stored.
struct store_series_row {
	int64_t id;
	const char *name, *unit;
	int64_t counter, samples, first, last, least, most;
};
int store_read_series(struct store *store, int64_t run, GArray **series); // by name

struct store_sample_row {
	int64_t t_ns, value;
};
int store_read_samples(struct store *store, int64_t series, GArray **samples);

// --- questions in SQL

enum store_cell_type { STORE_CELL_NULL, STORE_CELL_INT, STORE_CELL_REAL, STORE_CELL_TEXT, STORE_CELL_BLOB };

struct store_cell {
	enum store_cell_type type;
	int64_t i;
	double r;
	const char *text;    // STORE_CELL_TEXT
	const uint8_t *blob; // STORE_CELL_BLOB
	size_t len;
};

struct store_query_sink {
	void (*columns)(void *ctx, const char *const *names, int n);
	int (*row)(void *ctx, const struct store_cell *cells, int n); // not 0: stop, and that is the result
	void *ctx;
};

// One SELECT of the user's. Whatever it is, it can't change the database or any other file.
int store_query(struct store *store, const char *sql, const struct store_query_sink *sink);

// A function for such questions: store_query's SQL may call `name` with `n_args` arguments. NAN becomes NULL.
typedef double (*store_function)(const struct store_cell *args, int n_args);
int store_add_function(struct store *store, const char *name, int n_args, store_function fn);

// The counts of a `hist.buckets` blob, HIST_BUCKETS of them. -EBADMSG for anything that is none.
int store_decode_buckets(const void *blob, size_t len, uint64_t *buckets);

// Ends the query that is running, from a signal handler if need be: it returns -EINTR.
void store_interrupt(struct store *store);

#endif
