// SPDX-License-Identifier: GPL-2.0
/*
 * pebs: addresses of loads that missed the last-level cache, and of stores, from the processor's
 * own sampling: the raw events that MEMTIS uses on Intel for either kind of far memory. Built, but
 * never run on such a machine, as the lab has no PMU, so `auto` does not take it; the period is not
 * adapted to the CPU budget, which does not bound interrupts.
 */
#include <linux/perf_event.h>
#include <linux/slab.h>
#include <asm/processor.h>
#include "symbols.h"
#include "tiering.h"

static const u64 events[] = {
	0x1d3,  /* loads from local DRAM */
	0x2d3,  /* loads from remote DRAM: another socket's, or CXL */
	0x80d1, /* loads from local persistent memory */
	0x82d0, /* stores */
};
#define EVENTS ARRAY_SIZE(events)

static struct perf_event **perf; /* processor * EVENTS + event */

static void sampled(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
	struct mm_struct *mm = current->mm;
	u16 id = mm && data->addr && data->addr < TASK_SIZE_MAX ? tier_target_id_of(mm) : 0;

	if (id)
		tier_queue_put(id, data->addr >> PAGE_SHIFT);
}

static struct perf_event *create(int cpu, u64 config)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_RAW,
		.size = sizeof(attr),
		.config = config,
		.sample_period = tier_params.pebs_period,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_ADDR,
		.precise_ip = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.exclude_callchain_kernel = 1,
		.exclude_callchain_user = 1,
	};

	return perf_event_create_kernel_counter(&attr, cpu, NULL, sampled, NULL);
}

static void stop(void)
{
	size_t i;

	for (i = 0; perf && i < nr_cpu_ids * EVENTS; i++) {
		if (perf[i])
			perf_event_release_kernel(perf[i]);
	}
	kfree(perf);
	perf = NULL;
}

static int start_all(void)
{
	struct perf_event *e;
	int cpu, i;

	for_each_online_cpu(cpu) {
		for (i = 0; i < EVENTS; i++) {
			e = create(cpu, events[i]);
			if (IS_ERR(e))
				return PTR_ERR(e);
			perf[cpu * EVENTS + i] = e;
		}
	}
	return 0;
}

static int start(void)
{
	int err = boot_cpu_data.x86_vendor == X86_VENDOR_INTEL ? 0 : -ENODEV;

	perf = kcalloc(nr_cpu_ids * EVENTS, sizeof(*perf), GFP_KERNEL);
	if (!perf)
		return -ENOMEM;
	err = err ?: start_all();
	if (!err)
		return 0;
	pr_info("tiering: sampler pebs refused: this machine cannot sample memory accesses (%d)\n",
		err);
	stop();
	return -EOPNOTSUPP;
}

const struct tier_sampler tier_pebs = {
	.name = "pebs",
	.start = start,
	.stop = stop,
};
