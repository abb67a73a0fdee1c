// Starts, times and reaps the workload; see workload.h.
#include "run/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <numa.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"

struct workload {
	pid_t pid;
	int go_fd, said_fd, event_fd; // go: a byte lets it run; said: struct said
	bool started, waited;
	int merge_error; // of offering its memory to KSM
	pthread_t waiter;
	int64_t start_ns, own_maxrss;
	struct workload_end end; // the waiter's until it has ended
};

// What the child says: once before exec, and once more if that fails.
struct said {
	int error; // errno
	int64_t maxrss;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// libnuma's own warnings: replaced by ours, which are one line (numa(3) provides for this).
void numa_warn(int number, char *what, ...)
{
	(void)number;
	(void)what;
}

// --- checks

static int check_nodes(const char *option, const char *nodes)
{
	struct bitmask *mask;

	if (!nodes)
		return 0;
	if (numa_available() < 0)
		return err_set(-EINVAL, "--%s: this kernel has no NUMA policies", option);
	mask = numa_parse_nodestring(nodes);
	if (!mask)
		return err_set(-EINVAL,
			       "--%s: \"%s\" names NUMA nodes that are not here (mmprof doctor lists them)",
			       option, nodes);
	numa_free_nodemask(mask);
	return 0;
}

static int check_cpus(const char *cpus)
{
	struct bitmask *mask;

	if (!cpus)
		return 0;
	mask = numa_parse_cpustring(cpus);
	if (!mask)
		return err_set(-EINVAL, "--cpus: \"%s\" names CPUs that are not here", cpus);
	numa_free_cpumask(mask);
	return 0;
}

// A relative path is one from `cwd`.
static int check_program(const char *program, const char *cwd)
{
	g_autofree char *from = strchr(program, '/') ? g_canonicalize_filename(program, cwd) : NULL;
	g_autofree char *path = g_find_program_in_path(from ?: program);

	if (cwd && !g_file_test(cwd, G_FILE_TEST_IS_DIR))
		return err_set(-EINVAL, "--cwd: there is no directory \"%s\"", cwd);
	if (path)
		return 0;
	if (from && access(from, F_OK) == 0)
		return err_set(-EINVAL, "the workload \"%s\" is not an executable file", program);
	return err_set(-EINVAL, "the workload \"%s\" was not found", program);
}

int workload_check(const struct workload_options *o)
{
	int rc;

	if (o->user && !getpwnam(o->user))
		return err_set(-EINVAL, "--user: there is no user \"%s\"", o->user);
	if (o->stdin_path && access(o->stdin_path, R_OK))
		return err_set(-EINVAL, "--stdin: can't read %s: %m", o->stdin_path);
	rc = check_program(o->argv[0], o->cwd);
	if (!rc)
		rc = check_cpus(o->cpus);
	if (!rc)
		rc = check_nodes("membind", o->membind);
	if (!rc)
		rc = check_nodes("preferred", o->preferred);
	return rc ? rc : check_nodes("interleave", o->interleave);
}

// --- the child's side: each step ends the child with its errno on failure

static void replace(int fd, int to)
{
	if (fd > 0 && dup2(fd, to) < 0)
		_exit(125);
}

static void apply_placement(const struct workload_options *o)
{
	struct bitmask *mask;

	if (o->cpus && (mask = numa_parse_cpustring(o->cpus)))
		numa_sched_setaffinity(0, mask);
	if (o->membind && (mask = numa_parse_nodestring(o->membind)))
		numa_set_membind(mask);
	if (o->interleave && (mask = numa_parse_nodestring(o->interleave)))
		numa_set_interleave_mask(mask);
	if (o->preferred && (mask = numa_parse_nodestring(o->preferred)))
		for (unsigned i = 0; i < mask->size; i++)
			if (numa_bitmask_isbitset(mask, i)) {
				numa_set_preferred((int)i);
				break;
			}
}

static int become(const char *user)
{
	const struct passwd *pw = user ? getpwnam(user) : NULL;

	if (!pw || geteuid() != 0)
		return 0;
	if (initgroups(user, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		return -errno;
	setenv("HOME", pw->pw_dir, 1);
	setenv("USER", user, 1);
	setenv("LOGNAME", user, 1);
	return 0;
}

static void say(int fd, int error)
{
	struct said said = {.error = error};
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	said.maxrss = usage.ru_maxrss * 1024;
	if (write(fd, &said, sizeof(said)) < 0)
		_exit(126);
}

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

// mm/ksm.c, ksm_enable_merge_any(): from 6.4, and over exec from 6.9 (ksm_execve).
static void offer_to_ksm(int said_fd)
{
	say(said_fd, prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0) ? errno : 0);
}

static void child(const struct workload_options *o, int go_fd, int said_fd)
{
	enum { GET = 0xffffffff }; // personality(2)
	sigset_t none;
	char byte;
	int rc;

	if (o->mergeable)
		offer_to_ksm(said_fd);
	if (read(go_fd, &byte, 1) != 1)
		_exit(125); // mmprof is gone
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (o->stdin_path) {
		int fd = open(o->stdin_path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			_exit(125);
		replace(fd, STDIN_FILENO);
	}
	replace(o->stdout_fd, STDOUT_FILENO);
	replace(o->stderr_fd, STDERR_FILENO);
	if (o->cwd && chdir(o->cwd))
		_exit(125);
	apply_placement(o);
	rc = -become(o->user);
	if (!rc && o->no_aslr && personality((unsigned)personality(GET) | ADDR_NO_RANDOMIZE) < 0)
		rc = errno;
	if (o->results_fd > 0) {
		g_autofree char *fd = g_strdup_printf("%d", o->results_fd);

		setenv("MMPROF_RESULTS_FD", fd, 1);
	}
	if (!rc) {
		say(said_fd, 0);
		execvp(o->argv[0], (char *const *)o->argv);
		rc = errno;
	}
	say(said_fd, rc);
	_exit(125);
}

// --- the parent's side

static int become_for_files(const struct passwd *pw)
{
	if (initgroups(pw->pw_name, pw->pw_gid))
		return -errno;
	setfsgid(pw->pw_gid);
	setfsuid(pw->pw_uid);
	return setfsuid((uid_t)-1) == (int)pw->pw_uid ? 0 : -EPERM; // it tells no other way
}

static void become_root_again(const GArray *groups)
{
	setfsuid(0);
	setfsgid(getegid());
	setgroups(groups->len, (const gid_t *)groups->data);
}

int workload_open_stdout(const struct workload_options *o, int *fd)
{
	const struct passwd *pw = o->user && geteuid() == 0 ? getpwnam(o->user) : NULL;
	g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(gid_t));
	int rc = 0;

	g_array_set_size(groups, (guint)MAX(getgroups(0, NULL), 0));
	if (pw && getgroups((int)groups->len, (gid_t *)groups->data) < 0)
		return err_set(-errno, "--stdout: %m");
	if (pw)
		rc = become_for_files(pw);
	if (!rc)
		*fd = open(o->stdout_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (!rc && *fd < 0)
		rc = -errno;
	if (pw)
		become_root_again(groups);
	return rc ? err_set(rc, "--stdout: can't open %s%s%s: %s", o->stdout_path, pw ? " as " : "",
			    pw ? pw->pw_name : "", g_strerror(-rc))
		  : 0;
}

int workload_prepare(const struct workload_options *o, struct workload **out)
{
	int go[2] = {-1, -1}, said[2] = {-1, -1};
	struct said offered = {};
	struct workload *w;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) || pipe2(said, O_CLOEXEC))
		return err_set(-errno, "pipe: %m");
	pid = fork();
	if (pid < 0)
		return err_set(-errno, "fork: %m");
	if (pid == 0) {
		close(go[1]);
		close(said[0]);
		journal_leave();
		child(o, go[0], said[1]);
	}
	close(go[0]);
	close(said[1]);
	w = g_new0(struct workload, 1);
	w->pid = pid;
	w->go_fd = go[1];
	w->said_fd = said[0];
	w->event_fd = eventfd(0, EFD_CLOEXEC);
	*out = w;
	if (o->mergeable && read(w->said_fd, &offered, sizeof(offered)) != sizeof(offered))
		return err_set(-EIO, "the workload's process ended before it began");
	w->merge_error = offered.error;
	return 0;
}

char *workload_mergeable_how(const struct workload *w)
{
	if (!w->merge_error)
		return g_strdup("all of it, by prctl(PR_SET_MEMORY_MERGE)");
	return g_strdup_printf(
	    "no: prctl(PR_SET_MEMORY_MERGE): %s%s; only what the workload itself offers with "
	    "madvise(MADV_MERGEABLE)",
	    g_strerror(w->merge_error),
	    w->merge_error == EINVAL ? " (it came with Linux 6.4, and CONFIG_KSM)" : "");
}

pid_t workload_pid(const struct workload *w)
{
	return w->pid;
}

static void *wait_for_it(void *arg)
{
	struct workload *w = arg;
	int status = 0;

	while (wait4(w->pid, &status, 0, &w->end.usage) < 0 && errno == EINTR)
		;
	w->end.elapsed_ns = now_ns() - w->start_ns;
	w->end.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	w->end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
	eventfd_write(w->event_fd, 1);
	return NULL;
}

int workload_start(struct workload *w)
{
	struct said said = {};
	int rc;

	w->start_ns = now_ns();
	if (write(w->go_fd, "g", 1) != 1)
		return err_set(-errno, "can't start the workload: %m");
	rc = pthread_create(&w->waiter, NULL, wait_for_it, w);
	if (rc)
		return err_set(-rc, "can't start a thread: %s", g_strerror(rc));
	w->started = true;
	while (read(w->said_fd, &said, sizeof(said)) == sizeof(said)) // exec closes its end
		w->own_maxrss = said.maxrss;
	if (said.error)
		return err_set(-said.error, "can't execute the workload: %s", g_strerror(said.error));
	return 0;
}

int workload_event_fd(const struct workload *w)
{
	return w->event_fd;
}

void workload_end(struct workload *w, struct workload_end *end)
{
	if (!w->waited)
		pthread_join(w->waiter, NULL);
	w->waited = true;
	*end = w->end;
	end->own_maxrss = w->own_maxrss;
}

// An eighth: exec's last steps come after the reading, and the kernel's counters of pages are inexact.
int64_t workload_maxrss(const struct workload_end *end)
{
	int64_t maxrss = (int64_t)end->usage.ru_maxrss * 1024;

	return maxrss > end->own_maxrss + end->own_maxrss / 8 ? maxrss : -1;
}

int64_t workload_start_ns(const struct workload *w)
{
	return w->start_ns;
}

int64_t workload_since_start_ns(const struct workload *w)
{
	return w->start_ns ? now_ns() - w->start_ns : 0;
}

void workload_free(struct workload *w)
{
	struct workload_end end;

	if (!w)
		return;
	if (!w->waited) {
		kill(w->pid, SIGKILL);
		if (w->started)
			workload_end(w, &end);
		else
			waitpid(w->pid, NULL, 0);
	}
	close(w->go_fd);
	close(w->said_fd);
	close(w->event_fd);
	g_free(w);
}
