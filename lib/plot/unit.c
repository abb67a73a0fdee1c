// What an axis is scaled by: the unit in which its greatest value is between 1 and 1000.
#include "plot/internal.h"

#include "metric/metric.h"

struct step {
	double from, scale;
	const char *name;
};

static const struct step times[] = {{1e9, 1e-9, "s"}, {1e6, 1e-6, "ms"}, {1e3, 1e-3, "us"}, {0, 1, "ns"}};
static const struct step sizes[] = {{0x1p40, 0x1p-40, "TiB"},
				    {0x1p30, 0x1p-30, "GiB"},
				    {0x1p20, 0x1p-20, "MiB"},
				    {0x1p10, 0x1p-10, "KiB"},
				    {0, 1, "bytes"}};
static const struct step numbers[] = {
    {1e9, 1e-9, "billion"}, {1e6, 1e-6, "million"}, {1e4, 1e-3, "thousand"}, {0, 1, ""}};
static const struct step frequencies[] = {
    {1e9, 1e-9, "GHz"}, {1e6, 1e-6, "MHz"}, {1e3, 1e-3, "kHz"}, {0, 1, "Hz"}};

static const struct step *choose(const struct step *steps, double most)
{
	while (steps->from > most)
		steps++;
	return steps;
}

// "thousand pages", "pages"
static void name_of_number(struct unit *u, const struct step *step, const char *what)
{
	u->scale = step->scale;
	g_snprintf(u->name, sizeof(u->name), "%s%s%s", step->name, *step->name && *what ? " " : "", what);
}

// Rates of bytes and ns have units of their own.
static struct unit rate_for(const char *unit_name, double most)
{
	struct unit u = {1, ""};
	const struct step *step;

	if (!strcmp(unit_name, "ns/s")) { // CPU time a second: CPUs
		u.scale = 1e-9;
		g_strlcpy(u.name, "CPUs", sizeof(u.name));
	} else if (!strcmp(unit_name, "bytes/s")) {
		step = choose(sizes, most);
		u.scale = step->scale;
		g_snprintf(u.name, sizeof(u.name), "%s/s", step->name);
	} else {
		step = choose(numbers, most);
		name_of_number(&u, step, !strcmp(unit_name, "count/s") ? "per s" : unit_name);
	}
	return u;
}

struct unit unit_for(enum metric_unit unit, const char *unit_name, double most)
{
	struct unit u = {1, ""};
	const struct step *steps = unit == METRIC_NS      ? times
				   : unit == METRIC_BYTES ? sizes
				   : unit == METRIC_HZ    ? frequencies
							  : NULL;

	if (!isfinite(most))
		most = 0;
	if (steps) {
		steps = choose(steps, most);
		u.scale = steps->scale;
		g_strlcpy(u.name, steps->name, sizeof(u.name));
	} else if (unit == METRIC_RATIO) {
		u.scale = 100;
		g_strlcpy(u.name, "%", sizeof(u.name));
	} else if (!strcmp(unit_name, "ratio_ppm")) { // a share as a series holds it
		u.scale = 1e-4;
		g_strlcpy(u.name, "%", sizeof(u.name));
	} else if (unit == METRIC_RATE) {
		u = rate_for(unit_name, most);
	} else {
		name_of_number(&u, choose(numbers, most),
			       unit == METRIC_PAGES    ? "pages"
			       : unit == METRIC_NUMBER ? unit_name
						       : "");
	}
	return u;
}
