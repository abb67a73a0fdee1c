// Can functions be probed here? Each way is tried for real, on a function that nothing calls, and undone at
// once.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/journal.h"
#include "base/kfile.h"
#include "host/checks.h"

// --- fentry

static int empty_function_id(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, EMPTY_FUNCTION, BTF_KIND_FUNC) : -1;

	btf__free(btf);
	return id;
}

static void fentry(const struct checks *c)
{
	static const struct {
		enum bpf_attach_type type;
		const char *name;
	} ends[] = {{BPF_TRACE_FENTRY, "fentry"}, {BPF_TRACE_FEXIT, "fexit"}};
	const char *remedy = check_remedy(
	    "a kernel with CONFIG_DEBUG_INFO_BTF and CONFIG_FUNCTION_TRACER that lets root load BPF programs "
	    "of type tracing (Debian's do); meanwhile kprobe or ftrace, or scripts/lab");
	int id = empty_function_id();

	if (id < 0) {
		check_say(c, "fentry/fexit", HOST_NO, remedy,
			  "the kernel's BTF can't be read, or lacks " EMPTY_FUNCTION);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *why = NULL, *refusal = NULL;
		int prog = check_load(BPF_PROG_TYPE_TRACING, ends[i].type, id, &why), link, error;

		if (prog < 0) {
			check_say(c, "fentry/fexit", HOST_NO, remedy, "loading an %s program: %s",
				  ends[i].name, why);
			return;
		}
		link = bpf_raw_tracepoint_open(NULL, prog);
		error = errno;
		close(prog);
		if (link < 0) {
			refusal = check_why(error);
			check_say(c, "fentry/fexit", HOST_NO, remedy,
				  "attaching %s to " EMPTY_FUNCTION ": %s", ends[i].name, refusal);
			return;
		}
		close(link);
	}
	check_say(c, "fentry/fexit", HOST_YES, NULL, "both attached to " EMPTY_FUNCTION " and detached");
}

// --- kprobes

static void kprobe(const struct checks *c)
{
	const char *remedy =
	    "a kernel with CONFIG_KPROBES and CONFIG_KPROBE_EVENTS (Debian's have them), or scripts/lab";
	int type = check_pmu("kprobe"), prog = -1, fd = -1;
	g_autofree char *why = NULL;

	if (type < 0) {
		const char *config = host_config("KPROBES");

		check_say(c, "kprobe/kretprobe", HOST_NO, remedy, "this kernel has no kprobe events%s",
			  config && !strcmp(config, "n") ? ": CONFIG_KPROBES is not set" : "");
		return;
	}
	prog = check_load(BPF_PROG_TYPE_KPROBE, 0, 0, &why);
	for (uint64_t retprobe = 0; prog >= 0 && retprobe < 2; retprobe++) {
		fd = check_attach_perf((uint32_t)type, retprobe, (uintptr_t)EMPTY_FUNCTION, prog);
		if (fd < 0) {
			why = check_why(errno);
			break;
		}
		close(fd);
	}
	if (prog >= 0)
		close(prog);
	if (why)
		check_say(c, "kprobe/kretprobe", HOST_NO, check_remedy(remedy), "on " EMPTY_FUNCTION ": %s",
			  why);
	else
		check_say(c, "kprobe/kretprobe", HOST_YES, NULL,
			  "both set on " EMPTY_FUNCTION " and removed");
}

static void kprobe_multi(const struct checks *c)
{
	const char *symbols[] = {EMPTY_FUNCTION}, *config = host_config("FPROBE");
	const char *remedy = check_remedy(
	    "not needed: mmprof attaches functions one by one; else a kernel from 5.18 with CONFIG_FPROBE");
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	g_autofree char *why = NULL;
	int prog = check_load(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, 0, &why);

	opts.kprobe_multi.syms = symbols;
	opts.kprobe_multi.cnt = 1;
	if (prog < 0 || !check_attached(bpf_link_create(prog, 0, BPF_TRACE_KPROBE_MULTI, &opts), prog, &why))
		check_say(c, "kprobe.multi", HOST_NO, remedy, "%s%s", why,
			  config && !strcmp(config, "n") ? " (CONFIG_FPROBE is not set)" : "");
	else
		check_say(c, "kprobe.multi", HOST_YES, NULL, "attached to " EMPTY_FUNCTION " and detached");
}

// --- ftrace

static int put(const char *dir, const char *file, const char *value)
{
	g_autofree char *path = g_build_filename(dir, file, NULL);

	return -kfile_write(path, O_TRUNC, value);
}

static char *get(const char *dir, const char *file)
{
	g_autofree char *path = g_build_filename(dir, file, NULL);

	return host_read(path);
}

// In an instance of our own, which is off and filtered to the empty function, so that no code in use is
// patched. 0, an errno, or -1 when this kernel has function_graph in the top-level instance alone.
static int graph_in(const char *instance)
{
	g_autofree char *tracers = get(instance, "available_tracers");
	int error;

	if (!tracers || !strstr(tracers, "function_graph"))
		return -1;
	error = put(instance, "tracing_on", "0");
	if (!error)
		error = put(instance, "set_ftrace_filter", EMPTY_FUNCTION);
	if (!error)
		error = put(instance, "current_tracer", "function_graph");
	put(instance, "current_tracer", "nop");
	return error;
}

// A signal must not end us between making the instance and removing it; what a SIGKILL leaves, the journal
// undoes.
static int try_graph(bool *made)
{
	g_autofree char *dir = g_strdup_printf("%s/instances/mmprof-doctor-%d", host_tracefs(), getpid());
	int mark = journal_add(UNDO_INSTANCE, dir, NULL), error;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	*made = mkdir(dir, 0700) == 0;
	error = *made ? graph_in(dir) : errno;
	if (*made && rmdir(dir))
		error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (mark >= 0)
		journal_undo_to(mark);
	return error;
}

static void graph_top_level(const struct checks *c)
{
	g_autofree char *tracer = get(host_tracefs(), "current_tracer"),
			*filter = get(host_tracefs(), "set_ftrace_filter");
	bool is_free = tracer && !strcmp(tracer, "nop") && (!filter || !*filter || *filter == '#');

	check_say(c, "function_graph", is_free ? HOST_PARTLY : HOST_NO,
		  is_free ? "nothing, or a kernel from 6.11, which has it in private instances"
			  : "end the other user of ftrace (current_tracer, set_ftrace_filter)",
		  "this kernel has it in the top-level tracing instance alone, which is %s",
		  is_free ? "free" : "in use");
}

static void function_graph(const struct checks *c)
{
	const char *remedy =
	    check_remedy("a kernel with CONFIG_FUNCTION_GRAPH_TRACER (Debian's have it), or scripts/lab");
	g_autofree char *tracers = host_tracefs() ? get(host_tracefs(), "available_tracers") : NULL,
			*why = NULL;
	bool made = false;
	int error = errno;

	if (!host_tracefs()) {
		check_say(c, "function_graph", HOST_UNKNOWN, "mount -t tracefs tracefs /sys/kernel/tracing",
			  "tracefs is not mounted");
	} else if (!tracers) {
		why = check_errno(error);
		check_say(c, "function_graph", HOST_UNKNOWN, check_remedy(NULL),
			  "available_tracers can't be read: %s", why);
	} else if (!strstr(tracers, "function_graph")) {
		check_say(c, "function_graph", HOST_NO, remedy, "available_tracers has only: %s", tracers);
	} else {
		error = try_graph(&made);
		why = error > 0 ? check_why(error) : NULL;
		if (error < 0)
			graph_top_level(c);
		else if (error)
			check_say(c, "function_graph", HOST_NO, remedy, "%s a private tracing instance: %s",
				  made ? "using" : "making", why);
		else
			check_say(c, "function_graph", HOST_YES, NULL,
				  "set on " EMPTY_FUNCTION " in a private instance, and removed");
	}
}

static void functions(const struct checks *c)
{
	g_autofree char *path =
	    host_tracefs() ? g_build_filename(host_tracefs(), "available_filter_functions", NULL) : NULL;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1, error = errno;
	g_autofree char *why = error == EPERM ? check_why(error) : check_errno(error);
	char first;

	if (!path)
		check_say(c, "list of functions", HOST_UNKNOWN,
			  "mount -t tracefs tracefs /sys/kernel/tracing", "tracefs is not mounted");
	else if (fd < 0)
		check_say(c, "list of functions", HOST_NO,
			  check_remedy("a kernel with CONFIG_DYNAMIC_FTRACE"),
			  "available_filter_functions: %s", why);
	else if (read(fd, &first, 1) != 1)
		check_say(c, "list of functions", HOST_NO, "a kernel with CONFIG_FUNCTION_TRACER",
			  "available_filter_functions is empty");
	else
		check_say(c, "list of functions", HOST_YES, NULL, "available_filter_functions can be read");
	if (fd >= 0)
		close(fd);
}

static void uprobe(const struct checks *c)
{
	if (check_pmu("uprobe") >= 0)
		check_say(c, "uprobe", HOST_YES, NULL, "the uprobe PMU is there (mmprof itself sets none)");
	else
		check_say(c, "uprobe", HOST_NO, "a kernel with CONFIG_UPROBE_EVENTS",
			  "this kernel has no uprobe events");
}

void checks_probes(const struct checks *c)
{
	fentry(c);
	kprobe(c);
	kprobe_multi(c);
	function_graph(c);
	functions(c);
	uprobe(c);
}
