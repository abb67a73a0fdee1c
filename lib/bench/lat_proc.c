// lat_proc: process creation as lmbench defines it: fork + exit, fork + execve + exit of a trivial program,
// and the same through /bin/sh -c; from the call to the end of the wait.
#include <errno.h>
#include <glib.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"

static const struct bench_param params[] = {{}};

static const char *const no_argv[] = {NULL};
static const char *const exec_argv[] = {"/bin/true", NULL};
static const char *const shell_argv[] = {"/bin/sh", "-c", "/bin/true", NULL};

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	const char *const *argv = ctx;
	uint64_t from = bench_begin(run);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (*argv)
			execv(argv[0], (char *const *)argv);
		_exit(*argv ? 127 : 0);
	}
	if (pid < 0)
		return err_set(-errno, "fork: %m");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(-errno, "waitpid: %m");
	*cycles = bench_end(run, from);
	if (WIFSIGNALED(status))
		return err_set(-ECHILD, "the child %s was killed: %s", *argv ? argv[0] : "",
			       strsignal(WTERMSIG(status)));
	return WEXITSTATUS(status) == 0 ? 0
					: err_set(-ECHILD, "the child %s ended with %d", *argv ? argv[0] : "",
						  WEXITSTATUS(status));
}

static int run(struct bench_run *b)
{
	static const struct {
		const char *name;
		const char *const *argv;
	} ways[] = {{"fork", no_argv}, {"exec", exec_argv}, {"shell", shell_argv}};
	int rc = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(ways) && !rc && !bench_stopped(b); i++) {
		const struct bench_op op = {ways[i].name, sample, 1, "process", true};

		rc = bench_measure(b, &op, (void *)ways[i].argv, NULL);
		if (rc == -ECHILD) { // the others may work
			bench_cannot(b, op.name, "%s%s", err_text(),
				     bench_timing(b)->tsc ? "" : " (ld.so may have read the TSC)");
			rc = 0;
		}
	}
	return rc;
}

const struct bench bench_lat_proc = {"lat_proc", "process creation: fork, exec, shell (lmbench)", params, run,
				     true};
