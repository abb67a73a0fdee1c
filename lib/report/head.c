// What was run, when, where and how it ended; where its time went.
#include <jansson.h>
#include <time.h>

#include "report/internal.h"

// The workload's command as a shell would take it.
static char *command_line(const char *argv_json)
{
	json_t *argv = json_loads(argv_json, 0, NULL), *arg;
	GString *line = g_string_new(NULL);
	size_t i;

	json_array_foreach(argv, i, arg)
	{
		const char *text = json_string_value(arg);
		g_autofree char *quoted = text ? g_shell_quote(text) : NULL;
		bool plain = text && *text && !strpbrk(text, " \t\n'\"\\$`*?[]{}()<>|&;!#~");

		g_string_append_printf(line, "%s%s", i ? " " : "", plain ? text : quoted ? quoted : "?");
	}
	json_decref(argv);
	return g_string_free(line, FALSE);
}

static char *local_time(int64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	struct tm tm;
	char text[64];

	if (!localtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm))
		return g_strdup("unknown");
	return g_strdup(text);
}

static char *join_pairs(const GArray *pairs)
{
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < pairs->len; i++)
		g_string_append_printf(s, "%s%s=%s", i ? ", " : "", ROW(pairs, store_pair, i)->key,
				       ROW(pairs, store_pair, i)->value);
	return g_string_free(s, FALSE);
}

static guint measured_runs(const struct report *r)
{
	guint n = 0;

	for (guint i = 0; i < r->siblings->len; i++)
		n += !ROW(r->siblings, store_run_row, i)->warmup;
	return n;
}

// The kernel that was emulated, NULL on real hardware and under KVM, whose times are real.
static const char *emulated_kernel(const struct report *r)
{
	const char *kernel = report_fact(r, "lab.kernel"), *accel = report_fact(r, "lab.accel");

	if (accel ? g_str_has_prefix(accel, "kvm") : !kernel)
		return NULL;
	return kernel ?: report_fact(r, "kernel.release") ?: "kernel not recorded";
}

// What the lab's plugin made of the guest's memory, from the run's facts; says nothing where it did nothing.
static void lab_memory(struct doc_section *sec, const struct report *r)
{
	static const char *const tiers[] = {"fast", "slow"};
	g_autoptr(GString) text = g_string_new(NULL);
	const char *cache = report_fact(r, "lab.cache.bytes");

	for (size_t i = 0; i < G_N_ELEMENTS(tiers); i++) {
		g_autofree char *latency_key = g_strdup_printf("lab.tier.%s.latency_ns", tiers[i]);
		g_autofree char *rate_key = g_strdup_printf("lab.tier.%s.bytes_per_s", tiers[i]);
		const char *latency = report_fact(r, latency_key), *rate = report_fact(r, rate_key);

		if (latency && rate && g_ascii_strtoull(latency, NULL, 10))
			g_string_append_printf(text, "; %s memory %s ns and %.4g MB/s", tiers[i], latency,
					       g_ascii_strtod(rate, NULL) / 1e6);
	}
	if (cache && g_ascii_strtoull(cache, NULL, 10))
		doc_note(sec, "The lab modelled a last-level cache of %" G_GUINT64_FORMAT " KiB%s.",
			 g_ascii_strtoull(cache, NULL, 10) >> 10, text->str);
}

static void notes(struct doc_section *sec, const struct report *r)
{
	const struct store_run_row *run = &r->run;
	g_autoptr(GString) ids = g_string_new(NULL);
	const char *lab = emulated_kernel(r);

	if (lab)
		doc_note(sec,
			 "EMULATED (QEMU TCG lab, %s): counts are right, times are the emulator's and say "
			 "nothing about real "
			 "hardware.",
			 lab);
	lab_memory(sec, r);
	if (!strcmp(run->status, "running"))
		doc_note(sec, "The run has not ended yet, or its mmprof was killed (the next record will "
			      "tell): figures are those stored so far.");
	else if (strcmp(run->status, "done"))
		doc_note(sec, "The run was not completed (%s): figures are those stored until then.",
			 run->status);
	for (guint i = 0; i < r->siblings->len && i < 50; i++)
		g_string_append_printf(ids, " %" PRId64, ROW(r->siblings, store_run_row, i)->id);
	for (guint i = 0; i < r->notes->len; i++) {
		g_autofree char *when = local_time(ROW(r->notes, store_note_row, i)->unix_ns);

		doc_note(sec, "Note of %s: %s", when, ROW(r->notes, store_note_row, i)->text);
	}
	if (r->siblings->len > 1)
		doc_note(sec, "One of %u runs of the same record, %u of them measured: mmprof report%s.",
			 r->siblings->len, measured_runs(r), ids->str);
}

void report_head(struct report *r)
{
	static const struct doc_column columns[] = {
	    {"run", "run", DOC_PLAIN},
	    {"uuid", "uuid", DOC_PLAIN},
	    {"name", "workload", DOC_PLAIN},
	    {"command", "command", DOC_PLAIN},
	    {"cwd", "directory", DOC_PLAIN},
	    {"system", "system", DOC_PLAIN},
	    {"status", "status", DOC_PLAIN},
	    {"status_why", "reason", DOC_PLAIN},
	    {"experiment", "experiment", DOC_PLAIN},
	    {"cell", "cell", DOC_PLAIN},
	    {"iteration", "iteration", DOC_PLAIN},
	    {"warmup", "warm-up", DOC_PLAIN},
	    {"started", "started", DOC_PLAIN},
	    {"user", "user", DOC_PLAIN},
	    {"kernel", "kernel", DOC_PLAIN},
	    {"emulated", "emulated", DOC_PLAIN},
	    {"tags", "tags", DOC_PLAIN},
	    {"version", "mmprof", DOC_PLAIN},
	};
	const struct store_run_row *run = &r->run;
	const char *lab = emulated_kernel(r);
	g_autofree char *command = command_line(run->argv_json), *started = local_time(run->started_unix_ns);
	g_autofree char *tags = join_pairs(r->tags);
	g_autofree char *title =
	    g_strdup_printf("Run %" PRId64 ": %s under %s%s", run->id, run->name,
			    strcmp(run->system, "none") ? run->system : "the kernel as it is",
			    lab ? "   [EMULATED: QEMU TCG lab]" : "");
	struct doc_section *sec = doc_section(r->doc, "run", title, columns, G_N_ELEMENTS(columns));

	doc_vertical(sec);
	doc_row(sec);
	doc_int(sec, run->id);
	doc_text(sec, "%s", run->uuid);
	doc_text(sec, "%s", run->name);
	doc_text(sec, "%s", command);
	report_text(sec, run->cwd);
	if (run->system_kind)
		doc_text(sec, "%s (%s)", run->system, run->system_kind);
	else
		doc_text(sec, "%s", run->system);
	doc_text(sec, "%s", run->status);
	report_text(sec, run->status_why);
	// the name of a plan; of a plain record, only a UUID
	report_text(sec, run->cell != STORE_NULL ? run->experiment : NULL);
	if (run->cell != STORE_NULL)
		doc_int(sec, run->cell);
	else
		report_text(sec, NULL);
	doc_int(sec, run->iteration);
	report_text(sec, run->warmup ? "yes" : NULL);
	doc_text(sec, "%s", started);
	report_text(sec, run->user);
	report_text(sec, report_fact(r, "kernel.release"));
	report_text(sec, lab ? "yes: QEMU TCG lab" : NULL);
	report_text(sec, *tags ? tags : NULL);
	report_text(sec, run->version);
	notes(sec, r);
}

static void exit_cells(struct doc_section *sec, const struct store_run_row *run)
{
	if (run->exit_status != STORE_NULL)
		doc_int(sec, run->exit_status);
	else
		doc_none_as(sec, "", "the workload did not exit by itself");
	report_text(sec, run->signal > 0 && run->signal < 65 ? g_strsignal((int)run->signal) : NULL);
}

void report_time(struct report *r)
{
	static const struct doc_column columns[] = {
	    {"elapsed_ns", "elapsed", DOC_NS},
	    {"user_ns", "CPU time, user", DOC_NS},
	    {"system_ns", "CPU time, system", DOC_NS},
	    {"system_share", "system's part of CPU time", DOC_RATIO},
	    {"cpus_used", "CPUs used", DOC_NUMBER},
	    {"exit_status", "exit status", DOC_PLAIN},
	    {"signal", "ended by signal", DOC_PLAIN},
	    {"maxrss_bytes", "largest resident set", DOC_BYTES},
	    {"minflt", "page faults without I/O", DOC_COUNT},
	    {"majflt", "page faults with I/O", DOC_COUNT},
	    {"nvcsw", "context switches, voluntary", DOC_COUNT},
	    {"nivcsw", "context switches, involuntary", DOC_COUNT},
	    {"inblock", "blocks of 512 bytes read", DOC_COUNT},
	    {"oublock", "blocks of 512 bytes written", DOC_COUNT},
	};
	static const char why[] = "the run did not reach the workload's end",
			  bound[] = "it was no larger than mmprof itself, before the workload was executed";
	const struct store_run_row *run = &r->run;
	const int64_t rusage[] = {run->maxrss_bytes, run->minflt,  run->majflt, run->nvcsw,
				  run->nivcsw,       run->inblock, run->oublock};
	int64_t cpu = report_sum(run->user_ns, run->system_ns);
	struct doc_section *sec =
	    doc_section(r->doc, "time", "Time and resources of the workload", columns, G_N_ELEMENTS(columns));

	if (run->elapsed_ns == STORE_NULL) {
		doc_note(sec, "Not measured: %s.", why);
		return;
	}
	doc_vertical(sec);
	doc_row(sec);
	report_int(sec, run->elapsed_ns, why);
	report_int(sec, run->user_ns, why);
	report_int(sec, run->system_ns, why);
	if (cpu > 0)
		doc_real(sec, (double)run->system_ns / (double)cpu);
	else
		doc_none_as(sec, "", "no CPU time");
	report_share(sec, r, cpu);
	exit_cells(sec, run);
	for (size_t i = 0; i < G_N_ELEMENTS(rusage); i++)
		report_int(sec, rusage[i], i ? why : bound);
}

// --- CPU time by class, from the cputime sampler

void report_cpu(struct report *r)
{
	static const struct doc_column columns[] = {
	    {"class", "class", DOC_PLAIN}, {"cpu_ns", "CPU time", DOC_NS}, {"cpus", "of one CPU", DOC_RATIO}};
	g_autoptr(GString) still = g_string_new(NULL);
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->series->len; i++) {
		const struct store_series_row *s = ROW(r->series, store_series_row, i);

		if (!g_str_has_prefix(s->name, "cpu.") || !s->counter)
			continue;
		if (!sec)
			sec = doc_section(r->doc, "cpu", "CPU time by class", columns, G_N_ELEMENTS(columns));
		if (report_delta(s) == 0 && !r->all) {
			g_string_append_printf(still, "%s%s", still->len ? ", " : "",
					       s->name + strlen("cpu."));
			continue;
		}
		doc_row(sec);
		doc_text(sec, "%s", s->name + strlen("cpu."));
		report_int(sec, report_delta(s), "out of range");
		report_share(sec, r, report_delta(s));
	}
	if (still->len)
		doc_note(sec, "None at all: %s.", still->str);
	if (sec)
		doc_note(sec, "total.* is the whole machine's, workload.* the workload's, the others are "
			      "kernel threads.");
}
