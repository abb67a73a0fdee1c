// Probes of kind `func`: a function's latency, by the best backend that works here. Knows the order of
// preference; how a backend attaches is its own affair (funclat.c, ftrace.c).
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "probe/ftrace.h"
#include "probe/funclat.h"
#include "probe/kernel.h"
#include "probe/set.h"
#include "store/store.h"

// What a probe of this kind holds: one of the two.
struct func_impl {
	struct funclat_pair *pair; // fentry, kprobe
	struct ftrace_func *ftrace;
};

static int try_bpf(struct probes *set, struct probe *p, const char *backend, const char *symbol)
{
	struct funclat_pair *pair;
	int rc;

	if (!set->funclat)
		return err_set(-EPERM, "%s", set->bpf_why ? set->bpf_why : "no BPF here");
	pair = g_new0(struct funclat_pair, 1);
	rc = funclat_attach(set->funclat, backend, symbol, p->id, pair);
	if (rc) {
		g_free(pair);
		return rc;
	}
	((struct func_impl *)p->impl)->pair = pair;
	return 0;
}

static int try_backend(struct probes *set, struct probe *p, const char *backend, const char *symbol)
{
	if (strcmp(backend, "ftrace"))
		return try_bpf(set, p, backend, symbol);
	return ftrace_add(set->ftrace, symbol, &((struct func_impl *)p->impl)->ftrace);
}

// Functions that never return have no latency, and fexit on them keeps its trampoline busy for ever (refused
// by the kernel itself only from 6.16). After tools/objtool/noreturns.h.
static bool never_returns(const char *symbol)
{
	static const char *const names[] = {
	    "do_exit",
	    "do_group_exit",
	    "do_task_dead",
	    "make_task_dead",
	    "__x64_sys_exit",
	    "__ia32_sys_exit",
	    "__x64_sys_exit_group",
	    "kthread_exit",
	    "kthread_complete_and_exit",
	    "__module_put_and_kthread_exit",
	    "panic",
	    "nmi_panic_self_stop",
	    "rewind_stack_and_make_dead",
	    "cpu_startup_entry",
	    "rest_init",
	    "stop_this_cpu",
	    "xen_start_kernel",
	    "kthread",
	    "kswapd",
	    "kcompactd",
	    "ksm_scan_thread",
	    "khugepaged",
	    "kdamond_fn",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(names[i], symbol))
			return true;
	return false;
}

// The first of the targets that this kernel has; NULL: none.
static const char *existing_symbol(const struct probe *p)
{
	for (char **s = p->symbols; *s; s++)
		if (kernel_has_function(*s))
			return *s;
	return NULL;
}

static void attach(struct probes *set, struct probe *p)
{
	static const char *const order[] = {"fentry", "kprobe", "ftrace"};
	g_autoptr(GString) why = g_string_new(NULL);
	const char *symbol = existing_symbol(p);

	if (!symbol) {
		g_autofree char *names = g_strjoinv(", ", p->symbols);

		probe_outcome(p, "absent", NULL, "this kernel has no function %s (not built in, or inlined)",
			      names);
		return;
	}
	if (never_returns(symbol)) {
		probe_outcome(p, "failed", NULL, "%s never returns, so it has no latency", symbol);
		return;
	}
	g_free(p->target);
	p->target = g_strdup(symbol);
	g_free(p->replaced_by);
	p->replaced_by = kernel_replacement_of(symbol);
	p->impl = g_new0(struct func_impl, 1);
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
		if (strcmp(p->wanted_backend, "auto") && strcmp(p->wanted_backend, order[i]))
			continue;
		if (try_backend(set, p, order[i], symbol) == 0) {
			probe_outcome(p, "attached", order[i], why->len ? "%s" : NULL, why->str);
			if (!strcmp(order[i], "kprobe") && kernel_kprobes_come_first())
				g_clear_pointer(&p->replaced_by, g_free); // its time is all of it
			return;
		}
		g_string_append_printf(why, "%s%s: %s", why->len ? "; " : "", order[i], err_text());
	}
	probe_outcome(p, "failed", NULL, "%s", why->str);
}

static int store_losses(struct store *store, int64_t run, const struct probe *p, const struct cpu_loss *l)
{
	const struct {
		const char *kind;
		uint64_t n;
		const char *detail;
	} row[] = {
	    {"unmatched_exit", l->unmatched_exit,
	     "returned during the run, but the entry was not seen: it was entered before"},
	    {"missed_exit", l->missed_exit, "entered, but the return was not reported by the kernel"},
	    {"table_full", l->table_full, "too many calls in progress at once"},
	    {"no_slot", l->no_slot, "no room for another class's histogram"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(row); i++) {
		int rc = store_loss(store, run, p->row, row[i].kind, row[i].n, row[i].detail);

		if (rc)
			return rc;
	}
	return 0;
}

static int store_misses(struct store *store, int64_t run, const struct probe *p,
			const struct funclat_pair *pair)
{
	const struct bpf_attached *side[] = {&pair->entry, &pair->exit};
	static const char *const kind[2][2] = {{"recursion_misses_entry", "nmissed_entry"},
					       {"recursion_misses_exit", "nmissed_exit"}};
	int rc = 0;

	for (int i = 0; i < 2 && !rc; i++) {
		int64_t recursion = bpf_recursion_misses(side[i]);
		int64_t missed = i && pair->kretprobe.name ? kretprobe_missed(&pair->kretprobe)
							   : bpf_kprobe_missed(side[i]);

		if (recursion >= 0)
			rc = store_loss(store, run, p->row, kind[i][0], recursion,
					"skipped by the kernel: the program was already running on that CPU");
		if (!rc && missed >= 0)
			rc = store_loss(store, run, p->row, kind[i][1], missed,
					i ? "all instances of the return probe were in use; also seen as "
					    "missed_exit or in_flight"
					  : "the kprobe was hit but could not run");
	}
	return rc;
}

// Once the programs are off, each histogram's buckets must sum up to its count.
static uint64_t mismatch(const struct funclat_pair *pair)
{
	uint64_t off = 0;

	for (int c = 0; c < CLASS_COUNT; c++) {
		uint64_t sum = 0;

		for (unsigned b = 0; pair->hists[c] && b < HIST_BUCKETS; b++)
			sum += pair->hists[c]->buckets[b];
		if (pair->hists[c])
			off += sum > pair->hists[c]->count ? sum - pair->hists[c]->count
							   : pair->hists[c]->count - sum;
	}
	return off;
}

static int collect_bpf(struct probes *set, struct probe *p, struct funclat_pair *pair, struct store *store,
		       int64_t run, bool final)
{
	struct cpu_loss loss;
	int rc = funclat_read(set->funclat, p->id, pair);

	for (int c = 0; c < CLASS_COUNT && !rc; c++)
		if (pair->changed[c])
			rc = probe_store_hist(store, p, "", c, pair->hists[c]);
	if (rc || !final)
		return rc;
	rc = store_loss(store, run, p->row, "bucket_mismatch", mismatch(pair),
			"a histogram's buckets do not sum up to its count: a defect of mmprof's");
	if (!rc)
		rc = funclat_losses(set->funclat, p->id, &loss);
	if (!rc)
		rc = store_losses(store, run, p, &loss);
	if (!rc)
		rc = store_loss(store, run, p->row, "in_flight", funclat_in_flight(set->funclat, p->id),
				"had not returned when the run ended");
	return rc ? rc : store_misses(store, run, p, pair);
}

static int collect(struct probes *set, struct probe *p, struct store *store, int64_t run, bool final)
{
	struct func_impl *impl = p->impl;
	int rc = 0;

	if (!impl)
		return 0;
	if (impl->pair)
		return collect_bpf(set, p, impl->pair, store, run, final);
	for (int c = 0; impl->ftrace && c < CLASS_COUNT && !rc; c++) {
		const struct hist *h = ftrace_hist(impl->ftrace, c);

		if (h)
			rc = probe_store_hist(store, p, "", c, h);
	}
	return rc;
}

static void detach(struct probes *set G_GNUC_UNUSED, struct probe *p)
{
	struct func_impl *impl = p->impl;

	if (impl && impl->pair)
		funclat_pair_free(impl->pair);
	g_clear_pointer(&p->impl, g_free);
}

static void run_stats(const struct probe *p, uint64_t *runs, uint64_t *ns)
{
	const struct func_impl *impl = p->impl;

	if (!impl || !impl->pair)
		return;
	bpf_run_stats(&impl->pair->entry, runs, ns);
	bpf_run_stats(&impl->pair->exit, runs, ns);
}

static uint64_t calls(const struct probe *p)
{
	const struct func_impl *impl = p->impl;
	uint64_t n = 0;

	for (int c = 0; impl && c < CLASS_COUNT; c++) {
		const struct hist *h = impl->pair ? impl->pair->hists[c] : ftrace_hist(impl->ftrace, c);

		n += h ? h->count : 0;
	}
	return n;
}

const struct probe_kind kind_func = {"func", attach, collect, detach, run_stats, calls, NULL};
