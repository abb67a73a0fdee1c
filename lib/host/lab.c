// Talks to the lab's plugin by stores that it sees. On real hardware they are stores like any other.
#include "host/lab.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/internal.h"

// Page frame number behind an address, 0 where the kernel does not tell.
static uint64_t frame_of(const void *at)
{
	uint64_t entry = 0, page = (uint64_t)(uintptr_t)at / 4096;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (off_t)(page * sizeof(entry))) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry >> 63 ? entry & ((1ull << 55) - 1) : 0;
}

#if defined(__x86_64__)
bool host_emulated(void)
{
	enum { FEATURES = 1, UNDER_HYPERVISOR = 1u << 31, HYPERVISOR = 0x40000000 };
	unsigned a, vendor[3], c, d;

	if (!__get_cpuid(FEATURES, &a, vendor, &c, &d) || !(c & UNDER_HYPERVISOR))
		return false;
	__cpuid(HYPERVISOR, a, vendor[0], vendor[1], vendor[2]);
	return !memcmp(vendor, "TCGTCGTCGTCG", sizeof(vendor));
}
#else
bool host_emulated(void)
{
	return false;
}
#endif

bool host_lab_plugin(struct labcall *hello)
{
	memset(hello, 0, sizeof(*hello));
	hello->command = LABCALL_HELLO;
	labcall(hello);
	return hello->status == LABCALL_VERSION;
}

bool host_lab_read(struct labcall_counts *cpu, struct labcall_counts *all)
{
	struct labcall call = {.command = LABCALL_READ};

	labcall(&call);
	if (call.status != LABCALL_VERSION)
		return false;
	*cpu = call.out.read.cpu;
	*all = call.out.read.all;
	return true;
}

bool host_lab_sync(enum labcall_sync kind, int64_t (*clock_ns)(void *ctx), void *ctx, const char *text,
		   int64_t *error_ns)
{
	struct labcall call;
	struct timespec now;

	if (!host_lab_plugin(&call) || !(call.out.hello.features & LABCALL_TRUTH))
		return false;
	memset(&call, 0, sizeof(call));
	call.command = LABCALL_SYNC;
	call.kind = kind;
	g_strlcpy(call.text, text, sizeof(call.text));
	call.frame = frame_of(&call);
	clock_gettime(CLOCK_REALTIME, &now);
	call.clock_ns[1] = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	call.clock_ns[0] = (uint64_t)clock_ns(ctx);
	labcall(&call);
	*error_ns = clock_ns(ctx) - (int64_t)call.clock_ns[0];
	return call.status == LABCALL_VERSION;
}
