// From the host's address of an access to the guest's. QEMU tells a RAM address, in which blocks of memory
// follow each other as they were made, holes left out; page frames and tiers are about guest-physical ones.
// The guest's kernel itself gives the relation: what it reads at PAGE_OFFSET + x is physical address x (the
// direct map, Documentation/arch/x86/x86_64/mm.rst; the lab's kernels start without KASLR). A few accesses
// that agree make a range known; until then, in the first moments of the boot, accesses belong to no page.
// All that comes later through the direct map is a check, some of which are made.
#include <stdio.h>
#include <stdlib.h>

#include "plugin.h"
#include "qemu.h"

#define AGREE 64 // accesses, before a range is believed

static const uint64_t direct_maps[] = {0xffff888000000000ull, 0xff11000000000000ull}; // 4 and 5 levels

struct span spans[TRUTH_RANGES]; // as options.range, bytes 0: not known yet
unsigned spans_known;
uint64_t space_checks, space_failed;

static struct {
	uint64_t delta;
	unsigned agree;
} candidate[TRUTH_RANGES];
static int lock;

uint64_t space_frames(void)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < options.ranges; i++)
		if (options.range[i].start + options.range[i].bytes > end)
			end = options.range[i].start + options.range[i].bytes;
	return end >> TRUTH_PAGE_SHIFT;
}

static uint64_t direct_physical(uint64_t vaddr)
{
	for (unsigned i = 0; i < 2; i++)
		if (vaddr >= direct_maps[i] && vaddr - direct_maps[i] < space_frames() << TRUTH_PAGE_SHIFT)
			return vaddr - direct_maps[i];
	return NO_FRAME;
}

static int range_of(uint64_t physical)
{
	for (unsigned i = 0; i < options.ranges; i++)
		if (physical - options.range[i].start < options.range[i].bytes)
			return (int)i;
	return -1;
}

static void know(int i, uint64_t delta)
{
	const struct truth_range *r = &options.range[i];

	spans[i].from = r->start - delta;
	spans[i].delta = delta;
	spans[i].tier = r->tier;
	__atomic_store_n(&spans[i].bytes, r->bytes, __ATOMIC_RELEASE);
	__atomic_fetch_add(&spans_known, 1, __ATOMIC_RELAXED);
}

static void learn(uint64_t host, uint64_t physical)
{
	int i = range_of(physical);
	uint64_t delta = physical - host;

	if (i < 0 || spans[i].bytes || __atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		return;
	if (candidate[i].delta != delta)
		candidate[i].agree = 0;
	candidate[i].delta = delta;
	if (++candidate[i].agree >= AGREE && !spans[i].bytes)
		know(i, delta);
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static int find(uint64_t host)
{
	for (unsigned i = 0; i < options.ranges; i++)
		if (host - spans[i].from < __atomic_load_n(&spans[i].bytes, __ATOMIC_ACQUIRE))
			return (int)i;
	return -1;
}

int space_find(uint64_t host, uint64_t vaddr)
{
	int i = find(host);
	uint64_t physical;

	if (i >= 0)
		return i;
	physical = direct_physical(vaddr);
	if (physical != NO_FRAME)
		learn(host, physical);
	return find(host);
}

void space_check(uint64_t vaddr, uint64_t physical)
{
	uint64_t direct = direct_physical(vaddr);

	if (direct == NO_FRAME)
		return;
	__atomic_fetch_add(&space_checks, 1, __ATOMIC_RELAXED);
	if (direct != physical)
		__atomic_fetch_add(&space_failed, 1, __ATOMIC_RELAXED);
}
