// What of the machine was held still for the run, and whether its frequency was what it was to be.
#include "report/internal.h"

#define PIN "pin."
#define PIN_FREQUENCY PIN "frequency"

enum { TOLERANCE_PERCENT = 2 };

struct seen {
	double least, most; // Hz
	int64_t samples;
	const char *by;
};

static bool frequency_seen(const struct report *r, struct seen *seen)
{
	const struct store_series_row *low = report_series(r, "cpufreq.min"),
				      *high = report_series(r, "cpufreq.max"),
				      *spin = report_series(r, "cpufreq.spin");

	if (!(low && high) && !spin)
		return false;
	*seen = low && high ? (struct seen){(double)low->least, (double)high->most, low->samples, "cpufreq"}
			    : (struct seen){(double)spin->least, (double)spin->most, spin->samples,
					    "a spin on mmprof's own CPU"};
	return true;
}

// "2600 MHz", "2000-2600 MHz"; false when it was not locked.
static bool frequency_locked(const struct report *r, double *low, double *high)
{
	const char *text = report_fact(r, PIN_FREQUENCY);
	char *end;

	*low = text ? g_ascii_strtod(text, &end) * 1e6 : 0;
	if (*low <= 0)
		return false;
	*high = *end == '-' ? g_ascii_strtod(end + 1, NULL) * 1e6 : *low;
	return true;
}

static void frequency_row(struct report *r, struct doc_section *sec)
{
	struct seen seen;
	double low, high;

	doc_row(sec);
	doc_text(sec, "frequency seen");
	if (!frequency_seen(r, &seen)) {
		doc_none_as(sec, "not measured", "see what was not measured: cpufreq");
		return;
	}
	doc_text(sec, "%.0f to %.0f MHz, %" PRId64 " samples, by %s", seen.least / 1e6, seen.most / 1e6,
		 seen.samples, seen.by);
	if (frequency_locked(r, &low, &high) && (seen.least < low * (100 - TOLERANCE_PERCENT) / 100 ||
						 seen.most > high * (100 + TOLERANCE_PERCENT) / 100))
		doc_note(sec,
			 "THE FREQUENCY STRAYED by more than %d %% from what it was to be: times of this run "
			 "can't be compared with others'.",
			 TOLERANCE_PERCENT);
}

void report_pinned(struct report *r)
{
	static const struct doc_column columns[] = {{"thing", "thing", DOC_PLAIN},
						    {"outcome", "outcome", DOC_PLAIN}};
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->facts->len; i++) {
		const struct store_pair *fact = ROW(r->facts, store_pair, i);

		if (!g_str_has_prefix(fact->key, PIN))
			continue;
		if (!sec)
			sec = doc_section(r->doc, "pinned", "Held still for the run", columns,
					  G_N_ELEMENTS(columns));
		doc_row(sec);
		doc_text(sec, "%s", fact->key + strlen(PIN));
		doc_text(sec, "%s", fact->value);
	}
	if (sec)
		frequency_row(r, sec);
}
