// CPUs and their cores; see placement.h and Documentation/admin-guide/cputopology.rst. An offline sibling is
// no sibling: the kernel takes it out of thread_siblings_list.
#include "host/placement.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "host/read.h"

#define CPU_DIR "/sys/devices/system/cpu"
#define IDLE_PERCENT 1

struct placement_times {
	uint64_t busy[CPU_SETSIZE], all[CPU_SETSIZE]; // in ticks
};

// --- lists

bool placement_parse(const char *list, cpu_set_t *set)
{
	CPU_ZERO(set);
	while (*list) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (!g_ascii_isdigit(*list))
			return false;
		if (*end == '-' && g_ascii_isdigit(end[1]))
			last = strtoul(end + 1, &end, 10);
		if ((*end && *end != ',') || last < first || last >= CPU_SETSIZE)
			return false;
		for (; first <= last; first++)
			CPU_SET(first, set);
		list = *end ? end + 1 : end;
	}
	return true;
}

char *placement_list(const cpu_set_t *set)
{
	GString *text = g_string_new(NULL);

	for (int cpu = 0, last; cpu < CPU_SETSIZE; cpu = last + 1) {
		last = cpu;
		if (!CPU_ISSET(cpu, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		g_string_append_printf(text, "%s%d", text->len ? "," : "", cpu);
		if (last > cpu)
			g_string_append_printf(text, "-%d", last);
	}
	return g_string_free(text, FALSE);
}

// Empty when there is no such file: "(null)" is what nohz_full says of none.
static void read_list(const char *root, const char *path, cpu_set_t *set)
{
	g_autofree char *text = host_read_below(root, path);

	if (!text || !placement_parse(text, set))
		CPU_ZERO(set);
}

bool placement_chosen(const char *root, const cpu_set_t *set)
{
	cpu_set_t online, both;

	read_list(root, CPU_DIR "/online", &online);
	CPU_AND(&both, &online, set);
	return CPU_COUNT(&both) > 0 && CPU_COUNT(&both) < CPU_COUNT(&online);
}

// --- cores

// The others of this CPU's core.
static void siblings_of(const char *root, int cpu, cpu_set_t *siblings)
{
	g_autofree char *path = g_strdup_printf(CPU_DIR "/cpu%d/topology/thread_siblings_list", cpu);

	read_list(root, path, siblings);
	CPU_CLR(cpu, siblings);
}

static void add(GString *text, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add(GString *text, const char *format, ...)
{
	va_list ap;

	if (text->len)
		g_string_append(text, "; ");
	va_start(ap, format);
	g_string_append_vprintf(text, format, ap);
	va_end(ap);
}

static char *text_or_null(GString *text)
{
	return g_string_free(text, !text->len);
}

static int first_of(const cpu_set_t *set)
{
	int cpu = 0;

	while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, set))
		cpu++;
	return cpu;
}

char *placement_shared(const char *root, const cpu_set_t *set)
{
	GString *text = g_string_new(NULL);

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		cpu_set_t core;
		g_autofree char *list = NULL;

		if (!CPU_ISSET(cpu, set))
			continue;
		siblings_of(root, cpu, &core);
		CPU_AND(&core, &core, set);
		if (first_of(&core) < cpu || !CPU_COUNT(&core)) // told already, or none
			continue;
		CPU_SET(cpu, &core);
		list = placement_list(&core);
		add(text, "CPUs %s are SMT siblings: they share a core", list);
	}
	return text_or_null(text);
}

// --- facts

static void part_of(const char *root, const char *path, const char *key, const cpu_set_t *set,
		    host_fact_fn fact, void *ctx)
{
	g_autofree char *list = NULL, *text = NULL;
	cpu_set_t those;

	read_list(root, path, &those);
	CPU_AND(&those, &those, set);
	list = placement_list(&those);
	text = g_strdup_printf("%s only", list);
	fact(ctx, key, !CPU_COUNT(&those) ? "no" : CPU_EQUAL(&those, set) ? "yes" : text);
}

// Of the set's CPUs and of others.
static char *cores_of(const char *root, const cpu_set_t *set)
{
	g_autofree char *shared = placement_shared(root, set);
	GString *text = g_string_new(shared);

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		g_autofree char *list = NULL;
		cpu_set_t others;

		if (!CPU_ISSET(cpu, set))
			continue;
		siblings_of(root, cpu, &others);
		for (int i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, set))
				CPU_CLR(i, &others);
		list = placement_list(&others);
		if (*list)
			add(text, "CPU %d's is shared with CPU %s, which is online", cpu, list);
	}
	return text_or_null(text);
}

void placement_facts(const char *root, const cpu_set_t *set, host_fact_fn fact, void *ctx)
{
	g_autofree char *list = placement_list(set), *cores = cores_of(root, set);

	fact(ctx, "pin.cpus", list);
	part_of(root, CPU_DIR "/isolated", "pin.cpus_isolated", set, fact, ctx);
	part_of(root, CPU_DIR "/nohz_full", "pin.cpus_tickless", set, fact, ctx);
	fact(ctx, "pin.cpus_cores", cores ? cores : "to themselves");
}

// --- did the siblings idle?

// "cpu5 user nice system idle iowait irq softirq steal ..."; guest time is part of user time
static void take_line(struct placement_times *t, const char *line)
{
	char *at;
	unsigned long cpu;

	if (!g_str_has_prefix(line, "cpu") || !g_ascii_isdigit(line[3]))
		return;
	cpu = strtoul(line + 3, &at, 10);
	for (int i = 0; i < 8 && cpu < CPU_SETSIZE; i++) {
		uint64_t n = g_ascii_strtoull(at, &at, 10);

		t->all[cpu] += n;
		t->busy[cpu] += i == 3 || i == 4 ? 0 : n;
	}
}

struct placement_times *placement_begin(const char *root)
{
	struct placement_times *t = g_new0(struct placement_times, 1);
	g_autofree char *text = host_read_below(root, "/proc/stat");
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (char **line = lines; line && *line; line++)
		take_line(t, *line);
	return t;
}

void placement_free(struct placement_times *t)
{
	g_free(t);
}

char *placement_disturbed(const char *root, const struct placement_times *begin, const cpu_set_t *set)
{
	struct placement_times *end = placement_begin(root);
	GString *text = g_string_new(NULL);

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		cpu_set_t others;

		if (!CPU_ISSET(cpu, set))
			continue;
		siblings_of(root, cpu, &others);
		for (int i = 0; i < CPU_SETSIZE; i++) {
			uint64_t busy = end->busy[i] - begin->busy[i], all = end->all[i] - begin->all[i];

			if (CPU_ISSET(i, &others) && !CPU_ISSET(i, set) && all &&
			    busy * 100 > all * IDLE_PERCENT)
				add(text,
				    "CPU %d, the SMT sibling of CPU %d, was busy for %.0f %% of the time", i,
				    cpu, 100.0 * (double)busy / (double)all);
		}
	}
	placement_free(end);
	return text_or_null(text);
}
