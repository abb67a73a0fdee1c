// Memory-management systems under test that mmprof knows how to set up. Each is a struct in a file of its own
// and a line in table.c. What is set up is settings (settings.h) and a kernel module (module.h); both go
// through the journal.
#ifndef MMPROF_SYSTEM_SYSTEM_H
#define MMPROF_SYSTEM_SYSTEM_H

struct system_key {
	const char *name; // as one writes it: "promote_rate"
	const char
	    *setting; // the setting it stands for: "sysctl.kernel.numa_balancing_promote_rate_limit_MBps"
	const char *value; // what is written if it isn't given; NULL: nothing
};

struct system {
	const char *name, *what;
	const struct system_key *keys; // ended by a NULL name; may be NULL
	const char *module;            // loaded for it; its parameters are keys as well. NULL: none
	const char *state; // a directory of files of one value each that tell how it does; NULL: none
	// Whether this machine can have it: 0, or -ENOENT with an err chain that says what is missing. NULL:
	// can.
	int (*check)(void);
};

extern const struct system *const system_table[]; // ended by NULL

const struct system *system_find(const char *name); // NULL: no such

#endif
