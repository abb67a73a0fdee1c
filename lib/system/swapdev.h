// A swap device that mmprof makes: a compressed RAM disk (zram), a file, or a swap partition that is there.
#ifndef MMPROF_SYSTEM_SWAPDEV_H
#define MMPROF_SYSTEM_SWAPDEV_H

#include "system/system.h"

// Of systems that swap: options of theirs.
//   swap=SIZE     make one of this size; without it what is on already is used
//   swap_on=zram  where: zram (the default), a directory on a real file system, or a block device that
//                 mkswap(8) was run on, which needs no size
//   swap_algorithm=NAME  of zram
#define SWAPDEV_KEYS                                                                                         \
	{"swap", NULL, NULL}, {"swap_on", NULL, NULL}, {"swap_algorithm", NULL, NULL},                       \
	{                                                                                                    \
		"swappiness", "sysctl.vm.swappiness", NULL                                                   \
	}

// Whether that can be had; `needed`: there must be some swap. -EINVAL or -ENOENT with an err chain.
int swapdev_check(const struct system_spec *spec, bool needed);

// Makes it, before all other swap in priority, through the journal. Nothing when none is asked for.
int swapdev_set_up(const struct system_spec *spec);

#endif
