// What the running kernel offers to probes: its symbols, the functions that ftrace can attach to, its BTF.
// Read once and kept.
#ifndef MMPROF_PROBE_KERNEL_H
#define MMPROF_PROBE_KERNEL_H

#include <glib.h>
#include <stdbool.h>

struct btf;

// Forgets the functions if a module was loaded or unloaded since they were read. Before probes are set.
void kernel_refresh(void);

// Do kprobes that are set now see a call before the ftrace hooks that are there already? ftrace calls the
// newest first, and all kprobes together are one: so if nobody had any at the last kernel_refresh().
bool kernel_kprobes_come_first(void);

// Who replaces this function by an ftrace hook that may skip it (a livepatch, a module): the line of
// enabled_functions, NULL for nobody. What attaches to the function does not see the hook's time. g_free.
char *kernel_replacement_of(const char *name);

// Is there such a function in the kernel or a module (/proc/kallsyms)?
bool kernel_has_function(const char *name);

// Can ftrace (and with it fentry) attach to it? *why names the reason when not (static or err chain).
bool kernel_can_trace(const char *name, const char **why);

// Names of traceable functions that match a glob, sorted; NULL-terminated, g_strfreev(). Falls back on
// kallsyms where the list of traceable functions can't be read.
char **kernel_functions_matching(const char *glob);

// The kernel's BTF, NULL with an err chain when it has none.
struct btf *kernel_btf(void);

// BTF id of a function; -ENOENT with an err chain.
int kernel_btf_func(const char *name);

// Position of a tracepoint's argument by its name in TP_PROTO, from BTF's __traceiter_EVENT; -ENOENT with an
// err chain.
int kernel_tp_arg(const char *event, const char *arg);

// Does tracefs know events/SYS/EVENT? -ENOENT (absent), -EACCES ... with an err chain.
int kernel_tp_exists(const char *sys, const char *event);

// The words of a __print_symbolic(REC->field, ...) in the event's format: value → static text; NULL when
// there are none. g_hash_table_unref() (keys: GINT_TO_POINTER).
GHashTable *kernel_tp_words(const char *sys, const char *event, const char *field);

#endif
