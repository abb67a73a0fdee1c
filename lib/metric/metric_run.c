// Metrics of the run's own row: time, CPU, memory, faults (getrusage(2)), and what measuring cost.
#include "metric/internal.h"

struct field {
	struct metric_row row;
	size_t offset, also; // `also`: a second field that is added; 0: none
};

#define AT(name) offsetof(struct store_run_row, name)
static const struct field fields[] = {
    {{"elapsed", "ns", METRIC_LESS, "from the workload's start to its end"}, AT(elapsed_ns), 0},
    {{"cpu", "ns", METRIC_LESS, "CPU time of the workload, user and system"}, AT(user_ns), AT(system_ns)},
    {{"user", "ns", METRIC_LESS, "CPU time of the workload in user mode"}, AT(user_ns), 0},
    {{"system", "ns", METRIC_LESS, "CPU time of the workload in the kernel"}, AT(system_ns), 0},
    {{"maxrss", "bytes", METRIC_LESS, "largest resident set of one of its processes"}, AT(maxrss_bytes), 0},
    {{"minflt", "count", METRIC_NEITHER, "page faults without I/O"}, AT(minflt), 0},
    {{"majflt", "count", METRIC_LESS, "page faults with I/O"}, AT(majflt), 0},
    {{"nvcsw", "count", METRIC_NEITHER, "voluntary context switches"}, AT(nvcsw), 0},
    {{"nivcsw", "count", METRIC_NEITHER, "involuntary context switches"}, AT(nivcsw), 0},
    {{"inblock", "count", METRIC_NEITHER, "blocks of 512 bytes read from disk"}, AT(inblock), 0},
    {{"oublock", "count", METRIC_NEITHER, "blocks of 512 bytes written to disk"}, AT(oublock), 0},
    {{"self", "ns", METRIC_LESS, "mmprof's own CPU time during the run"},
     AT(self_user_ns),
     AT(self_system_ns)},
    {{"self_maxrss", "bytes", METRIC_LESS, "mmprof's own largest resident set"}, AT(self_maxrss_bytes), 0},
    {{"bpf", "ns", METRIC_LESS, "time in mmprof's BPF programs"}, AT(bpf_ns), 0},
};

static int64_t get(const struct store_run_row *run, size_t offset)
{
	return *(const int64_t *)((const char *)run + offset);
}

static int values(struct store *store G_GNUC_UNUSED, const struct metric *m, const GArray *runs,
		  double *values, const char **why)
{
	const struct field *f = m->data;

	for (guint i = 0; i < runs->len; i++) {
		int64_t a = get(RUN(runs, i), f->offset), b = f->also ? get(RUN(runs, i), f->also) : 0;

		if (a != STORE_NULL && b != STORE_NULL)
			values[i] = (double)a + (double)b;
		else if (f->offset == AT(bpf_ns) && RUN(runs, i)->bpf_ns_source)
			why[i] = RUN(runs, i)->bpf_ns_source;
		else if (f->offset == AT(maxrss_bytes) && RUN(runs, i)->elapsed_ns != STORE_NULL)
			why[i] = "it was no larger than mmprof itself, before the workload was executed";
		else
			why[i] = "the run did not reach the workload's end";
	}
	return 0;
}

const struct metric_kind metric_run = {.values = values, METRIC_TABLE(fields)};
