// `mmprof merge`: brings the runs of other databases into one.
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "cmd/query.h"
#include "store/merge.h"

static int merge(int argc, const char **argv);
const struct command cmd_merge = {"merge", "bring the runs of other databases into one", merge};

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void put(struct doc_section *sec, const char *path, const struct merge_outcome *o)
{
	doc_row(sec);
	doc_text(sec, "%s", path);
	doc_int(sec, o->added);
	doc_int(sec, o->there);
	doc_int(sec, o->running);
	doc_int(sec, o->renamed->len / 2);
	if (o->running)
		doc_note(sec, "%s: %" PRId64 " run%s still running: left out.", path, o->running,
			 o->running == 1 ? "" : "s");
	for (guint i = 0; i + 1 < o->renamed->len; i += 2)
		doc_note(sec, "%s: another plan has the name \"%s\" here; this one is \"%s\".", path,
			 (char *)o->renamed->pdata[i], (char *)o->renamed->pdata[i + 1]);
}

static int one(struct store *into, const char *path, bool first, struct doc_section *sec)
{
	struct merge_outcome outcome = {};
	struct store *from = NULL;
	int rc = store_open(path, STORE_READ, &from);

	if (!rc)
		rc = store_merge(into, from, &outcome);
	store_close(from);
	if (rc)
		rc = command_fail(&cmd_merge, "%s; nothing of %s was merged%s", err_text(), path,
				  first ? "" : ", only what was named before it");
	else
		put(sec, path, &outcome);
	merge_outcome_clear(&outcome);
	return rc;
}

// Every source is looked at before the target is made or changed.
static int check(const GPtrArray *args)
{
	for (guint i = 1; i < args->len; i++) {
		struct store *from = NULL;

		if (same_file(args->pdata[0], args->pdata[i]))
			return command_fail(&cmd_merge, "%s and %s are the same file", (char *)args->pdata[0],
					    (char *)args->pdata[i]);
		if (store_open(args->pdata[i], STORE_READ, &from))
			return command_fail(&cmd_merge, "%s", err_text());
		store_close(from);
	}
	return 0;
}

static int all(const struct query *q)
{
	static const struct doc_column columns[] = {{"from", "from", DOC_PLAIN},
						    {"added", "runs added", DOC_COUNT},
						    {"there", "already there", DOC_COUNT},
						    {"running", "not ended, left out", DOC_COUNT},
						    {"renamed", "experiments renamed", DOC_COUNT}};
	struct doc *doc = doc_new("merge");
	struct doc_section *sec = doc_section(doc, "merge", "Merged", columns, G_N_ELEMENTS(columns));
	struct store *into = NULL;
	int rc = store_open(q->args->pdata[0], STORE_WRITE, &into)
		     ? command_fail(&cmd_merge, "%s", err_text())
		     : 0;

	for (guint i = 1; i < q->args->len && !rc; i++)
		rc = one(into, q->args->pdata[i], i == 1, sec);
	if (!rc)
		rc = query_print(&cmd_merge, q, doc);
	store_close(into);
	doc_free(doc);
	return rc;
}

static int merge(int argc, const char **argv)
{
	struct query q = {};
	const struct poptOption table[] = {
	    {"format", 'f', POPT_ARG_STRING, &q.format_name, 0,
	     "text, md, csv, json, latex or html (default text)", "FORMAT"},
	    {"json", 0, POPT_ARG_NONE, &q.json, 0, "same as --format json", NULL},
	    POPT_AUTOHELP POPT_TABLEEND};
	int rc = query_options(
	    &cmd_merge, argc, argv, table,
	    "[OPTIONS] INTO FROM...\n\nINTO is made if it is not there. Merging again adds nothing.", &q);

	if (!rc && q.args->len < 2)
		rc = command_fail(&cmd_merge, "merge what into what? mmprof merge INTO FROM...");
	if (!rc)
		rc = check(q.args);
	if (!rc)
		rc = all(&q);
	query_clear(&q);
	return rc;
}
