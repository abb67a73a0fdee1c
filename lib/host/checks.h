// What the files of doctor's checks share. Private to lib/host.
#ifndef MMPROF_HOST_CHECKS_H
#define MMPROF_HOST_CHECKS_H

#include <glib.h>

#include "host/internal.h"

// The outcome of one check; texts are g_free'd by the caller.
struct outcome {
	enum host_state state;
	char *detail, *remedy;
};

struct check {
	const char *name;
	struct outcome (*run)(void);
};

struct outcome outcome_of(enum host_state state, const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// Groups of checks, each ended by a NULL name.
extern const struct check checks_bpf[], checks_tracing[], checks_rights[], checks_hardware[], checks_memory[];

#endif
