// One run from set-up to the last figure; see session.h. Order matters: the run's row first, then everything
// that may fail, the workload's first instruction last of all.
#include "run/session_state.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "host/host.h"
#include "host/placement.h"
#include "probe/probe.h"
#include "run/cgroup.h"
#include "run/klog.h"
#include "run/output.h"
#include "run/results.h"
#include "run/samplers.h"
#include "run/snapshots.h"
#include "store/store.h"
#include "store/store_read.h"
#include "system/system.h"

static struct output_options output_options_of(const struct session_options *o, int stdout_fd)
{
	return (struct output_options){o->extracts, o->marks, stdout_fd > 0 ? stdout_fd : STDOUT_FILENO};
}

int session_check(const struct session_options *o)
{
	const struct output_options output = output_options_of(o, 0);
	struct probe_options po = {.backend = o->backend, .cgroup_fd = -1};
	struct probes *set = NULL;
	int rc = workload_check(&o->workload);

	if (!rc && o->pin)
		rc = pin_check(o->pin);
	if (!rc)
		rc = probes_new(o->probes, o->no_probes, &po, &set);
	probes_free(set);
	return rc ? rc : output_check(&output);
}

// --- the run's row

static int store_tags(struct session *s)
{
	int rc = 0;

	for (const char *const *t = s->options->tags; t && *t && !rc; t++) {
		const char *eq = strchr(*t, '=');
		g_autofree char *key = g_strndup(*t, eq - *t);

		rc = store_run_tag(s->store, s->run, key, eq + 1);
	}
	return rc;
}

static int begin(struct session *s)
{
	const struct session_options *o = s->options;
	g_autofree char *cwd = g_canonicalize_filename(o->workload.cwd ?: ".", NULL);
	struct store_run info = {.experiment = o->experiment,
				 .name = o->name,
				 .system = o->system,
				 .argv = o->workload.argv,
				 .cwd = cwd,
				 .user = o->workload.user ? o->workload.user : g_get_user_name(),
				 .boot_id = host_boot_id(),
				 .version = MMPROF_VERSION,
				 .iteration = o->iteration,
				 .cell = o->cell,
				 .warmup = o->iteration == 0,
				 .started_unix_ns = g_get_real_time() * 1000,
				 .interval_ms = o->interval_ms};
	int rc = store_run_begin(s->store, &info, &s->run);

	if (!rc && o->pin)
		rc = pin_set_up(o->pin, session_keep_pin, s);
	if (!rc && o->set_up)
		rc = o->set_up(o->ctx);
	if (!rc)
		rc = store_begin(s->store);
	if (!rc)
		rc = store_tags(s);
	if (!rc)
		rc = session_store_facts(s);
	return rc ? rc : store_commit(s->store);
}

// --- set-up

static int set_up_probes(struct session *s)
{
	struct probe_options po = {.backend = s->options->backend, .cgroup_fd = s->cgroup.fd};
	int64_t from = g_get_monotonic_time(), series;
	int rc = probes_new(s->options->probes, s->options->no_probes, &po, &s->probes);

	if (!rc)
		rc = probes_attach(s->probes);
	if (!rc)
		rc = store_series(s->store, s->run, "self.attach", "ns", false, &series);
	if (!rc)
		rc = store_sample(s->store, series, 0, (g_get_monotonic_time() - from) * 1000, true);
	if (!rc && s->options->bpf_stats && probes_bpf_stats(s->probes))
		rc = store_not_measured(s->store, s->run, "BPF run time", err_text());
	return rc ? rc : probes_store(s->probes, s->store, s->run);
}

static int set_up_cgroup(struct session *s)
{
	if (run_cgroup_make(&s->cgroup) == 0)
		return 0;
	run_cgroup_free(&s->cgroup);
	return store_not_measured(s->store, s->run, "class \"workload\" of probes", err_text());
}

static int set_up_kernel_log(struct session *s)
{
	s->kmsg_fd = klog_open();
	return s->kmsg_fd < 0 ? store_not_measured(s->store, s->run, STORE_LOG, err_text()) : 0;
}

static void say(const struct session *s, const char *text)
{
	if (s->options->progress)
		s->options->progress(text);
}

static int set_up(struct session *s)
{
	sigset_t set;
	int rc;

	session_signals(&set);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->signal_fd < 0 || s->timer_fd < 0)
		return err_set(-errno, "can't make timers: %m");
	store_begin_later(s->store);
	rc = set_up_cgroup(s);
	if (!rc)
		rc = set_up_kernel_log(s);
	say(s, "attaching probes");
	if (!rc)
		rc = set_up_probes(s);
	say(s, NULL);
	return rc ? rc : store_commit(s->store);
}

// --- the workload's life

static int prepare_workload(struct session *s)
{
	struct workload_options w = s->options->workload;
	struct output_options options;
	int rc = w.stdout_path ? workload_open_stdout(&w, &s->stdout_fd) : 0;

	if (rc)
		return rc;
	options = output_options_of(s->options, s->stdout_fd);
	rc = output_new(&options, &s->output);
	if (rc)
		return rc;
	w.stdout_fd = s->stdout_fd;
	w.no_aslr = s->options->pin && pin_no_aslr(s->options->pin);
	if (s->output) {
		w.stdout_fd = output_workload_fd(s->output, 0);
		w.stderr_fd = output_workload_fd(s->output, 1);
	}
	if (s->options->bench) {
		rc = results_new(s->options->bench, &s->results);
		if (rc)
			return rc;
		w.results_fd = results_workload_fd(s->results);
	}
	rc = workload_prepare(&w, &s->workload);
	if (s->output)
		output_started(s->output);
	if (s->results)
		results_started(s->results);
	return rc;
}

static int64_t since_start(void *workload)
{
	return workload_since_start_ns(workload);
}

// From the workload's start on: what ran out while probes were attached would count as readings that came too
// late.
static int start_timer(struct session *s)
{
	const struct timespec interval = {s->options->interval_ms / 1000,
					  s->options->interval_ms % 1000 * 1000000l};
	const struct itimerspec every = {interval, interval};

	return timerfd_settime(s->timer_fd, 0, &every, NULL) ? err_set(-errno, "can't set a timer: %m") : 0;
}

static int system_begins(struct session *s)
{
	const struct system *system = s->options->known;
	int rc = system && system->begin
		     ? system->begin(workload_pid(s->workload), s->cgroup.fd >= 0 ? s->cgroup.path : NULL)
		     : 0;

	s->system_began = system && system->end && !rc;
	return rc;
}

static int launch(struct session *s)
{
	int rc = s->cgroup.fd >= 0 ? run_cgroup_add(&s->cgroup, workload_pid(s->workload)) : 0;

	if (!rc)
		rc = system_begins(s);
	if (rc)
		return rc;
	s->target =
	    (struct sample_target){.cgroup_dir = s->cgroup.path, .percent = s->options->sampling_percent};
	s->samplers = samplers_open(s->store, s->run, &s->target, s->options->interval_ms);
	rc = store_begin(s->store);
	if (!rc)
		rc = session_store_mergeable(s);
	if (!rc)
		rc = samplers_read(s->samplers, 0, true, false);
	if (rc)
		return rc;
	s->target.root_pid = workload_pid(s->workload);
	probes_root(s->probes, s->target.root_pid);
	getrusage(RUSAGE_SELF, &s->self_before);
	probes_enable(s->probes, true);
	s->cpu_times = placement_begin("");
	rc = start_timer(s);
	if (!rc)
		rc = workload_start(s->workload);
	if (!rc)
		s->snapshots = snapshots_open(s->store, s->run, &s->target, since_start, s->workload);
	return rc;
}

// --- the end

static int64_t timeval_ns(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000000 + (int64_t)t.tv_usec * 1000;
}

static int note_left_running(struct session *s, int left)
{
	g_autofree char *why = NULL;

	if (!left)
		return 0;
	why = g_strdup_printf("%d processes of it still ran when its first process ended, which ends the run",
			      left);
	return store_not_measured(s->store, s->run, "the workload's later life", why);
}

static int note_maxrss(struct session *s, const struct workload_end *end)
{
	g_autofree char *why = NULL;

	if (workload_maxrss(end) >= 0)
		return 0;
	why = g_strdup_printf("at most %ld KiB: it was mmprof's copy before it was executed, of %" PRId64
			      " KiB, which Linux counts too",
			      end->usage.ru_maxrss, end->own_maxrss / 1024);
	return store_not_measured(s->store, s->run, "maxrss", why);
}

static int finish(struct session *s, const struct workload_end *end, struct session_outcome *out)
{
	struct rusage self;
	struct store_result r = {.status = s->status,
				 .status_why = s->status_why,
				 .exit_status = end->exit_status,
				 .signal = end->signal,
				 .elapsed_ns = end->elapsed_ns,
				 .user_ns = timeval_ns(end->usage.ru_utime),
				 .system_ns = timeval_ns(end->usage.ru_stime),
				 .maxrss_bytes = workload_maxrss(end),
				 .minflt = end->usage.ru_minflt,
				 .majflt = end->usage.ru_majflt,
				 .nvcsw = end->usage.ru_nvcsw,
				 .nivcsw = end->usage.ru_nivcsw,
				 .inblock = end->usage.ru_inblock,
				 .oublock = end->usage.ru_oublock};
	int rc;

	getrusage(RUSAGE_SELF, &self);
	r.self_user_ns = timeval_ns(self.ru_utime) - timeval_ns(s->self_before.ru_utime);
	r.self_system_ns = timeval_ns(self.ru_stime) - timeval_ns(s->self_before.ru_stime);
	r.self_maxrss_bytes = self.ru_maxrss * 1024;
	r.bpf_ns = probes_bpf_ns(s->probes, &r.bpf_ns_source);
	rc = note_maxrss(s, end);
	if (!rc)
		rc = store_run_end(s->store, s->run, &r);
	out->status = s->status;
	out->interrupted = s->interrupted;
	out->elapsed_ns = end->elapsed_ns;
	out->exit_code = end->signal > 0 ? 128 + end->signal : end->exit_status;
	return rc;
}

// Everything is read once more after the workload's end, with the probes off.
static int last_readings(struct session *s, struct session_outcome *out)
{
	int64_t now = workload_since_start_ns(s->workload);
	int rc;

	probes_enable(s->probes, false);
	out->left_running = s->cgroup.fd >= 0 ? run_cgroup_population(&s->cgroup) : 0;
	rc = snapshots_close(s->snapshots);
	s->snapshots = NULL;
	if (!rc)
		rc = samplers_read(s->samplers, now, true, true);
	if (!rc && s->kmsg_fd >= 0)
		rc = klog_read(s->kmsg_fd, s->store, s->run, now);
	if (!rc && s->output)
		rc = output_finish(s->output, s->store, s->run, now);
	if (!rc && s->results)
		rc = results_finish(s->results, s->store, s->run, workload_start_ns(s->workload));
	if (!rc)
		rc = session_store_placement(s);
	probes_pump(s->probes, now);
	if (!rc)
		rc = probes_collect(s->probes, s->store, s->run, true);
	if (!rc)
		rc =
		    store_loss(s->store, s->run, 0, "late_readings", s->late_ticks,
			       "mmprof had no CPU for so many of the readings over time: they were left out");
	if (!rc)
		rc = note_left_running(s, out->left_running);
	return rc;
}

static int end_without_workload(struct session *s, const char *status, const char *why)
{
	struct store_result r = {
	    .status = status, .status_why = why, .exit_status = -1, .signal = -1, .bpf_ns = -1};

	return store_run_end(s->store, s->run, &r);
}

// A signal that came before the workload's process was there has reached nobody else.
static bool stopped_early(struct session *s, struct session_outcome *out, int *rc)
{
	bool from_terminal;
	int signal = session_signal(s, &from_terminal);
	g_autofree char *why = NULL;

	if (!signal)
		return false;
	why = g_strdup_printf("%s before the workload was started", s->status_why);
	*rc = end_without_workload(s, s->status, why);
	out->status = s->status;
	out->interrupted = true;
	out->exit_code = 128 + signal;
	return true;
}

static int live(struct session *s, struct session_outcome *out)
{
	struct workload_end end;
	int rc = prepare_workload(s), later;

	if (!rc && stopped_early(s, out, &rc))
		return rc;
	if (!rc)
		rc = launch(s);
	if (!rc)
		rc = session_watch(s);
	if (rc)
		return rc;
	workload_end(s->workload, &end);
	rc = last_readings(s, out);
	later = samplers_close(s->samplers);
	s->samplers = NULL;
	if (!rc)
		rc = later;
	if (!rc)
		rc = store_commit(s->store);
	return rc ? rc : finish(s, &end, out);
}

static void count_probes(const struct probes *set, struct session_outcome *out)
{
	for (int i = 0; set && i < probes_count(set); i++) {
		const char *status = probes_get(set, i)->status;

		out->attached += !strcmp(status, "attached");
		out->not_attached += strcmp(status, "attached") && strcmp(status, "alias");
	}
}

static void tear_down(struct session *s, struct session_outcome *out)
{
	if (s->system_began)
		s->options->known->end();
	workload_free(s->workload);
	output_free(s->output);
	results_free(s->results);
	if (s->samplers)
		samplers_close(s->samplers);
	probes_free(s->probes);
	run_cgroup_free(&s->cgroup);
	placement_free(s->cpu_times);
	session_facts_clear(s);
	out->pins_not_done = s->pins_not_done;
	out->not_put_back = journal_undo_to(s->journal_mark);
	if (s->stdout_fd > 0)
		close(s->stdout_fd);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->timer_fd >= 0)
		close(s->timer_fd);
	if (s->kmsg_fd >= 0)
		close(s->kmsg_fd);
}

// A run that could not be made is kept, marked failed with the reason.
static void mark_failed(struct session *s)
{
	g_autofree char *why = g_strdup(err_text());

	if (!s->run)
		return;
	store_commit(s->store);
	end_without_workload(s, "failed", why);
	err_set(-EIO, "%s", why);
}

int session_run(struct store *store, const struct session_options *options, struct session_outcome *out)
{
	struct session s = {.options = options,
			    .store = store,
			    .status = "done",
			    .signal_fd = -1,
			    .timer_fd = -1,
			    .kmsg_fd = -1};
	int rc;

	memset(out, 0, sizeof(*out));
	s.cgroup.fd = -1;
	session_facts_init(&s);
	s.journal_mark = journal_mark();
	rc = begin(&s);
	if (!rc)
		rc = set_up(&s);
	if (!rc)
		rc = live(&s, out);
	if (rc)
		mark_failed(&s);
	out->run = s.run;
	count_probes(s.probes, out);
	tear_down(&s, out);
	return rc;
}
