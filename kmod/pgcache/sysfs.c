// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/mm/pgcache: one value a file; a directory for each level. docs/pgcache.md explains
 * them.
 */
#include "kcompat.h"
#include "pgcache.h"
#include "symbols.h"
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

static struct kobject *root;

static struct pgc_level *level_of(struct kobject *kobj)
{
	struct pgc_level *l;

	for_each_level(l) {
		if (l->kobj == kobj)
			return l;
	}
	return &pgc_levels[0]; /* while it is being made */
}

/* --- the whole cache */

#define SHOW(name, format, value)                                                                \
	static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf) \
	{                                                                                        \
		return sysfs_emit(buf, format "\n", value);                                      \
	}

SHOW(enabled, "%d", READ_ONCE(pgc_enabled))
SHOW(verify, "%d", READ_ONCE(pgc_verify))
SHOW(size_kib, "%lu", pgc_size_kib)
SHOW(age_ms, "%u", pgc_age_ms)
SHOW(levels, "%s", pgtable_l5_enabled() ? "pgd p4d pud pmd pte" : "pgd pud pmd pte")

static ssize_t set_bool(const char *buf, size_t n, bool *to)
{
	bool value;
	int err = kstrtobool(buf, &value);

	if (err)
		return err;
	WRITE_ONCE(*to, value);
	return n;
}

static ssize_t set_uint(const char *buf, size_t n, unsigned int *to)
{
	unsigned int value;
	int err = kstrtouint(buf, 0, &value);

	if (err)
		return err;
	WRITE_ONCE(*to, value);
	return n;
}

/* What is cached while it is off stays until it ages. */
static ssize_t enabled_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			     size_t n)
{
	return set_bool(buf, n, &pgc_enabled);
}

/*
 * What `break` made dirty must not be handed out unchecked; what it dirties meanwhile is the
 * tester's own doing.
 */
static ssize_t verify_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t n)
{
	bool value;
	int err = kstrtobool(buf, &value);

	if (err)
		return err;
	if (!value)
		pgc_flush();
	WRITE_ONCE(pgc_verify, value);
	return n;
}

static ssize_t size_kib_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			      size_t n)
{
	unsigned long value;
	int err = kstrtoul(buf, 0, &value);

	return err ?: pgc_resize(value) ?: n;
}

static ssize_t age_ms_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t n)
{
	return set_uint(buf, n, &pgc_age_ms);
}

static ssize_t flush_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t n)
{
	pgc_flush();
	return n;
}

static ssize_t break_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t n)
{
	unsigned int how;
	int err = kstrtouint(buf, 0, &how);

	return err ?: pgc_break(how) ?: n;
}

/* All that can be counted, for those who read it often: "pte.hit 123" lines. */
static ssize_t stat_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct pgc_level *l;
	int n = 0;

	for_each_level(l) {
		n += sysfs_emit_at(buf, n, "%s.used %lu\n", l->name, pgc_used(l, true));
		n += sysfs_emit_at(buf, n, "%s.free %lu\n", l->name, pgc_free_tables(l));
#define X(stat) n += sysfs_emit_at(buf, n, "%s." #stat " %llu\n", l->name, pgc_stat(l, PGC_##stat));
		PGC_STATS(X)
#undef X
	}
	return n;
}

static struct kobj_attribute attr_enabled = __ATTR_RW(enabled);
static struct kobj_attribute attr_verify = __ATTR_RW(verify);
static struct kobj_attribute attr_size_kib = __ATTR_RW(size_kib);
static struct kobj_attribute attr_age_ms = __ATTR_RW(age_ms);
static struct kobj_attribute attr_levels = __ATTR_RO(levels);
static struct kobj_attribute attr_stat = __ATTR_RO(stat);
static struct kobj_attribute attr_flush = __ATTR_WO(flush);
static struct kobj_attribute attr_break = __ATTR(break, 0200, NULL, break_store);

static struct attribute *root_attrs[] = {
	&attr_enabled.attr, &attr_verify.attr, &attr_size_kib.attr,
	&attr_age_ms.attr,  &attr_levels.attr, &attr_stat.attr,
	&attr_flush.attr,   &attr_break.attr,  NULL,
};
static const struct attribute_group root_group = {.attrs = root_attrs};

/* --- one level */

SHOW(ratio, "%u", READ_ONCE(level_of(kobj)->ratio))
SHOW(low, "%u", READ_ONCE(level_of(kobj)->low))
SHOW(max, "%lu", READ_ONCE(level_of(kobj)->max))
SHOW(used, "%lu", pgc_used(level_of(kobj), true))
SHOW(free, "%lu", pgc_free_tables(level_of(kobj)))

static ssize_t miss_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct pgc_level *l = level_of(kobj);

	return sysfs_emit(buf, "%llu\n",
			  pgc_stat(l, PGC_miss_empty) + pgc_stat(l, PGC_miss_busy) +
				  pgc_stat(l, PGC_miss_charge) + pgc_stat(l, PGC_miss_policy));
}

static ssize_t ratio_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t n)
{
	return set_uint(buf, n, &level_of(kobj)->ratio);
}

static ssize_t low_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			 size_t n)
{
	return set_uint(buf, n, &level_of(kobj)->low);
}

#define X(name) SHOW(name, "%llu", pgc_stat(level_of(kobj), PGC_##name))
PGC_STATS(X)
#undef X

static struct kobj_attribute attr_ratio = __ATTR_RW(ratio);
static struct kobj_attribute attr_low = __ATTR_RW(low);
static struct kobj_attribute attr_max = __ATTR_RO(max);
static struct kobj_attribute attr_used = __ATTR_RO(used);
static struct kobj_attribute attr_free = __ATTR_RO(free);
static struct kobj_attribute attr_miss = __ATTR_RO(miss);
#define X(name) static struct kobj_attribute attr_##name = __ATTR_RO(name);
PGC_STATS(X)
#undef X

static struct attribute *level_attrs[] = {
	&attr_ratio.attr,
	&attr_low.attr,
	&attr_max.attr,
	&attr_used.attr,
	&attr_free.attr,
	&attr_miss.attr,
#define X(name) &attr_##name.attr,
	PGC_STATS(X)
#undef X
		NULL,
};
static const struct attribute_group level_group = {.attrs = level_attrs};

static int add_level(struct pgc_level *l)
{
	l->kobj = kobject_create_and_add(l->name, root);
	return l->kobj ? sysfs_create_group(l->kobj, &level_group) : -ENOMEM;
}

/* Waits for those who are reading or writing. */
void pgc_sysfs_exit(void)
{
	struct pgc_level *l;

	for_each_level(l) {
		kobject_put(l->kobj);
		l->kobj = NULL;
	}
	kobject_put(root);
}

int pgc_sysfs_init(void)
{
	struct pgc_level *l;
	int err;

	root = kobject_create_and_add("pgcache", *ksym_data(mm_kobj, struct kobject *));
	if (!root)
		return -ENOMEM;
	err = sysfs_create_group(root, &root_group);
	for_each_level(l) {
		err = err ?: add_level(l);
	}
	if (err)
		pgc_sysfs_exit();
	return err;
}
