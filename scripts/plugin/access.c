// Each memory access of the guest comes here. This is the path that decides how slow the lab is.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cache.h"
#include "charge.h"
#include "plugin.h"
#include "qemu.h"

#define CHECK_EVERY 1024 // accesses, between looks at the clock
#define TRUST_AFTER 4096 // accesses, whose struct qemu_plugin_hwaddr is checked

// Of qemu_plugin_meminfo_t in 7.2, checked as the struct is: an atomic access is both.
#define INFO_LOAD (1u << 16)
#define INFO_STORE (2u << 16)

enum how { HOW_CACHE = 2, HOW_TRUTH = 4, HOW_SLOW = 8 };

struct cache_set *cache_sets;
uint32_t cache_mask;
static unsigned trusted;

static void *reserve(size_t bytes) // zeroed, taken as it is touched
{
	void *p =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		plugin_fail("no memory for the plugin (%zu MiB)", bytes >> 20);
	return p;
}

void access_init(void)
{
	if (options.cache) {
		uint64_t sets = options.cache_bytes / options.cache_line / options.cache_ways;

		cache_sets = reserve(sets * sizeof(*cache_sets));
		cache_mask = (uint32_t)sets - 1;
	}
	if (options.slow)
		charge_init();
}

void access_cpu(struct cpu *c)
{
	c->until_check = CHECK_EVERY;
	c->from = time_zero;
	if (options.cache)
		c->l1 = reserve(L1_LINES * sizeof(*c->l1));
	if (options.truth) {
		c->pages = reserve(space_frames() * sizeof(*c->pages));
		c->touched = reserve((space_frames() + 63) / 64 * 8);
	}
}

// Is the private struct what we take it for? Its address must move with the public one.
static void distrust(const struct qemu_plugin_hwaddr *h, qemu_plugin_meminfo_t info)
{
	static uint64_t deltas[32];
	static unsigned n;
	uint64_t delta;

	__atomic_fetch_add(&trusted, 1, __ATOMIC_RELAXED);
	if (qemu_plugin_hwaddr_is_io(h) != h->is_io ||
	    qemu_plugin_mem_is_store(info) != !!(info & INFO_STORE) || !(info & (INFO_LOAD | INFO_STORE)))
		plugin_fail("this QEMU's struct qemu_plugin_hwaddr is not 7.2's");
	if (h->is_io)
		return;
	delta = qemu_plugin_hwaddr_phys_addr(h) - h->host;
	for (unsigned i = 0; i < n; i++)
		if (deltas[i] == delta)
			return;
	if (!delta || n == 32)
		plugin_fail("this QEMU's struct qemu_plugin_hwaddr is not 7.2's");
	deltas[n++] = delta;
}

static __attribute__((noinline)) void check(struct cpu *c, uint64_t vaddr, uint64_t physical)
{
	uint64_t now;

	c->until_check = CHECK_EVERY;
	space_check(vaddr, physical);
	if (!options.truth)
		return;
	now = time_now();
	if (now - c->from >= truth_interval_ticks)
		truth_flush(c, now);
}

static uint32_t tier_of_line(uint64_t line)
{
	uint64_t physical = line << options.cache_line_shift;

	for (unsigned i = 0; i < options.ranges; i++)
		if (physical - options.range[i].start < options.range[i].bytes)
			return options.range[i].tier;
	return 0;
}

static __attribute__((noinline)) void write_back(struct cpu *c, uint64_t line, bool slow)
{
	uint32_t tier = tier_of_line(line);

	c->counts.write_backs[tier]++;
	if (slow)
		charge_write_back(tier);
}

static inline __attribute__((always_inline)) void access(unsigned vcpu, qemu_plugin_meminfo_t info,
							 uint64_t vaddr, enum how how)
{
	struct cpu *c = &cpus[vcpu];
	const struct qemu_plugin_hwaddr *h = qemu_plugin_get_hwaddr(info, vaddr);
	const bool load = info & INFO_LOAD, store = info & INFO_STORE;
	struct page_count *p = NULL;
	const struct span *span;
	uint64_t physical;
	int i = (int)c->last_span;

	if (__builtin_expect(!h, 0))
		return;
	if (__builtin_expect(trusted < TRUST_AFTER, 0))
		distrust(h, info);
	if (__builtin_expect(h->is_io, 0))
		return;
	c->counts.reads += load;
	c->counts.writes += store;
	if (__builtin_expect(h->host - spans[i].from >= spans[i].bytes, 0)) {
		i = space_find(h->host, vaddr);
		if (i < 0) {
			c->outside++;
			return;
		}
		c->last_span = (uint32_t)i;
	}
	span = &spans[i];
	physical = h->host + span->delta;
	if (how & HOW_TRUTH) {
		uint64_t frame = physical >> TRUTH_PAGE_SHIFT;

		p = &c->pages[frame];
		if (__builtin_expect(!(p->reads | p->writes), 0))
			c->touched[frame / 64] |= 1ull << frame % 64;
		p->reads += load;
		p->writes += store;
	}
	if (how & HOW_CACHE) {
		uint64_t line = physical >> options.cache_line_shift, victim;
		bool fetches = cache_fetches(c->l1, line, store, &victim);

		if (__builtin_expect(victim != CACHE_CLEAN, 0))
			write_back(c, victim, how & HOW_SLOW);
		if (fetches) {
			c->counts.fills[span->tier]++;
			if (how & HOW_TRUTH)
				*(store ? &p->write_fills : &p->read_fills) += 1;
			if (how & HOW_SLOW)
				charge_fill(c, line, span->tier);
		}
	}
	if (__builtin_expect(!--c->until_check, 0))
		check(c, vaddr, physical);
}

#define CALLBACK(name, how)                                                                                  \
	static void name(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)              \
	{                                                                                                    \
		(void)data;                                                                                  \
		access(vcpu, info, vaddr, how);                                                              \
	}
CALLBACK(on_plain, 0)
CALLBACK(on_truth, HOW_TRUTH)
CALLBACK(on_cache, HOW_CACHE)
CALLBACK(on_cache_truth, HOW_CACHE | HOW_TRUTH)
CALLBACK(on_slow, HOW_CACHE | HOW_SLOW)
CALLBACK(on_slow_truth, HOW_CACHE | HOW_SLOW | HOW_TRUTH)

static const struct {
	enum how how;
	qemu_plugin_mem_cb callback;
} callbacks[] = {{0, on_plain},
		 {HOW_TRUTH, on_truth},
		 {HOW_CACHE, on_cache},
		 {HOW_CACHE | HOW_TRUTH, on_cache_truth},
		 {HOW_CACHE | HOW_SLOW, on_slow},
		 {HOW_CACHE | HOW_SLOW | HOW_TRUTH, on_slow_truth}};

static void on_call(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *data)
{
	const struct qemu_plugin_hwaddr *h = qemu_plugin_get_hwaddr(info, vaddr);
	int i;

	(void)data;
	if (!(info & INFO_STORE) || !h || h->is_io || vaddr % _Alignof(struct labcall))
		return;
	i = space_find(h->host, vaddr);
	call_serve(vcpu, h->host, i < 0 ? NO_FRAME : h->host + spans[i].delta);
}

static void on_user(unsigned vcpu, void *data)
{
	(void)data;
	cpus[vcpu].counts.user_instructions++;
}

static void on_kernel(unsigned vcpu, void *data)
{
	(void)data;
	cpus[vcpu].counts.kernel_instructions++;
}

static void on_code(unsigned vcpu, void *data)
{
	cpus[vcpu].counts.range[(uintptr_t)data].instructions++;
}

static void on_entry(unsigned vcpu, void *data)
{
	cpus[vcpu].counts.range[(uintptr_t)data].calls++;
}

// Each instruction, and once more those of the functions that are counted apart.
static void count(struct qemu_plugin_insn *insn)
{
	uint64_t at = qemu_plugin_insn_vaddr(insn);

	qemu_plugin_register_vcpu_insn_exec_cb(insn, (int64_t)at < 0 ? on_kernel : on_user,
					       QEMU_PLUGIN_CB_NO_REGS, NULL);
	for (uintptr_t i = 0; i < options.codes; i++) {
		if (at < options.code[i].start || at >= options.code[i].end)
			continue;
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_code, QEMU_PLUGIN_CB_NO_REGS, (void *)i);
		if (at == options.code[i].start)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_entry, QEMU_PLUGIN_CB_NO_REGS,
							       (void *)i);
	}
}

static void on_tsc(unsigned vcpu, void *data)
{
	static bool begun;

	(void)vcpu;
	(void)data;
	if (!begun)
		clock_begin();
	begun = true;
	clock_look();
}

static bool reads_tsc(struct qemu_plugin_insn *insn)
{
	const uint8_t *code = qemu_plugin_insn_data(insn);
	size_t size = qemu_plugin_insn_size(insn);

	return (size == 2 && code[0] == 0x0f && code[1] == 0x31) ||                  // rdtsc
	       (size == 3 && code[0] == 0x0f && code[1] == 0x01 && code[2] == 0xf9); // rdtscp
}

// movq $LABCALL_MAGIC, (anything): REX.W c7 /0, the constant last.
static bool is_call(struct qemu_plugin_insn *insn)
{
	const uint32_t magic = LABCALL_MAGIC;
	const uint8_t *code = qemu_plugin_insn_data(insn);
	size_t size = qemu_plugin_insn_size(insn);

	return size >= 7 && (code[0] & 0xf8) == 0x48 && code[1] == 0xc7 &&
	       !memcmp(code + size - 4, &magic, 4);
}

void access_translate(struct qemu_plugin_insn *insn)
{
	enum how how =
	    (options.truth ? HOW_TRUTH : 0) | (options.cache ? HOW_CACHE : 0) | (options.slow ? HOW_SLOW : 0);

	if (options.count)
		count(insn);
	for (unsigned i = 0; (how || !options.count) && i < sizeof(callbacks) / sizeof(*callbacks); i++)
		if (callbacks[i].how ==
		    how) // 7.2 does not tell loads from stores when it is asked for one kind
			qemu_plugin_register_vcpu_mem_cb(insn, callbacks[i].callback, QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_RW, NULL);
	if (options.slow && !options.threads && reads_tsc(insn))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_tsc, QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (is_call(insn))
		qemu_plugin_register_vcpu_mem_cb(insn, on_call, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W,
						 NULL);
}
