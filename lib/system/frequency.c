// What to write into cpufreq's files; see frequency.h.
#include "system/frequency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "host/read.h"
#include "system/settings.h"

#define CPU_DIR "/sys/devices/system/cpu"
#define FREQ_DIR CPU_DIR "/cpufreq"
#define NO_TURBO CPU_DIR "/intel_pstate/no_turbo"

enum { MARK_KHZ = 1000 }; // acpi-cpufreq shows turbo as one MHz above the nominal frequency

// --- reading

static char *read_file(const char *dir, const char *file)
{
	g_autofree char *path = g_strconcat(dir, "/", file, NULL);

	return host_read_below(settings_root, path);
}

// 0 where there is no such file, or no number in it.
static gint64 read_number(const char *dir, const char *file)
{
	g_autofree char *text = read_file(dir, file);

	return text ? MAX(g_ascii_strtoll(text, NULL, 10), 0) : 0;
}

static int policy_number(const char *path)
{
	return atoi(path + strlen(FREQ_DIR "/policy"));
}

static int by_number(const void *a, const void *b)
{
	return policy_number(*(char *const *)a) - policy_number(*(char *const *)b);
}

// "/sys/.../cpufreq/policy0", one for each set of CPUs that share a clock.
static int find_policies(GPtrArray **policies)
{
	g_autofree char *dir = g_strconcat(settings_root, FREQ_DIR, NULL);
	g_auto(GStrv) names = host_entries(dir);

	*policies = g_ptr_array_new_with_free_func(g_free);
	for (char **n = names; *n; n++)
		if (g_str_has_prefix(*n, "policy"))
			g_ptr_array_add(*policies, g_strconcat(FREQ_DIR "/", *n, NULL));
	g_ptr_array_sort(*policies, by_number);
	if ((*policies)->len)
		return 0;
	return err_set(-ENOENT, "no cpufreq driver (" FREQ_DIR " has no policy): usual in a virtual machine; "
				"on hardware load intel_pstate, amd-pstate or acpi-cpufreq");
}

static void add(GArray *settings, const char *dir, const char *file, const char *value)
{
	g_autofree char *path = g_strconcat(dir, "/", file, NULL),
			*now = host_read_below(settings_root, path);
	struct setting s = {};

	if (g_strcmp0(now, value) == 0)
		return;
	s.key = g_strdup(path);
	s.path = g_steal_pointer(&path);
	s.value = g_strdup(value);
	g_array_append_val(settings, s);
}

// --- the governor

int frequency_governor(const char *name, GArray *settings, char **done)
{
	g_autoptr(GPtrArray) policies = NULL;
	int rc = find_policies(&policies);

	for (guint i = 0; i < policies->len && !rc; i++) {
		g_autofree char *known = read_file(policies->pdata[i], "scaling_available_governors");
		g_auto(GStrv) words = g_strsplit(known ? known : "", " ", -1);

		if (!g_strv_contains((const char *const *)words, name))
			return err_set(-EINVAL, "%s has no governor \"%s\", only: %s",
				       (char *)policies->pdata[i], name, known ? known : "none");
		add(settings, policies->pdata[i], "scaling_governor", name);
	}
	if (!rc)
		*done = g_strdup(name);
	return rc;
}

// --- turbo

static guint add_boosts(const GPtrArray *policies, GArray *settings)
{
	guint n = 0;

	for (guint i = 0; i < policies->len; i++) {
		g_autofree char *boost = read_file(policies->pdata[i], "boost");

		if (boost)
			add(settings, policies->pdata[i], "boost", "0");
		n += boost != NULL;
	}
	return n;
}

int frequency_turbo_off(GArray *settings, char **done)
{
	g_autofree char *intel = host_read_below(settings_root, NO_TURBO),
			*boost = read_file(FREQ_DIR, "boost");
	g_autoptr(GPtrArray) policies = NULL;
	int rc = find_policies(&policies);

	if (rc)
		return rc;
	if (intel)
		add(settings, CPU_DIR "/intel_pstate", "no_turbo", "1");
	else if (boost)
		add(settings, FREQ_DIR, "boost", "0");
	else if (!add_boosts(policies, settings))
		return err_set(-ENOENT, "this cpufreq driver has no switch for turbo (neither " NO_TURBO
					", " FREQ_DIR "/boost nor policy*/boost)");
	*done = g_strdup("off");
	return 0;
}

// --- one frequency

// Of a list "2401000 2400000 1200000": the highest, without the mark of turbo.
static gint64 highest_without_turbo(const char *list)
{
	g_auto(GStrv) words = g_strsplit(list, " ", -1);
	gint64 first = 0, second = 0;

	for (char **w = words; *w; w++) {
		gint64 khz = g_ascii_strtoll(*w, NULL, 10);

		if (khz > first) {
			second = first;
			first = khz;
		} else if (khz > second && khz < first) {
			second = khz;
		}
	}
	return second && first == second + MARK_KHZ ? second : first;
}

// intel_pstate without hardware P-states names no base frequency, but says how many of its states, which are
// evenly spaced, are turbo's: turbo_pct = 100 - floor(100 * states without turbo / num_pstates)
// (drivers/cpufreq/intel_pstate.c, show_turbo_pct).
static gint64 base_of_pstates(gint64 lowest, gint64 highest)
{
	gint64 states = read_number(CPU_DIR "/intel_pstate", "num_pstates");
	g_autofree char *percent = read_file(CPU_DIR "/intel_pstate", "turbo_pct");

	if (states < 2 || states > 100 || !percent)
		return 0;
	if (read_number(CPU_DIR "/intel_pstate", "no_turbo"))
		return highest;
	for (gint64 n = 1; n <= states; n++)
		if (100 * n / states == 100 - g_ascii_strtoll(percent, NULL, 10))
			return lowest + (n - 1) * (highest - lowest) / (states - 1);
	return 0;
}

// 0 where nothing tells.
static gint64 base_of(const char *policy)
{
	g_autofree char *cppc =
	    g_strconcat(CPU_DIR "/cpu", strrchr(policy, '/') + strlen("/policy"), "/acpi_cppc", NULL);
	g_autofree char *list = read_file(policy, "scaling_available_frequencies");
	gint64 khz = read_number(policy, "base_frequency");

	if (!khz)
		khz = read_number(cppc, "nominal_freq") * 1000;
	if (!khz && list)
		khz = highest_without_turbo(list);
	if (!khz)
		khz = base_of_pstates(read_number(policy, "cpuinfo_min_freq"),
				      read_number(policy, "cpuinfo_max_freq"));
	return khz;
}

static bool listed(const char *list, gint64 khz)
{
	g_auto(GStrv) words = g_strsplit(list, " ", -1);

	for (char **w = words; *w; w++)
		if (g_ascii_strtoll(*w, NULL, 10) == khz)
			return true;
	return false;
}

static int choose(const char *policy, const char *value, gint64 *khz)
{
	g_autofree char *list = read_file(policy, "scaling_available_frequencies");
	gint64 lowest = read_number(policy, "cpuinfo_min_freq"),
	       highest = read_number(policy, "cpuinfo_max_freq");

	if (!lowest || !highest)
		return err_set(-ENOENT, "%s does not tell its lowest and highest frequency", policy);
	if (!strcmp(value, "max"))
		*khz = highest;
	else if (!strcmp(value, "base"))
		*khz = base_of(policy);
	else
		*khz = g_ascii_strtoll(value, NULL, 10) * 1000;
	if (!*khz)
		return err_set(-ENOENT, "%s does not tell its base frequency: give it in MHz (%g to %g)",
			       policy, (double)lowest / 1e3, (double)highest / 1e3);
	if (*khz < lowest || *khz > highest)
		return err_set(-EINVAL, "%s goes from %g to %g MHz, not to %g", policy, (double)lowest / 1e3,
			       (double)highest / 1e3, (double)*khz / 1e3);
	if (list && !listed(list, *khz))
		return err_set(-EINVAL, "%s has only these frequencies, in kHz: %s; not %g MHz", policy, list,
			       (double)*khz / 1e3);
	return 0;
}

// At no moment may the lower limit be above the upper one, on the way back neither.
static void add_limits(const char *policy, gint64 khz, GArray *settings)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, khz);
	bool up = khz > read_number(policy, "scaling_max_freq");

	add(settings, policy, up ? "scaling_max_freq" : "scaling_min_freq", text);
	add(settings, policy, up ? "scaling_min_freq" : "scaling_max_freq", text);
}

int frequency_lock(const char *value, GArray *settings, char **done)
{
	g_autoptr(GPtrArray) policies = NULL;
	gint64 least = G_MAXINT64, most = 0, khz = 0;
	int rc = find_policies(&policies);

	for (guint i = 0; i < policies->len && !rc; i++) {
		rc = choose(policies->pdata[i], value, &khz);
		if (rc)
			break;
		add_limits(policies->pdata[i], khz, settings);
		least = MIN(least, khz);
		most = MAX(most, khz);
	}
	if (!rc && least == most)
		*done = g_strdup_printf("%g MHz", (double)most / 1e3);
	else if (!rc)
		*done = g_strdup_printf("%g-%g MHz", (double)least / 1e3, (double)most / 1e3);
	return rc;
}
