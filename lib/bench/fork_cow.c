// fork_cow: forking a process with dirty memory (the page tables are copied, mm/memory.c: copy_page_range),
// and the copies that the first writes afterwards make.
#include <errno.h>
#include <glib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/limits.h"
#include "bench/memory.h"

static const struct bench_param params[] = {
    {"memory", "64M", "BYTES", "dirty memory of the process that forks"}, {}};

struct forker {
	struct memory memory;
	bool write; // time the first writes after the fork, while the child lives
};

static int sample(struct bench_run *run, void *ctx, uint64_t *cycles)
{
	struct forker *f = ctx;
	int hold[2], status;
	uint64_t from;
	pid_t pid;
	char byte;

	if (pipe(hold))
		return err_set(-errno, "pipe: %m");
	from = bench_begin(run);
	pid = fork();
	if (pid == 0) {
		close(hold[1]);
		_exit(read(hold[0], &byte, 1) < 0); // until the parent closes its end, or dies
	}
	if (pid > 0 && !f->write)
		*cycles = bench_end(run, from);
	close(hold[0]);
	if (pid < 0) {
		close(hold[1]);
		return err_set(-errno, "fork: %m");
	}
	if (f->write) {
		from = bench_begin(run);
		memory_write(&f->memory);
		*cycles = bench_end(run, from);
	}
	close(hold[1]);
	waitpid(pid, &status, 0);
	if (!f->write)
		memory_write(&f->memory); // dirty and ours again
	return 0;
}

static int run(struct bench_run *b)
{
	struct forker f = {};
	size_t bytes = (size_t)bench_int(b, "memory") / BASE_PAGE * BASE_PAGE;
	struct bench_op op = {"fork", sample, 1, "fork", true};
	double ns = 0;
	int rc = limits_room(2 * (uint64_t)bytes); // and the copies

	if (!rc)
		rc = memory_map(&f.memory, MEMORY_ANON, bytes);
	if (rc)
		return rc;
	memory_write(&f.memory);
	rc = bench_measure(b, &op, &f, &ns);
	if (!rc && ns > 0)
		bench_metric(b, "fork_per_page", ns / (double)(bytes / BASE_PAGE), "ns", "less");
	f.write = true;
	op = (struct bench_op){"cow", sample, (double)(bytes / BASE_PAGE), "page", true};
	if (!rc)
		rc = bench_measure(b, &op, &f, NULL);
	memory_unmap(&f.memory);
	return rc;
}

const struct bench bench_fork_cow = {
    "fork_cow", "fork with dirty memory, and the copies on the first writes after it", params, run, false};
