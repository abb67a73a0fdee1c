// Calibration of the function-latency backends; see calibrate.h. The empty function is called through
// BPF_PROG_TEST_RUN (net/bpf/test_run.c), which needs a program of type tracing: without fentry there is no
// calibration, and the run says so.
#include "probe/calibrate.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "probe/ftrace.h"
#include "probe/funclat.h"
#include "probe/set.h"
#include "store/store.h"

#define FUNCTION "bpf_fentry_test1"
#define CALLS 1000

static const char *const backends[CALIBRATION_PROBES] = {"fentry", "kprobe", "ftrace"};

bool calibrate_backend_works(struct probes *set, const char *backend)
{
	struct funclat_pair *pair = g_new0(struct funclat_pair, 1);
	int rc = funclat_attach(set->funclat, backend, FUNCTION, set->list->len, pair);

	funclat_pair_free(pair);
	return rc == 0;
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// One test run's time in ns, undisturbed: the shortest of CALLS. -errno with an err chain when the kernel
// can't.
static double test_run_ns(int prog)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < CALLS; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts);
		uint64_t from = clock_ns();

		if (bpf_prog_test_run_opts(prog, &opts))
			return err_set(-errno, "BPF_PROG_TEST_RUN: %m");
		best = MIN(best, clock_ns() - from);
	}
	return (double)best;
}

static void keep(struct calibration *c, const struct hist *h, double with, double without)
{
	c->calls = h->count;
	c->inside_p50_ns = (double)hist_percentile(h, 50);
	c->inside_mean_ns = (double)h->sum / (double)h->count;
	c->call_ns = with > without ? with - without : 0;
	c->ok = true;
}

static int calibrate_bpf(struct probes *set, const char *backend, uint32_t id, int prog, double without,
			 struct calibration *c)
{
	struct funclat_pair *pair = g_new0(struct funclat_pair, 1);
	struct hist sum = {};
	double with;
	int rc = funclat_attach(set->funclat, backend, FUNCTION, id, pair);

	if (rc) {
		g_free(pair);
		return rc;
	}
	bpf_enable(set->bpf, true);
	with = test_run_ns(prog);
	bpf_enable(set->bpf, false);
	rc = with < 0 ? (int)with : funclat_read(set->funclat, id, pair);
	for (int class = 0; class < CLASS_COUNT && !rc; class ++)
		if (pair->hists[class])
			hist_merge(&sum, pair->hists[class]);
	if (!rc && !sum.count)
		rc = err_set(-EINVAL, "the empty function was called, but nothing was counted");
	if (!rc)
		keep(c, &sum, with, without);
	funclat_pair_free(pair);
	return rc;
}

static int calibrate_ftrace(struct probes *set, int prog, double without, struct calibration *c)
{
	struct ftrace_func *fn;
	struct hist sum = {};
	double with;
	int rc = ftrace_add(set->ftrace, FUNCTION, &fn);

	if (rc)
		return rc;
	ftrace_enable(set->ftrace, true);
	with = test_run_ns(prog);
	ftrace_enable(set->ftrace, false);
	ftrace_pump(set->ftrace);
	for (int class = 0; class < CLASS_COUNT; class ++)
		if (ftrace_hist(fn, class))
			hist_merge(&sum, ftrace_hist(fn, class));
	if (with < 0)
		rc = (int)with;
	else if (!sum.count)
		rc = err_set(-EINVAL, "the empty function was called, but nothing was counted");
	else
		keep(c, &sum, with, without);
	ftrace_remove(set->ftrace, fn);
	return rc;
}

static bool in_use(const struct probes *set, const char *backend)
{
	for (guint i = 0; i < set->list->len; i++) {
		const struct probe *p = set->list->pdata[i];

		if (p->kind == &kind_func &&
		    (!strcmp(p->wanted_backend, "auto") || !strcmp(p->wanted_backend, backend)))
			return true;
	}
	return false;
}

// The backends that `auto` will not reach are not worth the time.
static bool worth_it(const struct probes *set, int i)
{
	bool wanted = false;

	for (guint k = 0; k < set->list->len; k++) {
		const struct probe *p = set->list->pdata[k];

		wanted |= p->kind == &kind_func && !strcmp(p->wanted_backend, backends[i]);
	}
	return wanted || i == 0 || !set->calibration[0].ok;
}

static int calibrate(struct probes *set, int i, int prog, double without)
{
	struct calibration *c = &set->calibration[i];
	uint32_t id = set->list->len + i;

	if (prog < 0)
		return err_set(-EPERM, "not calibrated: the test call needs a BPF program of type tracing, "
				       "which this kernel refuses");
	if (without < 0)
		return err_set((int)without, "not calibrated: BPF_PROG_TEST_RUN does not work here");
	if (!strcmp(backends[i], "ftrace"))
		return calibrate_ftrace(set, prog, without, c);
	return calibrate_bpf(set, backends[i], id, prog, without, c);
}

void calibrate_all(struct probes *set)
{
	int prog = set->funclat ? funclat_test_prog(set->funclat) : -1;
	double without = prog >= 0 ? test_run_ns(prog) : -1;

	for (int i = 0; i < CALIBRATION_PROBES; i++) {
		if (!in_use(set, backends[i]) || !worth_it(set, i) || (i < 2 ? !set->funclat : !set->ftrace))
			continue;
		if (calibrate(set, i, prog, without))
			set->calibration[i].why = g_strdup(err_text());
	}
}

static bool backend_was_used(const struct probes *set, const char *backend)
{
	for (guint i = 0; i < set->list->len; i++)
		if (!g_strcmp0(((const struct probe *)set->list->pdata[i])->backend, backend))
			return true;
	return false;
}

int calibrate_store(struct probes *set, struct store *store, int64_t run)
{
	int rc = 0;

	for (int i = 0; i < CALIBRATION_PROBES && !rc; i++) {
		const struct calibration *c = &set->calibration[i];
		struct store_calibration row = {.backend = backends[i],
						.function = FUNCTION,
						.calls = c->calls,
						.inside_p50_ns = c->inside_p50_ns,
						.inside_mean_ns = c->inside_mean_ns,
						.call_ns = c->call_ns};
		g_autofree char *what = g_strdup_printf("own cost of the %s backend", backends[i]);

		if (!backend_was_used(set, backends[i]))
			continue;
		rc = c->ok ? store_calibration(store, run, &row)
			   : store_not_measured(store, run, what, c->why ? c->why : "not calibrated");
	}
	return rc;
}

double calibrate_call_ns(const struct probes *set, const char *backend)
{
	for (int i = 0; i < CALIBRATION_PROBES; i++)
		if (!strcmp(backends[i], backend) && set->calibration[i].ok)
			return set->calibration[i].call_ns;
	return -1;
}
