// The sources "bins", "cdf" and "run_bins": latency histograms of a probe, added up over the runs of each
// workload and system, or run by run.
//
// For pictures on a logarithmic axis the buckets, whose widths differ by up to a factor of two, are spread
// over bins of equal ratio, four to each power of two.
#include "plot/frame.h"

#include "metric/metric.h"
#include "stats/hist.h"
#include "store/values.h"

enum { BINS_PER_OCTAVE = 4, BINS = 41 * BINS_PER_OCTAVE };

struct latencies {
	char *probe, *part;
	GArray *rows;       // struct store_buckets_row
	GHashTable *places; // run → index into selection->runs, + 1
};

static const struct selection_place *place_of(const struct plot *p, const struct latencies *l, int64_t run)
{
	int i = GPOINTER_TO_INT(g_hash_table_lookup(l->places, &run)) - 1;

	return i < 0 ? NULL : &g_array_index(p->selection->places, struct selection_place, i);
}

static struct hist hist_of(const struct store_buckets_row *row)
{
	struct hist h = {(uint64_t)row->count,
			 (uint64_t)MAX(row->sum_ns, 0),
			 (uint64_t)MAX(row->min_ns, 0),
			 (uint64_t)MAX(row->max_ns, 0),
			 {}};

	memcpy(h.buckets, row->buckets, sizeof(h.buckets));
	return h;
}

// --- which probe

// The one that most runs have with the most calls, when neither the user nor the template's is there.
static int most_called(struct store *store, char **probe)
{
	g_autoptr(GArray) names = NULL;
	int64_t most = 0;
	int rc = store_read_names(store, STORE_HISTS, &names);

	for (guint i = 0; !rc && i < names->len; i++) {
		const struct store_name_row *n = &g_array_index(names, struct store_name_row, i);
		g_autoptr(GArray) totals = NULL;
		int64_t calls = 0;

		rc = store_read_totals(store, n->name, n->part, NULL, &totals);
		for (guint k = 0; !rc && k < totals->len; k++)
			calls += MAX(g_array_index(totals, struct store_total_row, k).count, 0);
		if (rc || calls <= most)
			continue;
		most = calls;
		g_free(*probe);
		*probe = *n->part ? g_strdup_printf("%s/%s", n->name, n->part) : g_strdup(n->name);
	}
	return rc;
}

static int read_rows(struct plot *p, struct latencies *l, const char *probe)
{
	char *slash;

	g_free(l->probe);
	l->probe = g_strdup(probe);
	slash = strrchr(l->probe, '/');
	l->part = slash ? slash + 1 : "";
	if (slash)
		*slash = 0;
	g_clear_pointer(&l->rows, g_array_unref);
	return store_read_buckets(p->store, l->probe, l->part, strcmp(p->class, "all") ? p->class : NULL,
				  &l->rows);
}

// Leaves what is selected, has calls, and comes from a run's first backend.
static void keep_selected(struct plot *p, struct latencies *l)
{
	g_autoptr(GHashTable) first = g_hash_table_new(g_int64_hash, g_int64_equal); // run → row
	GArray *kept = g_array_new(FALSE, FALSE, sizeof(struct store_buckets_row));

	for (guint i = 0; i < l->rows->len; i++) {
		struct store_buckets_row *row = &g_array_index(l->rows, struct store_buckets_row, i), *other;

		if (row->count <= 0 || !place_of(p, l, row->run))
			continue;
		other = g_hash_table_lookup(first, &row->run);
		if (!other)
			g_hash_table_insert(first, &row->run, row);
		else if (other->probe != row->probe)
			continue;
		g_array_append_val(kept, *row);
	}
	g_hash_table_remove_all(first); // its keys are in the array that goes
	g_array_unref(l->rows);
	l->rows = kept;
}

static int remark_losses(struct plot *p, struct latencies *l)
{
	g_autoptr(GArray) lossy = NULL;
	int64_t lost = 0, seen = 0;
	int rc = store_read_lossy(p->store, l->probe, &lossy);

	for (guint i = 0; !rc && i < lossy->len; i++) {
		const struct store_lossy_row *row = &g_array_index(lossy, struct store_lossy_row, i);

		if (!place_of(p, l, row->run))
			continue;
		lost += row->lost;
		seen += row->seen;
	}
	if (lost > 0 && (double)lost > 0.001 * (double)(lost + seen))
		plot_remark(p, "INCOMPLETE: %" PRId64 " calls were lost beside %" PRId64 " that were seen.",
			    lost, seen);
	return rc;
}

static void latencies_clear(struct latencies *l)
{
	g_free(l->probe);
	g_clear_pointer(&l->rows, g_array_unref);
	g_hash_table_unref(l->places);
}

static int latencies_read(struct plot *p, struct latencies *l)
{
	g_autofree char *other = NULL;
	int rc;

	l->places = g_hash_table_new(g_int64_hash, g_int64_equal);
	for (guint i = 0; i < p->selection->runs->len; i++)
		g_hash_table_insert(l->places, &g_array_index(p->selection->runs, struct store_run_row, i).id,
				    GINT_TO_POINTER(i + 1));
	rc = p->probe ? read_rows(p, l, p->probe) : -ENOENT;
	if (!p->options->probe && (rc == -ENOENT || (!rc && !l->rows->len))) {
		rc = most_called(p->store, &other);
		if (!rc)
			rc = read_rows(p, l, other ? other : "");
	}
	if (!rc)
		keep_selected(p, l);
	if (!rc && !l->rows->len)
		rc = err_set(-ENODATA, "no run has a latency histogram of %s, class %s",
			     *l->probe ? l->probe : "any probe", p->class);
	return rc ? rc : remark_losses(p, l);
}

static void describe(struct plot *p, const struct latencies *l)
{
	double least = INFINITY, most = 0;

	g_autofree char *title = g_strdup_printf("%s %s", l->probe, *l->part ? l->part : "latency");

	for (guint i = 0; i < l->rows->len; i++) {
		const struct store_buckets_row *row = &g_array_index(l->rows, struct store_buckets_row, i);

		least = fmin(least, (double)MAX(row->min_ns, 1));
		most = fmax(most, (double)MAX(row->max_ns, 2));
	}
	plot_number(p, "least_s", least * 1e-9);
	plot_number(p, "most_s", most * 1.1e-9);
	plot_text(p, "x_title", title);
	plot_remark(p, "Probe %s%s%s, calls of class %s%s, known to %.1f %%.", l->probe, *l->part ? "/" : "",
		    l->part, p->class, *l->part ? "" : "; the time from entry to return", 100 * HIST_ERROR);
}

// --- bins

static double bin_edge(int bin)
{
	return exp2((double)bin / BINS_PER_OCTAVE);
}

// The share of all calls that falls into each bin; a bucket's calls are spread evenly over the logarithm.
static void spread(const struct hist *h, double *share)
{
	memset(share, 0, BINS * sizeof(*share));
	for (unsigned int b = 0; b < HIST_BUCKETS; b++) {
		double from = log2(fmax((double)hist_bucket_low(b), 1)) * BINS_PER_OCTAVE;
		double to = log2(fmin((double)hist_bucket_high(b), exp2(40)) + 1) * BINS_PER_OCTAVE;

		if (!h->buckets[b] || !(to > from))
			continue;
		for (int i = (int)from; i < BINS && i < to; i++) {
			double part = fmin(i + 1, to) - fmax(i, from);

			share[i] += part / (to - from) * (double)h->buckets[b] / (double)h->count;
		}
	}
}

static void block_names(struct plot *p, struct table *t, guint w, guint s)
{
	table_text(t, plot_workload(p, w));
	table_text(t, plot_system(p, s));
	table_end(t);
}

static void empty_block(struct plot *p, struct table *t, const struct hist *h G_GNUC_UNUSED, guint w, guint s,
			double *extreme G_GNUC_UNUSED)
{
	for (int i = 0; i < 3; i++)
		table_real(t, NAN);
	block_names(p, t, w, s);
}

// *extreme: the greatest share.
static void bins_block(struct plot *p, struct table *t, const struct hist *h, guint w, guint s,
		       double *extreme)
{
	double share[BINS];
	int first = 0, last = BINS - 1;

	spread(h, share);
	while (first < last && share[first] <= 0)
		first++;
	while (last > first && share[last] <= 0)
		last--;
	for (int i = MAX(first - 1, 0); i <= MIN(last + 1, BINS - 1); i++) {
		table_real(t, bin_edge(i) * 1e-9);
		table_real(t, bin_edge(i + 1) * 1e-9);
		table_real(t, share[i]);
		*extreme = fmax(*extreme, share[i]);
		block_names(p, t, w, s);
	}
}

// *extreme: the greatest number of calls. Points at the buckets' upper edges; the last at the exact maximum.
static void cdf_block(struct plot *p, struct table *t, const struct hist *h, guint w, guint s,
		      double *extreme)
{
	uint64_t sum = 0;

	*extreme = fmax(*extreme, (double)h->count);
	table_real(t, (double)h->min * 1e-9);
	table_real(t, 0);
	table_real(t, 1);
	block_names(p, t, w, s);
	for (unsigned int b = 0; b < HIST_BUCKETS && sum < h->count; b++) {
		double edge = fmin((double)hist_bucket_high(b) + 1, (double)MAX(h->max, 1));

		if (!h->buckets[b])
			continue;
		sum += h->buckets[b];
		table_real(t, edge * 1e-9);
		table_real(t, (double)sum / (double)h->count);
		// on a logarithmic axis the last step ends at half a call
		table_real(t, fmax((double)(h->count - MIN(sum, h->count)), 0.5) / (double)h->count);
		block_names(p, t, w, s);
	}
}

static void remark_calls(struct plot *p, const struct hist *sums)
{
	g_autoptr(GString) text = g_string_new("Calls: ");
	guint n_systems = p->selection->systems->len;

	for (guint s = 0; s < n_systems; s++) {
		g_autofree char *name = text_clean(plot_system(p, s));
		uint64_t calls = 0;

		for (guint w = 0; w < p->selection->workloads->len; w++)
			calls += sums[w * n_systems + s].count;
		g_string_append_printf(text, "%s%s %" PRIu64, s ? ", " : "", name, calls);
	}
	plot_remark(p, "%s.", text->str);
}

static int per_cell(struct plot *p, struct table **table, const char *columns,
		    void (*block)(struct plot *, struct table *, const struct hist *, guint, guint, double *))
{
	guint n_systems = p->selection->systems->len, n_workloads = p->selection->workloads->len;
	g_autofree struct hist *sums = g_new0(struct hist, (size_t)n_systems * n_workloads + 1);
	struct latencies l = {};
	double extreme = 0;
	int rc = latencies_read(p, &l);

	for (guint i = 0; !rc && i < l.rows->len; i++) {
		const struct store_buckets_row *row = &g_array_index(l.rows, struct store_buckets_row, i);
		const struct selection_place *place = place_of(p, &l, row->run);
		struct hist one = hist_of(row);

		hist_merge(&sums[place->workload * n_systems + place->system], &one);
	}
	if (!rc) {
		frame_systems_are_lines(p);
		frame_workloads_are_panels(p);
		describe(p, &l);
		remark_calls(p, sums);
		*table = table_new(columns);
		for (guint w = 0; w < n_workloads; w++)
			for (guint s = 0; s < n_systems; s++) {
				const struct hist *h = &sums[w * n_systems + s];

				(h->count ? block : empty_block)(p, *table, h, w, s, &extreme);
				if (!h->count)
					frame_absent(p, w, s);
				table_gap(*table, 2);
			}
		plot_number(p, "extreme", extreme);
	}
	latencies_clear(&l);
	return rc;
}

int source_bins(struct plot *p, const struct template_data *d, struct table **table)
{
	(void)d;
	plot_number(p, "bins_per_octave", BINS_PER_OCTAVE);
	return per_cell(p, table, "low_s high_s share workload_name system_name", bins_block);
}

int source_cdf(struct plot *p, const struct template_data *d, struct table **table)
{
	(void)d;
	return per_cell(p, table, "latency_s cdf ccdf workload_name system_name", cdf_block);
}

// --- run by run

// Where a system has no run: a share below 0.
static void gap_row(struct plot *p, struct table *t, guint workload, guint system)
{
	table_real(t, system + 1);
	table_real(t, system + 1);
	table_real(t, NAN);
	table_real(t, NAN);
	table_int(t, -1);
	table_int(t, 0);
	block_names(p, t, workload, system);
}

// Runs stand beside each other in their system's slot of the axis, in the order in which they ran.
static void run_block(struct plot *p, struct table *t, const struct latencies *l, guint workload,
		      double *most)
{
	const struct selection *s = p->selection;
	g_autofree guint *n = g_new0(guint, s->systems->len + 1), *k = g_new0(guint, s->systems->len + 1);
	double share[BINS];

	for (guint i = 0; i < l->rows->len; i++) {
		const struct selection_place *place =
		    place_of(p, l, g_array_index(l->rows, struct store_buckets_row, i).run);

		n[place->system] += place->workload == workload;
	}
	for (guint i = 0; i < l->rows->len; i++) {
		const struct store_buckets_row *row = &g_array_index(l->rows, struct store_buckets_row, i);
		const struct selection_place *place = place_of(p, l, row->run);
		struct hist h = hist_of(row);
		double width, x;

		if (place->workload != workload)
			continue;
		width = 0.92 / n[place->system];
		x = place->system + 1 - 0.46 + width * k[place->system]++;
		spread(&h, share);
		for (int b = 0; b < BINS; b++) {
			if (share[b] <= 0)
				continue;
			*most = fmax(*most, share[b]);
			table_real(t, x);
			table_real(t, x + width);
			table_real(t, bin_edge(b) * 1e-9);
			table_real(t, bin_edge(b + 1) * 1e-9);
			table_real(t, share[b]);
			table_int(t, row->run);
			block_names(p, t, workload, place->system);
		}
	}
	for (guint i = 0; i < s->systems->len; i++)
		if (!n[i])
			gap_row(p, t, workload, i);
	table_gap(t, 2);
}

// The selection is sorted by workload, system and time, the rows by run: ids grow with time.
int source_run_bins(struct plot *p, const struct template_data *d, struct table **table)
{
	struct latencies l = {};
	double most = 0;
	int rc = latencies_read(p, &l);

	(void)d;
	if (!rc) {
		frame_workloads_are_panels(p);
		for (guint s = 0; s < p->selection->systems->len; s++)
			g_ptr_array_add(p->groups, p->selection->systems->pdata[s]);
		p->bars = p->groups->len;
		describe(p, &l);
		*table = table_new("x_low x_high low_s high_s share run workload_name system_name");
		for (guint w = 0; w < p->selection->workloads->len; w++)
			run_block(p, *table, &l, w, &most);
		plot_number(p, "colour_most", 100 * most);
	}
	latencies_clear(&l);
	return rc;
}
