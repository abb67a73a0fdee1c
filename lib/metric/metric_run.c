// Metrics of the run's own row: time, CPU, memory, faults (getrusage(2)), and what measuring cost.
#include "metric/internal.h"

struct field {
	const char *name, *unit_name;
	enum metric_better better;
	size_t offset, also; // `also`: a second field that is added; 0: none
	const char *what;
};

#define AT(name) offsetof(struct store_run_row, name)
static const struct field fields[] = {
    {"elapsed", "ns", METRIC_LESS, AT(elapsed_ns), 0, "from the workload's start to its end"},
    {"cpu", "ns", METRIC_LESS, AT(user_ns), AT(system_ns), "CPU time of the workload, user and system"},
    {"user", "ns", METRIC_LESS, AT(user_ns), 0, "CPU time of the workload in user mode"},
    {"system", "ns", METRIC_LESS, AT(system_ns), 0, "CPU time of the workload in the kernel"},
    {"maxrss", "bytes", METRIC_LESS, AT(maxrss_bytes), 0, "largest resident set of one of its processes"},
    {"minflt", "count", METRIC_NEITHER, AT(minflt), 0, "page faults without I/O"},
    {"majflt", "count", METRIC_LESS, AT(majflt), 0, "page faults with I/O"},
    {"nvcsw", "count", METRIC_NEITHER, AT(nvcsw), 0, "voluntary context switches"},
    {"nivcsw", "count", METRIC_NEITHER, AT(nivcsw), 0, "involuntary context switches"},
    {"inblock", "count", METRIC_NEITHER, AT(inblock), 0, "blocks of 512 bytes read from disk"},
    {"oublock", "count", METRIC_NEITHER, AT(oublock), 0, "blocks of 512 bytes written to disk"},
    {"self", "ns", METRIC_LESS, AT(self_user_ns), AT(self_system_ns), "mmprof's own CPU time during the run"},
    {"self_maxrss", "bytes", METRIC_LESS, AT(self_maxrss_bytes), 0, "mmprof's own largest resident set"},
    {"bpf", "ns", METRIC_LESS, AT(bpf_ns), 0, "time in mmprof's BPF programs"},
};

static void fill(struct metric *m, const struct field *f)
{
	m->name = f->name;
	m->unit_name = f->unit_name;
	m->unit = metric_unit_of(f->unit_name);
	m->better = f->better;
	m->what = f->what;
	m->data = (void *)f;
}

static int find(struct store *store G_GNUC_UNUSED, struct metric *m)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (strcmp(fields[i].name, m->name))
			continue;
		fill(m, &fields[i]);
		return 0;
	}
	return -ENOENT;
}

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

static int list(struct store *store G_GNUC_UNUSED, GPtrArray *metrics)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		struct metric m = {};

		fill(&m, &fields[i]);
		metric_listed(metrics, &m);
	}
	return 0;
}

const struct metric_kind metric_run = {find, values, NULL, list};
