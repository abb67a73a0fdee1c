// The runs of a plan, one after the other; see execute.h.
#include "run/execute.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/journal.h"
#include "run/matrix.h"
#include "system/system.h"

static const struct plan_system *system_of(const struct plan *plan, const struct cell *cell)
{
	return plan->systems->pdata[cell->system];
}

static const struct plan_workload *workload_of(const struct plan *plan, const struct cell *cell)
{
	return plan->workloads->pdata[cell->workload];
}

static struct session_options options_of(const struct plan *plan, const struct cell *cell, const char *user)
{
	const struct plan_workload *w = workload_of(plan, cell);

	return (struct session_options){
	    .workload = {.argv = (const char *const *)w->argv,
			 .user = w->user ? w->user : user,
			 .cwd = w->cwd,
			 .cpus = w->cpus,
			 .membind = w->membind,
			 .preferred = w->preferred,
			 .interleave = w->interleave,
			 .stdin_path = w->stdin_path,
			 .stdout_path = w->stdout_path},
	    .experiment = plan->name,
	    .name = w->name,
	    .system = system_of(plan, cell)->name,
	    .probes = (const char *const *)plan->probes,
	    .no_probes = (const char *const *)plan->no_probes,
	    .extracts = (const char *const *)w->extracts,
	    .marks = (const char *const *)w->marks,
	    .backend = plan->backend ? plan->backend : "auto",
	    .interval_ms = plan->interval_ms,
	    .sampling_percent = plan->sampling,
	    .timeout_s = plan->timeout_s,
	    .iteration = cell->round,
	    .cell = cell->number,
	    .pin = &plan->pin,
	    .bench = w->bench ? w->argv[2] : NULL,
	};
}

// --- settings

static int setting_error(const struct plan *plan, const struct setting *s, int rc)
{
	return plan_error(rc, plan->path, s->line, "%s", err_text());
}

static int apply(const struct plan *plan, const GArray *settings)
{
	for (guint i = 0; i < settings->len; i++) {
		const struct setting *s = &g_array_index(settings, struct setting, i);
		int rc = setting_apply(s);

		if (rc)
			return setting_error(plan, s, rc);
	}
	return 0;
}

static bool has_path(const GArray *settings, const char *path)
{
	for (guint i = 0; settings && i < settings->len; i++)
		if (!strcmp(g_array_index(settings, struct setting, i).path, path))
			return true;
	return false;
}

// Writing one file may change another, so all are read once more after the last is written.
static int verify(const struct plan *plan, const GArray *settings, const GArray *overridden_by,
		  const GArray *or_by)
{
	for (guint i = 0; i < settings->len; i++) {
		const struct setting *s = &g_array_index(settings, struct setting, i);
		bool overridden = has_path(overridden_by, s->path) || has_path(or_by, s->path);
		int rc = overridden ? 0 : setting_verify(s);

		if (rc)
			return setting_error(plan, s, rc);
	}
	return 0;
}

static int spec_error(const struct plan *plan, const struct plan_system *system, int rc)
{
	return plan_error(rc, plan->path, plan_line(&system->section, "use"), "%s", err_text());
}

static int set_up_system(const struct plan *plan, const struct plan_system *system)
{
	const struct system_spec *spec = system->spec;
	int rc = spec && system_spec_set_up(system->spec) ? spec_error(plan, system, -EIO) : 0;

	if (!rc)
		rc = apply(plan, system->settings);
	if (!rc)
		rc = verify(plan, plan->settings, system->settings, spec ? spec->settings : NULL);
	return rc ? rc : verify(plan, system->settings, NULL, NULL);
}

// A value that the kernel refuses is found here, not after hours.
static int try_systems(const struct execution *e)
{
	g_autofree bool *tried = g_new0(bool, e->plan->systems->len);
	int rc = 0;

	for (guint i = 0; i < e->cells->len && !rc; i++) {
		const struct cell *cell = &g_array_index(e->cells, struct cell, i);
		int mark = journal_mark();

		if (tried[cell->system])
			continue;
		tried[cell->system] = true;
		rc = set_up_system(e->plan, system_of(e->plan, cell));
		if (!rc && journal_undo_to(mark))
			rc = err_add(-EIO, "the machine could not be put back");
	}
	return rc;
}

// --- checks

static int check_settings(const struct plan *plan, const GArray *settings)
{
	for (guint i = 0; i < settings->len; i++) {
		const struct setting *s = &g_array_index(settings, struct setting, i);
		int rc = setting_check(s);

		if (rc)
			return setting_error(plan, s, rc);
	}
	return 0;
}

static void drop_system(GArray *cells, int system)
{
	for (guint i = cells->len; i-- > 0;)
		if (g_array_index(cells, struct cell, i).system == system)
			g_array_remove_index(cells, i);
}

static int check_systems(const struct plan *plan, GArray *cells, bool skip_missing,
			 void (*left_out)(const char *line))
{
	g_autofree int *count = g_new0(int, plan->systems->len);
	int rc = check_settings(plan, plan->settings);

	for (guint i = 0; i < cells->len; i++)
		count[g_array_index(cells, struct cell, i).system]++;
	for (guint i = 0; i < plan->systems->len && !rc; i++) {
		const struct plan_system *s = plan->systems->pdata[i];
		g_autofree char *line = NULL;

		rc = count[i] && s->spec ? system_spec_check(s->spec) : 0;
		if (rc)
			spec_error(plan, s, rc);
		if (!rc && count[i])
			rc = check_settings(plan, s->settings);
		if (rc != -ENOENT || !skip_missing)
			continue;
		line = g_strdup_printf("system %s is left out (%d runs): %s", s->name, count[i], err_text());
		left_out(line);
		drop_system(cells, (int)i);
		rc = 0;
	}
	if (!rc && !cells->len)
		rc = err_set(-ENOENT, "%s: none of its systems can be set up on this machine", plan->path);
	return rc;
}

// The line of the option that an error names, "--cpus: ..."; otherwise that of `key`.
static int option_error(const struct plan *plan, const struct plan_workload *w, const char *key, int rc)
{
	const char *text = err_text(), *option = g_str_has_prefix(text, "--") ? text + 2 : NULL;
	g_autofree char *name = option ? g_strndup(option, strcspn(option, ": ")) : NULL;
	bool of_workload = name ? g_hash_table_contains(w->section.lines, name) : !strcmp(key, "command");

	return plan_error(rc, plan->path, plan_line(of_workload ? &w->section : &plan->section, name ?: key),
			  "%s", option ?: text);
}

static const char *probe_key(const struct plan *plan)
{
	if (strstr(err_text(), "to leave out"))
		return "no-probes";
	return plan->backend && strstr(err_text(), plan->backend) ? "backend" : "probes";
}

static int check_workloads(const struct plan *plan, const GArray *cells, const char *user)
{
	g_autofree bool *seen = g_new0(bool, plan->workloads->len);
	int rc = 0;

	for (guint i = 0; i < cells->len && !rc; i++) {
		const struct cell *cell = &g_array_index(cells, struct cell, i);
		const struct session_options o = options_of(plan, cell, user);

		if (seen[cell->workload])
			continue;
		seen[cell->workload] = true;
		rc = workload_check(&o.workload);
		if (rc)
			return option_error(plan, workload_of(plan, cell), "command", rc);
		rc = session_check(&o);
		if (rc)
			rc = option_error(plan, workload_of(plan, cell), probe_key(plan), rc);
	}
	return rc;
}

int execute_check(const struct plan *plan, GArray *cells, const char *user, bool skip_missing,
		  void (*left_out)(const char *line))
{
	int rc = check_systems(plan, cells, skip_missing, left_out);

	return rc ? rc : check_workloads(plan, cells, user);
}

// --- how long it will take

struct times {
	int n_pairs, n_workloads;
	int *left, *known; // runs of each pair: still to come, and timed
	double *took_s;    // the timed ones' sum
};

static int pair_of(const struct times *t, const struct cell *cell)
{
	return cell->system * t->n_workloads + cell->workload;
}

static void times_init(struct times *t, const struct plan *plan, const GArray *steps)
{
	t->n_workloads = (int)plan->workloads->len;
	t->n_pairs = (int)plan->systems->len * t->n_workloads;
	t->left = g_new0(int, t->n_pairs);
	t->known = g_new0(int, t->n_pairs);
	t->took_s = g_new0(double, t->n_pairs);
	for (guint i = 0; i < steps->len; i++)
		t->left[pair_of(t, &g_array_index(steps, struct cell, i))]++;
}

static void times_clear(struct times *t)
{
	g_free(t->left);
	g_free(t->known);
	g_free(t->took_s);
}

// What a pair has taken so far; one that was not run yet is taken for the mean of all.
static double seconds_left(const struct times *t, double pause)
{
	double all = 0, left = 0;
	int known = 0;

	for (int i = 0; i < t->n_pairs; i++) {
		all += t->took_s[i];
		known += t->known[i];
	}
	if (!known)
		return -1;
	for (int i = 0; i < t->n_pairs; i++)
		left += t->left[i] * ((t->known[i] ? t->took_s[i] / t->known[i] : all / known) + pause);
	return left;
}

// --- the runs

struct machine {
	const struct plan *plan;
	const struct plan_system *system;
};

static int set_up(void *ctx)
{
	const struct machine *m = ctx;

	return set_up_system(m->plan, m->system);
}

static int run_step(struct execution *e, const struct cell *cell, struct times *times)
{
	struct machine machine = {e->plan, system_of(e->plan, cell)};
	const struct execute_step step = {machine.system, workload_of(e->plan, cell), cell->number,
					  cell->round, seconds_left(times, e->plan->pause)};
	struct session_options o = options_of(e->plan, cell, e->user);
	struct session_outcome out;
	int64_t from = g_get_monotonic_time();
	int pair = pair_of(times, cell), rc;

	o.set_up = set_up;
	o.known = machine.system->spec ? machine.system->spec->system : NULL;
	o.workload.mergeable = machine.system->spec && system_is_mergeable(machine.system->spec->text);
	o.ctx = &machine;
	e->starting(e->ctx, &step);
	rc = session_run(e->store, &o, &out);
	if (!out.run)
		return rc;
	times->left[pair]--;
	times->known[pair]++;
	times->took_s[pair] += (double)(g_get_monotonic_time() - from) / 1e6;
	e->interrupted = out.interrupted;
	e->runs += cell->round > 0 && !out.interrupted;
	e->failed += cell->round > 0 && !out.interrupted && (rc || out.exit_code);
	e->ended(e->ctx, &step, &out, rc ? err_text() : NULL);
	return out.not_put_back
		   ? err_add(-EIO, "the machine could not be put back after run %" PRId64, out.run)
		   : 0;
}

int execute(struct execution *e)
{
	g_autoptr(GArray) steps = matrix_with_warmups(e->cells, e->plan->warmup);
	struct times times;
	int rc = apply(e->plan, e->plan->settings);

	if (!rc)
		rc = verify(e->plan, e->plan->settings, NULL, NULL);
	if (!rc && e->try_settings)
		rc = try_systems(e);
	times_init(&times, e->plan, steps);
	for (guint i = 0; i < steps->len && !rc && !e->interrupted; i++) {
		e->interrupted = session_pause(i ? e->plan->pause : 0);
		if (!e->interrupted)
			rc = run_step(e, &g_array_index(steps, struct cell, i), &times);
	}
	times_clear(&times);
	return rc;
}
