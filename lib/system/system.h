// Memory-management systems under test that mmprof knows how to set up. Each is a struct in a file of its own
// and a line in table.c. What is set up is settings (settings.h) and a kernel module (module.h); both go
// through the journal.
#ifndef MMPROF_SYSTEM_SYSTEM_H
#define MMPROF_SYSTEM_SYSTEM_H

#include <stdbool.h>
#include <sys/types.h>

struct system_spec;

struct system_key {
	const char *name; // as one writes it: "promote_rate"
	const char
	    *setting; // the setting it stands for: "sysctl.kernel.numa_balancing_promote_rate_limit_MBps";
		      // NULL: an option of the system's own (system_spec_option)
	const char *value; // what is written if it isn't given; NULL: nothing
};

struct system {
	const char *name, *what;
	// Where several have one name: whose it is, "authors' kernel", "policy re-implementation"; a fact of
	// the run, system.kind, by which no result mixes them. Else NULL.
	const char *kind;
	const char *there; // a file or directory that machines have which can have it: others are not asked.
			   // NULL: any
	const struct system_key *keys; // ended by a NULL name; may be NULL
	const char *module;            // loaded for it; its parameters are keys as well. NULL: none
	const char *parameters;        // of the module, before those that are given; NULL: none
	const char *state; // a directory of files of one value each that tell how it does; NULL: none
	// Whether this machine can have it: 0, or -ENOENT with an err chain that says what is missing. NULL:
	// can.
	int (*check)(const struct system_spec *spec);
	// What settings and a module can't express, both may be NULL: whether the options can be had (-EINVAL
	// or -ENOENT with an err chain), and doing it, after the settings and through the journal.
	int (*check_options)(const struct system_spec *spec);
	int (*set_up)(const struct system_spec *spec);
	// For what must know the workload, both may be NULL: when its first process is in its cgroup (NULL:
	// it has none of its own) and has not begun; when the run ends, only if begin() went well.
	int (*begin)(pid_t pid, const char *cgroup);
	void (*end)(void);
	bool mergeable; // the workload's memory is offered to KSM
};

extern const struct system *const system_table[]; // ended by NULL

// Of several with one name, the first that this machine could have. NULL: no such.
const struct system *system_find(const char *name);

// The system of this text, NAME[,KEY=VALUE...], or NULL.
const struct system *system_of_text(const char *text);

// Whether the system of this text, NAME[,KEY=VALUE...], offers the workload's memory to KSM.
bool system_is_mergeable(const char *text);

#endif
