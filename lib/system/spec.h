// A system under test as it is named on a command line: NAME, or NAME,SETTING=VALUE,... with settings as in
// settings.h. The whole text is the system's name in the database, so that two set-ups are never taken for
// one.
#ifndef MMPROF_SYSTEM_SPEC_H
#define MMPROF_SYSTEM_SPEC_H

#include <glib.h>

struct system_spec {
	char *text;
	GArray *settings; // struct setting
};

// -EINVAL with an err chain for what can't be understood, -ENOENT for a setting that this machine lacks.
// Changes nothing. Free with system_spec_free(), also after an error.
int system_spec_new(const char *text, struct system_spec **spec);
void system_spec_free(struct system_spec *spec);

// Sets the machine up, through the journal, and makes sure that it is; a struct session_options.set_up.
int system_spec_set_up(void *spec);

#endif
