// Facts about the processor: model, features, caches, and how its frequency is governed.
#include <stdlib.h>
#include <string.h>

#include "host/facts.h"

// The value of a line "name<blanks>: value" of /proc/cpuinfo's first CPU, NULL if there is none. g_free.
static char *field(const char *info, const char *name)
{
	size_t n = strlen(name);

	for (const char *l = info; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL) {
		const char *p = l + n;

		if (*l == '\n')
			break; // the next CPU
		if (strncmp(l, name, n))
			continue;
		p += strspn(p, " \t");
		if (*p == ':')
			return g_strndup(p + 1, strcspn(p + 1, "\n"));
	}
	return NULL;
}

static int count_cpus(const char *info)
{
	int n = 0;

	for (const char *l = info; l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL)
		n += g_str_has_prefix(l, "processor");
	return n;
}

// Those of the CPU's features that page tables, TLBs, copying and clocks depend on.
static char *mm_features(const char *flags)
{
	static const char *const wanted[] = {"pse",  "pge",     "pcid",         "invpcid",     "pdpe1gb",
					     "la57", "pti",     "smap",         "pku",         "erms",
					     "fsrm", "invlpgb", "constant_tsc", "nonstop_tsc", "ibs",
					     "pebs", "dtes64",  "arch_perfmon", "perfmon_v2"};
	g_auto(GStrv) words = g_strsplit_set(flags, " \t", -1);
	GString *found = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
		if (g_strv_contains((const char *const *)words, wanted[i]))
			g_string_append_printf(found, "%s%s", found->len ? " " : "", wanted[i]);
	return g_string_free(found, FALSE);
}

static void give_flags(const struct facts *f, const char *info)
{
	g_autofree char *flags = field(info, "flags"), *features = NULL, *sum = NULL, *line = NULL;

	if (!flags)
		return;
	line = g_strstrip(g_strdup(flags));
	features = mm_features(line);
	sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, line, -1);
	facts_give(f, sum, "cpu.flags_sha256");
	facts_give(f, features, "cpu.mm_features");
	facts_give(f, strstr(flags, " hypervisor") ? "yes" : "no", "machine.virtual");
}

static void give_model(const struct facts *f, const char *info)
{
	static const struct {
		const char *field, *key;
	} wanted[] = {{"vendor_id", "cpu.vendor"},
		      {"model name", "cpu.model"},
		      {"microcode", "cpu.microcode"},
		      {"bugs", "cpu.bugs"}};
	g_autofree char *family = field(info, "cpu family"), *model = field(info, "model"),
			*step = field(info, "stepping");
	g_autofree char *count = g_strdup_printf("%d", count_cpus(info)), *id = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
		g_autofree char *value = field(info, wanted[i].field);

		facts_give(f, value, "%s", wanted[i].key);
	}
	if (family && model && step) {
		id = g_strdup_printf("%ld/%ld/%ld", strtol(family, NULL, 10), strtol(model, NULL, 10),
				     strtol(step, NULL, 10));
		facts_give(f, id, "cpu.family_model_stepping");
	}
	if (count_cpus(info))
		facts_give(f, count, "cpu.count");
}

// "32K, 8-way, 64-byte lines, CPUs 0-1", of the first CPU's caches.
static void give_caches(const struct facts *f)
{
	for (int i = 0; i < 16; i++) {
		static const char *const files[] = {
		    "level",          "type", "size", "ways_of_associativity", "coherency_line_size",
		    "shared_cpu_list"};
		enum { LEVEL, TYPE, SIZE, WAYS, LINE, SHARED, N };
		char *v[N] = {};
		g_autofree char *text = NULL;

		for (int k = 0; k < N; k++) {
			g_autofree char *path =
			    g_strdup_printf("/sys/devices/system/cpu/cpu0/cache/index%d/%s", i, files[k]);

			v[k] = host_read_below(f->root, path);
		}
		if (v[LEVEL] && v[TYPE] && v[SIZE]) {
			text = g_strdup_printf("%s, %s-way, %s-byte lines, CPUs %s", v[SIZE],
					       v[WAYS] ? v[WAYS] : "?", v[LINE] ? v[LINE] : "?",
					       v[SHARED] ? v[SHARED] : "?");
			facts_give(f, text, "cpu.cache.L%s%s", v[LEVEL],
				   v[TYPE][0] == 'D'   ? "d"
				   : v[TYPE][0] == 'I' ? "i"
						       : "");
		}
		for (int k = 0; k < N; k++)
			g_free(v[k]);
	}
}

// One value where all policies agree, else "powersave (0 2), performance (1)": the policies' numbers.
static void give_policies(const struct facts *f, char **policies, const char *file, const char *key)
{
	g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free),
			     who = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) text = g_string_new(NULL);
	guint at;

	for (char **p = policies; *p; p++) {
		g_autofree char *path = g_strdup_printf("/sys/devices/system/cpu/cpufreq/%s/%s", *p, file);
		g_autofree char *value = host_read_below(f->root, path), *more = NULL;

		if (!value || !g_str_has_prefix(*p, "policy"))
			continue;
		if (!g_ptr_array_find_with_equal_func(values, value, g_str_equal, &at)) {
			g_ptr_array_add(values, g_steal_pointer(&value));
			g_ptr_array_add(who, g_strdup(*p + strlen("policy")));
			continue;
		}
		more = g_strdup_printf("%s %s", (char *)who->pdata[at], *p + strlen("policy"));
		g_free(who->pdata[at]);
		who->pdata[at] = g_steal_pointer(&more);
	}
	if (values->len == 1)
		g_string_assign(text, values->pdata[0]);
	for (guint i = 0; values->len > 1 && i < values->len; i++)
		g_string_append_printf(text, "%s%s (%s)", i ? ", " : "", (char *)values->pdata[i],
				       (char *)who->pdata[i]);
	facts_give(f, text->str, "%s", key);
}

static void give_cpufreq(const struct facts *f)
{
	static const struct {
		const char *file, *key;
	} knobs[] = {
	    {"scaling_driver", "cpufreq.driver"},       {"scaling_governor", "cpufreq.governor"},
	    {"scaling_min_freq", "cpufreq.min_khz"},    {"scaling_max_freq", "cpufreq.max_khz"},
	    {"cpuinfo_min_freq", "cpufreq.hw_min_khz"}, {"cpuinfo_max_freq", "cpufreq.hw_max_khz"},
	    {"base_frequency", "cpufreq.base_khz"},     {"energy_performance_preference", "cpufreq.epp"},
	};
	g_autofree char *dir = g_strconcat(f->root, "/sys/devices/system/cpu/cpufreq", NULL);
	g_auto(GStrv) policies = host_entries(dir);

	for (size_t i = 0; i < G_N_ELEMENTS(knobs); i++)
		give_policies(f, policies, knobs[i].file, knobs[i].key);
}

void facts_cpu(const struct facts *f)
{
	g_autofree char *info = host_read_below(f->root, "/proc/cpuinfo");

	if (info) {
		give_model(f, info);
		give_flags(f, info);
	}
	give_caches(f);
	give_cpufreq(f);
}
