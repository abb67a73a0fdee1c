// The list of all systems: to add one, write its file and a line here.
#include <stddef.h>
#include <string.h>

#include "system/system.h"

extern const struct system system_numab, system_tpp, system_pgcache, system_swap, system_zswap, system_ksm,
    system_ksm_zswap, system_iommu, system_ours, system_memtis, system_nomad;

const struct system *const system_table[] = {
    &system_numab,     &system_tpp,   &system_pgcache, &system_swap,   &system_zswap, &system_ksm,
    &system_ksm_zswap, &system_iommu, &system_ours,    &system_memtis, &system_nomad, NULL,
};

const struct system *system_find(const char *name)
{
	for (const struct system *const *s = system_table; *s; s++)
		if (!strcmp((*s)->name, name))
			return *s;
	return NULL;
}

bool system_is_mergeable(const char *text)
{
	size_t n = strcspn(text, ",");

	for (const struct system *const *s = system_table; *s; s++)
		if (strlen((*s)->name) == n && !strncmp((*s)->name, text, n))
			return (*s)->mergeable;
	return false;
}
