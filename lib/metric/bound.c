// Bounds that a comparison must keep; see bound.h. A bound with a factor is judged on the baseline's runs
// times the factor, so that the test and the interval are of the bound itself, not of the plain difference.
#include "metric/bound.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "metric/compare.h"

static int malformed(const char *text)
{
	return err_set(
	    -EINVAL,
	    "--fail-if \"%s\": the form is METRIC:SYSTEM>SYSTEM*FACTOR or METRIC:SYSTEM>NUMBER, e.g. "
	    "'elapsed:ours>tpp*1.05' ('<' likewise)",
	    text);
}

// "10us", "1.5GiB", "80%": in base units.
static bool parse_number(const char *text, double *value)
{
	static const struct {
		const char *suffix;
		double factor;
	} units[] = {{"", 1},     {"ns", 1},       {"us", 1e3},     {"ms", 1e6},    {"s", 1e9},
		     {"%", 0.01}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}};
	char *end;

	*value = g_ascii_strtod(text, &end);
	if (end == text || !isfinite(*value))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		if (strcmp(end, units[i].suffix))
			continue;
		*value *= units[i].factor;
		return true;
	}
	return false;
}

int bound_parse(const char *text, struct bound *b)
{
	const char *sign = strpbrk(text, "<>"), *colon, *star;
	g_autofree char *left = sign ? g_strndup(text, (gsize)(sign - text)) : NULL;

	memset(b, 0, sizeof(*b));
	colon = left ? strrchr(left, ':') : NULL;
	if (!colon || colon == left || !colon[1] || !sign[1])
		return malformed(text);
	b->metric = g_strndup(left, (gsize)(colon - left));
	b->system = g_strdup(colon + 1);
	b->above = *sign == '>';
	b->factor = 1;
	if (parse_number(sign + 1, &b->factor))
		return 0;
	b->factor = 1;
	star = strrchr(sign + 1, '*');
	if (star && (!parse_number(star + 1, &b->factor) || b->factor <= 0))
		return malformed(text);
	b->other = star ? g_strndup(sign + 1, (gsize)(star - sign - 1)) : g_strdup(sign + 1);
	return *b->other ? 0 : malformed(text);
}

void bound_clear(struct bound *b)
{
	g_free(b->metric);
	g_free(b->system);
	g_free(b->other);
}

// --- judging

struct judged {
	double p, least_p, median, limit;
	bool beyond; // the median is, and so is all of the interval
	bool data;
};

// A number instead of runs is a baseline that is always exactly it.
static struct judged judge_number(const struct bound *b, const struct cell *cell)
{
	struct judged j = {.p = NAN, .median = cell->median.value, .limit = b->factor, .data = cell->n > 0};
	g_autofree double *same = g_new(double, cell->n + 1);

	for (size_t i = 0; i < cell->n; i++)
		same[i] = b->factor;
	if (!j.data)
		return j;
	j.p = rank_compare(same, cell->n, cell->values, cell->n).p;
	j.least_p = rank_least_p(cell->n, cell->n);
	j.beyond = b->above ? cell->median.low > b->factor : cell->median.high < b->factor;
	return j;
}

static struct judged judge_system(const struct bound *b, const struct cell *base, const struct cell *cell,
				  uint64_t seed)
{
	struct judged j = {.p = NAN,
			   .median = cell->median.value,
			   .limit = base->median.value * b->factor,
			   .data = base->n && cell->n};
	g_autofree double *scaled = g_new(double, base->n + 1);
	struct interval change;

	for (size_t i = 0; i < base->n; i++)
		scaled[i] = base->values[i] * b->factor;
	if (!j.data)
		return j;
	j.p = rank_compare(scaled, base->n, cell->values, cell->n).p;
	j.least_p = rank_least_p(base->n, cell->n);
	change = stats_change_interval(scaled, base->n, cell->values, cell->n, seed);
	j.beyond = b->above ? change.low > 0 : change.high < 0;
	return j;
}

static char *words(const struct bound *b, const struct comparison *c, guint w, const struct judged *j,
		   const char *state)
{
	return g_strdup_printf("%s of %s under %s: median %.6g %s, bound %.6g: %s (p %.2g)", b->metric,
			       (char *)c->selection->workloads->pdata[w], b->system, j->median,
			       c->metric->unit_name, j->limit, state, j->p);
}

static void decide(const struct bound *b, const struct comparison *c, enum bound_state *state, char **why)
{
	guint n = c->selection->workloads->len;
	g_autofree struct judged *judged = g_new0(struct judged, n + 1);
	g_autofree double *p = g_new(double, n + 1);
	static const char *const texts[] = {"kept", "too few runs to show anything", "broken", "no data"};

	for (guint w = 0; w < n; w++) {
		const struct cell *cell = comparison_cell(c, w, b->other ? 1 : 0);

		judged[w] = b->other ? judge_system(b, comparison_cell(c, w, 0), cell, c->options.seed)
				     : judge_number(b, cell);
		p[w] = judged[w].p;
	}
	rank_holm(p, n);
	*state = BOUND_KEPT;
	for (guint w = 0; w < n; w++) {
		const struct judged *j = &judged[w];
		enum bound_state one = !j->data                            ? BOUND_NO_DATA
				       : j->least_p >= COMPARE_ALPHA       ? BOUND_TOO_FEW
				       : p[w] < COMPARE_ALPHA && j->beyond ? BOUND_BROKEN
									   : BOUND_KEPT;

		if (*why && one <= *state)
			continue;
		*state = one;
		g_free(*why);
		*why = words(b, c, w, j, texts[one]);
	}
}

int bound_check(struct store *store, const struct bound *b, const struct selection_options *options,
		enum bound_state *state, char **why)
{
	const char *const systems[] = {b->other ? b->other : b->system, b->other ? b->system : NULL, NULL};
	struct selection_options o = *options;
	const struct compare_options compare_options = {CORRECT_HOLM, 1};
	struct selection *selection = NULL;
	struct comparison *c = NULL;
	struct metric *m = NULL;
	int rc;

	o.systems = systems;
	o.baseline = NULL;
	*why = NULL;
	rc = selection_make(store, &o, &selection);
	if (!rc && selection->systems->len != (b->other ? 2 : 1))
		rc = err_set(
		    -EINVAL,
		    "%s: a system here ran in several kinds: name one, as in \"memtis (authors' kernel)\"",
		    b->system);
	if (!rc)
		rc = metric_find(store, b->metric, &m);
	if (!rc)
		rc = compare(store, selection, m, &compare_options, &c);
	if (!rc)
		decide(b, c, state, why);
	comparison_free(c);
	selection_free(selection);
	return rc;
}
