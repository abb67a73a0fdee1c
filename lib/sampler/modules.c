// What our own kernel modules count while they are loaded, as pgcache.pte.hit and so on: the file `stat` of
// /sys/kernel/mm/MODULE (docs/pgcache.md, docs/tiering.md). Their knobs are part of a run's provenance.
#include "base/err.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

SAMPLER_FUNCTIONS(modules);

static const char *const names[] = {"pgcache", "tiering"};

struct modules {
	struct keyed *stats[G_N_ELEMENTS(names)]; // NULL: not loaded, which is nothing to be missed
};

// By the last part of a name.
static bool is_level(const char *name)
{
	static const char *const levels[] = {
	    "used", "free", "managed_fast", "managed_slow", "processes", "overhead_bytes", NULL};
	const char *dot = strrchr(name, '.');

	return g_strv_contains(levels, dot ? dot + 1 : name);
}

static void classify(struct key *key)
{
	key->kind = is_level(key->name) ? SERIES_GAUGE : SERIES_COUNTER;
}

int modules_sampler_open(const struct sample_target *target, void **state)
{
	struct modules *m = g_new0(struct modules, 1);
	int rc = 0;

	(void)target;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strdup_printf("/sys/kernel/mm/%s/stat", names[i]),
				*prefix = g_strconcat(names[i], ".", NULL);
		int error = 0;

		m->stats[i] = keyed_open(path, "", prefix, classify, &error);
		if (!m->stats[i] && error != -ENOENT)
			rc = err_set(error, "%s: %s", path, g_strerror(-error));
	}
	*state = m;
	return rc;
}

int modules_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct modules *m = state;
	int rc = 0;

	(void)target;
	for (size_t i = 0; i < G_N_ELEMENTS(names) && !rc; i++)
		rc = m->stats[i] ? keyed_read(m->stats[i], sink) : 0;
	return rc ? err_set(rc, "a module's counters: %s", g_strerror(-rc)) : 0;
}

void modules_sampler_close(void *state)
{
	struct modules *m = state;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (m->stats[i])
			keyed_close(m->stats[i]);
	g_free(m);
}
