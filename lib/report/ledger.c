// What a reader must know before believing the figures: losses, the cost of measuring, what is missing, the
// machine.
#include <math.h>

#include "report/internal.h"

void report_kernel_log(struct report *r)
{
	static const char *const levels[] = {"emergency", "alert",  "critical", "error",
					     "warning",   "notice", "info",     "debug"};
	static const struct doc_column columns[] = {
	    {"t_ns", "after", DOC_NS}, {"level", "level", DOC_PLAIN}, {"text", "line", DOC_PLAIN}};
	struct doc_section *sec =
	    doc_section(r->doc, "kernel_log", "Kernel log", columns, G_N_ELEMENTS(columns));

	for (guint i = 0; i < r->log->len; i++) {
		const struct store_log_row *l = ROW(r->log, store_log_row, i);

		doc_row(sec);
		doc_int(sec, l->t_ns);
		doc_text(sec, "%s", l->level >= 0 && l->level < 8 ? levels[l->level] : "?");
		doc_text(sec, "%s", l->text);
	}
	if (!r->log->len)
		doc_note(sec, report_was_measured(r, STORE_LOG) ? "No line of warning level or above."
								: "Not read.");
}

void report_losses(struct report *r)
{
	static const struct doc_column columns[] = {{"probe", "probe", DOC_PLAIN},
						    {"kind", "loss", DOC_PLAIN},
						    {"count", "count", DOC_COUNT},
						    {"detail", "what it means", DOC_PLAIN}};
	struct doc_section *sec = doc_section(r->doc, "losses", "Losses", columns, G_N_ELEMENTS(columns));
	guint lost = 0;

	for (guint i = 0; i < r->losses->len; i++) {
		const struct store_loss_row *l = ROW(r->losses, store_loss_row, i);
		const struct store_probe_row *p = l->probe == STORE_NULL ? NULL : report_probe(r, l->probe);

		lost += l->count != 0;
		if (l->count == 0 && !r->all)
			continue;
		doc_row(sec);
		doc_text(sec, "%s", p ? p->name : "the whole run");
		doc_text(sec, "%s", l->kind);
		report_int(sec, l->count, "above 2^63 - 1: see what it means");
		report_text(sec, l->detail);
	}
	if (!r->losses->len)
		doc_note(sec, "No probe kept a ledger in this run.");
	else if (!lost)
		doc_note(sec, "None: all %u entries of the loss ledger are zero.", r->losses->len);
	else
		doc_note(sec,
			 "%u entries of the ledger are zero. A probe that lost more than 0.1 %% is marked "
			 "INCOMPLETE.",
			 r->losses->len - lost);
}

static void real_cell(struct doc_section *sec, double value)
{
	if (isnan(value))
		doc_none(sec, "this backend was not measured so");
	else
		doc_real(sec, value);
}

void report_calibration(struct report *r)
{
	static const struct doc_column columns[] = {{"backend", "backend", DOC_PLAIN},
						    {"function", "measured on", DOC_PLAIN},
						    {"calls", "calls", DOC_COUNT},
						    {"inside_p50_ns", "within, p50", DOC_NS},
						    {"inside_mean_ns", "within, mean", DOC_NS},
						    {"call_ns", "whole cost of a call", DOC_NS},
						    {"note", "", DOC_PLAIN}};
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->calibrations->len; i++) {
		const struct store_calibration_row *c = ROW(r->calibrations, store_calibration_row, i);

		if (!sec)
			sec = doc_section(r->doc, "calibration",
					  "Calibration: what the backends themselves cost", columns,
					  G_N_ELEMENTS(columns));
		doc_row(sec);
		doc_text(sec, "%s", c->backend);
		doc_text(sec, "%s", c->function);
		report_int(sec, c->calls, "above 2^63 - 1");
		real_cell(sec, c->inside_p50_ns);
		real_cell(sec, c->inside_mean_ns);
		real_cell(sec, c->call_ns);
		report_text(sec, c->note);
	}
	if (sec)
		doc_note(sec, "\"within\" is what a probe shows for an empty function: part of every raw "
			      "latency above.");
}

void report_self(struct report *r)
{
	static const struct doc_column columns[] = {
	    {"self_user_ns", "mmprof, user", DOC_NS},     {"self_system_ns", "mmprof, system", DOC_NS},
	    {"self_share", "of one CPU", DOC_RATIO},      {"self_maxrss_bytes", "mmprof's memory", DOC_BYTES},
	    {"bpf_ns", "BPF programs", DOC_NS},           {"bpf_share", "of one CPU", DOC_RATIO},
	    {"bpf_ns_source", "BPF time from", DOC_PLAIN}};
	static const char why[] = "the run did not reach its end";
	const struct store_run_row *run = &r->run;
	struct doc_section *sec;

	if (run->self_user_ns == STORE_NULL || run->self_system_ns == STORE_NULL)
		return;
	sec = doc_section(r->doc, "self", "What the measuring cost", columns, G_N_ELEMENTS(columns));
	doc_vertical(sec);
	doc_row(sec);
	doc_int(sec, run->self_user_ns);
	doc_int(sec, run->self_system_ns);
	report_share(sec, r, report_sum(run->self_user_ns, run->self_system_ns));
	report_int(sec, run->self_maxrss_bytes, why);
	report_int(sec, run->bpf_ns, run->bpf_ns_source);
	if (run->bpf_ns == STORE_NULL)
		doc_none_as(sec, "", run->bpf_ns_source);
	else
		report_share(sec, r, run->bpf_ns);
	report_text(sec, run->bpf_ns_source);
}

// What is attached where, and what stands for what.
void report_probes(struct report *r)
{
	static const struct doc_column columns[] = {
	    {"probe", "probe", DOC_PLAIN},           {"backend", "backend", DOC_PLAIN},
	    {"target", "attached to", DOC_PLAIN},    {"status", "status", DOC_PLAIN},
	    {"what", "what it measures", DOC_PLAIN}, {"why", "remark", DOC_PLAIN}};
	struct doc_section *sec = NULL;

	for (guint i = 0; i < r->probes->len; i++) {
		const struct store_probe_row *p = ROW(r->probes, store_probe_row, i);

		if (!r->all && (!strcmp(p->status, "absent") || !strcmp(p->status, "failed")))
			continue; // they are among what was not measured
		if (!sec)
			sec = doc_section(r->doc, "probes", "Probes", columns, G_N_ELEMENTS(columns));
		doc_row(sec);
		doc_text(sec, "%s", p->name);
		report_text(sec, p->backend);
		report_text(sec, p->target);
		doc_text(sec, "%s", p->status);
		report_text(sec, p->what);
		report_text(sec, p->why);
	}
}

// What has the same reason stands together.
static int by_reason(const void *a, const void *b)
{
	const struct store_pair *x = a, *y = b;
	int order = strcmp(x->value, y->value);

	return order ? order : strcmp(x->key, y->key);
}

void report_not_measured(struct report *r)
{
	static const struct doc_column columns[] = {{"what", "what", DOC_PLAIN}, {"why", "why", DOC_PLAIN}};
	struct doc_section *sec =
	    doc_section(r->doc, "not_measured", "Not measured", columns, G_N_ELEMENTS(columns));

	g_array_sort(r->not_measured, by_reason);
	for (guint i = 0; i < r->not_measured->len; i++) {
		doc_row(sec);
		doc_text(sec, "%s", ROW(r->not_measured, store_pair, i)->key);
		doc_text(sec, "%s", ROW(r->not_measured, store_pair, i)->value);
	}
	if (!r->not_measured->len)
		doc_note(sec, "Nothing is missing.");
}

// --- the machine

// The facts that are shown without --all: those that change what memory management does.
static bool is_main_fact(const char *key)
{
	static const char *const patterns[] = {"kernel.release",
					       "kernel.version",
					       "kernel.cmdline",
					       "lab.*",
					       "machine.*",
					       "cpu.model",
					       "cpu.microcode",
					       "cpu.online",
					       "cpufreq.*",
					       "clocksource",
					       "tsc_hz",
					       "memory.total",
					       "swap.total",
					       "numa.nodes",
					       "numa.distance.*",
					       "memory_tier*.nodes",
					       "numa.demotion_enabled",
					       "sysctl.kernel.numa_balancing",
					       "sysctl.vm.swappiness",
					       "sysctl.vm.overcommit_memory",
					       "sysctl.vm.zone_reclaim_mode",
					       "thp.enabled",
					       "thp.defrag",
					       "ksm.run",
					       "lru_gen.enabled",
					       "zswap.enabled",
					       "swap.device.*"};

	for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++)
		if (g_pattern_match_simple(patterns[i], key))
			return true;
	return false;
}

void report_provenance(struct report *r)
{
	static const struct doc_column columns[] = {{"fact", "fact", DOC_PLAIN},
						    {"value", "value", DOC_PLAIN}};
	struct doc_section *sec =
	    doc_section(r->doc, "provenance", "Machine", columns, G_N_ELEMENTS(columns));
	guint left_out = 0;

	for (guint i = 0; i < r->facts->len; i++) {
		const struct store_pair *fact = ROW(r->facts, store_pair, i);

		if (!r->all && !is_main_fact(fact->key)) {
			left_out++;
			continue;
		}
		doc_row(sec);
		doc_text(sec, "%s", fact->key);
		doc_text(sec, "%s", fact->value);
	}
	if (left_out)
		doc_note(sec, "%u more facts are kept: --all shows them.", left_out);
	if (!r->facts->len)
		doc_note(sec, "No facts were kept.");
}
