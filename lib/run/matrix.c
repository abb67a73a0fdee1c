// The shuffled blocks of an experiment; see matrix.h. The random numbers are our own, because a library's may
// change and cells are numbered on several machines.
#include "run/matrix.h"

#include <errno.h>
#include <stdbool.h>

#include "base/err.h"

// splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

// Evenly from 0 up to n - 1: what is left over at the top is drawn again.
static uint64_t below(uint64_t *state, uint64_t n)
{
	uint64_t top = UINT64_MAX - UINT64_MAX % n, x;

	do
		x = next(state);
	while (x >= top);
	return x % n;
}

static void shuffle(int *list, int n, uint64_t *state)
{
	for (int i = n - 1; i > 0; i--) {
		int k = (int)below(state, (uint64_t)i + 1), kept = list[i];

		list[i] = list[k];
		list[k] = kept;
	}
}

GArray *matrix_cells(int systems, int workloads, int rounds, uint64_t seed)
{
	int pairs = systems * workloads;
	g_autofree int *order = g_new(int, pairs);
	GArray *cells = g_array_new(FALSE, FALSE, sizeof(struct cell));

	for (int round = 1; round <= rounds; round++) {
		for (int i = 0; i < pairs; i++)
			order[i] = i;
		shuffle(order, pairs, &seed);
		for (int i = 0; i < pairs; i++) {
			struct cell cell = {(int)cells->len + 1, round, order[i] / workloads,
					    order[i] % workloads};

			g_array_append_val(cells, cell);
		}
	}
	return cells;
}

GArray *matrix_with_warmups(const GArray *cells, int warmup)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(struct cell));
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

	for (guint i = 0; i < cells->len; i++) {
		struct cell cell = g_array_index(cells, struct cell, i);
		gint64 pair = (gint64)cell.system << 32 | cell.workload;

		cell.round = 0;
		if (g_hash_table_add(seen, g_memdup2(&pair, sizeof(pair))))
			g_array_append_val(all, cell);
	}
	guint pairs = all->len;

	g_array_set_size(all, pairs * (guint)warmup);
	for (guint i = pairs; i < all->len; i++)
		g_array_index(all, struct cell, i) = g_array_index(all, struct cell, i - pairs);
	g_array_append_vals(all, cells->data, cells->len);
	return all;
}

// "7" or "5-7".
static int read_range(const char *text, int n, guint64 *first, guint64 *last)
{
	g_auto(GStrv) end = g_strsplit(text, "-", 2);

	if (!end[0] || !g_ascii_string_to_unsigned(g_strstrip(end[0]), 10, 1, G_MAXINT, first, NULL))
		return err_set(-EINVAL, "\"%s\" is no number of a cell; give a list like 3,5-7", text);
	*last = *first;
	if (end[1] && !g_ascii_string_to_unsigned(g_strstrip(end[1]), 10, *first, G_MAXINT, last, NULL))
		return err_set(-EINVAL, "\"%s\" is no range of cells; give a list like 3,5-7", text);
	if (*last > (guint64)n)
		return err_set(-EINVAL, "there is no cell %" G_GUINT64_FORMAT ": the plan has %d", *last, n);
	return 0;
}

int matrix_select(const GArray *cells, const char *list, GArray **chosen)
{
	g_auto(GStrv) range = g_strsplit(list, ",", -1);
	g_autofree bool *wanted = g_new0(bool, cells->len + 1);
	guint64 first, last;

	if (!*range)
		return err_set(-EINVAL, "no number of a cell; give a list like 3,5-7");
	for (char **r = range; *r; r++) {
		int rc = read_range(*r, (int)cells->len, &first, &last);

		if (rc)
			return rc;
		for (guint64 i = first; i <= last; i++)
			wanted[i] = true;
	}
	*chosen = g_array_new(FALSE, FALSE, sizeof(struct cell));
	for (guint i = 0; i < cells->len; i++)
		if (wanted[i + 1])
			g_array_append_vals(*chosen, &g_array_index(cells, struct cell, i), 1);
	return 0;
}
