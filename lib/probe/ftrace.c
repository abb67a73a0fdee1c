// The function_graph backend; see ftrace.h. An event funcgraph_exit carries both clock readings of a call,
// taken by the kernel (kernel/trace/trace_functions_graph.c): the latency is their difference, sleep
// included.
#include "probe/ftrace.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/journal.h"
#include "host/host.h"
#include "probes/class.h"

#define BUFFER_KB "8192" // of each CPU

struct ftrace_func {
	char *symbol;
	uint64_t address;
	struct hist *hists[CLASS_COUNT];
};

struct ftrace {
	struct tracefs_instance *instance; // NULL: the top-level one
	struct tep_handle *tep;
	GPtrArray *funcs;
	GHashTable *classes;  // pid → class + 1
	uint64_t lost_before; // by earlier users of the top-level instance
};

static char *refusal;

void ftrace_set_refusal(const char *why)
{
	g_free(refusal);
	refusal = g_strdup(why);
}

static int put(struct ftrace *f, const char *file, const char *value)
{
	if (tracefs_instance_file_write(f->instance, file, value) < 0)
		return err_set(-errno, "can't write \"%s\" to tracefs' %s: %m", value, file);
	return 0;
}

static char *get(struct ftrace *f, const char *file)
{
	char *path = tracefs_instance_get_file(f->instance, file), *text = NULL;

	// not tracefs_instance_file_read(), which takes an empty file for an error
	if (path && g_file_get_contents(path, &text, NULL, NULL))
		g_strstrip(text);
	tracefs_put_tracing_file(path);
	return text;
}

static int open_private(struct ftrace *f)
{
	g_autofree char *name = g_strdup_printf("mmprof-%d", getpid());
	g_autofree char *path = g_build_filename(host_tracefs(), "instances", name, NULL), *tracers = NULL;
	int mark = journal_add(UNDO_INSTANCE, path, NULL);

	if (mark < 0)
		return mark;
	f->instance = tracefs_instance_create(name);
	if (!f->instance)
		return err_set(-errno, "can't make a tracing instance: %m");
	tracers = get(f, "available_tracers");
	if (tracers && strstr(tracers, "function_graph") && put(f, "tracing_on", "0") == 0)
		return 0;
	tracefs_instance_destroy(f->instance);
	tracefs_instance_free(f->instance);
	f->instance = NULL;
	return -ENOENT;
}

// What to write to have a buffer's size back: "7 (expanded: 1408)" is one that was never used, which would be
// 1408 on its first use; writing the 7 would leave the next user with almost nothing.
static char *size_to_restore(const char *text)
{
	const char *expanded = text ? strstr(text, "expanded: ") : NULL;

	if (expanded)
		text = expanded + strlen("expanded: ");
	return g_strdup_printf("%ld", text ? strtol(text, NULL, 10) : 1408);
}

// Puts the top-level instance's files on record, the last to be undone first.
static int journal_top(struct ftrace *f)
{
	g_autofree char *kb = get(f, "buffer_size_kb"), *on = get(f, "tracing_on"),
			*size = size_to_restore(kb);
	const struct {
		const char *file, *value;
	} row[] = {
	    {"tracing_on", on ? on : "1"}, {"buffer_size_kb", size},
	    {"set_ftrace_filter", ""},     {"events/sched/sched_process_fork/enable", "0"},
	    {"current_tracer", "nop"},     {"tracing_on", "0"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(row); i++) {
		g_autofree char *path = g_build_filename(host_tracefs(), row[i].file, NULL);
		int mark = journal_add(UNDO_WRITE, path, row[i].value);

		if (mark < 0)
			return mark;
	}
	return 0;
}

static int open_top(struct ftrace *f)
{
	g_autofree char *tracer = get(f, "current_tracer");
	g_autofree char *filter = get(f, "set_ftrace_filter"), *events = get(f, "set_event");

	if (!tracer || strcmp(tracer, "nop"))
		return err_set(-EBUSY,
			       "this kernel has function_graph only in the top-level tracing instance, where "
			       "the tracer \"%s\" is in use",
			       tracer ? tracer : "?");
	if (filter && *filter && *filter != '#')
		return err_set(-EBUSY, "somebody's set_ftrace_filter is in the top-level tracing instance");
	if (!events || *events)
		return err_set(-EBUSY, "somebody has events on in the top-level tracing instance");
	if (journal_top(f))
		return -EIO;
	if (put(f, "tracing_on", "0"))
		return -EIO;
	return 0;
}

static uint64_t lost_so_far(struct ftrace *f)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	uint64_t lost = 0;

	for (long i = 0; i < cpus; i++) {
		g_autofree char *file = g_strdup_printf("per_cpu/cpu%ld/stats", i);
		g_autofree char *text = get(f, file);
		const char *const keys[] = {"overrun: ", "dropped events: "};

		for (size_t k = 0; text && k < G_N_ELEMENTS(keys); k++) {
			const char *at = strstr(text, keys[k]); // "overrun" comes before "commit overrun"

			lost += at ? strtoull(at + strlen(keys[k]), NULL, 10) : 0;
		}
	}
	return lost;
}

int ftrace_new(struct ftrace **out)
{
	struct ftrace *f = g_new0(struct ftrace, 1);
	g_autofree char *tracers = NULL;
	int rc = 0;

	f->funcs = g_ptr_array_new();
	f->classes = g_hash_table_new(NULL, NULL);
	*out = f;
	if (!host_tracefs())
		return err_set(-ENOENT, "tracefs is not mounted");
	tracers = get(f, "available_tracers");
	if (!tracers || !strstr(tracers, "function_graph"))
		return err_set(
		    -ENOENT,
		    "this kernel has no function_graph tracer (CONFIG_FUNCTION_GRAPH_TRACER is off)");
	if (open_private(f))
		rc = open_top(f);
	if (!rc)
		rc = put(f, "buffer_size_kb", BUFFER_KB);
	if (!rc)
		f->tep = tracefs_local_events_system(NULL, (const char *const[]){"ftrace", "sched", NULL});
	if (!rc && !f->tep)
		rc = err_set(-EINVAL, "can't parse ftrace's event formats");
	if (!rc)
		f->lost_before = lost_so_far(f);
	return rc;
}

static void func_free(struct ftrace_func *fn)
{
	for (int c = 0; c < CLASS_COUNT; c++)
		g_free(fn->hists[c]);
	g_free(fn->symbol);
	g_free(fn);
}

void ftrace_free(struct ftrace *f)
{
	if (!f)
		return;
	if (f->instance) {
		put(f, "tracing_on", "0");
		put(f, "current_tracer", "nop");
		put(f, "events/enable", "0");
		tracefs_instance_destroy(f->instance);
		tracefs_instance_free(f->instance);
	}
	for (guint i = 0; i < f->funcs->len; i++)
		func_free(f->funcs->pdata[i]);
	g_ptr_array_unref(f->funcs);
	g_hash_table_unref(f->classes);
	tep_free(f->tep);
	g_free(f);
}

static uint64_t address_of(const char *symbol)
{
	FILE *k = fopen("/proc/kallsyms", "re");
	char line[512], name[256], type;
	unsigned long long address = 0;

	if (k)
		setvbuf(k, NULL, _IOFBF, 1 << 16); // some 200,000 lines
	while (k && fgets(line, sizeof(line), k)) {
		if (strstr(line, symbol) && sscanf(line, "%llx %c %255s", &address, &type, name) == 3 &&
		    !strcmp(name, symbol))
			break;
		address = 0;
	}
	if (k)
		fclose(k);
	return address;
}

// The filter holds all functions that are wanted now; the kernel takes one a write. An empty filter would
// trace the whole kernel.
static int set_filter(struct ftrace *f)
{
	for (guint i = 0; i < f->funcs->len; i++) {
		const char *symbol = ((struct ftrace_func *)f->funcs->pdata[i])->symbol;

		if (i == 0 && put(f, "set_ftrace_filter", symbol))
			return -EINVAL;
		if (i && tracefs_instance_file_append(f->instance, "set_ftrace_filter", symbol) < 0)
			return err_set(-errno, "set_ftrace_filter does not take %s: %m", symbol);
	}
	return 0;
}

// The tracer comes on with the first function: function_graph with an empty filter traces everything.
static int start_tracer(struct ftrace *f)
{
	int rc = set_filter(f);

	if (!rc)
		rc = put(f, "current_tracer", "function_graph");
	if (!rc)
		rc = put(f, "events/sched/sched_process_fork/enable", "1");
	return rc;
}

int ftrace_add(struct ftrace *f, const char *symbol, struct ftrace_func **out)
{
	struct ftrace_func *fn;
	uint64_t address;

	if (!f)
		return err_set(-ENOENT, "%s", refusal ? refusal : "not tried");
	address = address_of(symbol);
	if (!address)
		return err_set(-ENOENT, "no address for %s in /proc/kallsyms", symbol);
	fn = g_new0(struct ftrace_func, 1);
	fn->symbol = g_strdup(symbol);
	fn->address = address;
	g_ptr_array_add(f->funcs, fn);
	if (start_tracer(f)) {
		g_ptr_array_remove(f->funcs, fn);
		func_free(fn);
		return -EINVAL;
	}
	*out = fn;
	return 0;
}

void ftrace_remove(struct ftrace *f, struct ftrace_func *fn)
{
	g_ptr_array_remove(f->funcs, fn);
	func_free(fn);
}

void ftrace_set_root(struct ftrace *f, pid_t pid)
{
	g_hash_table_insert(f->classes, GINT_TO_POINTER(pid), GINT_TO_POINTER(CLASS_WORKLOAD + 1));
}

static int class_of_comm(const char *comm)
{
	static const char *const names[] = CLASS_NAMES;

	for (int c = CLASS_KSWAPD; c < CLASS_KTHREAD; c++)
		if (g_str_has_prefix(comm, names[c]))
			return c;
	return CLASS_KTHREAD;
}

// A task that no fork of the workload made: asked of /proc at first sight.
static int class_from_proc(int pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *text = NULL, *comm = NULL;
	char *open, *close;
	unsigned flags = 0;

	if (pid == 0)
		return CLASS_KTHREAD;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return CLASS_OTHER;
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || sscanf(close + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
		return CLASS_OTHER;
	comm = g_strndup(open + 1, close - open - 1);
	return flags & 0x00200000 ? class_of_comm(comm) : CLASS_OTHER;
}

static int class_of(struct ftrace *f, int pid)
{
	int class = GPOINTER_TO_INT(g_hash_table_lookup(f->classes, GINT_TO_POINTER(pid)));

	if (!class) {
		class = class_from_proc(pid) + 1;
		g_hash_table_insert(f->classes, GINT_TO_POINTER(pid), GINT_TO_POINTER(class));
	}
	return class - 1;
}

static void on_fork(struct ftrace *f, struct tep_event *event, struct tep_record *record)
{
	unsigned long long parent, child;

	if (tep_get_field_val(NULL, event, "parent_pid", record, &parent, 0) ||
	    tep_get_field_val(NULL, event, "child_pid", record, &child, 0))
		return;
	g_hash_table_remove(f->classes, GINT_TO_POINTER((int)child)); // a pid that is used again
	if (class_of(f, (int)parent) == CLASS_WORKLOAD)
		ftrace_set_root(f, (int)child);
}

static struct ftrace_func *func_at(struct ftrace *f, uint64_t ip)
{
	for (guint i = 0; i < f->funcs->len; i++) {
		struct ftrace_func *fn = f->funcs->pdata[i];

		if (ip >= fn->address && ip < fn->address + 16) // the ftrace site may follow an endbr64
			return fn;
	}
	return NULL;
}

static void on_exit_event(struct ftrace *f, struct tep_event *event, struct tep_record *record)
{
	unsigned long long ip, from, to, pid;
	struct ftrace_func *fn;
	int class;

	if (tep_get_field_val(NULL, event, "func", record, &ip, 0) ||
	    tep_get_field_val(NULL, event, "calltime", record, &from, 0) ||
	    tep_get_field_val(NULL, event, "rettime", record, &to, 0) ||
	    tep_get_common_field_val(NULL, event, "common_pid", record, &pid, 0))
		return;
	fn = func_at(f, ip);
	if (!fn)
		return;
	class = class_of(f, (int)pid);
	if (!fn->hists[class])
		fn->hists[class] = g_new0(struct hist, 1);
	hist_add(fn->hists[class], to > from ? to - from : 0);
}

static int on_event(struct tep_event *event, struct tep_record *record, int cpu G_GNUC_UNUSED, void *ctx)
{
	struct ftrace *f = ctx;

	if (!strcmp(event->name, "funcgraph_exit"))
		on_exit_event(f, event, record);
	else if (!strcmp(event->name, "sched_process_fork"))
		on_fork(f, event, record);
	return 0;
}

int ftrace_enable(struct ftrace *f, bool on)
{
	return f->funcs->len || !on ? put(f, "tracing_on", on ? "1" : "0") : 0;
}

void ftrace_pump(struct ftrace *f)
{
	tracefs_iterate_raw_events(f->tep, f->instance, NULL, 0, on_event, f);
}

const struct hist *ftrace_hist(const struct ftrace_func *fn, int class)
{
	return fn->hists[class];
}

uint64_t ftrace_lost(struct ftrace *f)
{
	return lost_so_far(f) - f->lost_before;
}
