// Probes of kind `ptpath`: page-table pages taken and released, by level and by the way, from the stacks that
// probes/ptpath.bpf.c collects and ptways.c understands; with series over time.
#include <bpf/btf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "probe/kernel.h"
#include "probe/ptways.h"
#include "probe/set.h"
#include "probes/ptpath.skel.h"
#include "store/store.h"

enum direction { TAKEN, RELEASED, DIRECTIONS };
static const char *const direction_names[DIRECTIONS] = {"taken", "released"};

struct way { // of a direction
	enum direction direction;
	struct ptway at;
};

struct moment { // pages so far
	int64_t t_ns, pages[PTLEVELS][DIRECTIONS];
};

struct ptpath_impl {
	struct ptpath_bpf *skel;
	struct bpf_attached attached;
	int n_cpus;
	GHashTable *ways;                     // struct ptpath_key, whatever its class → struct way
	GArray *moments;                      // struct moment, until they are written
	int64_t series[PTLEVELS][DIRECTIONS]; // 0: not made yet
	uint64_t *buffer;
};

static guint key_hash(gconstpointer p)
{
	const struct ptpath_key *key = p;
	uint64_t h = key->release;

	for (int i = 0; i < PTPATH_DEPTH; i++)
		h = (h ^ key->stack[i]) * 0x9e3779b97f4a7c15ull;
	return (guint)(h >> 32);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	const struct ptpath_key *x = a, *y = b;

	return x->release == y->release && !memcmp(x->stack, y->stack, sizeof(x->stack));
}

static const struct way *way_of(struct ptpath_impl *impl, const struct ptpath_key *key)
{
	struct way *way = g_hash_table_lookup(impl->ways, key);

	if (!way) {
		way = g_new(struct way, 1);
		*way = (struct way){key->release ? RELEASED : TAKEN, ptway_of(key->stack, PTPATH_DEPTH)};
		g_hash_table_insert(impl->ways, g_memdup2(key, sizeof(*key)), way);
	}
	return way;
}

// --- attaching

// The number of NR_PAGETABLE in this kernel.
static int counter_number(void)
{
	struct btf *btf = kernel_btf();
	int id = btf ? btf__find_by_name_kind(btf, "node_stat_item", BTF_KIND_ENUM) : -ENOENT;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;

	for (int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off), "NR_PAGETABLE"))
			return btf_enum(t)[i].val;
	return err_set(-ENOENT, "the kernel's BTF has no NR_PAGETABLE");
}

static int load(struct probes *set, struct ptpath_impl *impl)
{
	if (!set->bpf)
		return err_set(-EPERM, "%s", set->bpf_why ? set->bpf_why : "no BPF here");
	impl->skel = ptpath_bpf__open();
	if (!impl->skel || bpf_share(set->bpf, impl->skel->obj) || ptpath_bpf__load(impl->skel))
		return err_set(-errno, "%s: %s", g_strerror(errno), bpf_last_warning());
	return 0;
}

static int kprobe_type(void)
{
	g_autofree char *text = NULL;

	return g_file_get_contents("/sys/bus/event_source/devices/kprobe/type", &text, NULL, NULL)
		   ? atoi(text)
		   : err_set(-ENOENT, "this kernel has no kprobes");
}

static int try_attach(struct probes *set, struct probe *p, const char *symbol)
{
	struct ptpath_impl *impl = p->impl;
	struct perf_event_attr attr = {.config1 = (uint64_t)(uintptr_t)symbol};
	uint64_t patch[PATCH_COUNT] = {[PATCH_ID] = p->id};
	int number = counter_number(), type = number < 0 ? number : kprobe_type(), rc;

	if (type < 0)
		return type;
	patch[PATCH_BY] = (uint64_t)number;
	attr.type = (uint32_t)type;
	rc = load(set, impl);
	return rc ? rc
		  : bpf_attach_perf(impl->skel->progs.template_ptpath, symbol, patch, &attr, &impl->attached);
}

static void attach(struct probes *set, struct probe *p)
{
	struct ptpath_impl *impl = p->impl = g_new0(struct ptpath_impl, 1);
	const char *symbol = NULL;

	impl->attached = (struct bpf_attached){-1, -1, -1};
	impl->n_cpus = libbpf_num_possible_cpus();
	impl->ways = g_hash_table_new_full(key_hash, key_equal, g_free, g_free);
	impl->buffer = g_new0(uint64_t, impl->n_cpus);
	impl->moments = g_array_new(FALSE, FALSE, sizeof(struct moment));
	for (char **s = p->symbols; *s && !symbol; s++)
		symbol = kernel_has_function(*s) ? *s : NULL;
	if (!symbol) {
		probe_outcome(p, "absent", NULL,
			      "this kernel has none of the functions that count page-table pages");
		return;
	}
	g_free(p->target);
	p->target = g_strdup(symbol);
	if (try_attach(set, p, symbol) == 0)
		probe_outcome(p, "attached", "kprobe", NULL);
	else
		probe_outcome(p, "failed", NULL, "%s", err_text());
}

// --- storing

struct sum {
	struct way way;
	uint64_t count[CLASS_COUNT];
};

static struct sum *sum_of(GArray *sums, const struct way *w)
{
	struct sum fresh = {.way = *w};

	for (guint i = 0; i < sums->len; i++) {
		struct sum *s = &g_array_index(sums, struct sum, i);

		if (s->way.at.level == w->at.level && s->way.at.number == w->at.number &&
		    s->way.direction == w->direction)
			return s;
	}
	g_array_append_val(sums, fresh);
	return &g_array_index(sums, struct sum, sums->len - 1);
}

static GArray *add_up(struct ptpath_impl *impl)
{
	GArray *sums = g_array_new(FALSE, FALSE, sizeof(struct sum));
	int fd = bpf_map__fd(impl->skel->maps.ptpath_counts);
	struct ptpath_key key, *prev = NULL;

	while (bpf_map_get_next_key(fd, prev, &key) == 0) {
		struct sum *s;

		prev = &key;
		if (key.class >= CLASS_COUNT || bpf_map_lookup_elem(fd, &key, impl->buffer))
			continue;
		s = sum_of(sums, way_of(impl, &key));
		for (int i = 0; i < impl->n_cpus; i++)
			s->count[key.class] += impl->buffer[i];
	}
	return sums;
}

// A part is "pte taken", "pmd released" ...; the key is the way.
static int store_sum(struct store *store, const struct probe *p, const struct sum *s)
{
	g_autofree char *part =
	    g_strdup_printf("%s %s", ptlevel_names[s->way.at.level], direction_names[s->way.direction]);
	int rc = 0;

	for (int c = 0; c < CLASS_COUNT && !rc; c++) {
		struct store_count row = {.part = part,
					  .class = class_names[c],
					  .key = s->way.at.number,
					  .key_name = s->way.at.name,
					  .count = s->count[c]};

		rc = s->count[c] ? store_count(store, p->row, &row) : 0;
	}
	return rc;
}

static void pump(struct probe *p, int64_t t_ns)
{
	struct ptpath_impl *impl = p->impl;
	g_autoptr(GArray) sums = add_up(impl);
	struct moment m = {.t_ns = t_ns};

	for (guint i = 0; i < sums->len; i++) {
		const struct sum *s = &g_array_index(sums, struct sum, i);

		for (int c = 0; c < CLASS_COUNT; c++)
			m.pages[s->way.at.level][s->way.direction] += (int64_t)s->count[c];
	}
	g_array_append_val(impl->moments, m);
}

// ptpath.pte.taken and so on: all classes. A level that this kernel does not count has no series.
static int store_moment(struct ptpath_impl *impl, const struct moment *m, struct store *store, int64_t run,
			bool last)
{
	int rc = 0;

	for (int l = 0; l < PTLEVELS; l++)
		for (int d = 0; d < DIRECTIONS && !rc; d++) {
			g_autofree char *name =
			    g_strdup_printf("ptpath.%s.%s", ptlevel_names[l], direction_names[d]);
			int64_t *series = &impl->series[l][d];

			if (!*series && !m->pages[l][d])
				continue;
			if (!*series) {
				rc = store_series(store, run, name, "pages", true, series);
				if (!rc)
					rc = store_sample(store, *series, 0, 0, false);
			}
			if (!rc)
				rc = store_sample(store, *series, m->t_ns, m->pages[l][d], last);
		}
	return rc;
}

static int store_over_time(struct ptpath_impl *impl, struct store *store, int64_t run, bool final)
{
	int rc = 0;

	for (guint i = 0; i < impl->moments->len && !rc; i++)
		rc = store_moment(impl, &g_array_index(impl->moments, struct moment, i), store, run,
				  final && i + 1 == impl->moments->len);
	g_array_set_size(impl->moments, 0);
	return rc;
}

static int store_lost(struct ptpath_impl *impl, const struct probe *p, struct store *store, int64_t run)
{
	static const struct {
		const char *kind, *detail;
	} rows[PTPATH_LOSSES] = {
	    [PTPATH_TABLE_FULL] = {"table_full", "too many different stacks: the page was not counted"},
	    [PTPATH_NO_STACK] = {"no_stack", "no stack could be had: the page is counted without its way"},
	};
	int rc = 0;

	for (uint32_t i = 0; i < PTPATH_LOSSES && !rc; i++) {
		uint64_t n = 0;

		if (bpf_map_lookup_elem(bpf_map__fd(impl->skel->maps.ptpath_losses), &i, impl->buffer) == 0)
			for (int c = 0; c < impl->n_cpus; c++)
				n += impl->buffer[c];
		rc = store_loss(store, run, p->row, rows[i].kind, n, rows[i].detail);
	}
	return rc;
}

static int collect(struct probes *set G_GNUC_UNUSED, struct probe *p, struct store *store, int64_t run,
		   bool final)
{
	struct ptpath_impl *impl = p->impl;
	g_autoptr(GArray) sums = NULL;
	int rc = 0;

	if (!impl || strcmp(p->status, "attached"))
		return 0;
	sums = add_up(impl);
	for (guint i = 0; i < sums->len && !rc; i++)
		rc = store_sum(store, p, &g_array_index(sums, struct sum, i));
	if (!rc)
		rc = store_over_time(impl, store, run, final);
	return rc || !final ? rc : store_lost(impl, p, store, run);
}

static void detach(struct probes *set G_GNUC_UNUSED, struct probe *p)
{
	struct ptpath_impl *impl = p->impl;

	if (!impl)
		return;
	bpf_detach(&impl->attached);
	ptpath_bpf__destroy(impl->skel);
	g_hash_table_unref(impl->ways);
	g_free(impl->buffer);
	g_array_unref(impl->moments);
	g_clear_pointer(&p->impl, g_free);
}

static void run_stats(const struct probe *p, uint64_t *runs, uint64_t *ns)
{
	const struct ptpath_impl *impl = p->impl;

	if (impl)
		bpf_run_stats(&impl->attached, runs, ns);
}

const struct probe_kind kind_ptpath = {"ptpath", attach, collect, detach, run_stats, NULL, pump};
