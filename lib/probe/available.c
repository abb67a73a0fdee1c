// What of the catalogue can attach here. Function backends are tried once, on the kernel's empty function;
// each function is then looked up, not attached: listing must not disturb the machine.
#include "probe/available.h"

#include <errno.h>
#include <string.h>

#include "base/doc.h"
#include "base/err.h"
#include "probe/calibrate.h"
#include "probe/catalog.h"
#include "probe/funclat.h"
#include "probe/kernel.h"
#include "probe/set.h"

// Which backends time functions here: names, or why none does.
struct backends {
	bool fentry, kprobe;
	char *why;
};

static struct backends try_backends(void)
{
	struct probes set = {.list = g_ptr_array_new()};
	struct backends b = {};

	if (bpf_new(-1, &set.bpf) || funclat_new(set.bpf, CALIBRATION_PROBES, &set.funclat)) {
		b.why = g_strdup(err_text());
	} else {
		b.fentry = calibrate_backend_works(&set, "fentry");
		b.kprobe = calibrate_backend_works(&set, "kprobe");
		if (!b.fentry && !b.kprobe)
			b.why = g_strdup("this kernel attaches no function probes (see mmprof doctor)");
	}
	funclat_free(set.funclat);
	bpf_free(set.bpf);
	g_ptr_array_unref(set.list);
	return b;
}

static const char *first_function(const struct catalog_entry *e)
{
	for (char **t = e->targets; *t; t++)
		if (kernel_has_function(*t))
			return *t;
	return NULL;
}

static char *func_here(const struct catalog_entry *e, const struct backends *b, bool *can)
{
	const char *symbol = first_function(e), *why;

	if (!symbol)
		return g_strdup("absent: no such function in this kernel (not built in, or inlined)");
	if (b->why)
		return g_strdup(b->why);
	*can = true;
	if (b->fentry && kernel_can_trace(symbol, &why) && kernel_btf_func(symbol) > 0)
		return g_strdup_printf("fentry on %s", symbol);
	if (b->kprobe)
		return g_strdup_printf("kprobe on %s", symbol);
	*can = false;
	return g_strdup(err_text());
}

static char *tp_here(const struct catalog_entry *e, bool *can)
{
	for (char **t = e->targets; *t; t++) {
		g_auto(GStrv) word = g_strsplit_set(*t, ": ", 3);

		if (g_strv_length(word) >= 2 && kernel_tp_exists(word[0], word[1]) == 0) {
			*can = true;
			return g_strdup_printf("tracepoint %s:%s", word[0], word[1]);
		}
	}
	return g_strdup(err_text());
}

static char *here(const struct catalog_entry *e, const struct backends *b, bool *can)
{
	*can = false;
	if (!strcmp(e->kind, "func"))
		return func_here(e, b, can);
	if (!strcmp(e->kind, "tp") || !strcmp(e->kind, "lock"))
		return tp_here(e, can);
	*can = true;
	return g_strdup_printf("by %s", e->targets[0]);
}

int catalog_list(struct doc *doc, const char *group)
{
	static const struct doc_column columns[] = {
	    {"group", "group", DOC_PLAIN},
	    {"name", "name", DOC_PLAIN},
	    {"kind", "kind", DOC_PLAIN},
	    {"default", "default", DOC_PLAIN},
	    {"can", "here?", DOC_PLAIN},
	    {"here", "how, or why not", DOC_PLAIN},
	    {"kernels", "kernels", DOC_PLAIN},
	    {"calls", "calls", DOC_PLAIN},
	    {"what", "what it measures", DOC_PLAIN},
	};
	const GPtrArray *all = catalog();
	struct doc_section *sec;
	struct backends b;

	if (group && !catalog_has_group(group))
		return err_set(-EINVAL, "the catalogue has no group \"%s\"", group);
	sec = doc_section(doc, "probes", "Probe catalogue", columns, G_N_ELEMENTS(columns));
	b = try_backends();
	for (guint i = 0; i < all->len; i++) {
		const struct catalog_entry *e = all->pdata[i];
		bool can;
		g_autofree char *how = NULL;

		if (group && strcmp(e->group, group))
			continue;
		how = here(e, &b, &can);
		doc_row(sec);
		doc_text(sec, "%s", e->group);
		doc_text(sec, "%s", e->name);
		doc_text(sec, "%s", e->kind);
		doc_text(sec, "%s", catalog_flag(e, "default") ? "yes" : "");
		doc_text(sec, "%s", can ? "yes" : "no");
		doc_text(sec, "%s", how);
		doc_text(sec, "%s", e->kernels);
		doc_text(sec, "%s",
			 catalog_flag(e, "hot")   ? "very many"
			 : catalog_flag(e, "irq") ? "in interrupts"
						  : "");
		doc_text(sec, "%s", e->what);
	}
	if (b.why)
		doc_note(sec, "Functions can't be timed here: %s", b.why);
	g_free(b.why);
	return 0;
}
