// Facts about memory: how much, on which nodes, what it is swapped to, and how cgroups are mounted.
#include <stdlib.h>
#include <string.h>

#include "host/facts.h"

// The lines of a file that begin with one of `fields`, each as "PREFIX.KEY".
static void give_fields(const struct facts *f, const char *path)
{
	static const struct {
		const char *field, *key;
	} wanted[] = {{"MemTotal:", "memory.total"},
		      {"SwapTotal:", "swap.total"},
		      {"Hugepagesize:", "memory.huge_page_size"}};
	g_autofree char *text = host_read_below(f->root, path);

	for (size_t i = 0; text && i < G_N_ELEMENTS(wanted); i++) {
		const char *at = strstr(text, wanted[i].field);
		g_autofree char *value = NULL;

		if (!at || (at != text && at[-1] != '\n'))
			continue;
		at += strlen(wanted[i].field);
		value = g_strndup(at, strcspn(at, "\n"));
		facts_give(f, value, "%s", wanted[i].key);
	}
}

// "Node 1 MemTotal:  2097152 kB"; what initiators a node's HMAT figures are for.
static void give_nodes(const struct facts *f)
{
	g_autofree char *base = g_strconcat(f->root, "/sys/devices/system/node", NULL);
	g_auto(GStrv) names = host_entries(base);

	for (char **n = names; *n; n++) {
		g_autofree char *path = g_build_filename(base, *n, "meminfo", NULL), *text = NULL,
				*value = NULL;
		const char *at;

		if (!g_str_has_prefix(*n, "node") || !g_ascii_isdigit((*n)[4]))
			continue;
		text = host_read(path);
		at = text ? strstr(text, "MemTotal:") : NULL;
		if (!at)
			continue;
		at += strlen("MemTotal:");
		value = g_strndup(at, strcspn(at, "\n"));
		facts_give(f, value, "numa.%s.total", *n);
	}
}

// "Filename Type Size Used Priority" and a line each; what is used is no setting.
static void give_swaps(const struct facts *f)
{
	g_autofree char *text = host_read_below(f->root, "/proc/swaps");
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (int i = 1; lines && lines[0] && lines[i]; i++) {
		g_autofree char *line = host_line(lines[i]), *value = NULL;
		g_auto(GStrv) w = g_strsplit(line, " ", 5);

		if (g_strv_length(w) < 5)
			continue;
		value = g_strdup_printf("%s %s %s kB priority %s", w[0], w[1], w[2], w[4]);
		facts_give(f, value, "swap.device.%d", i - 1);
	}
}

void facts_memory(const struct facts *f)
{
	g_autofree char *layout = host_cgroup_layout(f->root);

	give_fields(f, "/proc/meminfo");
	give_nodes(f);
	give_swaps(f);
	facts_give(f, layout, "cgroup.layout");
}
