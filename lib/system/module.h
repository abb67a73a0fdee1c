// Kernel modules of systems under test: found, checked and loaded with libkmod; the journal unloads them.
#ifndef MMPROF_SYSTEM_MODULE_H
#define MMPROF_SYSTEM_MODULE_H

#include <stdbool.h>

// Whether the module has this parameter (as modinfo shows it). -ENOENT with an err chain when there is no
// such module for the running kernel: it is looked for in $MMPROF_MODULES, in /lib/modules (DKMS puts it
// there) and, when mmprof runs from its source tree, in kmod/build.
int module_has_parameter(const char *name, const char *parameter, bool *has);

// Whether it could be loaded: it is there, and not loaded already (-EBUSY).
int module_check(const char *name);

// Loads it with parameters ("ratio=4 verify=1"; may be ""); the journal must be open. -errno with an err
// chain: the kernel's log says more.
int module_load(const char *name, const char *parameters);

bool module_is_loaded(const char *name);

#endif
