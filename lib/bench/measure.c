// Measures one operation until its median is known; see bench.h. Samples come in batches, whose medians are
// what the interval is taken over (samples that follow each other are not independent). Batches at the
// beginning belong to the warm-up as long as the rest drifts (Mann and Kendall's test). Samples that a
// context switch or a migration fell into are set aside and counted: they are not the operation's.
#include <errno.h>
#include <math.h>
#include <stddef.h>

#include "base/err.h"
#include "bench/internal.h"
#include "host/lab.h"
#include "stats/interval.h"
#include "stats/stability.h"

#define MOST_BATCH 25 // samples
#define LEAST_BATCHES 10
#define MOST_BATCHES 4000

struct series {
	GArray *values;  // double, ns a unit
	GArray *medians; // of each batch
	guint batch;     // samples in one: fewer when they take long
	gint64 begun_us, limit_us;
	guint64 disturbed, in_a_row;
	GPtrArray *counters; // struct counter, in the lab with --count
};

// What the lab counts of a sample, a unit; `at`: in struct labcall_counts.
struct counter {
	char *name;
	const char *unit;
	size_t at;
	GArray *values; // double
};

static void free_counter(void *p)
{
	struct counter *c = p;

	g_array_unref(c->values);
	g_free(c->name);
	g_free(c);
}

static void add_counter(GPtrArray *counters, char *name, const char *unit, size_t at)
{
	struct counter *c = g_new0(struct counter, 1);

	*c = (struct counter){name, unit, at, g_array_new(FALSE, FALSE, sizeof(double))};
	g_ptr_array_add(counters, c);
}

// None where nobody counts. Functions that are counted apart (scripts/lab --count-range) have their names.
static GPtrArray *find_counters(void)
{
	GPtrArray *counters = g_ptr_array_new_with_free_func(free_counter);
	const char *list = g_getenv("MMPROF_LAB_FUNCTIONS");
	g_auto(GStrv) functions = g_strsplit(list ?: "", ",", LABCALL_RANGES);
	struct labcall hello;

	if (!host_lab_plugin(&hello) || !(hello.out.hello.features & LABCALL_COUNT))
		return counters;
	add_counter(counters, g_strdup("user_instructions"), "instructions",
		    offsetof(struct labcall_counts, user_instructions));
	add_counter(counters, g_strdup("kernel_instructions"), "instructions",
		    offsetof(struct labcall_counts, kernel_instructions));
	for (size_t i = 0; functions[i]; i++) {
		add_counter(counters, g_strdup_printf("%s.instructions", functions[i]), "instructions",
			    offsetof(struct labcall_counts, range[i].instructions));
		add_counter(counters, g_strdup_printf("%s.calls", functions[i]), "calls",
			    offsetof(struct labcall_counts, range[i].calls));
	}
	return counters;
}

static uint64_t count_at(const struct labcall_counts *counts, size_t at)
{
	return *(const uint64_t *)((const char *)counts + at);
}

// What a sample takes on its CPU, from one mark to the other; between two that have nothing between them are
// a few.
static void keep_counts(struct series *s, const struct bench_op *op, const struct labcall_counts *from,
			const struct labcall_counts *to)
{
	for (guint i = 0; i < s->counters->len; i++) {
		struct counter *c = s->counters->pdata[i];
		double value = (double)(count_at(to, c->at) - count_at(from, c->at)) / op->units;

		g_array_append_val(c->values, value);
	}
}

static int take_sample(struct bench_run *run, const struct bench_op *op, void *ctx, struct series *s)
{
	struct timing_mark before = timing_mark(), after;
	struct labcall_counts from, to, all;
	uint64_t cycles = 0;
	double ns;
	bool counted = s->counters->len && host_lab_read(&from, &all);
	int rc = op->sample(run, ctx, &cycles);

	if (counted && host_lab_read(&to, &all))
		keep_counts(s, op, &from, &to);
	after = timing_mark();
	if (rc)
		return rc;
	// where every sample is disturbed, that is how it is here
	if (!op->sleeps && timing_disturbed(&before, &after) && s->in_a_row++ < MOST_BATCH) {
		s->disturbed++;
		return 0;
	}
	s->in_a_row = 0;
	ns = timing_ns(&run->timing, cycles) / op->units;
	g_array_append_val(s->values, ns);
	return 0;
}

// A tenth of the limit is for ten batches, so that there are a hundred in all if it is reached.
static guint batch_size(const struct series *s)
{
	gint64 one_us = ((gint64)(timing_clock() / 1000) - s->begun_us) / MAX(s->values->len, 1);

	return (guint)CLAMP(s->limit_us / 100 / MAX(one_us, 1), 1, MOST_BATCH);
}

static void end_batch(struct series *s)
{
	const double *first = &g_array_index(s->values, double, s->medians->len * s->batch);
	double median = stats_median(first, s->batch);

	g_array_append_val(s->medians, median);
}

// The first batch from which on there is no drift; half of them at most.
static guint warm_up(const struct series *s)
{
	const double *m = (const double *)s->medians->data;
	guint n = s->medians->len, step = MAX(n / 20, 1);

	for (guint from = 0; from <= n / 2; from += step)
		if (!(stability_drift(m + from, n - from).p < STABILITY_ALPHA))
			return from;
	return n / 2;
}

static struct interval median_of(const struct series *s, guint from)
{
	const double *m = (const double *)s->medians->data;

	return stats_median_interval(m + from, s->medians->len - from);
}

static double precision_of(const struct interval *i)
{
	return i->value > 0 && !isnan(i->low) ? (i->high - i->low) / 2 / i->value : INFINITY;
}

static bool enough(const struct series *s, double precision, guint64 *next_check)
{
	struct interval i;

	if (s->medians->len < LEAST_BATCHES || s->medians->len < *next_check)
		return false;
	*next_check = s->medians->len + MAX(s->medians->len / 5, 1);
	i = median_of(s, warm_up(s));
	return precision_of(&i) <= precision;
}

static int collect(struct bench_run *run, const struct bench_op *op, void *ctx, struct series *s)
{
	double precision = bench_real(run, "precision");
	guint64 next_check = 0;
	int rc = 0;

	s->limit_us = (gint64)(bench_real(run, "limit") * 1e6);
	s->begun_us = (gint64)(timing_clock() / 1000);
	while (!rc && s->medians->len < MOST_BATCHES && !bench_stopped(run)) {
		rc = take_sample(run, op, ctx, s);
		if (!s->batch && s->values->len == 3)
			s->batch = batch_size(s);
		while (!rc && s->batch && s->values->len >= (s->medians->len + 1) * s->batch)
			end_batch(s);
		if (enough(s, precision, &next_check))
			break;
		// past the limit it goes on only until there is anything to say
		if ((gint64)(timing_clock() / 1000) - s->begun_us > s->limit_us && s->values->len >= 3)
			break;
	}
	return rc == BENCH_NO_MORE ? 0 : rc;
}

static void name_metric(struct bench_run *run, const struct bench_op *op, const char *suffix, double value,
			const char *unit, const char *better)
{
	g_autofree char *name = g_strdup_printf("%s%s", op->name, suffix);

	bench_metric(run, name, value, unit, better);
}

static void tell_precision(struct bench_run *run, const struct bench_op *op, const struct interval *i,
			   guint samples)
{
	double reached = precision_of(i), wanted = bench_real(run, "precision");
	g_autofree char *what = g_strdup_printf("%s within %g %%", op->name, 100 * wanted);

	if (isfinite(reached))
		name_metric(run, op, ".precision", reached, "ratio", "less");
	if (reached <= wanted)
		return;
	if (isfinite(reached))
		bench_cannot(run, what,
			     "after %u samples the time limit came: it is known to %.1f %% (--limit)",
			     samples, 100 * reached);
	else
		bench_cannot(run, what,
			     "after %u samples the time limit came: too few for an interval (--limit)",
			     samples);
}

static void store(struct bench_run *run, const struct bench_op *op, const struct series *s, double *median_ns)
{
	guint warm = s->medians->len >= LEAST_BATCHES ? warm_up(s) : 0, from = warm * s->batch;
	g_autofree char *disturbed = g_strdup_printf("%s.disturbed", op->name);
	g_autofree char *warm_name = g_strdup_printf("%s.warm_up", op->name), *unit = NULL;
	struct interval i = median_of(s, warm);
	struct hist *h = bench_hist(run, op->name);

	if (s->values->len <= from) {
		bench_cannot(run, op->name, "%s",
			     s->disturbed ? "every sample was disturbed by a context switch or a migration"
					  : "there was nothing to time");
		return;
	}
	i.value = stats_median((const double *)s->values->data + from, s->values->len - from);
	for (guint k = from; k < s->values->len; k++)
		hist_add(h, (uint64_t)llround(g_array_index(s->values, double, k)));
	unit = g_strdup_printf("cycles/%s", op->unit);
	name_metric(run, op, "", i.value, "ns", "less");
	if (run->timing.tsc)
		name_metric(run, op, ".cycles", i.value * run->timing.hz / 1e9, unit, "less");
	name_metric(run, op, ".samples", s->values->len - from, "count", "neither");
	tell_precision(run, op, &i, s->values->len - from);
	bench_loss(run, disturbed, s->disturbed,
		   "samples set aside: a context switch or a migration fell into them");
	bench_loss(run, warm_name, from, "samples set aside: warm-up");
	if (median_ns)
		*median_ns = i.value;
}

// The median of what interrupts and other processes disturb; the least is what the operation itself takes.
static void store_counts(struct bench_run *run, const struct bench_op *op, const struct series *s)
{
	for (guint i = 0; i < s->counters->len; i++) {
		const struct counter *c = s->counters->pdata[i];
		const double *v = (const double *)c->values->data;
		g_autofree char *name = g_strdup_printf(".%s", c->name);
		g_autofree char *least_name = g_strdup_printf(".%s.least", c->name);
		g_autofree char *unit = g_strdup_printf("%s/%s", c->unit, op->unit);
		double least = INFINITY;

		if (!c->values->len)
			continue;
		for (guint k = 0; k < c->values->len; k++)
			least = MIN(least, v[k]);
		name_metric(run, op, name, stats_median(v, c->values->len), unit, "less");
		name_metric(run, op, least_name, least, unit, "less");
	}
}

int bench_measure(struct bench_run *run, const struct bench_op *op, void *ctx, double *median_ns)
{
	struct series s = {.values = g_array_new(FALSE, FALSE, sizeof(double)),
			   .medians = g_array_new(FALSE, FALSE, sizeof(double)),
			   .counters = find_counters()};
	int rc = collect(run, op, ctx, &s);

	if (!rc)
		store(run, op, &s, median_ns);
	if (!rc)
		store_counts(run, op, &s);
	g_ptr_array_unref(s.counters);
	g_array_unref(s.values);
	g_array_unref(s.medians);
	return rc;
}
