// SPDX-License-Identifier: GPL-2.0
/*
 * Whose pages: processes of the cgroups that match a pattern, or a process with its descendants,
 * found anew each round. Of a process only the mm_struct is held (mmgrab), not its memory, so it
 * can exit at any time.
 */
#include <linux/bitmap.h>
#include <linux/cgroup.h>
#include <linux/glob.h>
#include <linux/idr.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include "tiering.h"

#define GLOB_MAX 256
#define MOST_AT_ONCE 64 /* new processes of one pass; more are found by the next */

static char glob[GLOB_MAX];
static int pid;
static DEFINE_MUTEX(lock); /* glob, and changes of the list */
static LIST_HEAD(mms);
static DEFINE_IDA(ids);
static char *path; /* for refresh */

/* --- what is wanted */

int tier_target_set_cgroup(const char *value)
{
	size_t n = strcspn(value, "\n");

	if (n >= GLOB_MAX || (n && value[0] != '/'))
		return -EINVAL;
	mutex_lock(&lock);
	memcpy(glob, value, n);
	glob[n] = 0;
	while (n > 1 && glob[n - 1] == '/')
		glob[--n] = 0;
	mutex_unlock(&lock);
	return 0;
}

ssize_t tier_target_show_cgroup(char *buf)
{
	ssize_t n;

	mutex_lock(&lock);
	n = sprintf(buf, "%s\n", glob);
	mutex_unlock(&lock);
	return n;
}

int tier_target_set_pid(int value)
{
	if (value < 0)
		return -EINVAL;
	WRITE_ONCE(pid, value);
	return 0;
}

int tier_target_pid(void)
{
	return READ_ONCE(pid);
}

/* The cgroup itself or one above it matches. */
static bool cgroup_matches(struct task_struct *task)
{
	struct cgroup *cgroup = task_css_set(task)->dfl_cgrp;
	char *slash;

	if (cgroup_path(cgroup, path, PATH_MAX) < 0)
		return false;
	while (!glob_match(glob, path)) {
		slash = strrchr(path, '/');
		if (!slash || slash == path)
			return false;
		*slash = 0;
	}
	return true;
}

static bool descends(struct task_struct *task)
{
	int wanted = READ_ONCE(pid);

	for (; task && task_pid_nr(task); task = rcu_dereference(task->real_parent)) {
		if (task_tgid_nr(task) == wanted)
			return true;
	}
	return false;
}

static bool matches(struct task_struct *process)
{
	if (process->flags & PF_KTHREAD)
		return false;
	return (glob[0] && cgroup_matches(process)) || (READ_ONCE(pid) && descends(process));
}

/* --- what is there */

static struct tier_mm *find(struct mm_struct *mm)
{
	struct tier_mm *m;

	list_for_each_entry(m, &mms, list) {
		if (m->mm == mm)
			return m;
	}
	return NULL;
}

/* A reference to the process' mm, also where its first thread is gone. */
static struct mm_struct *grab_mm(struct task_struct *process)
{
	struct task_struct *t;
	struct mm_struct *mm = NULL;

	for_each_thread(process, t) {
		task_lock(t);
		mm = t->mm;
		if (mm)
			mmgrab(mm);
		task_unlock(t);
		if (mm)
			break;
	}
	return mm;
}

static unsigned int collect(struct mm_struct **found)
{
	struct task_struct *process;
	struct mm_struct *mm;
	struct tier_mm *m;
	unsigned int n = 0;

	rcu_read_lock();
	for_each_process(process) {
		if (n == MOST_AT_ONCE)
			break;
		if (!matches(process))
			continue;
		mm = grab_mm(process);
		m = mm ? find(mm) : NULL;
		if (m)
			m->wanted = true;
		if (mm && !m)
			found[n++] = mm;
		else if (mm)
			mmdrop(mm);
	}
	rcu_read_unlock();
	return n;
}

/* Takes over the reference. */
static void add(struct mm_struct *mm)
{
	struct tier_mm *m = find(mm) ? NULL : kzalloc(sizeof(*m), GFP_KERNEL);
	int id = m ? ida_alloc_range(&ids, 1, U16_MAX, GFP_KERNEL) : -1;

	if (id < 0) {
		kfree(m);
		mmdrop(mm);
		return;
	}
	m->mm = mm;
	m->id = id;
	m->wanted = true;
	list_add_tail_rcu(&m->list, &mms);
}

/* Those that are unwanted (or all), and all that is known of their pages. */
static void drop_unwanted(bool all)
{
	static unsigned long gone[BITS_TO_LONGS(U16_MAX + 1)];
	struct tier_mm *m, *next;
	LIST_HEAD(dropped);

	bitmap_zero(gone, U16_MAX + 1);
	list_for_each_entry_safe(m, next, &mms, list) {
		if (!all && m->wanted && atomic_read(&m->mm->mm_users))
			continue;
		list_del_rcu(&m->list);
		list_add(&m->dropped, &dropped);
		__set_bit(m->id, gone);
	}
	if (list_empty(&dropped))
		return;
	synchronize_rcu();
	tier_book_forget_mms(gone);
	list_for_each_entry_safe(m, next, &dropped, dropped) {
		tier_shadow_forget_mm(m->id);
		ida_free(&ids, m->id);
		mmdrop(m->mm);
		kfree(m);
	}
}

void tier_target_refresh(void)
{
	struct mm_struct *found[MOST_AT_ONCE];
	struct tier_mm *m;
	unsigned int i, n;

	mutex_lock(&lock);
	list_for_each_entry(m, &mms, list)
		m->wanted = false;
	n = collect(found);
	for (i = 0; i < n; i++)
		add(found[i]);
	drop_unwanted(false);
	mutex_unlock(&lock);
}

struct tier_mm *tier_target_next(struct tier_mm *after)
{
	struct list_head *next = after ? after->list.next : mms.next;

	return next == &mms ? NULL : list_entry(next, struct tier_mm, list);
}

unsigned int tier_target_count(void)
{
	struct tier_mm *m;
	unsigned int n = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(m, &mms, list)
		n++;
	rcu_read_unlock();
	return n;
}

struct mm_struct *tier_target_get(u16 id)
{
	struct mm_struct *mm = NULL;
	struct tier_mm *m;

	rcu_read_lock();
	list_for_each_entry_rcu(m, &mms, list) {
		if (m->id == id && mmget_not_zero(m->mm))
			mm = m->mm;
	}
	rcu_read_unlock();
	return mm;
}

u16 tier_target_id_of(struct mm_struct *mm)
{
	struct tier_mm *m;

	list_for_each_entry_rcu(m, &mms, list, 1) {
		if (m->mm == mm)
			return m->id;
	}
	return 0;
}

u8 tier_target_complete(u16 id)
{
	struct tier_mm *m;
	u8 round = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(m, &mms, list) {
		if (m->id == id)
			round = m->complete;
	}
	rcu_read_unlock();
	return round;
}

int tier_target_init(void)
{
	path = kmalloc(PATH_MAX, GFP_KERNEL);
	return path ? 0 : -ENOMEM;
}

void tier_target_exit(void)
{
	drop_unwanted(true);
	ida_destroy(&ids);
	kfree(path);
}
