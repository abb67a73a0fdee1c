// Runs gnuplot: an argument vector, no shell; what it prints and says is read while it runs, and it gets a
// minute.
#include "plot/internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_S = 60, MOST_BYTES = 64 << 20 };

extern char **environ;

static int spawn(const char *dir, const char *script, int out, int err, pid_t *pid)
{
	// -d: neither the system's nor the user's start-up files
	char *const argv[] = {"gnuplot", "-d", (char *)script, NULL};
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, err, 2);
	posix_spawn_file_actions_addchdir_np(&actions, dir);
	rc = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc == ENOENT)
		return err_set(-rc, "gnuplot is not installed: apt-get install gnuplot-nox");
	return rc ? err_set(-rc, "can't start gnuplot: %s", g_strerror(rc)) : 0;
}

// Reads what there is. False at the end.
static bool take(int fd, GString *to)
{
	char buf[65536];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0 && to->len < MOST_BYTES)
		g_string_append_len(to, buf, n);
	return n > 0 || (n < 0 && errno == EINTR);
}

static int read_both(int out, int err, GString *printed, GString *said)
{
	int64_t end = g_get_monotonic_time() + TIMEOUT_S * G_USEC_PER_SEC;
	struct pollfd fds[] = {{out, POLLIN, 0}, {err, POLLIN, 0}};

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int64_t left = (end - g_get_monotonic_time()) / 1000;

		if (left <= 0)
			return err_set(-ETIMEDOUT, "gnuplot was stopped after %d s", TIMEOUT_S);
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return err_set(-errno, "wait for gnuplot: %m");
		for (int i = 0; i < 2; i++)
			if (fds[i].fd >= 0 && fds[i].revents && !take(fds[i].fd, i ? said : printed))
				fds[i].fd = -1;
	}
	return 0;
}

// gnuplot repeats the command and points below it; the message is the last line.
static int failed(const char *script, GString *said)
{
	const char *line;

	g_strstrip(said->str);
	line = strrchr(said->str, '\n');
	return err_set(-EINVAL, "gnuplot: %s", *said->str ? line ? line + 1 : said->str : script);
}

static int run(const char *dir, const char *script, int out[2], int err[2], GString *printed, GString *said)
{
	int status = 0, rc;
	pid_t pid;

	rc = spawn(dir, script, out[1], err[1], &pid);
	close(out[1]);
	close(err[1]);
	if (rc)
		return rc;
	rc = read_both(out[0], err[0], printed, said);
	if (rc)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!rc && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		rc = failed(script, said);
	return rc;
}

int gnuplot_run(const char *dir, const char *script, char **printed)
{
	g_autoptr(GString) out_text = g_string_new(NULL), err_text = g_string_new(NULL);
	int out[2], err[2], rc;

	if (pipe2(out, O_CLOEXEC))
		return err_set(-errno, "pipe: %m");
	if (pipe2(err, O_CLOEXEC)) {
		rc = err_set(-errno, "pipe: %m");
		close(out[0]);
		close(out[1]);
		return rc;
	}
	rc = run(dir, script, out, err, out_text, err_text);
	close(out[0]);
	close(err[0]);
	if (!rc && printed)
		*printed = g_string_free(g_steal_pointer(&out_text), FALSE);
	return rc;
}
