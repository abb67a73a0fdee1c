// Probes of kind `tp`: how often a tracepoint fires, by class and by one of its arguments. Loads
// probes/tpcount.bpf.c once and clones it for each tracepoint.
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "host/host.h"
#include "probe/kernel.h"
#include "probe/set.h"
#include "probe/tpcount.h"
#include "probes/tpcount.skel.h"
#include "store/store.h"

struct tpcount {
	struct tpcount_bpf *skel;
	int n_cpus;
};

struct tp_impl {
	struct bpf_attached attached;
	GHashTable *words; // names of the `by` argument's values, or NULL
	bool has_sum;
};

// A target: "sys:event by=ARG mask=BITS names=VALUE:NAME,... sum=ARG". The names are for values that the
// event's own format has none for.
struct tp_target {
	char sys[64], event[64], by[64], sum[64];
	uint64_t mask;
	char *names;
};

static void target_clear(struct tp_target *t)
{
	g_free(t->names);
}

int tpcount_new(struct bpf *bpf, uint32_t n_probes, struct tpcount **out)
{
	struct tpcount *t = g_new0(struct tpcount, 1);

	t->n_cpus = libbpf_num_possible_cpus();
	t->skel = tpcount_bpf__open();
	if (!t->skel || bpf_map__set_max_entries(t->skel->maps.count_losses, n_probes) ||
	    bpf_share(bpf, t->skel->obj) || tpcount_bpf__load(t->skel)) {
		int rc = err_set(-errno, "%s: %s", g_strerror(errno), bpf_last_warning());

		tpcount_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

void tpcount_free(struct tpcount *t)
{
	if (!t)
		return;
	tpcount_bpf__destroy(t->skel);
	g_free(t);
}

static bool parse_target(const char *text, struct tp_target *t)
{
	g_auto(GStrv) word = g_strsplit_set(text, " ", -1);

	memset(t, 0, sizeof(*t));
	t->mask = UINT64_MAX;
	if (sscanf(word[0], "%63[^:]:%63s", t->sys, t->event) != 2 || strchr(t->sys, '/') ||
	    strchr(t->event, '/'))
		return false;
	for (char **w = word + 1; *w; w++) {
		if (g_str_has_prefix(*w, "by="))
			g_strlcpy(t->by, *w + 3, sizeof(t->by));
		else if (g_str_has_prefix(*w, "sum="))
			g_strlcpy(t->sum, *w + 4, sizeof(t->sum));
		else if (g_str_has_prefix(*w, "mask="))
			t->mask = g_ascii_strtoull(*w + 5, NULL, 0);
		else if (g_str_has_prefix(*w, "names=") && !t->names)
			t->names = g_strdup(*w + 6);
	}
	return true;
}

static int attach_raw(struct probes *set, struct probe *p, const struct tp_target *t, struct tp_impl *impl)
{
	uint64_t patch[PATCH_COUNT] = {
	    [PATCH_ID] = p->id, [PATCH_BY] = PATCH_NO_ARG, [PATCH_SUM] = PATCH_NO_ARG};
	int by = *t->by ? kernel_tp_arg(t->event, t->by) : PATCH_NO_ARG;
	int sum = by >= 0 && *t->sum ? kernel_tp_arg(t->event, t->sum) : PATCH_NO_ARG;

	if (by < 0 || sum < 0)
		return -ENOENT;
	patch[PATCH_BY] = by;
	patch[PATCH_SUM] = sum;
	patch[PATCH_MASK] = t->mask;
	impl->has_sum = sum != PATCH_NO_ARG;
	impl->attached.prog_fd = bpf_clone(set->tpcount->skel->progs.template_raw_tp, t->event, patch, 0);
	if (impl->attached.prog_fd < 0)
		return -EINVAL;
	impl->attached.link_fd = bpf_raw_tracepoint_open(t->event, impl->attached.prog_fd);
	return impl->attached.link_fd < 0 ? err_set(-errno, "attach: %m") : 0;
}

static int attach_perf(struct probes *set, struct probe *p, const struct tp_target *t, struct tp_impl *impl)
{
	uint64_t patch[PATCH_COUNT] = {[PATCH_ID] = p->id};
	g_autofree char *path = g_build_filename(host_tracefs(), "events", t->sys, t->event, "id", NULL);
	g_autofree char *id = NULL;
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT};

	bpf_detach(&impl->attached);
	if (!g_file_get_contents(path, &id, NULL, NULL))
		return err_set(-ENOENT, "can't read %s", path);
	attr.config = strtoull(id, NULL, 10);
	return bpf_attach_perf(set->tpcount->skel->progs.template_tp, t->event, patch, &attr,
			       &impl->attached);
}

static GHashTable *words_of(const char *names)
{
	g_auto(GStrv) name = g_strsplit(names, ",", -1);
	GHashTable *words = g_hash_table_new_full(NULL, NULL, NULL, g_free);

	for (char **n = name; *n; n++) {
		const char *colon = strchr(*n, ':');

		if (colon)
			g_hash_table_insert(words, GINT_TO_POINTER((int)g_ascii_strtoll(*n, NULL, 0)),
					    g_strdup(colon + 1));
	}
	return words;
}

static int attach_parsed(struct probes *set, struct probe *p, const struct tp_target *target)
{
	const struct tp_target t = *target;
	struct tp_impl *impl = p->impl;
	int rc = kernel_tp_exists(t.sys, t.event);

	if (rc)
		return rc;
	if (!set->tpcount)
		return err_set(-EPERM, "%s", set->bpf_why ? set->bpf_why : "no BPF here");
	g_free(p->target);
	p->target = g_strdup_printf("%s:%s", t.sys, t.event);
	p->backend = "raw_tp";
	rc = attach_raw(set, p, &t, impl);
	if (rc && !*t.by && !*t.sum) {
		p->backend = "tp";
		rc = attach_perf(set, p, &t, impl);
	}
	if (!rc && *t.by)
		impl->words = t.names ? words_of(t.names) : kernel_tp_words(t.sys, t.event, t.by);
	return rc;
}

static int attach_target(struct probes *set, struct probe *p, const char *text)
{
	struct tp_target t;
	int rc;

	if (!parse_target(text, &t))
		return err_set(-EINVAL, "\"%s\" is not sys:event", text);
	rc = attach_parsed(set, p, &t);
	target_clear(&t);
	return rc;
}

static void attach(struct probes *set, struct probe *p)
{
	struct tp_impl *impl = p->impl = g_new0(struct tp_impl, 1);
	int rc = -ENOENT;

	impl->attached = (struct bpf_attached){-1, -1, -1};
	for (char **target = p->symbols; *target && rc == -ENOENT; target++)
		rc = attach_target(set, p, *target);
	if (rc == 0)
		probe_outcome(p, "attached", p->backend, NULL);
	else
		probe_outcome(p, rc == -ENOENT ? "absent" : "failed", NULL, "%s", err_text());
}

static int store_value(struct store *store, const struct probe *p, const struct count_key *key,
		       const struct count_value *sum)
{
	const struct tp_impl *impl = p->impl;
	struct store_count row = {
	    .part = "",
	    .class = class_names[key->class],
	    .key = key->by,
	    .key_name = impl->words ? g_hash_table_lookup(impl->words, GINT_TO_POINTER(key->by)) : NULL,
	    .count = sum->count,
	    .has_sum = impl->has_sum,
	    .sum = sum->sum};
	int rc = store_count(store, p->row, &row);

	if (rc || !sum->all)
		return rc;
	row.part = "full";
	row.count = sum->all;
	row.has_sum = false;
	return store_count(store, p->row, &row);
}

static int store_lost(struct probes *set, const struct probe *p, struct store *store, int64_t run)
{
	struct tpcount *t = set->tpcount;
	g_autofree uint64_t *cpus = g_new0(uint64_t, t->n_cpus);
	const struct tp_impl *impl = p->impl;
	int64_t recursion = bpf_recursion_misses(&impl->attached);
	uint64_t lost = 0;
	int rc = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(t->skel->maps.count_losses), &p->id, cpus) == 0)
		for (int i = 0; i < t->n_cpus; i++)
			lost += cpus[i];
	rc = store_loss(store, run, p->row, "table_full", lost,
			"too many distinct values: the event was not counted");
	if (!rc && recursion >= 0)
		rc = store_loss(store, run, p->row, "recursion_misses", recursion,
				"skipped by the kernel: the program was already running on that CPU");
	return rc;
}

static int collect(struct probes *set, struct probe *p, struct store *store, int64_t run, bool final)
{
	struct tpcount *t = set->tpcount;
	struct count_key key, *prev = NULL;
	g_autofree struct count_value *cpus = NULL;
	int fd, rc = 0;

	if (!t || strcmp(p->status, "attached"))
		return 0;
	cpus = g_new0(struct count_value, t->n_cpus);
	fd = bpf_map__fd(t->skel->maps.counts);
	while (!rc && bpf_map_get_next_key(fd, prev, &key) == 0) {
		struct count_value sum = {};

		prev = &key;
		if (key.probe != p->id || key.class >= CLASS_COUNT || bpf_map_lookup_elem(fd, &key, cpus))
			continue;
		for (int i = 0; i < t->n_cpus; i++) {
			sum.count += cpus[i].count;
			sum.sum += cpus[i].sum;
			sum.all += cpus[i].all;
		}
		if (sum.count)
			rc = store_value(store, p, &key, &sum);
	}
	return rc || !final ? rc : store_lost(set, p, store, run);
}

static void detach(struct probes *set G_GNUC_UNUSED, struct probe *p)
{
	struct tp_impl *impl = p->impl;

	if (!impl)
		return;
	bpf_detach(&impl->attached);
	if (impl->words)
		g_hash_table_unref(impl->words);
	g_clear_pointer(&p->impl, g_free);
}

static void run_stats(const struct probe *p, uint64_t *runs, uint64_t *ns)
{
	const struct tp_impl *impl = p->impl;

	if (impl)
		bpf_run_stats(&impl->attached, runs, ns);
}

const struct probe_kind kind_tp = {"tp", attach, collect, detach, run_stats, NULL, NULL};
