// What the commands that only read the database share: --db, --format, --json, arguments between options,
// printing.
#ifndef MMPROF_CMD_QUERY_H
#define MMPROF_CMD_QUERY_H

#include <glib.h>

#include "base/doc.h"
#include "cmd/command.h"
#include "store/store.h"

struct query {
	char *db, *format_name; // options; popt allocates them
	int json;
	enum doc_format format;
	GPtrArray *args; // what was not an option, in order; its pdata ends with NULL, or is NULL
};

#define QUERY_OPTIONS(q)                                                                                     \
	{"db", 0, POPT_ARG_STRING, &(q).db, 0, "database (default: $MMPROF_DB, else ./mmprof.db)", "FILE"},  \
	    {"format",         'f', POPT_ARG_STRING,                                                         \
	     &(q).format_name, 0,   "text, md, csv, json, latex or html (default text)",                     \
	     "FORMAT"},                                                                                      \
	{                                                                                                    \
		"json", 0, POPT_ARG_NONE, &(q).json, 0, "same as --format json", NULL                        \
	}

// Parses options wherever they stand. 0, or EXIT_USAGE after one line on stderr. query_clear() in either
// case.
int query_options(const struct command *cmd, int argc, const char **argv, const struct poptOption *table,
		  const char *usage, struct query *q);
void query_clear(struct query *q);

// Opens the database for reading. 0 or EXIT_USAGE.
int query_open(const struct command *cmd, const struct query *q, struct store **store);

// Prints to standard output. 0 or EXIT_USAGE.
int query_print(const struct command *cmd, const struct query *q, const struct doc *doc);

// Questions may call percentile(buckets, min_ns, max_ns, p) on a row of `hist`. 0, or -errno with an err
// chain.
int query_add_percentile(struct store *store);

#endif
