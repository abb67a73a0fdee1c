// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/mm/tiering: one value a file. Parameters are here, counters in samples/, moves/ and
 * phases/, and what the policy has to say in a directory of its name. docs/tiering.md explains
 * them.
 */
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include "symbols.h"
#include "tiering.h"

static struct kobject *root;

/* --- what runs */

static ssize_t policy_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%s\n", READ_ONCE(tier_policy)->name);
}

static ssize_t policy_store(struct kobject *k, struct kobj_attribute *a, const char *buf, size_t n)
{
	return tier_set_up(buf, NULL) ?: n;
}

static ssize_t sampler_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	const struct tier_sampler *s = READ_ONCE(tier_sampler);

	return sysfs_emit(buf, "%s\n", s ? s->name : tier_sampler_wanted());
}

static ssize_t sampler_store(struct kobject *k, struct kobj_attribute *a, const char *buf, size_t n)
{
	return tier_set_up(NULL, buf) ?: n;
}

static ssize_t enabled_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%d\n", tier_is_enabled());
}

static ssize_t enabled_store(struct kobject *k, struct kobj_attribute *a, const char *buf, size_t n)
{
	bool value;
	int err = kstrtobool(buf, &value);

	return err ?: tier_set_enabled(value) ?: n;
}

static ssize_t target_cgroup_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return tier_target_show_cgroup(buf);
}

static ssize_t target_cgroup_store(struct kobject *k, struct kobj_attribute *a, const char *buf,
				   size_t n)
{
	return tier_target_set_cgroup(buf) ?: n;
}

static ssize_t target_pid_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%d\n", tier_target_pid());
}

static ssize_t target_pid_store(struct kobject *k, struct kobj_attribute *a, const char *buf,
				size_t n)
{
	int value, err = kstrtoint(buf, 0, &value);

	return err ?: tier_target_set_pid(value) ?: n;
}

static struct kobj_attribute attr_policy = __ATTR_RW(policy);
static struct kobj_attribute attr_sampler = __ATTR_RW(sampler);
static struct kobj_attribute attr_enabled = __ATTR_RW(enabled);
static struct kobj_attribute attr_target_cgroup = __ATTR_RW(target_cgroup);
static struct kobj_attribute attr_target_pid = __ATTR_RW(target_pid);

/* --- nodes: only where none of our processes' pages is entered by its old tier */

static ssize_t show_nodes(char *buf, enum tier_id tier)
{
	return sysfs_emit(buf, "%*pbl\n", nodemask_pr_args(&tier_nodes[tier]));
}

static ssize_t store_nodes(const char *buf, size_t n, enum tier_id tier)
{
	return tier_is_enabled() ? -EBUSY : tier_set_nodes(tier, buf) ?: n;
}

static ssize_t fast_node_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return show_nodes(buf, TIER_FAST);
}

static ssize_t fast_node_store(struct kobject *k, struct kobj_attribute *a, const char *buf,
			       size_t n)
{
	return store_nodes(buf, n, TIER_FAST);
}

static ssize_t slow_nodes_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return show_nodes(buf, TIER_SLOW);
}

static ssize_t slow_nodes_store(struct kobject *k, struct kobj_attribute *a, const char *buf,
				size_t n)
{
	return store_nodes(buf, n, TIER_SLOW);
}

static struct kobj_attribute attr_fast_node = __ATTR_RW(fast_node);
static struct kobj_attribute attr_slow_nodes = __ATTR_RW(slow_nodes);

/* --- numbers: name, least, most */

#define NUMBERS(X)                      \
	X(scan_ms, 10, 3600000)         \
	X(cpu_budget_permille, 0, 1000) \
	X(migrate_mbps, 0, 8000)        \
	X(migrate_ms, 1, 3600000)       \
	X(batch, 1, TIER_BATCH_MAX)     \
	X(hysteresis, 0, 65535)         \
	X(decay_rounds, 0, 1000000)     \
	X(reserve_permille, 0, 900)     \
	X(max_pages, 0, 1u << 29)       \
	X(sketch_width, 0, 1u << 28)    \
	X(pebs_period, 100, 100000000)  \
	X(cooling, 0, 1u << 31)         \
	X(adaptation, 0, 1u << 31)      \
	X(shadow_permille, 0, 1000)     \
	X(flush, 0, 1)

#define X(name, least, most)                                                                      \
	static ssize_t name##_show(struct kobject *k, struct kobj_attribute *a, char *buf)        \
	{                                                                                         \
		return sysfs_emit(buf, "%u\n", READ_ONCE(tier_params.name));                      \
	}                                                                                         \
	static ssize_t name##_store(struct kobject *k, struct kobj_attribute *a, const char *buf, \
				    size_t n)                                                     \
	{                                                                                         \
		unsigned int value;                                                               \
		int err = kstrtouint(buf, 0, &value);                                             \
                                                                                                  \
		if (!err && (value < (least) || value > (most)))                                  \
			err = -ERANGE;                                                            \
		if (err)                                                                          \
			return err;                                                               \
		WRITE_ONCE(tier_params.name, value);                                              \
		tier_budgets_changed();                                                           \
		return n;                                                                         \
	}                                                                                         \
	static struct kobj_attribute attr_##name = __ATTR_RW(name);
NUMBERS(X)
#undef X

#define X(name, least, most)                                                  \
	if (tier_params.name < (least) || tier_params.name > (most)) {        \
		pr_err("tiering: refused: " #name " must be from %u to %u\n", \
		       (unsigned int)(least), (unsigned int)(most));          \
		return -ERANGE;                                               \
	}
int tier_params_check(void)
{
	NUMBERS(X)
	return 0;
}
#undef X

/* --- gauges */

#define GAUGE(name, value)                                                                 \
	static ssize_t name##_show(struct kobject *k, struct kobj_attribute *a, char *buf) \
	{                                                                                  \
		return sysfs_emit(buf, "%lld\n", (s64)(value));                            \
	}                                                                                  \
	static struct kobj_attribute attr_##name = __ATTR_RO(name);

static s64 per_page(u64 bytes)
{
	u64 pages = tier_book_pages_in(TIER_FAST) + tier_book_pages_in(TIER_SLOW);

	return pages ? div64_u64(bytes, pages) : 0;
}

GAUGE(managed_fast, tier_book_pages_in(TIER_FAST))
GAUGE(managed_slow, tier_book_pages_in(TIER_SLOW))
GAUGE(processes, tier_target_count())
GAUGE(room_fast, tier_room(TIER_FAST))
GAUGE(room_slow, tier_room(TIER_SLOW))
GAUGE(overhead_bytes, tier_overhead())
GAUGE(overhead_bytes_per_page, per_page(tier_overhead()))

/* All counters and the root's gauges, for those who read them often: "samples.total 123" lines. */
static ssize_t stat_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	int n = 0;

#define X(name) n += sysfs_emit_at(buf, n, "samples." #name " %llu\n", tier_stat(SAMPLES_##name));
	TIER_SAMPLES(X)
#undef X
#define X(name) n += sysfs_emit_at(buf, n, "moves." #name " %llu\n", tier_stat(MOVES_##name));
	TIER_MOVES(X)
#undef X
#define X(name) n += sysfs_emit_at(buf, n, "phases." #name " %llu\n", tier_stat(PHASES_##name));
	TIER_PHASES(X)
#undef X
	n += sysfs_emit_at(buf, n, "managed_fast %llu\n", (u64)tier_book_pages_in(TIER_FAST));
	n += sysfs_emit_at(buf, n, "managed_slow %llu\n", (u64)tier_book_pages_in(TIER_SLOW));
	n += sysfs_emit_at(buf, n, "processes %llu\n", (u64)tier_target_count());
	n += sysfs_emit_at(buf, n, "overhead_bytes %llu\n", (u64)tier_overhead());
	return n;
}

static struct kobj_attribute attr_stat = __ATTR_RO(stat);

static struct attribute *root_attrs[] = {
	&attr_stat.attr,
	&attr_policy.attr,
	&attr_sampler.attr,
	&attr_enabled.attr,
	&attr_target_cgroup.attr,
	&attr_target_pid.attr,
	&attr_fast_node.attr,
	&attr_slow_nodes.attr,
#define X(name, least, most) &attr_##name.attr,
	NUMBERS(X)
#undef X
		& attr_managed_fast.attr,
	&attr_managed_slow.attr,
	&attr_processes.attr,
	&attr_room_fast.attr,
	&attr_room_slow.attr,
	&attr_overhead_bytes.attr,
	&attr_overhead_bytes_per_page.attr,
	NULL,
};
static const struct attribute_group root_group = {.attrs = root_attrs};

/* --- counters: a file's name is its counter's, a directory's the group's */

struct counter {
	struct kobj_attribute attr;
	enum tier_stat stat;
};

static ssize_t counter_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%llu\n", tier_stat(container_of(a, struct counter, attr)->stat));
}

#define COUNTER(file, number)                                                  \
	{                                                                      \
		.attr = __ATTR(file, 0444, counter_show, NULL), .stat = number \
	}
#define X(name) COUNTER(name, SAMPLES_##name),
static struct counter samples[] = {TIER_SAMPLES(X)};
#undef X
#define X(name) COUNTER(name, MOVES_##name),
static struct counter moves[] = {TIER_MOVES(X)};
#undef X
#define X(name) COUNTER(name, PHASES_##name),
static struct counter phases[] = {TIER_PHASES(X)};
#undef X

static struct kobject *dirs[6];
static unsigned int n_dirs;

static struct kobject *add_dir(const char *name)
{
	struct kobject *dir = kobject_create_and_add(name, root);

	if (dir)
		dirs[n_dirs++] = dir;
	return dir;
}

static int add_counters(const char *name, struct counter *c, unsigned int n)
{
	struct kobject *dir = add_dir(name);
	int err = dir ? 0 : -ENOMEM;

	for (; n-- && !err; c++) {
		sysfs_attr_init(&c->attr.attr);
		err = sysfs_create_file(dir, &c->attr.attr);
	}
	return err;
}

static int add_gauges(const struct tier_policy *policy)
{
	struct kobject *dir = add_dir(policy->name);

	return dir ? sysfs_create_group(dir, policy->gauges) : -ENOMEM;
}

/* Waits for those who are reading or writing. */
void tier_sysfs_exit(void)
{
	while (n_dirs)
		kobject_put(dirs[--n_dirs]);
	kobject_put(root);
}

int tier_sysfs_init(void)
{
	int err;

	root = kobject_create_and_add("tiering", *(struct kobject **)ksym_at_mm_kobj);
	if (!root)
		return -ENOMEM;
	err = add_counters("samples", samples, ARRAY_SIZE(samples));
	err = err ?: add_counters("moves", moves, ARRAY_SIZE(moves));
	err = err ?: add_counters("phases", phases, ARRAY_SIZE(phases));
	err = err ?: add_gauges(&tier_ours);
	err = err ?: add_gauges(&tier_memtis);
	err = err ?: add_gauges(&tier_nomad);
	err = err ?: sysfs_create_group(root, &root_group);
	if (err)
		tier_sysfs_exit();
	return err;
}
