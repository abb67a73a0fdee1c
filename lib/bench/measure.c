// Measures one operation until its median is known; see bench.h. Samples come in batches, whose medians are
// what the interval is taken over (samples that follow each other are not independent). Batches at the
// beginning belong to the warm-up as long as the rest drifts (Mann and Kendall's test). Samples that a
// context switch or a migration fell into are set aside and counted, unless the operation waits by its
// nature: then they are its own, and without them only those would be left that found nothing to wait for.
#include <errno.h>
#include <math.h>
#include <stddef.h>

#include "base/err.h"
#include "bench/internal.h"
#include "bench/interrupts.h"
#include "stats/interval.h"
#include "stats/stability.h"

#define MOST_BATCH 25    // samples
#define LEAST_BATCHES 12 // a drift of the second half, six, can just be seen
#define MOST_BATCHES 4000

struct series {
	GArray *values;          // double, ns a unit
	GArray *medians;         // of each batch
	GByteArray *interrupted; // of values: whether an interrupt fell into the sample
	guint batch;             // samples in one: fewer when they take long
	gint64 begun_us, limit_us;
	guint64 disturbed, in_a_row, kept; // set aside; since the last one that was not; not set aside
	guint64 not_so;                    // samples in which it did not happen
	char *why_not;                     // the last of them
	bool several;                      // a sample did more than one of what is counted
	enum { PRECISE, LIMIT, NO_MORE, STOPPED, FULL } end;
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

void bench_before(struct bench_run *run)
{
	struct labcall_counts all;

	run->interrupts_before = interrupts_read(run->interrupts);
	run->before = timing_mark();
	run->counted = run->count && host_lab_read(&run->from, &all);
}

void bench_after(struct bench_run *run)
{
	struct labcall_counts all;

	run->counted = run->counted && host_lab_read(&run->to, &all);
	run->after = timing_mark();
	run->interrupts_after = interrupts_read(run->interrupts);
}

// What a sample takes on its CPU, from one reading to the other; between two that have nothing between them
// are a few.
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
	uint64_t cycles = 0;
	guint8 interrupted;
	double ns;
	int rc = op->sample(run, ctx, &cycles);

	if (rc == BENCH_NOT_SO) {
		s->not_so++;
		g_free(s->why_not);
		s->why_not = g_strdup(err_text());
	}
	if (rc)
		return rc == BENCH_NOT_SO ? 0 : rc;
	if (!op->sleeps && timing_disturbed(&run->before, &run->after)) {
		if (s->in_a_row++ < MOST_BATCH) {
			s->disturbed++;
			return 0;
		}
		s->kept++; // where every sample is disturbed, that is how it is here
	}
	s->in_a_row = 0;
	if (run->counted)
		keep_counts(s, op, &run->from, &run->to);
	s->several |= op->units > 1;
	ns = timing_ns(&run->timing, cycles) / op->units;
	g_array_append_val(s->values, ns);
	interrupted = run->interrupts_after != run->interrupts_before;
	g_byte_array_append(s->interrupted, &interrupted, 1);
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

// Is the warm-up over? *from: the first batch from which on there is no drift; the second half if there is
// none in the first.
static bool settled(const struct series *s, guint *from)
{
	const double *m = (const double *)s->medians->data;
	guint n = s->medians->len, step = MAX(n / 20, 1);

	*from = 0;
	if (n < LEAST_BATCHES)
		return false;
	for (; *from <= n / 2; *from += step)
		if (!(stability_drift(m + *from, n - *from).p < STABILITY_ALPHA))
			return true;
	*from = n / 2;
	return false;
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
	guint from;

	if (s->medians->len < LEAST_BATCHES || s->medians->len < *next_check)
		return false;
	*next_check = s->medians->len + MAX(s->medians->len / 5, 1);
	if (!settled(s, &from))
		return false;
	i = median_of(s, from);
	return precision_of(&i) <= precision;
}

// Past the limit it goes on only until there is anything to say.
static bool out_of_time(const struct series *s)
{
	return (gint64)(timing_clock() / 1000) - s->begun_us > s->limit_us &&
	       (s->values->len >= 3 || s->not_so);
}

static int collect(struct bench_run *run, const struct bench_op *op, void *ctx, struct series *s)
{
	double precision = bench_real(run, "precision");
	guint64 next_check = 0;
	int rc = 0;

	s->limit_us = (gint64)(bench_real(run, "limit") * 1e6);
	s->begun_us = (gint64)(timing_clock() / 1000);
	for (s->end = FULL; s->medians->len < MOST_BATCHES;) {
		s->end = STOPPED;
		if (bench_stopped(run))
			break;
		s->end = NO_MORE;
		rc = take_sample(run, op, ctx, s);
		if (rc)
			break;
		if (!s->batch && s->values->len == 3)
			s->batch = batch_size(s);
		while (s->batch && s->values->len >= (s->medians->len + 1) * s->batch)
			end_batch(s);
		s->end = PRECISE;
		if (enough(s, precision, &next_check))
			break;
		s->end = LIMIT;
		if (out_of_time(s))
			break;
		s->end = FULL;
	}
	return rc == BENCH_NO_MORE ? 0 : rc;
}

static void name_metric(struct bench_run *run, const struct bench_op *op, const char *suffix, double value,
			const char *unit, const char *better)
{
	g_autofree char *name = g_strdup_printf("%s%s", op->name, suffix);

	bench_metric(run, name, value, unit, better);
}

static const char *why_ended(const struct series *s)
{
	static const char *const why[] = {[PRECISE] = "it was known well enough",
					  [LIMIT] = "the time limit came (--limit)",
					  [NO_MORE] = "there was nothing more to time",
					  [STOPPED] = "a signal came",
					  [FULL] = "there were as many as are kept"};

	return why[s->end];
}

static void tell_precision(struct bench_run *run, const struct bench_op *op, const struct series *s,
			   const struct interval *i, guint samples)
{
	double reached = precision_of(i), wanted = bench_real(run, "precision");
	g_autofree char *what = g_strdup_printf("%s within %g %%", op->name, 100 * wanted);

	if (isfinite(reached))
		name_metric(run, op, ".precision", reached, "ratio", "less");
	if (reached <= wanted)
		return;
	if (isfinite(reached))
		bench_cannot(run, what, "after %u samples %s: it is known to %.1f %%", samples, why_ended(s),
			     100 * reached);
	else
		bench_cannot(run, what, "after %u samples %s: too few for an interval", samples,
			     why_ended(s));
}

static void tell_unsettled(struct bench_run *run, const struct bench_op *op, const struct series *s)
{
	g_autofree char *what = g_strdup_printf("%s without its warm-up", op->name);

	if (s->medians->len < LEAST_BATCHES)
		bench_cannot(run, what, "after %u samples %s: too few to see whether they drift",
			     s->values->len, why_ended(s));
	else
		bench_cannot(run, what,
			     "its samples still drifted when %s; the figure is of their second half",
			     why_ended(s));
}

static void tell_loss(struct bench_run *run, const struct bench_op *op, const char *suffix, guint64 count,
		      const char *detail)
{
	g_autofree char *kind = g_strdup_printf("%s%s", op->name, suffix);

	bench_loss(run, kind, count, detail);
}

// What was set aside, and what was not but might have been.
static void tell_losses(struct bench_run *run, const struct bench_op *op, const struct series *s,
			guint warm_up)
{
	if (!op->sleeps) {
		tell_loss(run, op, ".disturbed", s->disturbed,
			  "samples set aside: a context switch or a migration fell into them");
		if (s->kept)
			tell_loss(run, op, ".disturbed_kept", s->kept,
				  "samples that one fell into and that are in the figure, as so many before "
				  "them had one too");
	}
	tell_loss(run, op, ".warm_up", warm_up, "samples set aside: warm-up");
	if (s->not_so)
		tell_loss(run, op, ".not_so", s->not_so, s->why_not);
}

// The part of the figure's samples into which an interrupt fell. They stay: without them the shorter ones
// would be left.
static void tell_interrupted(struct bench_run *run, const struct bench_op *op, const struct series *s,
			     guint from)
{
	guint n = 0;

	for (guint k = from; k < s->interrupted->len; k++)
		n += s->interrupted->data[k];
	if (run->interrupts && !op->sleeps)
		name_metric(run, op, ".interrupted", (double)n / (s->interrupted->len - from), "ratio",
			    "less");
}

// A sample of several is an average, which has no distribution worth the name.
static void store_hist(struct bench_run *run, const struct bench_op *op, const struct series *s, guint from)
{
	struct hist *h = s->several ? NULL : bench_hist(run, op->name);

	for (guint k = from; h && k < s->values->len; k++)
		hist_add(h, (uint64_t)llround(g_array_index(s->values, double, k)));
}

static void store(struct bench_run *run, const struct bench_op *op, const struct series *s, double *median_ns)
{
	guint warm, from;
	bool still = settled(s, &warm);
	g_autofree char *unit = g_strdup_printf("cycles/%s", op->unit);
	struct interval i = median_of(s, warm);

	from = warm * s->batch;
	tell_losses(run, op, s, from);
	if (!s->values->len) {
		bench_cannot(run, op->name, "%s", s->not_so ? s->why_not : why_ended(s));
		return;
	}
	i.value = stats_median((const double *)s->values->data + from, s->values->len - from);
	store_hist(run, op, s, from);
	name_metric(run, op, "", i.value, "ns", "less");
	if (run->timing.tsc)
		name_metric(run, op, ".cycles", i.value * run->timing.hz / 1e9, unit, "less");
	name_metric(run, op, ".samples", s->values->len - from, "count", "neither");
	tell_interrupted(run, op, s, from);
	tell_precision(run, op, s, &i, s->values->len - from);
	if (!still)
		tell_unsettled(run, op, s);
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

// Once, until the process ends: closing a tracepoint waits for RCU. Not for operations that wait: each switch
// of a thread whose interrupts are counted takes longer, which lat_ctx would time.
static void watch_interrupts(struct bench_run *run)
{
	if (!run->interrupts_asked && interrupts_open(&run->interrupts))
		bench_cannot(run, "interrupts in samples", "%s", err_text());
	run->interrupts_asked = true;
}

int bench_measure(struct bench_run *run, const struct bench_op *op, void *ctx, double *median_ns)
{
	struct series s = {.values = g_array_new(FALSE, FALSE, sizeof(double)),
			   .medians = g_array_new(FALSE, FALSE, sizeof(double)),
			   .interrupted = g_byte_array_new(),
			   .counters = find_counters()};
	int rc;

	if (!op->sleeps)
		watch_interrupts(run);
	run->count = s.counters->len > 0;
	rc = collect(run, op, ctx, &s);
	if (!rc)
		store(run, op, &s, median_ns);
	if (!rc)
		store_counts(run, op, &s);
	g_free(s.why_not);
	g_byte_array_unref(s.interrupted);
	g_ptr_array_unref(s.counters);
	g_array_unref(s.values);
	g_array_unref(s.medians);
	return rc;
}
