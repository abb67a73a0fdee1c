// The list of all systems: to add one, write its file and a line here.
#include <glib.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "system/settings.h"
#include "system/system.h"

extern const struct system system_numab, system_tpp, system_pgcache, system_swap, system_zswap, system_ksm,
    system_ksm_zswap, system_iommu, system_ours, system_memtis, system_nomad, system_memtis_authors,
    system_nomad_authors;

const struct system *const system_table[] = {
    &system_numab,  &system_tpp,           &system_pgcache, &system_swap, &system_zswap,
    &system_ksm,    &system_ksm_zswap,     &system_iommu,   &system_ours, &system_memtis_authors,
    &system_memtis, &system_nomad_authors, &system_nomad,   NULL,
};

static bool may_be_here(const struct system *s)
{
	g_autofree char *path = s->there ? g_strconcat(settings_root, s->there, NULL) : NULL;

	return !path || access(path, F_OK) == 0;
}

static const struct system *find(const char *name, size_t n)
{
	for (const struct system *const *s = system_table; *s; s++)
		if (strlen((*s)->name) == n && !strncmp((*s)->name, name, n) && may_be_here(*s))
			return *s;
	return NULL;
}

const struct system *system_find(const char *name)
{
	return find(name, strlen(name));
}

const struct system *system_of_text(const char *text)
{
	return find(text, strcspn(text, ","));
}

bool system_is_mergeable(const char *text)
{
	const struct system *s = system_of_text(text);

	return s && s->mergeable;
}
