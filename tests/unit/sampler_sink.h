// For the samplers' tests: a sink that remembers one reading, and short words for opening and reading a
// sampler.
#ifndef MMPROF_TEST_SAMPLER_SINK_H
#define MMPROF_TEST_SAMPLER_SINK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "sampler/read.h"

#include <glib.h>
#include <string.h>

struct value {
	char unit[16];
	enum series_kind kind;
	int64_t value;
};

static GHashTable *values, *missing;

static void put(struct sink *sink, const char *name, const char *unit, enum series_kind kind, int64_t value)
{
	struct value *v = g_new0(struct value, 1);

	(void)sink;
	g_strlcpy(v->unit, unit, sizeof(v->unit));
	v->kind = kind;
	v->value = value;
	if (!g_hash_table_insert(values, g_strdup(name), v))
		fail_msg("%s was put twice in one reading", name);
}

static void say_missing(struct sink *sink, const char *what, const char *why)
{
	(void)sink;
	if (!g_hash_table_insert(missing, g_strdup(what), g_strdup(why)))
		fail_msg("%s was said to be missing twice", what);
}

static struct sink sink = {put, say_missing};

static const struct value *get(const char *name)
{
	const struct value *v = g_hash_table_lookup(values, name);

	if (!v)
		fail_msg("no value %s", name);
	return v;
}

static const struct sampler *find(const char *name)
{
	for (const struct sampler *s = sampler_table; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	fail_msg("no sampler %s", name);
	return NULL;
}

static void *start(const char *name)
{
	static const struct sample_target nobody = {0};
	void *state;

	g_hash_table_remove_all(missing);
	if (find(name)->open(&nobody, &state) < 0)
		fail_msg("%s: %s", name, err_text());
	return state;
}

static void look(const char *name, void *state, const struct sample_target *target)
{
	static const struct sample_target nobody = {0};

	g_hash_table_remove_all(values);
	if (find(name)->read(state, target ? target : &nobody, &sink) < 0)
		fail_msg("%s: %s", name, err_text());
}

static int with_sink(int (*tests)(void))
{
	values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	missing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	int failed = tests();
	g_hash_table_destroy(values);
	g_hash_table_destroy(missing);
	return failed;
}

#endif
