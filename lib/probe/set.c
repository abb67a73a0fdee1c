// A run's probes: from specifications to a list, attached and collected through their kinds; see probe.h.
#include "probe/set.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "probe/calibrate.h"
#include "probe/catalog.h"
#include "probe/ftrace.h"
#include "probe/funclat.h"
#include "probe/kernel.h"
#include "probe/tpcount.h"
#include "store/store.h"

const char *const class_names[] = CLASS_NAMES;

static const struct probe_kind *const kinds[] = {&kind_func, &kind_tp, &kind_lock, &kind_ptpath, &kind_alias};

#define for_each_probe(p, set)                                                                               \
	for (guint _i = 0; _i < (set)->list->len && ((p) = (set)->list->pdata[_i]); _i++)

void probe_outcome(struct probe *probe, const char *status, const char *backend, const char *fmt, ...)
{
	va_list ap;

	probe->status = status;
	probe->backend = backend;
	g_clear_pointer(&probe->why, g_free);
	if (!fmt)
		return;
	va_start(ap, fmt);
	probe->why = g_strdup_vprintf(fmt, ap);
	va_end(ap);
}

// --- an alias only says what stands for it

static void alias_attach(struct probes *set G_GNUC_UNUSED, struct probe *p)
{
	g_autofree char *names = g_strjoinv(", ", p->symbols);

	probe_outcome(p, "alias", NULL, "what stands for it: %s", names);
}

static int alias_collect(struct probes *set G_GNUC_UNUSED, struct probe *p G_GNUC_UNUSED,
			 struct store *store G_GNUC_UNUSED, int64_t run G_GNUC_UNUSED,
			 bool final G_GNUC_UNUSED)
{
	return 0;
}

static void alias_detach(struct probes *set G_GNUC_UNUSED, struct probe *p G_GNUC_UNUSED)
{
}

const struct probe_kind kind_alias = {"alias", alias_attach, alias_collect, alias_detach, NULL, NULL, NULL};

// --- choosing

static const struct probe_kind *kind_named(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	g_error("the probe catalogue has a probe of the unknown kind \"%s\"", name);
}

static bool same_probe(const struct probe *p, const char *name, const char *backend)
{
	return !strcmp(p->name, name) && !g_strcmp0(p->wanted_backend, backend);
}

static struct probe *add(struct probes *set, const char *name, const struct probe_kind *kind,
			 const char *backend)
{
	struct probe *p;

	for_each_probe (p, set)
		if (same_probe(p, name, backend))
			return NULL;
	p = g_new0(struct probe, 1);
	p->name = g_strdup(name);
	p->kind = kind;
	p->wanted_backend = backend;
	p->id = set->list->len;
	probe_outcome(p, "failed", NULL, "not tried");
	g_ptr_array_add(set->list, p);
	return p;
}

static void add_entry(struct probes *set, const struct catalog_entry *e, const char *backend)
{
	struct probe *p = add(set, e->name, kind_named(e->kind), backend);

	if (!p)
		return;
	p->entry = e;
	p->what = g_strdup(e->what);
	p->symbols = g_strdupv(e->targets);
	p->sum_unit = catalog_flag_value(e, "unit");
	for (char **t = e->targets; p->kind == &kind_alias && *t; t++) {
		const struct catalog_entry *stands = catalog_find(*t);

		if (stands)
			add_entry(set, stands, backend);
	}
}

static void add_function(struct probes *set, const char *symbol, const char *backend)
{
	const struct catalog_entry *e = catalog_find(symbol);
	struct probe *p;

	if (e) {
		add_entry(set, e, backend);
		return;
	}
	p = add(set, symbol, &kind_func, backend);
	if (!p)
		return;
	p->what = g_strdup_printf("latency of the kernel function %s", symbol);
	p->symbols = g_strsplit(symbol, " ", -1);
}

static int add_tracepoint(struct probes *set, const char *spec)
{
	g_auto(GStrv) part = g_strsplit(spec, ":", 3);
	struct probe *p;

	if (g_strv_length(part) != 3 || !*part[1] || !*part[2] || strpbrk(spec, "/ "))
		return err_set(-EINVAL, "\"%s\" is not of the form tracepoint:system:event", spec);
	p = add(set, spec + strlen("tracepoint:"), &kind_tp, NULL);
	if (!p)
		return 0;
	p->what = g_strdup_printf("how often the tracepoint %s:%s fires", part[1], part[2]);
	p->symbols = g_strsplit(spec + strlen("tracepoint:"), " ", -1);
	return 0;
}

static void add_group(struct probes *set, const char *group, const char *flag)
{
	const GPtrArray *all = catalog();

	for (guint i = 0; i < all->len; i++) {
		const struct catalog_entry *e = all->pdata[i];

		if (group ? !strcmp(e->group, group) : catalog_flag(e, flag))
			add_entry(set, e, NULL);
	}
}

static int add_glob(struct probes *set, const char *glob, const char *backend)
{
	g_auto(GStrv) names = kernel_functions_matching(glob);

	if (!*names)
		return err_set(-EINVAL, "no function of this kernel matches \"%s\"", glob);
	if (g_strv_length(names) > 500)
		return err_set(-EINVAL, "\"%s\" matches %u functions; probe at most 500 at once", glob,
			       g_strv_length(names));
	for (char **n = names; *n; n++)
		add_function(set, *n, backend);
	return 0;
}

static const char *backend_named(const char *name)
{
	static const char *const known[] = {"auto", "fentry", "kprobe", "ftrace"};

	for (size_t i = 0; name && i < G_N_ELEMENTS(known); i++)
		if (!strcmp(known[i], name))
			return known[i];
	return NULL;
}

static int add_spec(struct probes *set, const char *spec)
{
	g_auto(GStrv) part = g_strsplit(spec, "@", 2);
	const char *name = part[0], *backend = part[0] && part[1] ? backend_named(part[1]) : NULL;

	if (!name || !*name)
		return err_set(-EINVAL, "an empty probe name");
	if (part[1] && !backend)
		return err_set(-EINVAL, "unknown backend \"%s\" (auto, fentry, kprobe or ftrace)", part[1]);
	if (g_str_has_prefix(name, "tracepoint:"))
		return add_tracepoint(set, name);
	if (!strcmp(name, "default"))
		add_group(set, NULL, "default");
	else if (strpbrk(name, "*?"))
		return add_glob(set, name, backend);
	else if (catalog_find(name) || kernel_has_function(name))
		add_function(set, name, backend);
	else if (catalog_has_group(name))
		add_group(set, name, NULL);
	else
		return err_set(-EINVAL,
			       "unknown probe \"%s\": no catalogue name or group (mmprof list probes), and "
			       "this kernel has no such function",
			       name);
	return 0;
}

static void probe_free(gpointer data)
{
	struct probe *p = data;

	g_free(p->name);
	g_free(p->target);
	g_free(p->what);
	g_free(p->sum_unit);
	g_free(p->why);
	g_free(p->replaced_by);
	g_strfreev(p->symbols);
	g_free(p);
}

// Takes out what --no-probe names; aliases that lost what stands for them stay, they say so.
static int drop_spec(struct probes *set, const char *spec)
{
	bool found = false;

	for (guint i = 0; i < set->list->len;) {
		const struct probe *p = set->list->pdata[i];

		if (!strcmp(spec, "all") || g_pattern_match_simple(spec, p->name) ||
		    (p->entry && !strcmp(p->entry->group, spec))) {
			g_ptr_array_remove_index(set->list, i);
			found = true;
		} else {
			i++;
		}
	}
	if (!found && !catalog_find(spec) && !catalog_has_group(spec) && strcmp(spec, "all"))
		return err_set(-EINVAL, "unknown probe \"%s\" to leave out", spec);
	return 0;
}

int probes_new(const char *const *add_specs, const char *const *drop, const struct probe_options *options,
	       struct probes **out)
{
	struct probes *set = g_new0(struct probes, 1);
	int rc = 0;

	kernel_refresh();
	set->list = g_ptr_array_new_with_free_func(probe_free);
	set->options = *options;
	set->stats_fd = -1;
	if (!backend_named(options->backend))
		rc = err_set(-EINVAL, "unknown backend \"%s\" (auto, fentry, kprobe or ftrace)",
			     options->backend);
	if (!rc && (!add_specs || !*add_specs))
		add_group(set, NULL, "default");
	for (const char *const *s = add_specs; s && *s && !rc; s++)
		rc = add_spec(set, *s);
	for (const char *const *s = drop; s && *s && !rc; s++)
		rc = drop_spec(set, *s);
	for (guint i = 0; i < set->list->len; i++) {
		struct probe *p = set->list->pdata[i];

		p->id = i;
		if (!p->wanted_backend)
			p->wanted_backend = backend_named(options->backend);
	}
	if (rc) {
		probes_free(set);
		return rc;
	}
	*out = set;
	return 0;
}

void probes_free(struct probes *set)
{
	if (!set)
		return;
	probes_detach(set);
	for (int i = 0; i < CALIBRATION_PROBES; i++)
		g_free(set->calibration[i].why);
	g_ptr_array_unref(set->list);
	g_free(set->bpf_why);
	g_free(set);
}

// --- attaching

static bool any(const struct probes *set, const struct probe_kind *kind)
{
	const struct probe *p;

	for_each_probe (p, set)
		if (p->kind == kind)
			return true;
	return false;
}

static void set_up_bpf(struct probes *set)
{
	uint32_t n = set->list->len + CALIBRATION_PROBES;

	set->bpf_rc = bpf_new(set->options.cgroup_fd, &set->bpf);
	if (!set->bpf_rc && any(set, &kind_func))
		set->bpf_rc = funclat_new(set->bpf, n, &set->funclat);
	if (!set->bpf_rc && any(set, &kind_tp))
		set->bpf_rc = tpcount_new(set->bpf, n, &set->tpcount);
	if (set->bpf_rc)
		set->bpf_why = g_strdup(err_text());
}

// ftrace is set up only when a function may need it: it is the last choice, and it costs memory.
static void set_up_ftrace(struct probes *set)
{
	const struct probe *p;
	bool wanted = false;

	for_each_probe (p, set)
		wanted |= p->kind == &kind_func && !strcmp(p->wanted_backend, "ftrace");
	if (!wanted && set->funclat && calibrate_backend_works(set, "kprobe"))
		return;
	if (!wanted && !any(set, &kind_func))
		return;
	if (ftrace_new(&set->ftrace)) {
		ftrace_set_refusal(err_text());
		g_clear_pointer(&set->ftrace, ftrace_free);
	}
}

int probes_attach(struct probes *set)
{
	struct probe *p;

	if (!set->list->len)
		return 0;
	set_up_bpf(set);
	set_up_ftrace(set);
	calibrate_all(set);
	for_each_probe (p, set)
		p->kind->attach(set, p);
	return 0;
}

void probes_enable(struct probes *set, bool on)
{
	if (set->ftrace)
		ftrace_enable(set->ftrace, on);
	if (set->bpf)
		bpf_enable(set->bpf, on);
}

void probes_pump(struct probes *set, int64_t t_ns)
{
	struct probe *p;

	if (set->ftrace)
		ftrace_pump(set->ftrace);
	for_each_probe (p, set)
		if (p->kind->pump && !strcmp(p->status, "attached"))
			p->kind->pump(p, t_ns);
}

void probes_root(struct probes *set, pid_t pid)
{
	if (set->ftrace)
		ftrace_set_root(set->ftrace, pid);
}

void probes_detach(struct probes *set)
{
	struct probe *p;

	for_each_probe (p, set)
		p->kind->detach(set, p);
	g_clear_pointer(&set->funclat, funclat_free);
	g_clear_pointer(&set->tpcount, tpcount_free);
	g_clear_pointer(&set->ftrace, ftrace_free);
	g_clear_pointer(&set->bpf, bpf_free);
	if (set->stats_fd >= 0)
		close(set->stats_fd);
	set->stats_fd = -1;
}

// --- storing

bool hist_from_cpus(struct hist *hist, const struct cpu_hist *cpus, int n_cpus, struct cpu_hist *seen)
{
	bool changed = false;

	hist->count = hist->sum = hist->max = 0;
	hist->min = UINT64_MAX;
	for (int i = 0; i < n_cpus; i++) {
		const struct cpu_hist *h = &cpus[i];

		hist->count += h->count;
		hist->sum += h->sum;
		hist->max = MAX(hist->max, h->max);
		if (h->count)
			hist->min = MIN(hist->min, ~h->inv_min);
		if (h->count == seen[i].count)
			continue;
		changed = true;
		for (unsigned b = 0; b < HIST_BUCKETS; b++)
			hist->buckets[b] += (uint32_t)(h->buckets[b] - seen[i].buckets[b]);
		seen[i] = *h;
	}
	if (!hist->count)
		hist->min = 0;
	return changed;
}

int probe_store_hist(struct store *store, const struct probe *probe, const char *part, int class,
		     const struct hist *hist)
{
	struct store_hist row = {.part = part,
				 .class = class_names[class],
				 .count = hist->count,
				 .sum_ns = hist->sum,
				 .min_ns = hist->min,
				 .max_ns = hist->max,
				 .buckets = hist->buckets};

	return hist->count ? store_hist(store, probe->row, &row) : 0;
}

// Time a caller of the function, or the hook's own functions, instead.
static int store_replaced(struct store *store, int64_t run, const struct probe *p)
{
	g_autofree char *what = g_strdup_printf("%s: the time in what replaces it", p->name);
	g_autofree char *why =
	    g_strdup_printf("an ftrace hook may answer instead of the function, before what is "
			    "attached to it sees the call: %s",
			    p->replaced_by);

	return store_not_measured(store, run, what, why);
}

int probes_store(struct probes *set, struct store *store, int64_t run)
{
	struct probe *p;
	int rc = 0;

	for_each_probe (p, set) {
		struct store_probe row = {.name = p->name,
					  .kind = p->kind->name,
					  .target = p->target,
					  .backend = p->backend,
					  .status = p->status,
					  .why = p->why,
					  .what = p->what,
					  .sum_unit = p->sum_unit};

		rc = store_probe(store, run, &row, &p->row);
		if (!rc && strcmp(p->status, "attached") && strcmp(p->status, "alias"))
			rc = store_not_measured(store, run, p->name, p->why);
		if (!rc && p->replaced_by)
			rc = store_replaced(store, run, p);
		if (rc)
			return rc;
	}
	return calibrate_store(set, store, run);
}

int probes_collect(struct probes *set, struct store *store, int64_t run, bool final)
{
	struct probe *p;
	int rc = 0;

	for_each_probe (p, set) {
		rc = p->kind->collect(set, p, store, run, final);
		if (rc)
			return rc;
	}
	if (final && set->ftrace)
		rc = store_loss(
		    store, run, 0, "ftrace_overrun", ftrace_lost(set->ftrace),
		    "events that ftrace's ring buffers lost: calls missing from every ftrace figure");
	return rc;
}

int probes_count(const struct probes *set)
{
	return (int)set->list->len;
}

const struct probe *probes_get(const struct probes *set, int i)
{
	return set->list->pdata[i];
}
