// The kernel's configuration, from wherever this kernel or its package put it.
#include <string.h>
#include <zlib.h>

#include "host/internal.h"

static GHashTable *config; // NAME → value, of the running kernel
static char *config_source;

// gzread() reads plain files as well.
static char *read_packed(const char *path)
{
	gzFile f = gzopen(path, "rbe");
	GString *text;
	char buf[16384];
	int n;

	if (!f)
		return NULL;
	text = g_string_new(NULL);
	while ((n = gzread(f, buf, sizeof(buf))) > 0 && text->len < HOST_FILE_BYTES)
		g_string_append_len(text, buf, n);
	gzclose(f);
	if (n >= 0 && strstr(text->str, "CONFIG_"))
		return g_string_free(text, FALSE);
	g_string_free(text, TRUE);
	return NULL;
}

// Where a configuration may be, best first. A path that names the release can't be another kernel's by
// mistake; in the lab's guest, /boot is that of the machine around it.
static GPtrArray *places(const char *root)
{
	static const struct {
		const char *before, *after;
	} named[] = {
	    {"/boot/config-", ""},
	    {"/lib/modules/", "/config"},
	    {"/lib/modules/", "/build/.config"},
	    {"/usr/src/linux-headers-", "/.config"},
	};
	g_autofree char *release = host_read_below(root, "/proc/sys/kernel/osrelease");
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	const char *given = g_getenv("MMPROF_LAB_CONFIG");

	if (!*root && given)
		g_ptr_array_add(list, g_strdup(given));
	g_ptr_array_add(list, g_strconcat(root, "/proc/config.gz", NULL));
	for (size_t i = 0; release && i < G_N_ELEMENTS(named); i++)
		g_ptr_array_add(list, g_strconcat(root, named[i].before, release, named[i].after, NULL));
	if (!*root && release && g_getenv("MMPROF_LAB")) // where scripts/lab keeps the kernels it fetched
		g_ptr_array_add(
		    list, g_build_filename(g_get_user_cache_dir(), "mmprof-lab", release, "config", NULL));
	return list;
}

char *host_config_text(const char *root, char **source)
{
	g_autoptr(GPtrArray) list = places(root);

	for (guint i = 0; i < list->len; i++) {
		char *text = read_packed(list->pdata[i]);

		if (!text)
			continue;
		*source = g_strdup((char *)list->pdata[i] + strlen(root));
		return text;
	}
	*source = NULL;
	return NULL;
}

static void load(void)
{
	static bool tried;
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (tried)
		return;
	tried = true;
	text = host_config_text("", &config_source);
	if (!text)
		return;
	config = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	lines = g_strsplit(text, "\n", -1);
	for (char **l = lines; *l; l++) {
		char *eq = strchr(*l, '=');

		if (!g_str_has_prefix(*l, "CONFIG_") || !eq)
			continue;
		*eq++ = 0;
		if (*eq == '"' && g_str_has_suffix(eq + 1, "\"")) {
			eq[strlen(eq) - 1] = 0;
			eq++;
		}
		g_hash_table_insert(config, g_strdup(*l + strlen("CONFIG_")), g_strdup(eq));
	}
}

const char *host_config(const char *name)
{
	const char *value;

	load();
	if (!config)
		return NULL;
	value = g_hash_table_lookup(config, name);
	return value ? value : "n";
}

const char *host_config_source(void)
{
	load();
	return config_source;
}
