// `mmprof note`: says something about a run, or shows what was said.
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "cmd/query.h"
#include "store/store_read.h"

static int note(int argc, const char **argv);
const struct command cmd_note = {"note", "say something about a run", note};

static int add(struct store *store, const struct query *q)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct store_run_row run;

	for (guint i = 1; i < q->args->len; i++)
		g_string_append_printf(text, "%s%s", i > 1 ? " " : "", (char *)q->args->pdata[i]);
	if (!*g_strstrip(text->str))
		return command_fail(&cmd_note, "an empty note says nothing");
	if (store_find_run(store, q->args->pdata[0], &run) || store_note(store, run.id, text->str))
		return command_fail(&cmd_note, "%s", err_text());
	return 0;
}

static int show(struct store *store, const struct query *q)
{
	static const struct doc_column columns[] = {{"when", "when", DOC_PLAIN}, {"text", "note", DOC_PLAIN}};
	g_autoptr(GArray) notes = NULL;
	struct store_run_row run;
	struct doc_section *sec;
	struct doc *doc;
	int rc;

	if (store_find_run(store, q->args->pdata[0], &run) || store_read_notes(store, run.id, &notes))
		return command_fail(&cmd_note, "%s", err_text());
	doc = doc_new("notes");
	sec = doc_section(doc, "notes", "Notes", columns, G_N_ELEMENTS(columns));
	for (guint i = 0; i < notes->len; i++) {
		const struct store_note_row *n = &g_array_index(notes, struct store_note_row, i);
		g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(n->unix_ns / 1000000000);
		g_autofree char *text = when ? g_date_time_format(when, "%Y-%m-%d %H:%M:%S") : g_strdup("?");

		doc_row(sec);
		doc_text(sec, "%s", text);
		doc_text(sec, "%s", n->text);
	}
	if (!notes->len)
		doc_note(sec, "None: mmprof note RUN TEXT adds one.");
	rc = query_print(&cmd_note, q, doc);
	doc_free(doc);
	return rc;
}

static int note(int argc, const char **argv)
{
	struct query q = {};
	const struct poptOption table[] = {QUERY_OPTIONS(q), POPT_AUTOHELP POPT_TABLEEND};
	struct store *store = NULL;
	int rc = query_options(&cmd_note, argc, argv, table,
			       "[OPTIONS] RUN [TEXT...]\n\nWithout TEXT: shows the notes.", &q);
	bool writes = q.args && q.args->len > 1;

	if (!rc && !q.args->len)
		rc = command_fail(&cmd_note, "which run? mmprof note RUN [TEXT...]");
	if (!rc && store_open(command_db_path(q.db), writes ? STORE_CHANGE : STORE_READ, &store))
		rc = command_fail(&cmd_note, "%s", err_text());
	if (!rc)
		rc = writes ? add(store, &q) : show(store, &q);
	store_close(store);
	query_clear(&q);
	return rc;
}
