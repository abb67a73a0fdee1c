// An experiment's plan: an INI file that names the systems, the workloads and how often to run each pair of
// them. docs/mmprof-run.1.scd tells its sections and keys. Every error is one line "PLAN:LINE: what is wrong;
// what to do".
#ifndef MMPROF_RUN_PLAN_H
#define MMPROF_RUN_PLAN_H

#include <glib.h>
#include <stdint.h>

#include "system/pin.h"
#include "system/settings.h"
#include "system/spec.h"

// What all sections have: where they are.
struct plan_section {
	int line;
	GHashTable *lines; // key → the line of its first use
};

// All texts are NULL where the plan does not give them, all lists NULL or NULL-terminated.
struct plan_system {
	struct plan_section section;
	char *name, *what;
	char *use;                // NAME[,KEY=VALUE...] of a system that mmprof knows
	struct system_spec *spec; // of `use`; NULL: settings only
	GArray *settings;         // struct setting
};

struct plan_workload {
	struct plan_section section;
	char *name, *what, *command, **argv;
	char *cwd, *user, *stdin_path, *stdout_path, *cpus, *membind, *preferred, *interleave;
	char **extracts, **marks;
	char *bench; // "NAME --PARAMETER VALUE ...": a benchmark of mmprof's instead of a command; the caller
		     // of plan_read() makes its argv
};

struct plan {
	struct plan_section section; // [experiment]
	char *path, *text, *name, *backend;
	int runs, warmup, interval_ms, timeout_s;
	int64_t seed;
	double pause, sampling;
	struct pin_options pin;
	char **probes, **no_probes;
	GArray *settings;     // of [settings]: struct setting
	GPtrArray *systems;   // struct plan_system; one "none" when the plan names none
	GPtrArray *workloads; // struct plan_workload; at least one
};

// -EINVAL with an err chain for what is wrong with it; nothing of the machine is looked at but the file.
int plan_read(const char *path, struct plan **plan);
int plan_parse(const char *path, const char *text, size_t length, struct plan **plan);
void plan_free(struct plan *plan);

// The line of a key; the section's own if it is not there.
int plan_line(const struct plan_section *section, const char *key);

// Starts an err chain with "PLAN:LINE: "; returns `code`. The text may come from err_text().
int plan_error(int code, const char *path, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
