// What the samplers saw: counters that moved, pressure, levels of memory, and how often they were read.
#include "report/internal.h"

void report_counters(struct report *r)
{
	static const struct doc_column columns[] = {{"counter", "counter", DOC_PLAIN},
						    {"delta", "during the run", DOC_COUNT},
						    {"unit", "unit", DOC_PLAIN},
						    {"rate_per_s", "rate", DOC_RATE}};
	struct doc_section *sec = NULL;
	guint still = 0;

	for (guint i = 0; i < r->series->len; i++) {
		const struct store_series_row *s = ROW(r->series, store_series_row, i);

		if (!s->counter || g_str_has_prefix(s->name, "cpu.") || g_str_has_prefix(s->name, "psi."))
			continue;
		if (!sec)
			sec = doc_section(r->doc, "counters", "Counters that moved", columns,
					  G_N_ELEMENTS(columns));
		if (report_delta(s) == 0 && !r->all) {
			still++;
			continue;
		}
		doc_row(sec);
		doc_text(sec, "%s", s->name);
		report_int(sec, report_delta(s), "out of range");
		doc_text(sec, "%s", s->unit);
		report_rate(sec, r, report_delta(s));
	}
	if (still)
		doc_note(sec, "%u more did not move (--all shows them). Counters are the whole machine's.",
			 still);
}

void report_pressure(struct report *r)
{
	static const struct doc_column columns[] = {{"resource", "resource", DOC_PLAIN},
						    {"stalled_ns", "stalled", DOC_NS},
						    {"share", "of the run", DOC_RATIO}};
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->series->len; i++) {
		const struct store_series_row *s = ROW(r->series, store_series_row, i);

		if (!s->counter || !g_str_has_prefix(s->name, "psi."))
			continue;
		if (!sec)
			sec = doc_section(r->doc, "pressure", "Pressure: time stalled for a resource",
					  columns, G_N_ELEMENTS(columns));
		doc_row(sec);
		doc_text(sec, "%s", s->name + strlen("psi."));
		report_int(sec, report_delta(s), "out of range");
		report_share(sec, r, report_delta(s));
	}
}

// --- levels

// The levels that are shown without --all.
static bool is_important(const char *name)
{
	static const char *const patterns[] = {"workload.*",
					       "pagetables.*",
					       "node?.MemFree",
					       "node??.MemFree",
					       "node?.MemUsed",
					       "node??.MemUsed",
					       "cpufreq.*",
					       "swap.*",
					       "zswap.*",
					       "ksm.pages_shar*",
					       "meminfo.MemAvailable",
					       "meminfo.AnonHugePages",
					       "meminfo.Dirty"};

	for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++)
		if (g_pattern_match_simple(patterns[i], name))
			return true;
	return false;
}

static bool is_level_of(const struct report *r, const struct store_series_row *s, const char *unit)
{
	bool known = !strcmp(s->unit, "bytes") || !strcmp(s->unit, "hz");

	if (s->counter || g_str_has_prefix(s->name, "self.") || (*unit ? strcmp(s->unit, unit) : known))
		return false;
	return r->all || (is_important(s->name) && (s->least != 0 || s->most != 0));
}

// One table a unit, so that a column has one; `unit` "" is for all that are just counted.
static void levels_in(struct report *r, const char *unit, const char *key, const char *title,
		      enum doc_unit shown)
{
	const struct doc_column columns[] = {{"level", "level", DOC_PLAIN}, {"first", "first", shown},
					     {"last", "last", shown},       {"least", "least", shown},
					     {"most", "most", shown},       {"unit", "unit", DOC_PLAIN}};
	int n_columns = *unit ? 5 : 6; // the heading says it, or each row
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->series->len; i++) {
		const struct store_series_row *s = ROW(r->series, store_series_row, i);

		if (!is_level_of(r, s, unit))
			continue;
		if (!sec)
			sec = doc_section(r->doc, key, title, columns, n_columns);
		doc_row(sec);
		doc_text(sec, "%s", s->name);
		report_int(sec, s->first, "no sample");
		report_int(sec, s->last, "no sample");
		report_int(sec, s->least, "no sample");
		report_int(sec, s->most, "no sample");
		if (!*unit)
			doc_text(sec, "%s", s->unit);
	}
	if (sec && !r->all && *unit)
		doc_note(sec, "The levels that matter most; --all shows every one.");
}

void report_levels(struct report *r)
{
	levels_in(r, "bytes", "levels_bytes", "Memory", DOC_BYTES);
	levels_in(r, "hz", "levels_hz", "CPU frequency", DOC_HZ);
	levels_in(r, "", "levels_count", "Other levels", DOC_COUNT);
}

// --- the samplers themselves

void report_samplers(struct report *r)
{
	static const struct doc_column columns[] = {{"sampler", "sampler", DOC_PLAIN},
						    {"readings", "readings", DOC_COUNT},
						    {"cpu_ns", "CPU time", DOC_NS},
						    {"share", "of one CPU", DOC_RATIO},
						    {"unread_ns", "longest without", DOC_NS}};
	static const char prefix[] = "self.sampler.", suffix[] = ".readings";
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->series->len; i++) {
		const struct store_series_row *s = ROW(r->series, store_series_row, i), *cpu, *unread;
		g_autofree char *name = NULL, *cpu_name = NULL, *unread_name = NULL;

		if (!g_str_has_prefix(s->name, prefix) || !g_str_has_suffix(s->name, suffix) ||
		    strlen(s->name) < sizeof(prefix) + sizeof(suffix) - 2)
			continue;
		if (!sec)
			sec = doc_section(r->doc, "samplers", "Samplers", columns, G_N_ELEMENTS(columns));
		name = g_strndup(s->name + sizeof(prefix) - 1,
				 strlen(s->name) - sizeof(prefix) - sizeof(suffix) + 2);
		cpu_name = g_strconcat(prefix, name, ".cpu", NULL);
		unread_name = g_strconcat(prefix, name, ".unread", NULL);
		cpu = report_series(r, cpu_name);
		unread = report_series(r, unread_name);
		doc_row(sec);
		doc_text(sec, "%s", name);
		report_int(sec, s->last, "no sample");
		report_int(sec, cpu ? cpu->last : STORE_NULL, "not stored");
		report_share(sec, r, cpu ? cpu->last : STORE_NULL);
		report_int(sec, unread ? unread->last : STORE_NULL, "not stored");
	}
	if (sec)
		doc_note(sec, "Every %" PRId64 " ms where that costs little; a slow sampler rests longer.",
			 r->run.interval_ms);
}
