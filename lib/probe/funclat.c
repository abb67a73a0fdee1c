// Function latency through BPF: loads probes/funclat.bpf.c once, clones its programs for each function, and
// reads histograms back. Must not know how probes are chosen.
#include "probe/funclat.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "probe/kernel.h"
#include "probes/funclat.skel.h"

#define HISTS_BUDGET (48u << 20) // bytes of kernel memory for all per-CPU histograms

struct funclat {
	struct funclat_bpf *skel;
	int n_cpus;
	uint32_t n_probes;
	char *no_fentry;      // why fentry can't be used, NULL when it can
	struct cpu_hist *buf; // one element of `hists`
};

static uint32_t slot_budget(uint32_t n_probes, int n_cpus)
{
	uint32_t all = n_probes * CLASS_COUNT, fit = HISTS_BUDGET / (sizeof(struct cpu_hist) * n_cpus);

	return MIN(all, MAX(fit, n_probes * 2));
}

// Opens and loads the templates, with or without the tracing programs.
static int load(struct funclat *f, struct bpf *bpf, bool fentry)
{
	uint32_t slots = slot_budget(f->n_probes, f->n_cpus);
	struct funclat_bpf *s = funclat_bpf__open();

	if (!s)
		return err_set(-errno, "can't open the BPF templates: %s", bpf_last_warning());
	f->skel = s;
	s->rodata->max_slots = slots;
	bpf_map__set_max_entries(s->maps.hists, slots);
	bpf_map__set_max_entries(s->maps.losses, f->n_probes);
	bpf_program__set_autoload(s->progs.template_fentry, fentry);
	bpf_program__set_autoload(s->progs.template_fexit, fentry);
	if (fentry && (bpf_program__set_attach_target(s->progs.template_fentry, 0, "bpf_fentry_test1") ||
		       bpf_program__set_attach_target(s->progs.template_fexit, 0, "bpf_fentry_test1")))
		return err_set(-ENOENT, "bpf_fentry_test1 is not in the kernel's BTF");
	if (bpf_share(bpf, s->obj))
		return -EINVAL;
	if (funclat_bpf__load(s))
		return err_set(-errno, "%s: %s", g_strerror(errno), bpf_last_warning());
	return 0;
}

static char *fentry_refusal(int rc)
{
	if (rc == -EPERM)
		return g_strdup("BPF programs of type tracing are refused by this kernel (EPERM)");
	return g_strdup(err_text());
}

int funclat_new(struct bpf *bpf, uint32_t n_probes, struct funclat **out)
{
	struct funclat *f = g_new0(struct funclat, 1);
	int rc;

	if (n_probes > MAX_PROBES) {
		g_free(f);
		return err_set(-E2BIG, "%u functions; at most %d can be probed at once", n_probes,
			       MAX_PROBES);
	}
	f->n_cpus = libbpf_num_possible_cpus();
	f->n_probes = n_probes;
	rc = load(f, bpf, true);
	if (rc) {
		f->no_fentry = fentry_refusal(rc);
		funclat_bpf__destroy(f->skel);
		f->skel = NULL;
		rc = load(f, bpf, false);
	}
	if (rc) {
		funclat_free(f);
		return rc;
	}
	f->buf = g_new0(struct cpu_hist, f->n_cpus);
	*out = f;
	return 0;
}

void funclat_free(struct funclat *f)
{
	if (!f)
		return;
	funclat_bpf__destroy(f->skel);
	g_free(f->no_fentry);
	g_free(f->buf);
	g_free(f);
}

int funclat_test_prog(const struct funclat *f)
{
	return f->no_fentry ? -1 : bpf_program__fd(f->skel->progs.template_fentry);
}

static int attach_fentry(struct funclat *f, const char *symbol, const uint64_t *patch, struct funclat_pair *p)
{
	const char *why;
	int id;

	if (f->no_fentry)
		return err_set(-EPERM, "%s", f->no_fentry);
	if (!kernel_can_trace(symbol, &why))
		return err_set(-ENOENT, "%s", why);
	id = kernel_btf_func(symbol);
	if (id < 0)
		return id;
	p->exit.prog_fd = bpf_clone(f->skel->progs.template_fexit, symbol, patch, id);
	p->entry.prog_fd =
	    p->exit.prog_fd < 0 ? -1 : bpf_clone(f->skel->progs.template_fentry, symbol, patch, id);
	if (p->entry.prog_fd < 0)
		return -EINVAL;
	p->exit.link_fd = bpf_raw_tracepoint_open(NULL, p->exit.prog_fd);
	p->entry.link_fd = p->exit.link_fd < 0 ? -1 : bpf_raw_tracepoint_open(NULL, p->entry.prog_fd);
	if (p->entry.link_fd < 0)
		return err_set(-errno, "attach: %m");
	return 0;
}

static int kprobe_type(void)
{
	static int type = -2;
	g_autofree char *text = NULL;

	if (type == -2)
		type = g_file_get_contents("/sys/bus/event_source/devices/kprobe/type", &text, NULL, NULL)
			   ? atoi(text)
			   : -1;
	return type;
}

// The return comes through tracefs, for room for many calls in progress; the entry needs none.
static int attach_kprobe(struct funclat *f, const char *symbol, const uint64_t *patch, struct funclat_pair *p)
{
	struct perf_event_attr entry = {.type = kprobe_type(), .config1 = (uint64_t)(uintptr_t)symbol};
	struct perf_event_attr exit = {.type = PERF_TYPE_TRACEPOINT};
	int rc;

	if (kprobe_type() < 0)
		return err_set(-ENOENT,
			       "this kernel has no kprobes (CONFIG_KPROBES or CONFIG_KPROBE_EVENTS is off)");
	rc = kretprobe_make(symbol, (uint32_t)patch[PATCH_ID], &p->kretprobe);
	if (rc)
		return rc;
	exit.config = p->kretprobe.id;
	rc = bpf_attach_perf(f->skel->progs.template_kretprobe, symbol, patch, &exit, &p->exit);
	return rc ? rc : bpf_attach_perf(f->skel->progs.template_kprobe, symbol, patch, &entry, &p->entry);
}

int funclat_attach(struct funclat *f, const char *backend, const char *symbol, uint32_t id,
		   struct funclat_pair *p)
{
	uint64_t patch[PATCH_COUNT] = {[PATCH_ID] = id};
	int rc;

	p->entry = p->exit = (struct bpf_attached){-1, -1, -1};
	rc = strcmp(backend, "fentry") ? attach_kprobe(f, symbol, patch, p)
				       : attach_fentry(f, symbol, patch, p);
	if (rc)
		funclat_detach(p);
	return rc;
}

void funclat_detach(struct funclat_pair *p)
{
	bpf_detach(&p->entry);
	bpf_detach(&p->exit);
	kretprobe_remove(&p->kretprobe);
}

void funclat_pair_free(struct funclat_pair *p)
{
	funclat_detach(p);
	for (int c = 0; c < CLASS_COUNT; c++) {
		g_free(p->seen[c]);
		g_free(p->hists[c]);
	}
	g_free(p);
}

int funclat_read(struct funclat *f, uint32_t id, struct funclat_pair *p)
{
	for (uint32_t c = 0; c < CLASS_COUNT; c++) {
		uint32_t slot = __atomic_load_n(&f->skel->bss->slots[id * CLASS_COUNT + c], __ATOMIC_RELAXED);

		if (!slot--)
			continue;
		if (bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hists), &slot, f->buf))
			return err_set(-errno, "can't read a histogram: %m");
		if (!p->hists[c]) {
			p->hists[c] = g_new0(struct hist, 1);
			p->seen[c] = g_new0(struct cpu_hist, f->n_cpus);
		}
		p->changed[c] = hist_from_cpus(p->hists[c], f->buf, f->n_cpus, p->seen[c]);
	}
	return 0;
}

int funclat_losses(struct funclat *f, uint32_t id, struct cpu_loss *sum)
{
	g_autofree struct cpu_loss *cpus = g_new0(struct cpu_loss, f->n_cpus);

	memset(sum, 0, sizeof(*sum));
	if (bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.losses), &id, cpus))
		return err_set(-errno, "can't read a loss ledger: %m");
	for (int i = 0; i < f->n_cpus; i++) {
		sum->unmatched_exit += cpus[i].unmatched_exit;
		sum->missed_exit += cpus[i].missed_exit;
		sum->table_full += cpus[i].table_full;
		sum->no_slot += cpus[i].no_slot;
	}
	return 0;
}

uint64_t funclat_in_flight(const struct funclat *f, uint32_t id)
{
	uint64_t n = 0;

	for (size_t i = 0; i < START_BUCKETS * START_WAYS; i++) {
		uint64_t key = f->skel->bss->starts[i].key;

		// the key's upper bits are the kernel address' sign, or the distance's, with the number mixed
		// in
		n += key && ((key >> 48) == id || (key >> 48) == (id ^ 0xffff));
	}
	return n;
}
