// SPDX-License-Identifier: GPL-2.0
/*
 * The two threads, the budgets that they share, and the change from one policy or sampler to
 * another.
 */
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "budget.h"
#include "symbols.h"
#include "tiering.h"

static DEFINE_MUTEX(lock); /* set-up */
static struct task_struct *sample_thread, *migrate_thread;
static struct tier_batch *batch;
static bool enabled;
static char sampler_wanted[8] = "auto";

/* --- budgets: one of CPU time for both threads, one of bytes moved */

static DEFINE_SPINLOCK(budget_lock);
static struct budget cpu, bandwidth;

void tier_budgets_changed(void)
{
	u64 now = ktime_get_ns();

	spin_lock(&budget_lock);
	/* a burst is what is earned in a fifth of a second */
	budget_set(&cpu, tier_params.cpu_budget_permille * 1000000ull,
		   tier_params.cpu_budget_permille * 200000ull, now);
	budget_set(&bandwidth, (u64)tier_params.migrate_mbps << 20,
		   (u64)tier_params.migrate_mbps << 18, now);
	spin_unlock(&budget_lock);
}

static void spend(struct budget *b, u64 amount)
{
	spin_lock(&budget_lock);
	budget_spend(b, amount, ktime_get_ns());
	spin_unlock(&budget_lock);
}

void tier_cpu_spend(u64 ns)
{
	spend(&cpu, ns);
}

void tier_bandwidth_spend(u64 bytes)
{
	spend(&bandwidth, bytes);
}

static void sleep_ns(u64 ns)
{
	ktime_t t = ns_to_ktime(ns);

	set_current_state(TASK_IDLE);
	if (!kthread_should_stop())
		schedule_hrtimeout_range(&t, NSEC_PER_MSEC, HRTIMER_MODE_REL);
	__set_current_state(TASK_RUNNING);
}

static bool wait_for(struct budget *b)
{
	u64 ns;

	for (;;) {
		spin_lock(&budget_lock);
		ns = budget_wait(b, ktime_get_ns());
		spin_unlock(&budget_lock);
		if (!ns || kthread_should_stop())
			return !kthread_should_stop();
		sleep_ns(ns);
	}
}

bool tier_cpu_wait(void)
{
	return wait_for(&cpu);
}

/* --- the threads */

/* Until the next round what others queued is processed. */
static void idle_until(u64 when)
{
	u64 now;

	while (!kthread_should_stop() && (now = ktime_get_ns()) < when) {
		sleep_ns(min_t(u64, when - now, 20 * NSEC_PER_MSEC));
		tier_sampler_idle();
	}
}

static int sample_loop(void *unused)
{
	u64 from;

	while (!kthread_should_stop()) {
		from = ktime_get_ns();
		tier_sampler_round();
		idle_until(from + tier_params.scan_ms * (u64)NSEC_PER_MSEC);
	}
	return 0;
}

/* Whether there was something to move. */
static bool migrate_some(void)
{
	u64 from = kcall(task_sched_runtime)(current), ns;

	batch->n = batch->exchanges = batch->pages[TIER_FAST] = batch->pages[TIER_SLOW] = 0;
	mutex_lock(&tier_book_lock);
	tier_policy->pick(batch);
	mutex_unlock(&tier_book_lock);
	if (batch->n)
		tier_mover_run(batch);
	ns = kcall(task_sched_runtime)(current) - from;
	tier_count(PHASES_migration_ns, ns);
	tier_cpu_spend(ns);
	return batch->n;
}

static int migrate_loop(void *unused)
{
	while (!kthread_should_stop()) {
		while (tier_cpu_wait() && wait_for(&bandwidth) && migrate_some())
			cond_resched();
		sleep_ns(tier_params.migrate_ms * (u64)NSEC_PER_MSEC);
	}
	return 0;
}

/* --- set-up */

static int run(struct task_struct **thread, int (*loop)(void *), const char *name)
{
	*thread = kthread_run(loop, NULL, "%s", name);
	if (!IS_ERR(*thread))
		return 0;
	loop = (void *)*thread;
	*thread = NULL;
	return PTR_ERR(loop);
}

static void stop(void)
{
	if (migrate_thread)
		kthread_stop(migrate_thread);
	if (sample_thread)
		kthread_stop(sample_thread);
	if (tier_sampler) {
		tier_sampler_stop();
		tier_book_forget_all();
		tier_policy->exit();
	}
	migrate_thread = sample_thread = NULL;
	enabled = false;
}

static int start(void)
{
	int err;

	tier_book_reset();
	err = tier_policy->init();
	if (err) {
		tier_policy->exit();
		return err;
	}
	err = tier_sampler_start(sampler_wanted);
	if (err) {
		tier_policy->exit();
		return err;
	}
	tier_budgets_changed();
	err = run(&sample_thread, sample_loop, "ktiering_sample");
	err = err ?: run(&migrate_thread, migrate_loop, "ktiering_migrate");
	if (err)
		stop();
	enabled = !err;
	return err;
}

int tier_set_up(const char *policy, const char *sampler)
{
	const struct tier_policy *p = policy ? tier_policy_find(policy) : NULL;
	char before[sizeof(sampler_wanted)];
	int err = 0;
	bool on;

	if ((policy && !p) || (sampler && !tier_sampler_known(sampler)))
		return -EINVAL;
	mutex_lock(&lock);
	on = enabled;
	stop();
	strscpy(before, sampler_wanted, sizeof(before));
	if (p)
		WRITE_ONCE(tier_policy, p);
	if (sampler)
		snprintf(sampler_wanted, sizeof(sampler_wanted), "%.*s",
			 (int)strcspn(sampler, "\n"), sampler);
	if (on)
		err = start();
	if (err && sampler) {
		strscpy(sampler_wanted, before, sizeof(before));
		start();
	}
	mutex_unlock(&lock);
	return err;
}

int tier_set_enabled(bool on)
{
	int err = 0;

	mutex_lock(&lock);
	if (on && !enabled)
		err = start();
	else if (!on)
		stop();
	mutex_unlock(&lock);
	return err;
}

bool tier_is_enabled(void)
{
	return READ_ONCE(enabled);
}

const char *tier_sampler_wanted(void)
{
	return sampler_wanted;
}

int tier_threads_init(void)
{
	batch = kvzalloc(sizeof(*batch), GFP_KERNEL);
	return batch ? 0 : -ENOMEM;
}

void tier_threads_exit(void)
{
	tier_set_enabled(false);
	kvfree(batch);
}
