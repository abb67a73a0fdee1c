// Answers a program in the guest (host/labcall.h). What it sends is not trusted: its struct is in one page,
// since its address is aligned, and is only read from and written to.
#include <string.h>

#include "plugin.h"

static void add(struct labcall_counts *to, const struct labcall_counts *from)
{
	to->user_instructions += from->user_instructions;
	to->kernel_instructions += from->kernel_instructions;
	to->reads += from->reads;
	to->writes += from->writes;
	for (unsigned i = 0; i < LABCALL_RANGES; i++) {
		to->range[i].instructions += from->range[i].instructions;
		to->range[i].calls += from->range[i].calls;
	}
	for (unsigned i = 0; i < LABCALL_TIERS; i++) {
		to->fills[i] += from->fills[i];
		to->write_backs[i] += from->write_backs[i];
	}
}

static void hello(struct labcall *call)
{
	memset(&call->out, 0, sizeof(call->out));
	call->out.hello.features = (options.truth ? LABCALL_TRUTH : 0) | (options.cache ? LABCALL_CACHE : 0) |
				   (options.slow ? LABCALL_SLOW : 0) | (options.count ? LABCALL_COUNT : 0) |
				   (clock_is_held() ? LABCALL_HELD : 0);
	call->out.hello.interval_ns = options.truth ? options.interval_ns : 0;
	if (options.cache) {
		call->out.hello.cache_bytes = options.cache_bytes;
		call->out.hello.cache_ways = options.cache_ways;
		call->out.hello.cache_line = options.cache_line;
	}
	for (unsigned i = 0; options.slow && i < LABCALL_TIERS; i++) {
		call->out.hello.latency_ns[i] = options.latency_ns[i];
		call->out.hello.bytes_per_s[i] = options.bytes_per_s[i];
	}
}

void call_serve(unsigned vcpu, uint64_t host, uint64_t physical)
{
	struct labcall *call = (struct labcall *)host;
	uint64_t now = time_now();
	struct labcall copy;

	memcpy(&copy, call, sizeof(copy));
	if (copy.door != LABCALL_MAGIC || copy.key != LABCALL_KEY)
		return;
	switch (copy.command) {
	case LABCALL_HELLO:
		hello(call);
		break;
	case LABCALL_READ:
		memset(&call->out, 0, sizeof(call->out));
		call->out.read.cpu = cpus[vcpu].counts;
		for (unsigned i = 0; i < options.cpus; i++)
			add(&call->out.read.all, &cpus[i].counts);
		break;
	case LABCALL_SYNC:
		copy.text[sizeof(copy.text) - 1] = 0;
		truth_sync(now, vcpu, &copy, physical == NO_FRAME ? 0 : physical >> TRUTH_PAGE_SHIFT);
		call->out.sync_ns = time_ns(now);
		break;
	default:
		return;
	}
	call->status = LABCALL_VERSION;
}
