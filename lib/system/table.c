// The list of all systems: to add one, write its file and a line here.
#include <stddef.h>
#include <string.h>

#include "system/system.h"

extern const struct system system_numab, system_tpp, system_pgcache;

const struct system *const system_table[] = {
    &system_numab,
    &system_tpp,
    &system_pgcache,
    NULL,
};

const struct system *system_find(const char *name)
{
	for (const struct system *const *s = system_table; *s; s++)
		if (!strcmp((*s)->name, name))
			return *s;
	return NULL;
}
