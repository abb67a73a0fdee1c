// What the controller of a system under test did, while there is one: "name value" lines in a file of its
// own. lib/system/ksmcontrol.h tells what each is.
#include "base/err.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

SAMPLER_FUNCTIONS(control);

#define FILE_PATH "/run/mmprof/control"

static void classify(struct key *key)
{
	bool time = g_str_has_suffix(key->name, "_ns");

	key->kind = strcmp(key->name, "awake") ? SERIES_COUNTER : SERIES_GAUGE;
	key->unit = time ? "ns" : g_str_has_prefix(key->name, "merged") ? "pages" : "count";
}

int control_sampler_open(const struct sample_target *target, void **state)
{
	int error = 0;

	(void)target;
	*state = keyed_open(FILE_PATH, "", "control.", classify, &error);
	return *state || error == -ENOENT ? 0 : err_set(error, FILE_PATH ": %s", g_strerror(-error));
}

int control_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	(void)target;
	// it is written anew while it is read: what doesn't parse now does at the next reading
	if (state)
		keyed_read(state, sink);
	return 0;
}

void control_sampler_close(void *state)
{
	keyed_close(state);
}
