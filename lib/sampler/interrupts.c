// TLB shootdowns and the interrupts between CPUs, from /proc/interrupts, summed over the CPUs. Follows
// arch/x86/kernel/irq.c (arch_show_interrupts). TLB counts the CPUs that were made to flush by another one;
// the interrupts that made them are in CAL too, which is why the two must not be added up.
//
// The kernel's counts are 32 bits wide for each CPU and wrap; ours are carried on in 64. The kernel writes
// every line of every device for each reading, some 100 us for two CPUs and milliseconds for hundreds: see
// the budget.
#include "base/err.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

SAMPLER_FUNCTIONS(interrupts);

static const char *const rows[] = {"TLB", "CAL", "RES", "LOC"};

struct interrupts {
	int fd;
	struct text text;
	struct budget budget;
	GArray *cpus;                     // int: the CPU of each column
	GArray *last[G_N_ELEMENTS(rows)]; // int64_t by CPU, -1: not met yet
	int64_t total[G_N_ELEMENTS(rows)];
	bool started;
	struct absent *absent;
};

int interrupts_sampler_open(const struct sample_target *target, void **state)
{
	int fd = text_open(sampler_root, "/proc/interrupts");

	(void)target;
	if (fd < 0)
		return err_set(fd, "/proc/interrupts: %s: is /proc mounted?", g_strerror(-fd));
	struct interrupts *irq = g_new0(struct interrupts, 1);
	irq->fd = fd;
	irq->cpus = g_array_new(FALSE, FALSE, sizeof(int));
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		irq->last[i] = g_array_new(FALSE, FALSE, sizeof(int64_t));
	*state = irq;
	return 0;
}

// "           CPU0       CPU3": offline CPUs have no column.
static void read_heading(struct interrupts *irq)
{
	const char *end = strchrnul(irq->text.data, '\n');
	int64_t cpu;

	g_array_set_size(irq->cpus, 0);
	for (const char *p = irq->text.data; (p = memmem(p, (size_t)(end - p), "CPU", 3));) {
		p = parse_i64(p + 3, &cpu);
		if (!p || cpu < 0 || cpu > 65535)
			break;
		int column = (int)cpu;
		g_array_append_val(irq->cpus, column);
	}
}

// Adds what each CPU has counted since the last reading. A CPU that comes online during the run starts at its
// present count.
static void add_row(struct interrupts *irq, size_t row, const char *p)
{
	const int64_t unknown = -1;
	int64_t count;

	for (guint i = 0; i < irq->cpus->len && (p = parse_i64(p, &count)); i++) {
		guint cpu = (guint)g_array_index(irq->cpus, int, i);

		while (irq->last[row]->len <= cpu)
			g_array_append_val(irq->last[row], unknown);
		int64_t *last = &g_array_index(irq->last[row], int64_t, cpu);
		if (*last >= 0)
			irq->total[row] += (uint32_t)((uint32_t)count - (uint32_t)*last);
		else if (!irq->started)
			irq->total[row] += count;
		*last = count;
	}
}

static void put_rows(struct interrupts *irq, struct sink *sink)
{
	read_heading(irq);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char start[8], name[32];

		g_snprintf(start, sizeof(start), "%s:", rows[i]);
		const char *line = irq->text.data;
		while ((line = strchr(line, '\n')) && strncmp(line + 1 + strspn(line + 1, " "), start, 4))
			line++;
		if (!line) {
			g_snprintf(name, sizeof(name), "interrupts.%s", rows[i]);
			absent_add(&irq->absent, name, "/proc/interrupts has no line %s here", rows[i]);
			continue;
		}
		add_row(irq, i, strchr(line, ':') + 1);
		g_snprintf(name, sizeof(name), "interrupts.%s", rows[i]);
		sink->put(sink, name, "count", SERIES_COUNTER, irq->total[i]);
	}
	irq->started = true;
}

int interrupts_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct interrupts *irq = state;

	if (!budget_begin(&irq->budget, target))
		return SAMPLER_NOT_NOW;
	int r = text_read(&irq->text, irq->fd);
	if (r == 0)
		put_rows(irq, sink);
	budget_end(&irq->budget);
	absent_say(&irq->absent, sink);
	return r < 0 ? err_set(r, "read /proc/interrupts: %s", g_strerror(-r)) : 0;
}

void interrupts_sampler_close(void *state)
{
	struct interrupts *irq = state;

	close(irq->fd);
	text_free(&irq->text);
	g_array_free(irq->cpus, TRUE);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		g_array_free(irq->last[i], TRUE);
	absent_free(&irq->absent);
	g_free(irq);
}
