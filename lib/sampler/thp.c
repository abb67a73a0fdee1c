// Huge pages by size: how often each was given, refused, split and swapped, and khugepaged's work. Follows
// mm/huge_memory.c (stats_attrs) and mm/khugepaged.c. The kernel sums each file over all CPUs and there are
// some 150 of them, hence once a second; thp_* of the vmstat sampler count the PMD size at every tick.
#include "base/err.h"
#include "sampler/read.h"

#include <dirent.h>
#include <errno.h>
#include <glib.h>
#include <string.h>

SAMPLER_FUNCTIONS(thp);

#define THP "/sys/kernel/mm/transparent_hugepage"

struct thp {
	GArray *files; // struct value_file
	struct absent *absent;
};

static void add_file(struct thp *thp, const char *path, const char *series, const char *unit,
		     enum series_kind kind)
{
	struct value_file file;

	if (value_open(&file, path, unit, kind, 1) < 0)
		return;
	file.series = g_strdup(series);
	g_array_append_val(thp->files, file);
}

// Every file of hugepages-SIZEkB/stats; the list grows with the kernel's versions.
static void add_size(struct thp *thp, const char *size_dir)
{
	g_autofree char *dir = g_strdup_printf(THP "/%s/stats", size_dir);
	g_autofree char *full = g_strconcat(sampler_root, dir, NULL);
	DIR *d = opendir(full);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		g_autofree char *path = g_strdup_printf("%s/%s", dir, e->d_name);
		g_autofree char *series =
		    g_strdup_printf("thp.%s.%s", size_dir + strlen("hugepages-"), e->d_name);

		if (e->d_name[0] != '.') // nr_anon, nr_anon_partially_mapped
			add_file(thp, path, series, "count",
				 g_str_has_prefix(e->d_name, "nr_") ? SERIES_GAUGE : SERIES_COUNTER);
	}
	if (d)
		closedir(d);
}

static void value_clear(void *file)
{
	value_close(file);
}

int thp_sampler_open(const struct sample_target *target, void **state)
{
	g_autofree char *full = g_strconcat(sampler_root, THP, NULL);
	DIR *d = opendir(full);
	struct dirent *e;

	(void)target;
	if (!d)
		return err_set(-errno, THP ": %s: the kernel is built without CONFIG_TRANSPARENT_HUGEPAGE",
			       g_strerror(errno));
	struct thp *thp = g_new0(struct thp, 1);
	thp->files = g_array_new(FALSE, FALSE, sizeof(struct value_file));
	g_array_set_clear_func(thp->files, value_clear);
	while ((e = readdir(d)))
		if (g_str_has_prefix(e->d_name, "hugepages-"))
			add_size(thp, e->d_name);
	closedir(d);
	if (!thp->files->len)
		absent_add(
		    &thp->absent, "thp sizes",
		    THP "/hugepages-*/stats: none: they came with Linux 6.10; thp_* of vmstat count the PMD "
			"size");
	add_file(thp, THP "/khugepaged/pages_collapsed", "thp.khugepaged.pages_collapsed", "count",
		 SERIES_COUNTER);
	add_file(thp, THP "/khugepaged/full_scans", "thp.khugepaged.full_scans", "count", SERIES_COUNTER);
	*state = thp;
	return 0;
}

int thp_sampler_read(void *state, const struct sample_target *target, struct sink *sink)
{
	struct thp *thp = state;
	int64_t value;

	(void)target;
	absent_say(&thp->absent, sink);
	for (guint i = 0; i < thp->files->len; i++) {
		struct value_file *file = &g_array_index(thp->files, struct value_file, i);

		if (value_read(file, &value) == 0)
			sink->put(sink, file->series, file->unit, file->kind, value);
	}
	return 0;
}

void thp_sampler_close(void *state)
{
	struct thp *thp = state;

	g_array_free(thp->files, TRUE);
	absent_free(&thp->absent);
	g_free(thp);
}
