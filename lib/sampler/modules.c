// What our own kernel modules count while they are loaded: the files of /sys/kernel/mm/pgcache that can only
// be read, as pgcache.pte.hit and so on (docs/pgcache.md). Its knobs are part of a run's provenance.
#include "base/err.h"
#include "sampler/read.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>

SAMPLER_FUNCTIONS(modules);

static const char *const modules[] = {"pgcache"};

struct modules {
	GArray *files; // struct value_file
};

static void value_clear(void *file)
{
	value_close(file);
}

static bool is_level(const char *name)
{
	return !strcmp(name, "used") || !strcmp(name, "free");
}

static void add_file(struct modules *m, const char *path, const char *name, const char *series)
{
	enum series_kind kind = is_level(name) ? SERIES_GAUGE : SERIES_COUNTER;
	struct value_file file;
	int64_t value;

	if (value_open(&file, path, "count", kind, 1) < 0)
		return;
	if (value_read(&file, &value) < 0) { // words
		value_close(&file);
		return;
	}
	file.series = g_strdup(series);
	g_array_append_val(m->files, file);
}

// Directories one level down are the parts of a module.
static void add_tree(struct modules *m, const char *dir, const char *series, int depth)
{
	g_autofree char *full = g_strconcat(sampler_root, dir, NULL);
	g_autoptr(GDir) d = g_dir_open(full, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		g_autofree char *path = g_build_filename(dir, name, NULL),
				*whole = g_build_filename(full, name, NULL),
				*below = g_strdup_printf("%s.%s", series, name);
		struct stat st;

		if (lstat(whole, &st))
			continue;
		if (S_ISDIR(st.st_mode) && depth)
			add_tree(m, path, below, depth - 1);
		else if (S_ISREG(st.st_mode) && !(st.st_mode & 0222) && strcmp(name, "max"))
			add_file(m, path, name, below);
	}
}

// Not loaded is nothing to be missed.
int modules_sampler_open(const struct sample_target *target, void **state)
{
	struct modules *m = g_new0(struct modules, 1);

	(void)target;
	m->files = g_array_new(FALSE, FALSE, sizeof(struct value_file));
	g_array_set_clear_func(m->files, value_clear);
	for (size_t i = 0; i < G_N_ELEMENTS(modules); i++) {
		g_autofree char *dir = g_strconcat("/sys/kernel/mm/", modules[i], NULL);

		add_tree(m, dir, modules[i], 1);
	}
	*state = m;
	return 0;
}

int modules_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct modules *m = state;
	int64_t value;

	(void)target;
	for (guint i = 0; i < m->files->len; i++) {
		struct value_file *file = &g_array_index(m->files, struct value_file, i);

		if (value_read(file, &value) == 0)
			sink->put(sink, file->series, file->unit, file->kind, value);
	}
	return 0;
}

void modules_sampler_close(void *state)
{
	struct modules *m = state;

	g_array_free(m->files, TRUE);
	g_free(m);
}
