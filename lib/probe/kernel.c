// Symbols, traceable functions, BTF and tracepoint formats of the running kernel; see kernel.h.
#include "probe/kernel.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>
#include <unistd.h>

#include "base/err.h"
#include "host/host.h"

// The next word of *rest, which is cut off behind it; NULL: no more.
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t\n"), *end = word + strcspn(word, " \t\n");

	*rest = *end ? end + 1 : end;
	*end = 0;
	return *word ? word : NULL;
}

// A set of the words in column `column` of each line whose second column (if `types`) is one of `types`.
static GHashTable *read_names(const char *path, int column, const char *types)
{
	FILE *f = fopen(path, "re");
	GHashTable *set;
	char line[512];

	if (!f)
		return NULL;
	// kallsyms has some 200,000 lines, and stdio would read 1024 bytes at once
	setvbuf(f, NULL, _IOFBF, 1 << 16);
	set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	while (fgets(line, sizeof(line), f)) {
		char *word[3] = {}, *rest = line;

		for (int i = 0; i <= MAX(column, types ? 1 : 0); i++)
			word[i] = next_word(&rest);
		if (word[column] && (!types || strchr(types, *word[1])))
			g_hash_table_add(set, g_strdup(word[column]));
	}
	fclose(f);
	return set;
}

static GHashTable *symbols, *filter_functions;
static bool tried_filter_functions;

static GHashTable *kallsyms(void)
{
	if (!symbols)
		symbols = read_names("/proc/kallsyms", 2, "tTwW");
	return symbols;
}

static GHashTable *traceable(void)
{
	if (!tried_filter_functions && host_tracefs()) {
		g_autofree char *path = g_build_filename(host_tracefs(), "available_filter_functions", NULL);

		filter_functions = read_names(path, 0, NULL);
		if (filter_functions && g_hash_table_size(filter_functions) == 0)
			g_clear_pointer(&filter_functions, g_hash_table_unref);
	}
	tried_filter_functions = true;
	return filter_functions;
}

static bool kprobes_first;

// "ffffffff81107d20  k  pgd_alloc+0x0    [FTRACE]"
static bool no_kprobe_is_set(void)
{
	FILE *f = fopen("/sys/kernel/debug/kprobes/list", "re");
	char line[512];
	bool none = f;

	while (none && fgets(line, sizeof(line), f))
		none = !strstr(line, "[FTRACE]");
	if (f)
		fclose(f);
	return none;
}

bool kernel_kprobes_come_first(void)
{
	return kprobes_first;
}

void kernel_refresh(void)
{
	static GHashTable *modules;
	GHashTable *now = read_names("/proc/modules", 0, NULL);
	bool same = modules && now && g_hash_table_size(modules) == g_hash_table_size(now);
	GHashTableIter it;
	gpointer name;

	kprobes_first = no_kprobe_is_set();
	if (same) {
		g_hash_table_iter_init(&it, now);
		while (same && g_hash_table_iter_next(&it, &name, NULL))
			same = g_hash_table_contains(modules, name);
	}
	g_clear_pointer(&modules, g_hash_table_unref);
	modules = now;
	if (same)
		return;
	g_clear_pointer(&symbols, g_hash_table_unref);
	g_clear_pointer(&filter_functions, g_hash_table_unref);
	tried_filter_functions = false;
}

// "pte_alloc_one (1)   I     M 	tramp: 0xff.. (replace+0x0/0x200 [pgcache]) ->replace+0x0/0x200
// [pgcache]"
static bool is_replaced(const char *line, const char *name)
{
	size_t n = strlen(name);
	const char *flags = strchr(line, ')');

	if (strncmp(line, name, n) || line[n] != ' ' || !flags)
		return false;
	flags++;
	return memchr(flags, 'I', strspn(flags, " RIDOM")) != NULL;
}

char *kernel_replacement_of(const char *name)
{
	g_autofree char *path =
	    host_tracefs() ? g_build_filename(host_tracefs(), "enabled_functions", NULL) : NULL;
	FILE *f = path ? fopen(path, "re") : NULL;
	char line[1024], *found = NULL;

	while (f && !found && fgets(line, sizeof(line), f))
		if (is_replaced(line, name))
			found = g_strdup(g_strstrip(line));
	if (f)
		fclose(f);
	return found;
}

bool kernel_has_function(const char *name)
{
	// the shorter list first: it has nearly all that is asked for
	return (traceable() && g_hash_table_contains(traceable(), name)) ||
	       (kallsyms() && g_hash_table_contains(kallsyms(), name));
}

bool kernel_can_trace(const char *name, const char **why)
{
	if (!traceable())
		*why = "this kernel can't trace functions: available_filter_functions can't be read "
		       "(CONFIG_FUNCTION_TRACER off, or tracefs not mounted)";
	else if (!g_hash_table_contains(traceable(), name))
		*why = "not in available_filter_functions (notrace, or without an ftrace site)";
	else
		return true;
	return false;
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **kernel_functions_matching(const char *glob)
{
	GPtrArray *found = g_ptr_array_new();
	GHashTable *from = traceable() ? traceable() : kallsyms();
	GPatternSpec *spec = g_pattern_spec_new(glob);
	GHashTableIter it;
	gpointer name;

	if (from) {
		g_hash_table_iter_init(&it, from);
		while (g_hash_table_iter_next(&it, &name, NULL))
			if (g_pattern_spec_match_string(spec, name))
				g_ptr_array_add(found, g_strdup(name));
	}
	g_pattern_spec_free(spec);
	g_ptr_array_sort(found, by_name);
	g_ptr_array_add(found, NULL);
	return (char **)g_ptr_array_free(found, FALSE);
}

struct btf *kernel_btf(void)
{
	static struct btf *btf;

	if (!btf)
		btf = btf__load_vmlinux_btf();
	if (!btf)
		err_set(-ENOENT, "no kernel BTF: %m (the kernel needs CONFIG_DEBUG_INFO_BTF)");
	return btf;
}

int kernel_btf_func(const char *name)
{
	struct btf *btf = kernel_btf();
	int id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : -ENOENT;

	if (btf && id < 0)
		return err_set(-ENOENT, "%s is not in the kernel's BTF", name);
	return id;
}

// __traceiter_EVENT has the tracepoint's prototype with names (btf_trace_EVENT has the types alone); its
// first parameter is `void *__data`.
int kernel_tp_arg(const char *event, const char *arg)
{
	g_autofree char *name = g_strdup_printf("__traceiter_%s", event);
	struct btf *btf = kernel_btf();
	const struct btf_type *t;
	const struct btf_param *p;
	int id;

	if (!btf)
		return -ENOENT;
	id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	t = id > 0 ? btf__type_by_id(btf, btf__type_by_id(btf, id)->type) : NULL;
	if (!t || !btf_is_func_proto(t))
		return err_set(-ENOENT, "%s is not in the kernel's BTF", name);
	p = btf_params(t);
	for (int i = 1; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, p[i].name_off), arg))
			return i - 1;
	return err_set(-ENOENT, "tracepoint %s has no argument \"%s\" in this kernel", event, arg);
}

int kernel_tp_exists(const char *sys, const char *event)
{
	g_autofree char *path = NULL;

	if (!host_tracefs())
		return err_set(-ENOENT,
			       "tracefs is not mounted (mount -t tracefs tracefs /sys/kernel/tracing)");
	path = g_build_filename(host_tracefs(), "events", sys, event, "format", NULL);
	if (access(path, R_OK) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(-ENOENT, "this kernel has no tracepoint %s:%s", sys, event);
	return err_set(-errno, "can't read %s: %m", path);
}

static void add_words(GHashTable *words, const struct tep_print_arg *arg, const char *field)
{
	for (; arg; arg = arg->next) {
		const struct tep_print_arg *of = arg->type == TEP_PRINT_SYMBOL ? arg->symbol.field : NULL;

		if (!of || of->type != TEP_PRINT_FIELD || strcmp(of->field.name, field))
			continue;
		for (const struct tep_print_flag_sym *s = arg->symbol.symbols; s; s = s->next)
			g_hash_table_insert(words, GINT_TO_POINTER(atoi(s->value)), g_strdup(s->str));
	}
}

GHashTable *kernel_tp_words(const char *sys, const char *event, const char *field)
{
	g_autofree char *path = NULL, *text = NULL;
	struct tep_handle *tep;
	struct tep_event *parsed = NULL;
	GHashTable *words;
	gsize len;

	if (!host_tracefs())
		return NULL;
	path = g_build_filename(host_tracefs(), "events", sys, event, "format", NULL);
	if (!g_file_get_contents(path, &text, &len, NULL))
		return NULL;
	words = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	tep = tep_alloc();
	if (tep_parse_format(tep, &parsed, text, len, sys) == 0 && parsed)
		add_words(words, parsed->print_fmt.args, field);
	tep_free(tep);
	if (g_hash_table_size(words) == 0)
		g_clear_pointer(&words, g_hash_table_unref);
	return words;
}
