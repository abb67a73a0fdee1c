// The probe catalogue: probes/catalog/*, embedded in the binary. One line a probe:
//     NAME ; KIND ; TARGETS ; KERNELS ; FLAGS ; DESCRIPTION
#ifndef MMPROF_PROBE_CATALOG_H
#define MMPROF_PROBE_CATALOG_H

#include <glib.h>
#include <stdbool.h>

struct doc;

struct catalog_entry {
	const char *group, *name, *kind;
	char **targets; // first that exists wins; an alias's are the names of the probes that stand for it
	const char *kernels, *flags, *what;
};

// All entries (struct catalog_entry *), in the order of the files. Lives as long as the process. A line of
// the wrong form ends the process with a message: the catalogue is part of the program, and a test reads all
// of it.
const GPtrArray *catalog(void);

const struct catalog_entry *catalog_find(const char *name);
bool catalog_has_group(const char *group);
bool catalog_flag(const struct catalog_entry *entry, const char *flag); // "default", "hot", "irq"
char *catalog_flag_value(const struct catalog_entry *entry,
			 const char *key); // "unit=pages" → "pages"; NULL; g_free

#endif
