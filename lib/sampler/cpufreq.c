// The frequency the CPUs run at: lowest, mean and highest of scaling_cur_freq over the online CPUs, in Hz.
// Follows drivers/cpufreq/cpufreq.c (show_scaling_cur_freq): on x86 it is APERF/MPERF over the last tick
// where the CPU has these, else what the governor asked for; an idle CPU shows what it last ran at. Without
// cpufreq, the clock of the CPU that mmprof itself runs on, by a calibrated spin.
#include "base/err.h"
#include "sampler/read.h"
#include "sampler/spin.h"

#include <errno.h>
#include <glib.h>

SAMPLER_FUNCTIONS(cpufreq);

#define CPU_DIR "/sys/devices/system/cpu"

struct cpufreq {
	GArray *files; // struct value_file; none: a spin
	struct budget budget;
	struct absent *absent;
};

static void value_clear(void *file)
{
	value_close(file);
}

static void open_cpus(struct cpufreq *freq, const char *online)
{
	int64_t first, last;

	for (const char *p = online; (p = parse_i64(p, &first)); p += *p == ',') {
		last = first;
		if (*p == '-' && !(p = parse_i64(p + 1, &last)))
			break;
		for (int64_t cpu = first; cpu <= last; cpu++) {
			g_autofree char *path =
			    g_strdup_printf(CPU_DIR "/cpu%d/cpufreq/scaling_cur_freq", (int)cpu);
			struct value_file file;
			int r = value_open(&file, path, "hz", SERIES_GAUGE, 1000);

			if (r < 0)
				absent_add(&freq->absent, path, "%s: %s", path, g_strerror(-r));
			else
				g_array_append_val(freq->files, file);
		}
	}
}

static const char no_driver[] = CPU_DIR
    "/cpu*/cpufreq: no cpufreq driver: usual in a virtual machine; on real hardware load intel_pstate, "
    "amd-pstate or acpi-cpufreq";

static int open_spin(struct cpufreq *freq, void **state)
{
	g_autofree char *why = NULL;

	if (spin_check() == 0)
		return 0;
	why = g_strdup(err_text());
	cpufreq_sampler_close(freq);
	*state = NULL;
	return err_set(-ENOENT, "%s; nor can a spin tell: %s", no_driver, why);
}

int cpufreq_sampler_open(const struct sample_target *target, void **state)
{
	struct text online = {0};
	int r = text_load(&online, sampler_root, CPU_DIR "/online");

	(void)target;
	if (r < 0) {
		text_free(&online);
		return err_set(r, CPU_DIR "/online: %s: is /sys mounted?", g_strerror(-r));
	}
	struct cpufreq *freq = g_new0(struct cpufreq, 1);
	freq->files = g_array_new(FALSE, FALSE, sizeof(struct value_file));
	g_array_set_clear_func(freq->files, value_clear);
	open_cpus(freq, online.data);
	text_free(&online);
	*state = freq;
	return freq->files->len ? 0 : open_spin(freq, state);
}

static void read_spin(struct cpufreq *freq, struct sink *sink)
{
	int64_t hz = spin_hz();

	if (hz)
		sink->put(sink, "cpufreq.spin", "hz", SERIES_GAUGE, hz);
	absent_add(&freq->absent, "cpufreq", "%s", no_driver);
}

static void read_files(struct cpufreq *freq, struct sink *sink)
{
	int64_t hz, lowest = INT64_MAX, highest = 0, n = 0;
	double sum = 0;

	for (guint i = 0; i < freq->files->len; i++) {
		// an offline CPU's answer is an error, or 0
		if (value_read(&g_array_index(freq->files, struct value_file, i), &hz) < 0 || hz <= 0)
			continue;
		lowest = MIN(lowest, hz);
		highest = MAX(highest, hz);
		sum += (double)hz;
		n++;
	}
	if (n) {
		sink->put(sink, "cpufreq.min", "hz", SERIES_GAUGE, lowest);
		sink->put(sink, "cpufreq.mean", "hz", SERIES_GAUGE, (int64_t)(sum / (double)n));
		sink->put(sink, "cpufreq.max", "hz", SERIES_GAUGE, highest);
	} else {
		absent_add(&freq->absent, "cpufreq",
			   CPU_DIR "/cpu*/cpufreq/scaling_cur_freq: no CPU gives a frequency");
	}
}

int cpufreq_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct cpufreq *freq = state;

	if (!budget_begin(&freq->budget, target))
		return SAMPLER_NOT_NOW;
	if (freq->files->len)
		read_files(freq, sink);
	else
		read_spin(freq, sink);
	budget_end(&freq->budget);
	absent_say(&freq->absent, sink);
	return 0;
}

void cpufreq_sampler_close(void *state)
{
	struct cpufreq *freq = state;

	g_array_free(freq->files, TRUE);
	absent_free(&freq->absent);
	g_free(freq);
}
