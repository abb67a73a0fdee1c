// The common part of report, list and sql; see query.h.
#include "cmd/query.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "stats/hist.h"
#include "store/store_read.h"

int query_options(const struct command *cmd, int argc, const char **argv, const struct poptOption *table,
		  const char *usage, struct query *q)
{
	const char **rest;
	poptContext ctx;
	int rc = command_options(cmd, argc, argv, table, usage, &ctx, &rest);

	q->args = g_ptr_array_new_null_terminated(0, g_free, TRUE);
	for (; !rc && *rest; rest++)
		g_ptr_array_add(q->args, g_strdup(*rest));
	poptFreeContext(ctx);
	if (rc)
		return rc;
	q->format = q->json ? DOC_JSON : DOC_TEXT;
	if (q->format_name && doc_format_parse(q->format_name, &q->format))
		return command_fail(cmd, "%s", err_text());
	if (q->format_name && q->json && q->format != DOC_JSON)
		return command_fail(cmd, "--json and --format %s contradict each other", q->format_name);
	return 0;
}

void query_clear(struct query *q)
{
	g_clear_pointer(&q->args, g_ptr_array_unref);
	free(q->db);
	free(q->format_name);
}

int query_open(const struct command *cmd, const struct query *q, struct store **store)
{
	return store_open(command_db_path(q->db), STORE_READ, store) ? command_fail(cmd, "%s", err_text())
								     : 0;
}

int query_print(const struct command *cmd, const struct query *q, const struct doc *doc)
{
	return doc_print(doc, q->format, stdout) ? command_fail(cmd, "%s", err_text()) : 0;
}

static double percentile(const struct store_cell *args, int n)
{
	struct hist h = {};

	if (n != 4 || args[0].type != STORE_CELL_BLOB || args[1].type != STORE_CELL_INT ||
	    args[2].type != STORE_CELL_INT || args[3].type == STORE_CELL_NULL ||
	    store_decode_buckets(args[0].blob, args[0].len, h.buckets))
		return NAN;
	h.min = (uint64_t)args[1].i;
	h.max = (uint64_t)args[2].i;
	return (double)hist_percentile(&h, args[3].r);
}

int query_add_percentile(struct store *store)
{
	return store_add_function(store, "percentile", 4, percentile);
}
