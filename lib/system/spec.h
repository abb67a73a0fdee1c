// A system under test as it is named on a command line: NAME[,KEY=VALUE...]. Of a system that mmprof knows
// (system.h) the keys are its own and its module's parameters; any other name is a label. Settings as in
// settings.h are keys of all. The whole text is the system's name in the database, so that two set-ups are
// never taken for one.
#ifndef MMPROF_SYSTEM_SPEC_H
#define MMPROF_SYSTEM_SPEC_H

#include <glib.h>
#include <stdbool.h>

struct system_spec {
	char *text;
	const struct system *system; // NULL: only a label
	GArray *settings;            // struct setting
	GPtrArray *parameters;       // of the module, "KEY=VALUE"
	GHashTable *options;         // of the system's own: key → value
};

// An option of the system's own, its default if it isn't given; NULL: it has none.
const char *system_spec_option(const struct system_spec *spec, const char *key);

// -EINVAL with an err chain for what can't be understood; the machine is not looked at. Free with
// system_spec_free(), also after an error.
int system_spec_parse(const char *text, struct system_spec **spec);
void system_spec_free(struct system_spec *spec);

// Whether this machine can have it: -ENOENT with an err chain for what it lacks, -EINVAL for a parameter that
// the module has not. Changes nothing.
int system_spec_check(const struct system_spec *spec);

// Whether it changes anything at all.
bool system_spec_changes(const struct system_spec *spec);

// Sets the machine up, through the journal, and makes sure that it is; a struct session_options.set_up.
int system_spec_set_up(void *spec);

#endif
