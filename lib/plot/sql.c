// The source "sql": a SELECT of the template's. Rows with a column run_id are kept only if that run is
// selected; then its workload's and system's numbers, from 1, stand in front.
#include "plot/internal.h"

struct rows {
	struct plot *plot;
	struct table *table;
	int n, run_id;
	GHashTable *places; // run → index into selection->runs, + 1
};

static void columns(void *ctx, const char *const *names, int n)
{
	struct rows *r = ctx;
	g_autoptr(GString) header = g_string_new(NULL);

	r->n = n;
	for (int i = 0; i < n; i++) {
		g_autofree char *name = text_clean(names[i]);

		if (!strcmp(name, "run_id"))
			r->run_id = i;
		g_strdelimit(name, " \t", '_');
		g_string_append_printf(header, "%s%s", i ? " " : "", name);
	}
	if (r->run_id >= 0)
		g_string_prepend(header, "workload system ");
	r->table = table_new(header->str);
}

// gnuplot takes a number that follows a text for what it is only where the text is whole: table_text cares.
static int row(void *ctx, const struct store_cell *cells, int n)
{
	struct rows *r = ctx;

	if (r->run_id >= 0) {
		int64_t run = cells[r->run_id].type == STORE_CELL_INT ? cells[r->run_id].i : 0;
		int i = GPOINTER_TO_INT(g_hash_table_lookup(r->places, &run)) - 1;
		const struct selection_place *place;

		if (i < 0)
			return 0;
		place = &g_array_index(r->plot->selection->places, struct selection_place, i);
		table_int(r->table, place->workload + 1);
		table_int(r->table, place->system + 1);
	}
	for (int i = 0; i < n; i++) {
		const struct store_cell *cell = &cells[i];

		if (cell->type == STORE_CELL_INT)
			table_int(r->table, cell->i);
		else if (cell->type == STORE_CELL_TEXT)
			table_text(r->table, cell->text);
		else
			table_real(r->table, cell->type == STORE_CELL_REAL ? cell->r : NAN);
	}
	table_end(r->table);
	return 0;
}

int source_sql(struct plot *p, const struct template_data *d, struct table **table)
{
	struct rows r = {.plot = p, .run_id = -1, .places = g_hash_table_new(g_int64_hash, g_int64_equal)};
	const struct store_query_sink sink = {columns, row, &r};
	int rc;

	for (guint i = 0; i < p->selection->runs->len; i++)
		g_hash_table_insert(r.places, &g_array_index(p->selection->runs, struct store_run_row, i).id,
				    GINT_TO_POINTER(i + 1));
	rc = store_query(p->store, d->args, &sink);
	g_hash_table_unref(r.places);
	if (!rc && !r.table->rows)
		rc = plot_no_data(p, NULL);
	*table = r.table;
	return rc;
}
