// A run while its workload runs: what is read when, who is told of signals; see session_state.h.
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "probe/probe.h"
#include "run/klog.h"
#include "run/output.h"
#include "run/results.h"
#include "run/samplers.h"
#include "run/session_state.h"
#include "run/snapshots.h"
#include "store/store.h"

#define FLUSH_NS 1000000000ll

// What would end mmprof and leave the machine changed; of the workload's signals only the first few are ours
// to pass on.
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ, SIGALRM};
enum { PASSED_ON = 4 };

void session_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaddset(set, signals[i]);
}

void session_block_signals(void)
{
	sigset_t set;

	session_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool session_pause(double seconds)
{
	struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	sigset_t set;

	session_signals(&set);
	return sigtimedwait(&set, NULL, &t) > 0;
}

static void kill_workload(struct session *s, int signal)
{
	if (signal == SIGKILL && s->cgroup.fd >= 0)
		run_cgroup_kill(&s->cgroup);
	else
		kill(workload_pid(s->workload), signal);
}

int session_signal(struct session *s, bool *from_terminal)
{
	struct signalfd_siginfo info;
	g_autofree char *name = NULL;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	name = g_strdup_printf("SIG%s", sigabbrev_np((int)info.ssi_signo));
	s->interrupted = true;
	s->status = "interrupted";
	s->status_why = g_intern_string(name);
	*from_terminal = info.ssi_code == SI_KERNEL;
	return (int)info.ssi_signo;
}

// A terminal's Ctrl-C has already reached the workload, which shares our process group; a signal sent to
// mmprof alone is passed on.
static void on_signal(struct session *s)
{
	bool from_terminal;
	int signal;

	while ((signal = session_signal(s, &from_terminal))) {
		bool passed_on = false;

		for (int i = 0; i < PASSED_ON; i++)
			passed_on |= signals[i] == signal;
		if (!passed_on)
			kill_workload(s, SIGTERM);
		else if (!from_terminal)
			kill_workload(s, signal);
	}
}

static void check_timeout(struct session *s, int64_t now)
{
	int64_t limit = s->options->timeout_s * 1000000000ll;

	if (!limit || now < limit)
		return;
	if (strcmp(s->status, "timeout"))
		kill_workload(s, SIGTERM);
	else if (now > limit + 2000000000ll && !s->killed) {
		s->killed = true;
		kill_workload(s, SIGKILL);
	}
	s->status = "timeout";
	s->status_why = "the workload ran longer than --timeout";
}

// Between two flushes the database is free, for `mmprof note` or `merge`. While one of them writes, the
// samples wait: the workload must not.
static int flush(struct session *s, int64_t now)
{
	int rc;

	if (now - s->flushed_ns < FLUSH_NS)
		return 0;
	rc = store_try_begin(s->store);
	if (rc == -EBUSY)
		return 0;
	s->flushed_ns = now;
	if (!rc)
		rc = probes_collect(s->probes, s->store, s->run, false);
	if (!rc)
		rc = store_commit(s->store);
	store_begin_later(s->store);
	return rc;
}

static int tick(struct session *s)
{
	int64_t now = workload_since_start_ns(s->workload);
	uint64_t missed; // ticks since the last time, this one too
	int rc;

	if (read(s->timer_fd, &missed, sizeof(missed)) < 0)
		return 0;
	s->late_ticks += missed - 1;
	rc = samplers_read(s->samplers, now, false, false);
	if (!rc)
		rc = snapshots_take(s->snapshots);
	probes_pump(s->probes, now);
	if (!rc && s->kmsg_fd >= 0)
		rc = klog_read(s->kmsg_fd, s->store, s->run, now);
	check_timeout(s, now);
	return rc ? rc : flush(s, now);
}

int session_watch(struct session *s)
{
	struct pollfd fds[] = {{workload_event_fd(s->workload), POLLIN, 0},
			       {s->signal_fd, POLLIN, 0},
			       {s->timer_fd, POLLIN, 0},
			       {-1, POLLIN, 0},
			       {-1, POLLIN, 0},
			       {-1, POLLIN, 0}};
	int rc = 0;

	while (!rc) {
		for (int i = 0; i < 2; i++)
			fds[3 + i].fd = s->output ? output_fd(s->output, i) : -1;
		fds[5].fd = s->results ? results_fd(s->results) : -1;
		if (poll(fds, G_N_ELEMENTS(fds), -1) < 0 && errno != EINTR)
			return err_set(-errno, "poll: %m");
		if (fds[1].revents & POLLIN)
			on_signal(s);
		for (int i = 0; i < 2 && !rc; i++)
			if (fds[3 + i].revents)
				rc = output_read(s->output, i, s->store, s->run,
						 workload_since_start_ns(s->workload));
		if (fds[5].revents && !rc)
			rc = results_read(s->results, s->store, s->run, workload_start_ns(s->workload));
		if (fds[0].revents & POLLIN)
			return 0;
		if (fds[2].revents & POLLIN)
			rc = tick(s);
	}
	return rc;
}
