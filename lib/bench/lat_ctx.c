// lat_ctx: context switches as lmbench defines them: processes in a ring hand a token on through pipes, each
// having walked through memory of its own; the cost of the pipes themselves is measured in one process and
// subtracted.
#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/memory.h"

static const struct bench_param params[] = {{"procs", "2", "N", "processes of the ring"},
					    {"size", "0", "BYTES", "memory that each walks through"},
					    {}};

#define MOST 256

struct ring {
	int n, pipes[MOST][2];
	pid_t pids[MOST];
	struct memory memory;
};

static void walk(const struct ring *r)
{
	for (size_t i = 0; i < r->memory.bytes; i += 64)
		((volatile char *)r->memory.start)[i]++;
}

static void pass(struct ring *r, int me)
{
	char token;

	for (;;) {
		if (read(r->pipes[me][0], &token, 1) != 1)
			_exit(0);
		walk(r);
		if (write(r->pipes[(me + 1) % r->n][1], &token, 1) != 1)
			_exit(0);
	}
}

// Once round the ring: n switches.
static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct ring *r = ctx;
	uint64_t from = bench_begin(run);
	char token = 't';

	if (write(r->pipes[r->n > 1 ? 1 : 0][1], &token, 1) != 1 || read(r->pipes[0][0], &token, 1) != 1)
		return err_set(-EPIPE, "a process of the ring is gone");
	walk(r);
	*cycles = bench_end(run, from);
	return 0;
}

static int start(struct ring *r)
{
	pid_t self = getpid();

	for (int i = 0; i < r->n; i++)
		if (pipe(r->pipes[i]))
			return err_set(-errno, "pipe: %m");
	for (int i = 1; i < r->n; i++) {
		r->pids[i] = fork();
		if (r->pids[i] < 0)
			return err_set(-errno, "fork: %m");
		if (r->pids[i] == 0) {
			bench_die_with(self);
			signal(SIGINT, SIG_DFL);
			signal(SIGTERM, SIG_DFL);
			pass(r, i);
		}
	}
	return 0;
}

static void end(struct ring *r)
{
	for (int i = 1; i < r->n; i++)
		if (r->pids[i] > 0) {
			kill(r->pids[i], SIGKILL);
			waitpid(r->pids[i], NULL, 0);
		}
	for (int i = 0; i < r->n; i++) {
		close(r->pipes[i][0]);
		close(r->pipes[i][1]);
	}
}

static int measure(struct bench_run *b, const char *name, int n, double *ns)
{
	const struct bench_op op = {name, sample, n, "switch", true};
	size_t bytes = (size_t)bench_int(b, "size") / BASE_PAGE * BASE_PAGE;
	struct ring r = {.n = n};
	int rc = bytes ? memory_map(&r.memory, MEMORY_ANON, bytes) : 0;

	if (rc)
		return rc;
	rc = start(&r);
	if (!rc)
		rc = bench_measure(b, &op, &r, ns);
	end(&r);
	if (bytes)
		memory_unmap(&r.memory);
	return rc;
}

static int run(struct bench_run *b)
{
	double with = 0, without = 0;
	int64_t n = bench_int(b, "procs");
	int rc;

	if (n < 2 || n > MOST)
		return err_set(-EINVAL, "--procs must be from 2 to %d", MOST);
	rc = measure(b, "pipe", 1, &without);
	if (!rc)
		rc = measure(b, "switch_and_pipe", (int)n, &with);
	if (!rc && with > 0 && without > 0)
		bench_metric(b, "switch", with - without, "ns", "less");
	return rc;
}

const struct bench bench_lat_ctx = {"lat_ctx", "context switches in a ring of processes (lmbench)", params,
				    run, true};
