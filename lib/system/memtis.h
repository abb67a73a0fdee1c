// MEMTIS on its authors' kernel.
#ifndef MMPROF_SYSTEM_MEMTIS_H
#define MMPROF_SYSTEM_MEMTIS_H

// Makes it manage the memory of this cgroup's processes (memory.htmm_enabled, from now on: it is for a cgroup
// that goes away afterwards). -errno with an err chain.
int memtis_enable(const char *cgroup);

#endif
