// `mmprof doctor`: what this machine can measure, exactly why not, and the remedy.
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/doc.h"
#include "base/err.h"
#include "base/journal.h"
#include "cmd/command.h"
#include "host/host.h"

static int doctor(int argc, const char **argv);
const struct command cmd_doctor = {"doctor", "say what this machine can measure, and exactly why not",
				   doctor};

struct table {
	struct doc *doc;
	struct doc_section *section;
	char *group;
	bool useful; // something can be measured
};

static bool is_measuring(const char *group)
{
	return !strcmp(group, "function probes") || !strcmp(group, "tracepoints") ||
	       !strcmp(group, "samplers");
}

static void add(void *ctx, const char *group, const char *name, enum host_state state, const char *detail,
		const char *remedy)
{
	static const struct doc_column columns[] = {{"check", "", DOC_PLAIN},
						    {"state", "state", DOC_PLAIN},
						    {"detail", "what was found, or why not", DOC_PLAIN},
						    {"remedy", "remedy", DOC_PLAIN}};
	static const char *const words[] = {
	    [HOST_YES] = "yes", [HOST_PARTLY] = "partly", [HOST_NO] = "no", [HOST_UNKNOWN] = "unknown"};
	struct table *t = ctx;

	if (g_strcmp0(t->group, group)) {
		g_autofree char *key = g_ascii_strdown(group, -1);

		g_strdelimit(key, " ", '_');
		t->section = doc_section(t->doc, key, group, columns, G_N_ELEMENTS(columns));
		g_free(t->group);
		t->group = g_strdup(group);
	}
	doc_row(t->section);
	doc_text(t->section, "%s", name);
	doc_text(t->section, "%s", words[state]);
	doc_text(t->section, "%s", detail ? detail : "");
	doc_text(t->section, "%s", remedy ? remedy : "");
	t->useful |= state == HOST_YES && is_measuring(group);
}

// record measures nothing without root, whatever a user may read.
static int examine(enum doc_format format)
{
	struct table t = {.doc = doc_new("doctor")};
	bool root = geteuid() == 0;
	int rc = 0;

	if (root)
		journal_open(NULL); // so that a SIGKILL in the middle leaves nothing; without it, it is as
				    // good as nothing
	host_check_all(add, &t);
	if (root)
		journal_close();
	if (!root)
		doc_note(t.section, "Not run as root: record would measure nothing, and some answers are for "
				    "this user alone. Try sudo "
				    "mmprof doctor.");
	if (doc_print(t.doc, format, stdout))
		rc = command_fail(&cmd_doctor, "%s", err_text());
	else
		rc = !(root && t.useful);
	doc_free(t.doc);
	g_free(t.group);
	return rc;
}

static int doctor(int argc, const char **argv)
{
	char *format_name = NULL;
	int json = 0;
	const struct poptOption options[] = {
	    {"json", 0, POPT_ARG_NONE, &json, 0, "the same as --format json", NULL},
	    {"format", 0, POPT_ARG_STRING, &format_name, 0, "text, md, csv, json, latex or html", "FORMAT"},
	    POPT_AUTOHELP POPT_TABLEEND};
	enum doc_format format = DOC_TEXT;
	poptContext ctx;
	const char **rest;
	int rc = command_options(&cmd_doctor, argc, argv, options, "[OPTIONS]", &ctx, &rest);

	if (!rc && *rest)
		rc = command_fail(&cmd_doctor, "\"%s\": doctor takes no arguments", *rest);
	if (!rc && doc_format_parse(json ? "json" : format_name ? format_name : "text", &format))
		rc = command_fail(&cmd_doctor, "%s", err_text());
	if (!rc)
		rc = examine(format);
	poptFreeContext(ctx);
	command_free_options(options);
	return rc;
}
