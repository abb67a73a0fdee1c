// `mmprof list probes`: the catalogue, and what of it can attach to this kernel.
#ifndef MMPROF_PROBE_AVAILABLE_H
#define MMPROF_PROBE_AVAILABLE_H

struct doc;

// Adds the catalogue as a section; `group` NULL: all of it. -EINVAL with an err chain for a group that isn't
// there.
int catalog_list(struct doc *doc, const char *group);

#endif
