// The probe of kind `lock`: mmap_lock's wait and hold times and trylocks, from its three tracepoints. Loads
// probes/mmaplock.bpf.c; where `write` and `success` stand among a tracepoint's arguments differs between
// kernels.
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "probe/kernel.h"
#include "probe/set.h"
#include "probes/mmaplock.skel.h"
#include "store/store.h"

struct lock_impl {
	struct mmaplock_bpf *skel;
	struct bpf_attached start, acquired, released;
	int n_cpus;
	struct cpu_hist *buf, *seen; // seen: [part * CLASS_COUNT + class][cpu]
	struct hist hists[LOCK_PARTS * CLASS_COUNT];
};

static int attach_one(const struct bpf_program *template, const char *event, bool with_success,
		      struct bpf_attached *a)
{
	uint64_t patch[PATCH_COUNT] = {};
	int write = kernel_tp_arg(event, "write");
	int success = with_success && write >= 0 ? kernel_tp_arg(event, "success") : 0;

	if (write < 0 || success < 0)
		return -ENOENT;
	patch[PATCH_BY] = write;
	patch[PATCH_SUCCESS] = success;
	a->prog_fd = bpf_clone(template, event, patch, 0);
	if (a->prog_fd < 0)
		return err_add(-EINVAL, "%s", event);
	a->link_fd = bpf_raw_tracepoint_open(event, a->prog_fd);
	return a->link_fd < 0 ? err_set(-errno, "attach %s: %m", event) : 0;
}

static int load(struct probes *set, struct lock_impl *l)
{
	l->skel = mmaplock_bpf__open();
	if (!l->skel || bpf_share(set->bpf, l->skel->obj))
		return err_set(-EINVAL, "can't open the BPF templates: %s", bpf_last_warning());
	if (mmaplock_bpf__load(l->skel))
		return err_set(-errno, "%s: %s", g_strerror(errno), bpf_last_warning());
	return 0;
}

static int attach_all(struct probes *set, struct lock_impl *l)
{
	int rc = kernel_tp_exists("mmap_lock", "mmap_lock_acquire_returned");

	if (rc)
		return rc;
	if (!set->bpf)
		return err_set(-EPERM, "%s", set->bpf_why);
	rc = load(set, l);
	if (!rc)
		rc = attach_one(l->skel->progs.template_start, "mmap_lock_start_locking", false, &l->start);
	if (!rc)
		rc = attach_one(l->skel->progs.template_acquired, "mmap_lock_acquire_returned", true,
				&l->acquired);
	if (!rc)
		rc = attach_one(l->skel->progs.template_released, "mmap_lock_released", false, &l->released);
	return rc;
}

static void detach(struct probes *set G_GNUC_UNUSED, struct probe *p)
{
	struct lock_impl *l = p->impl;

	if (!l)
		return;
	bpf_detach(&l->start);
	bpf_detach(&l->acquired);
	bpf_detach(&l->released);
	mmaplock_bpf__destroy(l->skel);
	g_free(l->buf);
	g_free(l->seen);
	g_clear_pointer(&p->impl, g_free);
}

static void attach(struct probes *set, struct probe *p)
{
	struct lock_impl *l = p->impl = g_new0(struct lock_impl, 1);
	int rc;

	p->target = g_strdup("mmap_lock:mmap_lock_{start_locking,acquire_returned,released}");
	l->start = l->acquired = l->released = (struct bpf_attached){-1, -1, -1};
	l->n_cpus = libbpf_num_possible_cpus();
	l->buf = g_new0(struct cpu_hist, l->n_cpus);
	l->seen = g_new0(struct cpu_hist, l->n_cpus * LOCK_PARTS * CLASS_COUNT);
	rc = attach_all(set, l);
	if (rc == 0) {
		probe_outcome(p, "attached", "raw_tp", NULL);
		return;
	}
	probe_outcome(p, rc == -ENOENT ? "absent" : "failed", NULL, "%s", err_text());
	detach(set, p);
}

static int collect_hists(struct probe *p, struct lock_impl *l, struct store *store)
{
	static const char *const part_names[] = LOCK_PART_NAMES;
	int fd = bpf_map__fd(l->skel->maps.lock_hists), rc = 0;

	for (uint32_t k = 0; k < LOCK_PARTS * CLASS_COUNT && !rc; k++) {
		if (bpf_map_lookup_elem(fd, &k, l->buf))
			return err_set(-errno, "can't read a histogram: %m");
		if (hist_from_cpus(&l->hists[k], l->buf, l->n_cpus, l->seen + (size_t)k * l->n_cpus))
			rc = probe_store_hist(store, p, part_names[k / CLASS_COUNT], k % CLASS_COUNT,
					      &l->hists[k]);
	}
	return rc;
}

static int store_event(struct store *store, const struct probe *p, const char *part, int class,
		       const char *name, int key, uint64_t n)
{
	struct store_count row = {
	    .part = part, .class = class_names[class], .key = key, .key_name = name, .count = n};

	// that the workload's never failed is a figure too
	return n || class == CLASS_WORKLOAD ? store_count(store, p->row, &row) : 0;
}

static int collect_events(struct probe *p, struct lock_impl *l, struct store *store,
			  uint64_t lost[LOCK_EVENTS])
{
	static const struct {
		enum lock_event event;
		const char *part, *name;
		int key;
	} rows[] = {
	    {LOCK_READ_OK, "read acquire", "ok", 1},
	    {LOCK_READ_FAILED, "read acquire", "failed", 0},
	    {LOCK_WRITE_OK, "write acquire", "ok", 1},
	    {LOCK_WRITE_FAILED, "write acquire", "failed", 0},
	    {LOCK_DOWNGRADE, "write hold", "downgraded to read", 2},
	};
	g_autofree struct lock_counts *cpus = g_new0(struct lock_counts, l->n_cpus);
	int rc = 0;

	for (uint32_t c = 0; c < CLASS_COUNT && !rc; c++) {
		uint64_t sum[LOCK_EVENTS] = {};

		if (bpf_map_lookup_elem(bpf_map__fd(l->skel->maps.lock_events), &c, cpus))
			return err_set(-errno, "can't read trylock counts: %m");
		for (int i = 0; i < l->n_cpus; i++)
			for (int e = 0; e < LOCK_EVENTS; e++)
				sum[e] += cpus[i].events[e];
		for (size_t i = 0; i < G_N_ELEMENTS(rows) && !rc; i++)
			rc = store_event(store, p, rows[i].part, (int)c, rows[i].name, rows[i].key,
					 sum[rows[i].event]);
		for (int e = 0; e < LOCK_EVENTS; e++)
			lost[e] += sum[e];
	}
	return rc;
}

static int collect(struct probes *set G_GNUC_UNUSED, struct probe *p, struct store *store, int64_t run,
		   bool final)
{
	struct lock_impl *l = p->impl;
	uint64_t lost[LOCK_EVENTS] = {};
	int64_t misses = 0;
	int rc;

	if (!l)
		return 0;
	rc = collect_hists(p, l, store);
	if (!rc)
		rc = collect_events(p, l, store, lost);
	if (rc || !final)
		return rc;
	rc = store_loss(store, run, p->row, "unpaired_acquire", lost[LOCK_UNPAIRED_ACQUIRE],
			"acquired, but its start was before the run: no wait time");
	if (!rc)
		rc = store_loss(store, run, p->row, "unpaired_release", lost[LOCK_UNPAIRED_RELEASE],
				"released, but taken before the run or by another task: no hold time");
	if (!rc)
		rc = store_loss(store, run, p->row, "hold_overflow", lost[LOCK_HOLD_OVERFLOW],
				"one task held too many mmap_locks at once: no hold time");
	if (!rc)
		rc = store_loss(store, run, p->row, "no_storage", lost[LOCK_NO_STORAGE],
				"no memory for the task's state");
	misses = bpf_recursion_misses(&l->start) + bpf_recursion_misses(&l->acquired) +
		 bpf_recursion_misses(&l->released);
	return rc || misses < 0
		   ? rc
		   : store_loss(store, run, p->row, "recursion_misses", misses,
				"skipped by the kernel: the program was already running on that CPU");
}

static void run_stats(const struct probe *p, uint64_t *runs, uint64_t *ns)
{
	const struct lock_impl *l = p->impl;

	if (!l)
		return;
	bpf_run_stats(&l->start, runs, ns);
	bpf_run_stats(&l->acquired, runs, ns);
	bpf_run_stats(&l->released, runs, ns);
}

const struct probe_kind kind_lock = {"lock", attach, collect, detach, run_stats, NULL, NULL};
