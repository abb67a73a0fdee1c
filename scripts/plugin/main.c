// The lab's plugin for QEMU's emulator: slow memory that is slow, exact counts of who accessed what, counted
// instructions. scripts/lab loads it and knows its arguments (set_option below); docs/lab.md is the guide.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "plugin.h"
#include "qemu.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = QEMU_PLUGIN_INTERFACE;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv);

struct options options = {
    .interval_ns = 100000000, .cache_bytes = 2 << 20, .cache_ways = 16, .cache_line = 64};
struct cpu cpus[MOST_CPUS];
uint64_t time_zero;
double time_ns_per_tick;

void plugin_fail(const char *fmt, ...)
{
	va_list args;

	fputs("lab-plugin: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	fflush(stderr);
	_exit(1);
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

// Pairs of readings that were not torn apart by a preemption, 50 ms from each other.
void time_init(void)
{
	uint64_t ns[2], tsc[2];

	for (int i = 0; i < 2; i++) {
		uint64_t least = UINT64_MAX;

		while (i && clock_ns() - ns[0] < 50000000)
			;
		for (int k = 0; k < 100; k++) {
			uint64_t before = __rdtsc(), at = clock_ns(), after = __rdtsc();

			if (after - before >= least)
				continue;
			least = after - before;
			ns[i] = at;
			tsc[i] = before + least / 2;
		}
	}
	if (tsc[1] <= tsc[0])
		plugin_fail("this machine's TSC does not go forward");
	time_ns_per_tick = (double)(ns[1] - ns[0]) / (double)(tsc[1] - tsc[0]);
	time_zero = tsc[1];
}

static uint64_t number(const char *name, const char *text, char **end)
{
	uint64_t value;

	errno = 0;
	value = strtoull(text, end, 0);
	if (*end == text || errno || *text == '-')
		plugin_fail("%s: not a number: %s", name, text);
	return value;
}

static uint64_t whole(const char *name, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	uint64_t value = number(name, text, &end);

	if (*end || value < least || value > most)
		plugin_fail("%s: %s is not a number from %llu to %llu", name, text, (unsigned long long)least,
			    (unsigned long long)most);
	return value;
}

static void add_range(const char *text) // START:BYTES:TIER
{
	struct truth_range r = {0};
	char *end;

	r.start = number("range", text, &end);
	if (*end == ':')
		r.bytes = number("range", end + 1, &end);
	if (*end == ':')
		r.tier = (uint32_t)whole("range", end + 1, 0, TRUTH_TIERS - 1);
	else
		plugin_fail("range: START:BYTES:TIER, not %s", text);
	if (options.ranges == TRUTH_RANGES || r.start + r.bytes > 1ull << 37)
		plugin_fail("range: %s is one too many or too high", text);
	options.range[options.ranges++] = r;
}

static void add_code(const char *text) // START:END
{
	char *end;
	uint64_t start = number("code", text, &end), stop = *end == ':' ? number("code", end + 1, &end) : 0;

	if (*end || stop <= start || options.codes == LABCALL_RANGES)
		plugin_fail("code: START:END, %d at most, not %s", LABCALL_RANGES, text);
	options.code[options.codes].start = start;
	options.code[options.codes++].end = stop;
	options.count = true;
}

static void tier_figures(const char *text) // TIER:LATENCY_NS:BYTES_PER_S
{
	char *end;
	uint64_t tier = number("tier", text, &end);

	if (tier >= TRUTH_TIERS || *end != ':')
		plugin_fail("tier: %s", text);
	options.latency_ns[tier] = number("tier", end + 1, &end);
	if (*end != ':')
		plugin_fail("tier: %s", text);
	options.bytes_per_s[tier] = whole("tier", end + 1, 0, 1ull << 50);
	options.slow = options.cache = true;
}

static void cache_shape(const char *text) // BYTES:WAYS:LINE
{
	char *end;

	options.cache = true;
	options.cache_bytes = number("cache", text, &end);
	if (*end == ':')
		options.cache_ways = (uint32_t)number("cache", end + 1, &end);
	if (*end == ':')
		options.cache_line = (uint32_t)number("cache", end + 1, &end);
	if (*end)
		plugin_fail("cache: BYTES:WAYS:LINE, not %s", text);
}

static void set_option(char *argument) // NAME=VALUE
{
	char *value = strchr(argument, '=');

	if (!value)
		plugin_fail("not NAME=VALUE: %s", argument);
	*value++ = 0;
	if (!strcmp(argument, "range"))
		add_range(value);
	else if (!strcmp(argument, "code"))
		add_code(value);
	else if (!strcmp(argument, "tier"))
		tier_figures(value);
	else if (!strcmp(argument, "cache"))
		cache_shape(value);
	else if (!strcmp(argument, "truth"))
		options.truth = strdup(value);
	else if (!strcmp(argument, "interval"))
		options.interval_ns = 1000000 * whole(argument, value, 1, 60000);
	else if (!strcmp(argument, "threads"))
		options.threads = !strcmp(value, "on");
	else if (!strcmp(argument, "count"))
		options.count = !strcmp(value, "on");
	else
		plugin_fail("no such argument: %s", argument);
}

static bool power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

static void check_options(void)
{
	uint64_t sets;

	if (!options.ranges)
		plugin_fail("no range= was given");
	if (options.cache_ways < 1 || options.cache_ways > 16)
		plugin_fail("the cache has 1 to 16 ways, not %u", options.cache_ways);
	if (!power_of_two(options.cache_line) || options.cache_line < 32 || options.cache_line > 1024)
		plugin_fail("the cache's line is a power of two from 32 to 1024 bytes, not %u",
			    options.cache_line);
	sets = options.cache_bytes / options.cache_line / options.cache_ways;
	if (!power_of_two(sets) || sets * options.cache_line * options.cache_ways != options.cache_bytes ||
	    sets > 1 << 24)
		plugin_fail(
		    "a cache of %llu bytes with %u ways of %u bytes does not have a power of two of sets",
		    (unsigned long long)options.cache_bytes, options.cache_ways, options.cache_line);
	options.cache_line_shift = (uint32_t)__builtin_ctz(options.cache_line);
}

static void on_cpu(qemu_plugin_id_t id, unsigned vcpu)
{
	(void)id;
	if (vcpu >= MOST_CPUS)
		plugin_fail("more than %d CPUs", MOST_CPUS);
	access_cpu(&cpus[vcpu]);
}

// A CPU that waits leaves its counts behind: they belong to the time before.
static void on_idle(qemu_plugin_id_t id, unsigned vcpu)
{
	(void)id;
	cpus[vcpu].idle = time_now();
}

static void on_resume(qemu_plugin_id_t id, unsigned vcpu)
{
	struct cpu *c = &cpus[vcpu];
	uint64_t now = time_now();

	(void)id;
	if (options.truth && c->idle && now - c->from >= truth_interval_ticks)
		truth_flush(c, now);
	c->idle = 0;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++)
		access_translate(qemu_plugin_tb_get_insn(tb, i));
}

static void on_end(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	truth_end();
	if (!spans_known && (options.truth || options.cache))
		fputs("lab-plugin: the guest's kernel never told where its memory is (is it one with "
		      "KASLR?): no "
		      "access is of a known page or tier\n",
		      stderr);
	if (space_failed)
		fprintf(
		    stderr,
		    "lab-plugin: %llu of %llu physical addresses were not as the guest's kernel has them\n",
		    (unsigned long long)space_failed, (unsigned long long)space_checks);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	if (info->version.cur != QEMU_PLUGIN_INTERFACE || strcmp(info->target_name, "x86_64") ||
	    !info->system_emulation)
		plugin_fail("made for QEMU 7.2's plugin interface 1 on x86_64, not for interface %d on %s",
			    info->version.cur, info->target_name);
	options.cpus = (uint32_t)info->system.max_vcpus;
	for (int i = 0; i < argc; i++)
		set_option(argv[i]);
	check_options();
	time_init();
	access_init();
	if (options.truth)
		truth_begin();
	qemu_plugin_register_vcpu_init_cb(id, on_cpu);
	qemu_plugin_register_vcpu_idle_cb(id, on_idle);
	qemu_plugin_register_vcpu_resume_cb(id, on_resume);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_end, NULL);
	return 0;
}
