// Pressure stall information: the time tasks were held up for want of memory, CPU or I/O, as counters in ns.
// The kernel's averages aren't stored: they follow from the totals. Follows kernel/sched/psi.c (psi_show).
// The kernel brings the totals up to date at each reading, to the microsecond.
#include "base/err.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

SAMPLER_FUNCTIONS(psi);

static const char *const resources[] = {"memory", "cpu", "io"};

struct psi {
	int machine[G_N_ELEMENTS(resources)], workload[G_N_ELEMENTS(resources)];
	bool cgroup_tried;
	struct text text;
	struct absent *absent;
};

int psi_sampler_open(const struct sample_target *target, void **state)
{
	struct psi *psi = g_new0(struct psi, 1);
	int found = 0, error = 0;

	(void)target;
	for (size_t i = 0; i < G_N_ELEMENTS(resources); i++) {
		g_autofree char *path = g_strconcat("/proc/pressure/", resources[i], NULL);

		psi->workload[i] = -1;
		psi->machine[i] = text_open(sampler_root, path);
		if (psi->machine[i] >= 0) {
			found++;
			continue;
		}
		error = psi->machine[i];
		absent_add(&psi->absent, path, "%s: %s", path, g_strerror(-error));
	}
	*state = psi;
	if (found)
		return 0;
	psi_sampler_close(psi);
	*state = NULL;
	return err_set(
	    error,
	    "/proc/pressure: %s: boot with psi=1 (CONFIG_PSI with CONFIG_PSI_DEFAULT_DISABLED), or use "
	    "a kernel with CONFIG_PSI",
	    g_strerror(-error));
}

// The cgroup exists by the first reading with a process at the latest.
static void open_workload(struct psi *psi, const char *dir)
{
	for (size_t i = 0; i < G_N_ELEMENTS(resources); i++) {
		g_autofree char *path = g_strdup_printf("/%s.pressure", resources[i]);
		g_autofree char *what = g_strdup_printf("psi.workload.%s", resources[i]);

		psi->workload[i] = text_open(dir, path);
		if (psi->workload[i] < 0)
			absent_add(&psi->absent, what, "%s%s: %s", dir, path, g_strerror(-psi->workload[i]));
	}
	psi->cgroup_tried = true;
}

static int put_totals(struct psi *psi, int fd, const char *owner, const char *resource, struct sink *sink)
{
	static const char *const kinds[] = {"some", "full"};
	int r = text_read(&psi->text, fd);

	if (r < 0)
		return r;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		const char *line = strstr(psi->text.data, kinds[i]),
			   *total = line ? strstr(line, "total=") : NULL;
		char name[64];
		int64_t us;

		// "cpu full" has no meaning for the whole machine; the kernel writes zeros there
		if (!total || !parse_i64(total + 6, &us) || (!*owner && i == 1 && !strcmp(resource, "cpu")))
			continue;
		g_snprintf(name, sizeof(name), "psi.%s%s.%s", owner, resource, kinds[i]);
		sink->put(sink, name, "ns", SERIES_COUNTER, us * 1000);
	}
	return 0;
}

int psi_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct psi *psi = state;

	if (target->cgroup_dir && !psi->cgroup_tried)
		open_workload(psi, target->cgroup_dir);
	if (!target->cgroup_dir && target->root_pid > 0)
		absent_add(
		    &psi->absent, "psi.workload",
		    "the workload has no cgroup v2 of its own, which is where its pressure is counted");
	for (size_t i = 0; i < G_N_ELEMENTS(resources); i++) {
		int r = psi->machine[i] < 0 ? 0 : put_totals(psi, psi->machine[i], "", resources[i], sink);

		if (r < 0) // before 6.1 a kernel with psi=0 shows the files and refuses to read them
			absent_add(&psi->absent, resources[i], "/proc/pressure/%s: %s: boot with psi=1",
				   resources[i], g_strerror(-r));
		if (psi->workload[i] < 0)
			continue;
		r = put_totals(psi, psi->workload[i], "workload.", resources[i], sink);
		if (r < 0 && r != -ENODEV) // ENODEV: the cgroup was removed
			absent_add(&psi->absent, "psi.workload", "%s/%s.pressure: %s", target->cgroup_dir,
				   resources[i], g_strerror(-r));
	}
	absent_say(&psi->absent, sink);
	return 0;
}

void psi_sampler_close(void *state)
{
	struct psi *psi = state;

	for (size_t i = 0; i < G_N_ELEMENTS(resources); i++) {
		if (psi->machine[i] >= 0)
			close(psi->machine[i]);
		if (psi->workload[i] >= 0)
			close(psi->workload[i]);
	}
	text_free(&psi->text);
	absent_free(&psi->absent);
	g_free(psi);
}
