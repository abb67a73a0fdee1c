// Tables of a plan's sections and keys; see plan_keys.h.
#include "run/plan_keys.h"

#include <errno.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "run/plan.h"

static const struct plan_key experiment_keys[] = {
    {"name", KEY_TEXT, offsetof(struct plan, name), 0, 0},
    {"runs", KEY_INT, offsetof(struct plan, runs), 1, 100000},
    {"warmup", KEY_INT, offsetof(struct plan, warmup), 0, 1000},
    {"seed", KEY_INT64, offsetof(struct plan, seed), 0, 0},
    {"pause", KEY_REAL, offsetof(struct plan, pause), 0, 86400},
    {"interval", KEY_INT, offsetof(struct plan, interval_ms), 10, 3600000},
    {"sampling", KEY_REAL, offsetof(struct plan, sampling), 0.01, 100},
    {"timeout", KEY_INT, offsetof(struct plan, timeout_s), 0, 100000000},
    {"probes", KEY_WORDS, offsetof(struct plan, probes), 0, 0},
    {"no-probes", KEY_WORDS, offsetof(struct plan, no_probes), 0, 0},
    {"backend", KEY_TEXT, offsetof(struct plan, backend), 0, 0},
    {"lock-freq", KEY_TEXT, offsetof(struct plan, pin.lock_freq), 0, 0},
    {"governor", KEY_TEXT, offsetof(struct plan, pin.governor), 0, 0},
    {"thp", KEY_TEXT, offsetof(struct plan, pin.thp), 0, 0},
    {"no-turbo", KEY_FLAG, offsetof(struct plan, pin.no_turbo), 0, 0},
    {"no-swap", KEY_FLAG, offsetof(struct plan, pin.no_swap), 0, 0},
    {"no-aslr", KEY_FLAG, offsetof(struct plan, pin.no_aslr), 0, 0},
    {"drop-caches", KEY_FLAG, offsetof(struct plan, pin.drop_caches), 0, 0},
    {"quiet-machine", KEY_FLAG, offsetof(struct plan, pin.quiet), 0, 0},
    {NULL, KEY_TEXT, 0, 0, 0},
};

static const struct plan_key system_keys[] = {
    {"what", KEY_TEXT, offsetof(struct plan_system, what), 0, 0},
    {"use", KEY_TEXT, offsetof(struct plan_system, use), 0, 0},
    {NULL, KEY_TEXT, 0, 0, 0},
};

static const struct plan_key no_keys[] = {{NULL, KEY_TEXT, 0, 0, 0}};

#define W(name, kind, field)                                                                                 \
	{                                                                                                    \
		name, kind, offsetof(struct plan_workload, field), 0, 0                                      \
	}
static const struct plan_key workload_keys[] = {
    W("command", KEY_COMMAND, command),
    W("bench", KEY_TEXT, bench),
    W("what", KEY_TEXT, what),
    W("cwd", KEY_TEXT, cwd),
    W("user", KEY_TEXT, user),
    W("stdin", KEY_TEXT, stdin_path),
    W("stdout", KEY_TEXT, stdout_path),
    W("cpus", KEY_TEXT, cpus),
    W("membind", KEY_TEXT, membind),
    W("preferred", KEY_TEXT, preferred),
    W("interleave", KEY_TEXT, interleave),
    W("extract", KEY_ENTRIES, extracts),
    W("mark", KEY_ENTRIES, marks),
    {NULL, KEY_TEXT, 0, 0, 0},
};

const struct plan_section_kind plan_section_kinds[] = {
    {"experiment", false, false, experiment_keys},
    {"settings", false, true, no_keys},
    {"system", true, true, system_keys},
    {"workload", true, false, workload_keys},
    {NULL, false, false, NULL},
};

_Static_assert(offsetof(struct plan_workload, argv) ==
		   offsetof(struct plan_workload, command) + sizeof(char *),
	       "KEY_COMMAND's list follows its text");

const struct plan_section_kind *plan_section_kind(const char *name)
{
	for (const struct plan_section_kind *k = plan_section_kinds; k->name; k++)
		if (!strcmp(k->name, name))
			return k;
	return NULL;
}

const struct plan_key *plan_key(const struct plan_section_kind *kind, const char *name)
{
	for (const struct plan_key *k = kind->keys; k->name; k++)
		if (!strcmp(k->name, name))
			return k;
	return NULL;
}

// --- suggestions

// Levenshtein's distance: letters to change, put in or leave out.
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(b);
	g_autofree size_t *row = g_new(size_t, n + 1);

	for (size_t i = 0; i <= n; i++)
		row[i] = i;
	for (; *a; a++) {
		size_t corner = row[0]++;

		for (size_t i = 1; i <= n; i++) {
			size_t change = corner + (*a != b[i - 1]);

			corner = row[i];
			row[i] = MIN(change, MIN(corner, row[i - 1]) + 1);
		}
	}
	return row[n];
}

static char *suggest(const GPtrArray *known, const char *word)
{
	size_t best = MAX(strlen(word) / 2, (size_t)1) + 1;
	const char *found = NULL;
	GString *text = g_string_new("; known: ");

	for (guint i = 0; i < known->len; i++) {
		size_t d = distance(word, known->pdata[i]);

		g_string_append_printf(text, "%s%s", i ? ", " : "", (const char *)known->pdata[i]);
		if (d < best) {
			best = d;
			found = known->pdata[i];
		}
	}
	if (found)
		g_string_printf(text, "; did you mean \"%s\"?", found);
	return g_string_free(text, FALSE);
}

char *plan_suggest_section(const char *word)
{
	g_autoptr(GPtrArray) known = g_ptr_array_new();

	for (const struct plan_section_kind *k = plan_section_kinds; k->name; k++)
		g_ptr_array_add(known, (void *)k->name);
	return suggest(known, word);
}

char *plan_suggest_key(const struct plan_section_kind *kind, const char *word)
{
	g_autoptr(GPtrArray) known = g_ptr_array_new();

	for (const struct plan_key *k = kind->keys; k->name; k++)
		g_ptr_array_add(known, (void *)k->name);
	if (kind->settings)
		g_ptr_array_add(known, "sysctl.NAME, /sys/PATH, /proc/sys/PATH");
	return suggest(known, word);
}

// --- values

static void append(char ***list, const char *text)
{
	guint n = *list ? g_strv_length(*list) : 0;

	*list = g_renew(char *, *list, n + 2);
	(*list)[n] = g_strdup(text);
	(*list)[n + 1] = NULL;
}

static int read_command(const char *text, char **command, char ***argv)
{
	g_autoptr(GError) error = NULL;

	*command = g_strdup(text);
	if (!g_shell_parse_argv(text, NULL, argv, &error))
		return err_set(-EINVAL, "command: %s", error->message);
	return 0;
}

static int read_int(const struct plan_key *key, const char *text, int *value)
{
	gint64 n;

	if (!g_ascii_string_to_signed(text, 10, (gint64)key->min, (gint64)key->max, &n, NULL))
		return err_set(-EINVAL, "%s must be a whole number from %.0f to %.0f, not \"%s\"", key->name,
			       key->min, key->max, text);
	*value = (int)n;
	return 0;
}

static int read_real(const struct plan_key *key, const char *text, double *value)
{
	char *end;

	*value = g_ascii_strtod(text, &end);
	if (end == text || *end || !(*value >= key->min && *value <= key->max))
		return err_set(-EINVAL, "%s must be a number from %g to %g, not \"%s\"", key->name, key->min,
			       key->max, text);
	return 0;
}

static int read_flag(const struct plan_key *key, const char *text, int *value)
{
	*value = !strcmp(text, "yes");
	return *value || !strcmp(text, "no")
		   ? 0
		   : err_set(-EINVAL, "%s must be yes or no, not \"%s\"", key->name, text);
}

int plan_key_read(const struct plan_key *key, void *target, const char *text)
{
	void *at = (char *)target + key->offset;
	g_auto(GStrv) word = NULL;

	if (!*text)
		return err_set(-EINVAL, "%s is empty; give it a value or leave the line out", key->name);
	switch (key->kind) {
	case KEY_COMMAND:
		return read_command(text, at, (char ***)((char **)at + 1));
	case KEY_INT:
		return read_int(key, text, at);
	case KEY_INT64:
		if (!g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, at, NULL))
			return err_set(-EINVAL, "%s must be a whole number from 0 to 2^63 - 1, not \"%s\"",
				       key->name, text);
		return 0;
	case KEY_REAL:
		return read_real(key, text, at);
	case KEY_FLAG:
		return read_flag(key, text, at);
	case KEY_WORDS:
		word = g_strsplit_set(text, " \t", -1);
		for (char **w = word; *w; w++)
			if (**w)
				append(at, *w);
		return 0;
	case KEY_ENTRIES:
		append(at, text);
		return 0;
	case KEY_TEXT:
		break;
	}
	*(char **)at = g_strdup(text);
	return 0;
}

void plan_keys_clear(const struct plan_section_kind *kind, void *target)
{
	for (const struct plan_key *key = kind->keys; key->name; key++) {
		char *at = (char *)target + key->offset;

		if (key->kind == KEY_TEXT || key->kind == KEY_COMMAND)
			g_free(*(char **)at);
		if (key->kind == KEY_COMMAND)
			g_strfreev(*(char ***)(at + sizeof(char *)));
		if (key->kind == KEY_WORDS || key->kind == KEY_ENTRIES)
			g_strfreev(*(char ***)at);
	}
}
