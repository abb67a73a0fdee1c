// `mmprof system`: lists the systems under test, sets one up until it is taken down, tells how it does.
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/doc.h"
#include "base/err.h"
#include "base/journal.h"
#include "cmd/command.h"
#include "host/read.h"
#include "run/session.h"
#include "system/settings.h"
#include "system/spec.h"
#include "system/system.h"

static int run(int argc, const char **argv);
const struct command cmd_system = {"system", "list systems under test, set one up, take it down", run};

static const char form[] = "mmprof system [--json] [NAME[,KEY=VALUE...] up|down|status]";

static int print(struct doc *doc, bool json)
{
	doc_print(doc, json ? DOC_JSON : DOC_TEXT, stdout);
	doc_free(doc);
	return 0;
}

// --- list

static int list(bool json)
{
	static const struct doc_column columns[] = {
	    {"name", "system", DOC_PLAIN}, {"what", "what", DOC_PLAIN}, {"here", "here", DOC_PLAIN}};
	struct doc *doc = doc_new("systems");
	struct doc_section *sec = doc_section(doc, "systems", "Systems", columns, G_N_ELEMENTS(columns));
	g_autofree char *kept = journal_kept();

	for (const struct system *const *s = system_table; *s; s++) {
		struct system_spec *spec = NULL;
		int rc;

		if (system_find((*s)->name) != *s) // another kind of it is for this machine
			continue;
		rc = system_spec_parse((*s)->name, &spec);
		if (!rc)
			rc = system_spec_check(spec);
		system_spec_free(spec);
		doc_row(sec);
		doc_text(sec, "%s", (*s)->name);
		doc_text(sec, "%s", (*s)->what);
		doc_text(sec, "%s", rc ? err_text() : "yes");
	}
	if (kept)
		doc_note(sec, "%s is up.", kept);
	doc_note(sec, "`mmprof system NAME status` shows a system's keys. sysctl.NAME, /sys/PATH and "
		      "/proc/sys/PATH are "
		      "keys of all. Any other name is a label.");
	return print(doc, json);
}

// --- up and down

static int up(const struct system_spec *spec)
{
	g_autofree char *kept = journal_kept(), *why = NULL;
	int rc = system_spec_check(spec);

	if (kept)
		return err_set(-EBUSY, "%s is up: mmprof system %.*s down", kept, (int)strcspn(kept, ","),
			       kept);
	if (!rc)
		rc = command_open_journal(&cmd_system, true, false);
	if (rc)
		return rc;
	rc = system_spec_set_up((void *)spec);
	if (!rc)
		rc = journal_keep(spec->text);
	if (!rc)
		return 0;
	why = g_strdup(err_text());
	return journal_close() ? err_set(rc, "%s; and not all could be put back: %s", why, err_text())
			       : err_set(rc, "%s", why);
}

static int down(const struct system_spec *spec)
{
	g_autofree char *kept = journal_kept();
	size_t n = strlen(spec->system->name);

	if (!kept || strncmp(kept, spec->system->name, n) || (kept[n] && kept[n] != ','))
		return err_set(-ENOENT, "%s is not up%s%s", spec->system->name, kept ? ": that is " : "",
			       kept ? kept : "");
	if (journal_lock())
		return err_set(-EBUSY, "another mmprof is changing this machine: wait for its end");
	return journal_undo_kept() ? err_add(-EIO, "%s could not be taken down", kept) : 0;
}

static int change(const struct system_spec *spec, int (*what)(const struct system_spec *))
{
	if (geteuid() != 0)
		return err_set(-EPERM, "setting a system up needs root: use sudo");
	session_block_signals();
	return what(spec);
}

// --- status

static void settings_rows(struct doc *doc, const struct system_spec *spec)
{
	static const struct doc_column columns[] = {
	    {"key", "key", DOC_PLAIN}, {"value", "value", DOC_PLAIN}, {"setting", "setting", DOC_PLAIN}};
	struct doc_section *sec;

	if (!spec->system->keys)
		return;
	sec = doc_section(doc, "settings", "Settings", columns, G_N_ELEMENTS(columns));
	for (const struct system_key *k = spec->system->keys; k->name; k++) {
		g_autofree char *path = NULL, *value = NULL;

		if (!k->setting) {
			const char *option = system_spec_option(spec, k->name);

			doc_row(sec);
			doc_text(sec, "%s", k->name);
			doc_text(sec, "%s", option ? option : "");
			doc_text(sec, "an option of the system");
			continue;
		}
		setting_path(k->setting, &path);
		value = host_read(path);
		doc_row(sec);
		doc_text(sec, "%s", k->name);
		if (value)
			doc_text(sec, "%s", value);
		else
			doc_none_as(sec, "not here", "this kernel has no such setting");
		doc_text(sec, "%s", path);
	}
}

// Files of one value each, and those of directories one level down: "pte/hit".
static void state_rows(struct doc_section *sec, const char *dir, const char *prefix)
{
	g_auto(GStrv) names = host_entries(dir);

	for (char **n = names; *n; n++) {
		g_autofree char *path = g_build_filename(dir, *n, NULL),
				*name = g_strconcat(prefix, *n, NULL);
		g_autofree char *below = g_strconcat(name, "/", NULL), *value = host_read(path);

		if (value) {
			doc_row(sec);
			doc_text(sec, "%s", name);
			doc_text(sec, "%s", value);
		} else if (g_file_test(path, G_FILE_TEST_IS_DIR) && !*prefix) {
			state_rows(sec, path, below);
		}
	}
}

static int status(const struct system_spec *spec, bool json)
{
	static const struct doc_column columns[] = {{"name", "name", DOC_PLAIN},
						    {"value", "value", DOC_PLAIN}};
	struct doc *doc = doc_new(spec->system->name);
	struct doc_section *sec = doc_section(doc, "system", "System", columns, G_N_ELEMENTS(columns));
	g_autofree char *kept = journal_kept();
	int rc;

	doc_row(sec);
	doc_text(sec, "up");
	doc_text(sec, "%s", kept && g_str_has_prefix(kept, spec->system->name) ? kept : "no");
	doc_row(sec);
	doc_text(sec, "possible here");
	rc = system_spec_check(spec);
	doc_text(sec, "%s", rc == -EBUSY ? "yes" : rc ? err_text() : "yes");
	settings_rows(doc, spec);
	if (spec->system->state && g_file_test(spec->system->state, G_FILE_TEST_IS_DIR))
		state_rows(doc_section(doc, "state", "State", columns, G_N_ELEMENTS(columns)),
			   spec->system->state, "");
	return print(doc, json);
}

// --- the command

static int one(const char *text, const char *verb, bool json)
{
	struct system_spec *spec = NULL;
	int rc = system_spec_parse(text, &spec);

	if (!rc && !spec->system)
		rc = err_set(-EINVAL, "there is no system \"%s\": mmprof system", text);
	if (!rc && !strcmp(verb, "up"))
		rc = change(spec, up);
	else if (!rc && !strcmp(verb, "down"))
		rc = change(spec, down);
	else if (!rc && !strcmp(verb, "status"))
		rc = status(spec, json);
	else if (!rc)
		rc = err_set(-EINVAL, "\"%s\": %s", verb, form);
	system_spec_free(spec);
	return rc ? command_fail(&cmd_system, "%s", err_text()) : 0;
}

static int run(int argc, const char **argv)
{
	int json = 0, rc;
	const struct poptOption table[] = {
	    {"json", 0, POPT_ARG_NONE, &json, 0, "machine-readable output", NULL},
	    POPT_AUTOHELP POPT_TABLEEND};
	poptContext ctx;
	const char **rest;

	rc = command_options(&cmd_system, argc, argv, table, "[--json] [NAME[,KEY=VALUE...] up|down|status]",
			     &ctx, &rest);
	if (!rc && !rest[0])
		rc = list(json);
	else if (!rc && (!rest[1] || rest[2]))
		rc = command_fail(&cmd_system, "%s", form);
	else if (!rc)
		rc = one(rest[0], rest[1], json);
	poptFreeContext(ctx);
	return rc;
}
